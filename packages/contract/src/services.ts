/** What services there are and what an org uses them for: the words only. What each can do is the server's catalogue. */

export const serviceNames = [
  'ses',
  'mailjet',
  'smtp',
  'sqs',
  'webhook',
  'supabase',
  'stripe',
  'test_stripe',
  'wordpress',
  'testmail',
  'testdetail',
] as const
export type ServiceName = (typeof serviceNames)[number]

export const serviceFunctions = ['email', 'detail', 'storage', 'push', 'event'] as const
export type ServiceFunction = (typeof serviceFunctions)[number]

/** Instead of a service of its own: whatever the instance org uses for the same function, at the moment of use. */
export const SYSTEM = 'SYSTEM'

/** `email` → `emailBackend`. */
export const backendFieldOf = (name: ServiceFunction): BackendField => `${name}Backend`
export type BackendField = `${ServiceFunction}Backend`

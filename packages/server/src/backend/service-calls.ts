/** What can be asked of an org's own services, besides what their functions do. */
import { type Input, type Output, Problem } from '@posthorn/contract'
import type { ById } from '../list/page.ts'
import type { JsonRequestInput } from '../services/calls.ts'
import type { BackendCaller } from './reach.ts'
import type { ServiceUse } from './service-use.ts'

type StripeCall = 'createPaymentIntent' | 'createCustomer' | 'createPrice' | 'createSubscription'

export type ServiceCalls = ReturnType<typeof createServiceCalls>

/** All throw Problem service_not_found, service_cannot, service_failed. */
export function createServiceCalls(use: ServiceUse) {
  const stripe =
    (call: StripeCall) =>
    async ({ orgId }: BackendCaller, input: Input<`services.${StripeCall}`>) => {
      const { id, params, idempotencyKey = null } = input
      const object = await use.call(orgId, id, call, { params, idempotencyKey })
      return { id: object.id, object }
    }
  return {
    async check({ orgId }: BackendCaller, { id }: ById): Promise<Output<'services.check'>> {
      const answer = await use.use(orgId, id, service => service.check())
      if (answer.ok) return { ok: true, message: answer.value, fault: null }
      return { ok: false, message: answer.fault.reason, fault: answer.fault.code }
    },
    async listTemplates({ orgId }: BackendCaller, { id }: ById) {
      return { templates: [...(await use.call(orgId, id, 'listTemplates', {}))] }
    },
    async inbox({ orgId }: BackendCaller, { id }: ById) {
      const entries = await use.call(orgId, id, 'inbox', {})
      return { entries: entries.map(({ at, ...entry }) => ({ at: new Date(at).toISOString(), ...entry })) }
    },
    async jsonRequest({ orgId }: BackendCaller, { id, auth, ...request }: Input<'services.jsonRequest'>) {
      const how = auth === undefined ? {} : { auth: authOf(auth) }
      return { ...(await use.call(orgId, id, 'jsonRequest', { ...request, ...how } as JsonRequestInput)) }
    },
    async awsRequest({ orgId }: BackendCaller, { id, ...request }: Input<'services.awsRequest'>) {
      return { ...(await use.call(orgId, id, 'awsRequest', request)) }
    },
    createPaymentIntent: stripe('createPaymentIntent'),
    createCustomer: stripe('createCustomer'),
    createPrice: stripe('createPrice'),
    createSubscription: stripe('createSubscription'),
    async savePost({ orgId }: BackendCaller, { id, post: before, fields }: Input<'services.savePost'>) {
      const post = await use.call(orgId, id, 'savePost', { id: before ?? null, fields })
      return { post: post.id, link: post.link, status: post.status }
    },
  }
}

function authOf(word: string): NonNullable<JsonRequestInput['auth']> {
  if (word === 'basic' || word === 'header' || word === 'none') return word
  const [, apiKey] = /^apiKey:([!#$%&'*+.^_`|~0-9A-Za-z-]{1,64})$/.exec(word) ?? []
  if (apiKey !== undefined) return { apiKey }
  const problem = 'body/auth must be basic, header, none, or apiKey:<name of the header>'
  throw new Problem('validation_failed', { problem, field: 'body/auth' })
}

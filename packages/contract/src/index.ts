export * from './aliases.ts'
export * from './authorization.ts'
export * from './authorization-rules.ts'
export * from './config.ts'
export * from './config-words.ts'
export * from './delivery.ts'
export * from './email-input.ts'
export * from './errors.ts'
export * from './header-rules.ts'
export * from './key-scopes.ts'
export * from './list.ts'
export * from './nearest.ts'
export * from './openapi.ts'
export {
  type Download,
  type Found,
  MAX_BATCH,
  neededRights,
  type Operation,
  type Right,
  type Scope,
  type Verb,
} from './operation.ts'
export * from './operational-events.ts'
export type { ProcessingRow, ProcessingUpdate } from './operations/backends.ts'
export type { MessagePut, PutManyResult } from './operations/messages.ts'
export type { ClaimedMessage } from './operations/pull.ts'
export * from './operations.ts'
export * from './queue-limits.ts'
export { type Reading, readAuthorization } from './read-authorization.ts'
export type { Access, CreateOf, Declared, Field, Fields, Relation, Resource, RowOf, UpdateOf } from './resource.ts'
export * from './resources/attempt.ts'
export * from './resources/cron.ts'
export * from './resources/key.ts'
export * from './resources/message.ts'
export * from './resources/org.ts'
export * from './resources/queue.ts'
export * from './resources/service.ts'
export * from './resources/template.ts'
export * from './resources/worker.ts'
export * from './retry-policy.ts'
export { parseTimestamp, TEXT_PATTERN } from './schema.ts'
export * from './services.ts'

/** Names that others gave, and that we answer to. Everything foreign stands here and nowhere else. */
import type { ErrorCode } from './errors.ts'
import type { OperationName, ResourceName } from './operations.ts'

/** Paths of pg-hooks that lead to an operation with a better one. */
export const pathAliases = [
  { path: '/queues/{id}/messageQueueId', operation: 'queues.listMessages', operationId: 'getMessagesForQueue' },
  { path: '/crons/{id}/messageCronId', operation: 'crons.listMessages', operationId: 'getMessagesForCron' },
  { path: '/cron/', operation: 'crons.list', operationId: 'getCronsByReadme' },
  { path: '/cron/', operation: 'crons.create', operationId: 'createCronByReadme' },
] as const satisfies { path: string; operation: OperationName; operationId: string }[]

/** In pg-hooks, creating with an `id` updates that record. */
export const saves: Partial<Record<OperationName, OperationName>> = {
  'queues.create': 'queues.update',
  'messages.put': 'messages.update',
  'crons.create': 'crons.update',
}

/** The operation ids of pg-hooks' OpenAPI document: generated clients are built on them. */
export const operationIds: Partial<Record<OperationName, string>> = {
  'queues.list': 'getQueues',
  'queues.create': 'createQueue',
  'queues.get': 'getQueueById',
  'queues.update': 'updateQueue',
  'queues.updateMany': 'updateQueues',
  'queues.delete': 'deleteQueues',
  'queues.listQueues': 'getQueuesForQueue',
  'queues.getDeadLetterQueue': 'getQueueForQueue',
  'messages.list': 'getMessages',
  'messages.put': 'createMessage',
  'messages.get': 'getMessageById',
  'messages.update': 'updateMessage',
  'messages.updateMany': 'updateMessages',
  'messages.delete': 'deleteMessages',
  'messages.getQueue': 'getQueueForMessage',
  'messages.getCron': 'getCronForMessage',
  'queues.listCrons': 'getCronsForQueue',
  'crons.list': 'getCrons',
  'crons.create': 'createCron',
  'crons.get': 'getCronById',
  'crons.update': 'updateCron',
  'crons.updateMany': 'updateCrons',
  'crons.delete': 'deleteCrons',
  'crons.getQueue': 'getQueueForCron',
}

/** What Proca calls these in GraphQL, where the names that follow from the operations are others. */
export const graphqlNames: Partial<Record<OperationName, string>> = {
  'processing.get': 'orgProcessing',
  'processing.update': 'updateOrgProcessing',
  'services.listTemplates': 'listTemplates',
  'services.jsonRequest': 'jsonRequest',
  'services.awsRequest': 'awsRequest',
  'services.createPaymentIntent': 'createPaymentIntent',
  'services.createCustomer': 'createCustomer',
  'services.createPrice': 'createPrice',
  'services.createSubscription': 'createSubscription',
  'services.savePost': 'savePost',
  'emails.send': 'sendEmail',
  'details.lookup': 'lookupDetail',
  'files.fetch': 'fetchFiles',
}

/** The codes that pg-hooks' clients look for in its error shape; problem+json has ours. */
export const errorAliases: Partial<Record<ErrorCode, string>> = {
  validation_failed: 'FST_ERR_VALIDATION',
  invalid_json: 'FST_ERR_CTP_INVALID_JSON_BODY',
  body_too_large: 'FST_ERR_CTP_BODY_TOO_LARGE',
  unsupported_media_type: 'FST_ERR_CTP_INVALID_MEDIA_TYPE',
  unauthorized: 'PLT_DB_AUTH_UNAUTHORIZED',
  field_unauthorized: 'PLT_DB_AUTH_FIELD_UNAUTHORIZED',
  where_missing: 'PLT_SQL_MAPPER_MISSING_WHERE_CLAUSE',
  cursor_without_primary_key: 'PLT_SQL_OPENAPI_PRIMARY_KEY_NOT_INCLUDED_IN_ORDER_BY_IN_CURSOR_PAGINATION',
}

/** Fields of pg-hooks' GraphQL inputs that we do not let callers set: accepted without effect. */
export const ignoredInputs: Partial<Record<ResourceName, readonly string[]>> = { message: ['retries', 'cronId'] }

export const headerAliases = { adminSecret: 'x-platformatic-admin-secret' } as const

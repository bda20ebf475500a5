/**
 * Every error that a caller can meet: code → status, title, and a text whose `{details}` are named.
 * REST, GraphQL, the command line and the client all answer from this table.
 */
interface Entry {
  readonly status: number
  readonly title: string
  readonly text: string
}

const entry = <const S extends number, const T extends string>(status: S, title: string, text: T) => ({
  status,
  title,
  text,
})

export const errors = {
  validation_failed: entry(400, 'The request is not valid', '{problem}'),
  invalid_json: entry(400, 'The body is not JSON', 'Body is not valid JSON: {problem}'),
  cursor_without_primary_key: entry(
    400,
    'A cursor needs the primary key in the order',
    'A page by cursor needs orderby.{field}',
  ),
  cursor_invalid: entry(400, 'The cursor is not valid', 'querystring/{field} must be a cursor from an earlier answer'),
  dead_letter_queue_unknown: entry(
    400,
    'The dead letter queue does not exist',
    'body/deadLetterQueueId: queue {id} does not exist',
  ),
  dead_letter_circle: entry(
    400,
    'Dead letters would go in a circle',
    'body/deadLetterQueueId: the dead letters of queue {id} would come back to it',
  ),
  queue_is_ordered: entry(
    400,
    'An ordered queue takes no priorities',
    'body/priority must be 0: queue {id} keeps its order',
  ),
  queue_not_pull: entry(
    400,
    'The queue is not a pull queue',
    'Queue {id} delivers to its callbackUrl: nothing can be claimed from it',
  ),
  scope_unknown: entry(
    400,
    'There is no such scope',
    'body/scopes/{index}: there is no scope {scope}; the nearest is {nearest}',
  ),
  where_missing: entry(400, 'It would change everything', 'Missing where clause'),
  query_too_large: entry(400, 'The GraphQL query is too large', '{what} must not be over {limit}: it is {found}'),
  unauthorized: entry(401, 'Not authorized', 'operation not allowed'),
  field_unauthorized: entry(401, 'Not authorized for this field', 'field not allowed: {field}'),
  scope_missing: entry(403, 'The key does not reach so far', 'This API key has not the scope {scope}'),
  key_too_mighty: entry(
    403,
    'A key may not make a mightier one',
    'body/{field}: this API key can make keys only within its own scopes and its own time',
  ),
  service_invalid: entry(400, 'The service is not complete', '{problem}'),
  service_cannot: entry(400, 'The service cannot do that', 'Service {id} is a {name}, which cannot {call}'),
  backend_unknown: entry(400, 'No such service', 'body/{field}: org {org} has no service {service}'),
  backend_unfit: entry(
    400,
    'The service cannot serve this function',
    'body/{field}: {service} cannot serve {function}; what can is {fit}',
  ),
  backend_circle: entry(
    400,
    'SYSTEM would be itself',
    'body/{field}: org {org} is the one whose backend SYSTEM stands for; give it a service of its own',
  ),
  backend_system_missing: entry(
    400,
    'SYSTEM stands for nothing',
    'body/{field}: SYSTEM is the backend of org {instance}, which has none for {function}',
  ),
  template_invalid: entry(400, 'The template cannot be read', 'body/{field}: {problem}'),
  template_unknown: entry(400, 'No such template', 'body/template: org {org} has no template {template}'),
  host_not_local: entry(
    403,
    'Only local callers',
    'Header {header} must name this machine while no admin secret is configured',
  ),
  route_not_found: entry(404, 'No such route', 'Route {method}:{url} not found'),
  queue_not_found: entry(404, 'No such queue', 'Queue {id} not found'),
  message_not_found: entry(404, 'No such message', 'Message {id} not found'),
  cron_not_found: entry(404, 'No such cron', 'Cron {id} not found'),
  org_not_found: entry(404, 'No such org', 'Org {id} not found'),
  key_not_found: entry(404, 'No such key', 'Key {id} not found'),
  org_unknown: entry(404, 'No such org', 'Org {name} not found'),
  service_not_found: entry(404, 'No such service', 'Service {id} not found'),
  worker_not_found: entry(404, 'No such worker', 'Worker {id} not found'),
  template_not_found: entry(404, 'No such template', 'Template {id} not found'),
  relation_empty: entry(404, 'It has none', '{resource} {id} has no {relation}'),
  method_not_allowed: entry(
    405,
    'A GET request may not change anything',
    'Operation cannot be performed via a GET request',
  ),
  request_timeout: entry(408, 'The request came too slowly', 'The request did not arrive within {limit} ms'),
  org_exists: entry(409, 'There is such an org', 'There is an org {name} already'),
  org_is_instance: entry(409, 'It runs the installation', 'Org {id} runs the installation and cannot be deleted'),
  idempotency_conflict: entry(
    409,
    'The idempotency key was used for something else',
    'Idempotency key was used before for message {id}, which has other content',
  ),
  message_not_live: entry(409, 'The message is settled', 'Message {id} is {status}: only a pending one can be changed'),
  message_not_dead: entry(409, 'The message is not dead', 'Message {id} is {status}: only a dead one can be redriven'),
  message_not_settled: entry(409, 'The message is not settled', 'Message {id} is still pending'),
  message_busy: entry(
    409,
    'A message is just being changed',
    'Some of these messages were being changed or settled the whole time; nothing was changed',
  ),
  message_body_gone: entry(
    409,
    'The body was removed',
    'Message {id} cannot be sent again: its body was removed, its time was over',
  ),
  message_expunged: entry(
    409,
    'The message was expunged',
    'Message {id} cannot be sent again: its content was expunged at {at}',
  ),
  service_name_fixed: entry(409, 'The name of a service cannot change', 'Service {id} is a {name}, and stays one'),
  service_attached: entry(
    409,
    'The service is in use',
    'Service {id} is attached to {functions} of org {org}: detach it first',
  ),
  function_detached: entry(
    409,
    'The function has no backend',
    '{who} has no backend for {function}: nothing can be put or asked until a service is attached',
  ),
  queue_of_function: entry(
    409,
    'The queue belongs to a function',
    'Queue {id} is that of {function} and {what}: attach, change or detach the service of {function} instead',
  ),
  body_too_large: entry(413, 'The body is too large', 'Body must not be larger than {limit} bytes'),
  unsupported_media_type: entry(
    415,
    'The media type is not supported',
    'Media type {type} is not supported here: send JSON, as application/json',
  ),
  list_too_slow: entry(
    422,
    'The list takes too long',
    'The list took longer than {limit} ms: no index serves {parts}. Narrow it by id, queueId, cronId or status',
  ),
  too_many_found: entry(
    422,
    'More records than one change takes',
    'where finds more than the {limit} records that this change may take; nothing was changed',
  ),
  headers_too_large: entry(431, 'The request headers are too large', 'Request headers must not exceed {limit} bytes'),
  service_failed: entry(502, 'The service failed', '{service}: {reason}'),
  internal: entry(500, 'Internal error', 'Internal error; the server log has it under request {requestId}'),
  outcome_unknown: entry(
    503,
    'It may or may not have happened',
    'The database connection was lost during the commit: the change may or may not be stored. A retry with an idempotency key is safe',
  ),
  database_unavailable: entry(
    503,
    'The database cannot be reached',
    'The database cannot be reached; nothing was stored',
  ),
  overloaded: entry(
    503,
    'The node has too much to do',
    'More than {limit} {what} at once: nothing was stored, try again',
  ),
  subscriber_too_slow: entry(
    503,
    'The subscriber is too slow',
    'More than {limit} changes wait to be sent: subscribe again, and read what was missed',
  ),
  shutting_down: entry(503, 'The server is stopping', 'The server is stopping; nothing was stored'),
} satisfies Record<string, Entry>

export type ErrorCode = keyof typeof errors

/** What any operation may answer, whatever it does. */
export const commonErrors = [
  'validation_failed',
  'invalid_json',
  'unauthorized',
  'field_unauthorized',
  'scope_missing',
  'org_not_found',
  'host_not_local',
  'route_not_found',
  'request_timeout',
  'body_too_large',
  'unsupported_media_type',
  'headers_too_large',
  'internal',
  'outcome_unknown',
  'database_unavailable',
  'overloaded',
  'shutting_down',
] as const satisfies ErrorCode[]

/** What only GraphQL answers besides. */
export const graphqlErrors = [
  'query_too_large',
  'method_not_allowed',
  'subscriber_too_slow',
] as const satisfies ErrorCode[]

type NamesIn<Text extends string> = Text extends `${string}{${infer Name}}${infer Rest}` ? Name | NamesIn<Rest> : never
type Detail = string | number
/** What the text names must be there; more may be. */
export type ErrorDetails<C extends ErrorCode> = Readonly<Record<string, Detail>> &
  Readonly<Record<NamesIn<(typeof errors)[C]['text']>, Detail>>

/** An error of the catalogue with its details filled in. Expected, so it is logged by nobody. */
export class Problem<C extends ErrorCode = ErrorCode> extends Error {
  readonly code: C
  readonly status: number
  readonly title: string
  readonly details: Readonly<Record<string, Detail>>

  constructor(code: C, details: ErrorDetails<C>, options?: ErrorOptions) {
    super(fill(errors[code].text, details), options)
    this.name = 'Problem'
    this.code = code
    this.status = errors[code].status
    this.title = errors[code].title
    this.details = details
  }
}

/** A problem as data, for where it is one part of a larger answer. */
export function describeProblem(problem: Problem) {
  return { code: problem.code, status: problem.status, message: problem.message, details: problem.details }
}

function fill(text: string, details: Readonly<Record<string, Detail>>): string {
  return text.replace(/\{(\w+)\}/g, (_, name: string) => String(details[name] ?? ''))
}

// Generated from packages/contract by `node scripts/generate-client.mjs`. Change it there.

export type ErrorCode =
  | 'validation_failed'
  | 'invalid_json'
  | 'cursor_without_primary_key'
  | 'cursor_invalid'
  | 'dead_letter_queue_unknown'
  | 'dead_letter_circle'
  | 'queue_is_ordered'
  | 'queue_not_pull'
  | 'scope_unknown'
  | 'where_missing'
  | 'query_too_large'
  | 'unauthorized'
  | 'field_unauthorized'
  | 'scope_missing'
  | 'key_too_mighty'
  | 'service_invalid'
  | 'service_cannot'
  | 'backend_unknown'
  | 'backend_unfit'
  | 'backend_circle'
  | 'backend_system_missing'
  | 'template_invalid'
  | 'template_unknown'
  | 'host_not_local'
  | 'route_not_found'
  | 'queue_not_found'
  | 'message_not_found'
  | 'cron_not_found'
  | 'org_not_found'
  | 'key_not_found'
  | 'org_unknown'
  | 'service_not_found'
  | 'worker_not_found'
  | 'template_not_found'
  | 'relation_empty'
  | 'method_not_allowed'
  | 'request_timeout'
  | 'org_exists'
  | 'org_is_instance'
  | 'idempotency_conflict'
  | 'message_not_live'
  | 'message_not_dead'
  | 'message_not_settled'
  | 'message_busy'
  | 'message_body_gone'
  | 'message_expunged'
  | 'service_name_fixed'
  | 'service_attached'
  | 'function_detached'
  | 'queue_of_function'
  | 'body_too_large'
  | 'unsupported_media_type'
  | 'list_too_slow'
  | 'too_many_found'
  | 'headers_too_large'
  | 'service_failed'
  | 'internal'
  | 'outcome_unknown'
  | 'database_unavailable'
  | 'overloaded'
  | 'subscriber_too_slow'
  | 'shutting_down'

export interface Comparison<T> {
  eq?: T
  neq?: T
  gt?: T
  gte?: T
  lt?: T
  lte?: T
  like?: string
  ilike?: string
  in?: readonly T[]
  nin?: readonly T[]
}

export interface ListInput<Where, Sortable extends string> {
  /** 10 if not given, at most 100. */
  limit?: number
  offset?: number
  /** All of these hold. */
  where?: Where
  /** In the order given. */
  orderBy?: readonly (readonly [field: Sortable, direction: 'asc' | 'desc'])[]
  /** Asks for the page's total count. */
  totalCount?: boolean
  /** Asks for the page's cursors; the order must then contain the primary key. */
  cursor?: boolean
  startAfter?: string
  endBefore?: string
}

export interface Page<Row> {
  items: Row[]
  /** Null unless asked for. */
  totalCount: number | null
  /** What to give as `startAfter` for the page behind this one; null unless asked for, or if the page is empty. */
  startAfter: string | null
  endBefore: string | null
}

/** Bytes as they come. */
export interface Download {
  contentType: string
  /** Null where nobody said how many. */
  bytes: number | null
  /** Ends with an error if it breaks off. */
  stream: ReadableStream<Uint8Array>
}

/** A durable line of messages, delivered to one URL or pulled by consumers. */
export interface Queue {
  id: number
  name: string
  /** An http or https URL; null for a pull queue. */
  callbackUrl: string | null
  method: 'POST' | 'PUT' | 'PATCH' | 'GET' | 'DELETE' | 'HEAD' | 'OPTIONS'
  /** Sent with every message; a message’s own headers win. */
  headers: Record<string, string> | null
  deadLetterQueueId: number | null
  /** Retries after the first attempt. */
  maxRetries: number
  createdAt: string
  updatedAt: string
  backoff: { startMs: number; factor: number; maxMs: number; jitter: number } | { delaysMs: number[]; jitter: number }
  /** Bound on a whole attempt. */
  timeoutMs: number
  /** Most attempts under way at once. */
  concurrency: number
  /** Most attempts per interval: {count, intervalMs, burst}; null for no bound. */
  rateLimit: { count: number; intervalMs: number; burst: number } | null
  /** After so many failures in a row, one probe at a time: {failures, probeMs, maxProbeMs}; null for none. */
  circuitBreaker: { failures: number; probeMs: number; maxProbeMs: number } | null
  /** Its share of a busy node: one with 20 gets twice as many turns as one with 10. */
  weight: number
  /** Over how many slices, each delivered by one node; its rate and concurrency are divided among them. More than 1 not if ordered. */
  spread: number
  /** How long a message may wait to be sent before operators are told; 0 is no bound, null the one of the settings. */
  backlogAgeLimitMs: number | null
  ordered: 'none' | 'queue' | 'key'
  followRedirects: boolean
  /** What a 410 answer does. */
  onGone: 'fail' | 'pause'
  /** Whether it has signing secrets. */
  signed: boolean
  /** How long settled messages are kept. Counted from when they were settled; null is the installation’s retention. */
  messageRetentionMs: number | null
  /** How long their bodies and headers are kept; not longer than they are. Counted from when they were settled; null is the installation’s retention. */
  bodyRetentionMs: number | null
  /** How long their attempts are kept; not longer than they are. Counted from when they were settled; null is the installation’s retention. */
  attemptRetentionMs: number | null
  pausedAt: string | null
  pauseReason: string | null
  /** Counts the changes of this queue. */
  version: number
}

/** One payload on one queue, due at a time. */
export interface Message {
  id: number
  queueId: number
  when: string
  /** null also where the body is not text. */
  body: string | null
  failed: boolean
  headers: Record<string, string> | null
  sentAt: string | null
  retries: number
  cronId: number | null
  createdAt: string
  updatedAt: string
  /** The body where it is not text: instead of `body`, never with it. */
  bodyBase64: string | null
  status: 'pending' | 'delivered' | 'dead' | 'cancelled' | 'expired'
  /** Why it is dead, cancelled or expired. */
  reason: string | null
  attempts: number
  /** Higher goes first. Ordered queues take 0 only. */
  priority: number
  /** What order by key goes by. */
  key: string | null
  expiresAt: string | null
  originId: number | null
  /** When its content was removed for good. */
  expungedAt: string | null
  /** The same in every attempt, resend and redrive. */
  webhookId: string
}

/** One try at delivering a message. */
export interface Attempt {
  messageId: number
  queueId: number
  /** 1 for the first. */
  n: number
  startedAt: string
  durationMs: number
  /** The HTTP status; null where no answer came. */
  status: number | null
  outcome: 'delivered' | 'retry' | 'dead'
  errorCode: string | null
  error: string | null
  /** The beginning of the answer. */
  excerpt: string | null
  /** The version of the queue that it was made under. */
  queueVersion: number
}

/** A schedule that puts a message on a queue at every tick. */
export interface Cron {
  id: number
  queueId: number
  /** Five fields, or six with the seconds first, or a name such as @hourly. */
  schedule: string
  createdAt: string
  updatedAt: string
  /** The body of each of its messages. */
  body: string | null
  headers: Record<string, string> | null
  /** What the schedule is read in: a name such as Europe/Berlin. */
  timeZone: string
  /** What becomes of the ticks that were missed while nothing ran: none, one message, or all of them. */
  misfire: 'skip' | 'one' | 'all'
  /** Of its messages. Ordered queues take 0 only. */
  priority: number
  pausedAt: string | null
  /** The next tick; null while paused. */
  nextAt: string | null
  /** The next five ticks. */
  next: string[]
}

/** A tenant: it has queues, messages, crons and keys of its own, and sees no other’s. */
export interface Org {
  id: number
  /** Letters, digits, _ and -, at most 64; it cannot be changed. */
  name: string
  /** For people; its name if not given. */
  title: string
  /** A JSON object of the org’s own, at most 64 KiB, and 100 deep. Not for secrets: it is given out as it is. */
  config: Record<string, unknown>
  /** The address that its emails are sent from. */
  emailFrom: string | null
  /** The share of a busy node that its queues have together, beside those of other orgs. */
  weight: number
  /** Whether it runs the installation. It cannot be deleted. */
  isInstance: boolean
  createdAt: string
  updatedAt: string
}

/** An API key of an org: it reaches that org’s records, as far as its scopes go. */
export interface Key {
  id: number
  /** What it is for. */
  name: string
  /** What it may do: queue:find, message:save …, queue:* for all of one kind, * for everything. */
  scopes: string[]
  expiresAt: string | null
  /** How the key begins. */
  prefix: string
  /** The key itself: only in the answer to its creation. It is kept nowhere. */
  token: string | null
  lastUsedAt: string | null
  createdAt: string
}

/** An org's credentials for one external API. What its fields mean for each service: docs/reference/services.md. */
export interface Service {
  id: number
  /** Whose it is. */
  orgName: string
  /** Which service it is; never changes. */
  name: 'ses' | 'mailjet' | 'smtp' | 'sqs' | 'webhook' | 'supabase' | 'stripe' | 'test_stripe' | 'wordpress' | 'testmail' | 'testdetail'
  /** Where it is: a URL, a region, a server. */
  host: string | null
  /** User, or id of the key. */
  user: string | null
  /** What it has besides: a queue, a bucket, a route. */
  path: string | null
  /** Whether a password is stored. */
  hasPassword: boolean
  /** The functions of its org that it serves. */
  attachedTo: ('email' | 'detail' | 'storage' | 'push' | 'event')[]
  createdAt: string
  updatedAt: string
  /** Counts the changes of this service. */
  version: number
}

/** What performs one function of one org: the delivery of that function’s queue to the service attached to it. */
export interface Worker {
  /** The id of its queue. */
  id: number
  orgName: string
  function: 'email' | 'detail' | 'storage' | 'push' | 'event'
  /** Where its messages wait: `org.<name>.<function>`. */
  queueName: string
  /** stopped: by its operator, new messages are taken; detached: it has no backend, and none are. */
  state: 'running' | 'stopped' | 'detached'
  /** What it delivers to; null if nothing. */
  service: 'ses' | 'mailjet' | 'smtp' | 'sqs' | 'webhook' | 'supabase' | 'stripe' | 'test_stripe' | 'wordpress' | 'testmail' | 'testdetail' | null
  serviceId: number | null
  /** Whether that is the backend of the instance org. */
  system: boolean
  /** The node that runs it; null if none does. */
  node: string | null
  since: string | null
  /** Messages that wait or are under way; counted up to 10000. */
  waiting: number
  /** Messages under way, within a second or so. */
  inFlight: number
  lastError: string | null
  lastErrorAt: string | null
}

/** An email template of an org, in Mustache: one for each name and locale. */
export interface Template {
  id: number
  /** Whose it is. */
  orgName: string
  name: string
  /** Null is the one for whom no other fits. */
  locale: string | null
  subject: string
  /** Its plain text. */
  text: string | null
  /** Its HTML; merged fields are escaped. */
  html: string | null
  createdAt: string
  updatedAt: string
}

export interface QueueWhere {
  id?: Comparison<number>
  name?: Comparison<string>
  callbackUrl?: Comparison<string | null>
  method?: Comparison<'POST' | 'PUT' | 'PATCH' | 'GET' | 'DELETE' | 'HEAD' | 'OPTIONS'>
  deadLetterQueueId?: Comparison<number | null>
  maxRetries?: Comparison<number>
  createdAt?: Comparison<string>
  updatedAt?: Comparison<string>
  timeoutMs?: Comparison<number>
  concurrency?: Comparison<number>
  weight?: Comparison<number>
  spread?: Comparison<number>
  backlogAgeLimitMs?: Comparison<number | null>
  ordered?: Comparison<'none' | 'queue' | 'key'>
  followRedirects?: Comparison<boolean>
  onGone?: Comparison<'fail' | 'pause'>
  messageRetentionMs?: Comparison<number | null>
  bodyRetentionMs?: Comparison<number | null>
  attemptRetentionMs?: Comparison<number | null>
  pausedAt?: Comparison<string | null>
  pauseReason?: Comparison<string | null>
  version?: Comparison<number>
}

export type QueueSortable = 'id' | 'name' | 'callbackUrl' | 'method' | 'deadLetterQueueId' | 'maxRetries' | 'createdAt' | 'updatedAt' | 'timeoutMs' | 'concurrency' | 'weight' | 'spread' | 'backlogAgeLimitMs' | 'ordered' | 'followRedirects' | 'onGone' | 'messageRetentionMs' | 'bodyRetentionMs' | 'attemptRetentionMs' | 'pausedAt' | 'pauseReason' | 'version'

export interface MessageWhere {
  id?: Comparison<number>
  queueId?: Comparison<number>
  when?: Comparison<string>
  body?: Comparison<string | null>
  failed?: Comparison<boolean>
  sentAt?: Comparison<string | null>
  retries?: Comparison<number>
  cronId?: Comparison<number | null>
  createdAt?: Comparison<string>
  updatedAt?: Comparison<string>
  status?: Comparison<'pending' | 'delivered' | 'dead' | 'cancelled' | 'expired'>
  reason?: Comparison<string | null>
  attempts?: Comparison<number>
  priority?: Comparison<number>
  key?: Comparison<string | null>
  expiresAt?: Comparison<string | null>
  originId?: Comparison<number | null>
  expungedAt?: Comparison<string | null>
}

export type MessageSortable = 'id' | 'queueId' | 'when' | 'failed' | 'sentAt' | 'retries' | 'cronId' | 'createdAt' | 'updatedAt' | 'status' | 'reason' | 'attempts' | 'priority' | 'key' | 'expiresAt' | 'originId' | 'expungedAt'

export interface AttemptWhere {
  messageId?: Comparison<number>
  queueId?: Comparison<number>
  n?: Comparison<number>
  startedAt?: Comparison<string>
  durationMs?: Comparison<number>
  status?: Comparison<number | null>
  outcome?: Comparison<'delivered' | 'retry' | 'dead'>
  errorCode?: Comparison<string | null>
  error?: Comparison<string | null>
  queueVersion?: Comparison<number>
}

export type AttemptSortable = 'messageId' | 'queueId' | 'n' | 'startedAt' | 'durationMs' | 'status' | 'outcome' | 'errorCode' | 'queueVersion'

export interface CronWhere {
  id?: Comparison<number>
  queueId?: Comparison<number>
  schedule?: Comparison<string>
  createdAt?: Comparison<string>
  updatedAt?: Comparison<string>
  body?: Comparison<string | null>
  timeZone?: Comparison<string>
  misfire?: Comparison<'skip' | 'one' | 'all'>
  priority?: Comparison<number>
  pausedAt?: Comparison<string | null>
  nextAt?: Comparison<string | null>
}

export type CronSortable = 'id' | 'queueId' | 'schedule' | 'createdAt' | 'updatedAt' | 'timeZone' | 'misfire' | 'priority' | 'pausedAt' | 'nextAt'

export interface OrgWhere {
  id?: Comparison<number>
  name?: Comparison<string>
  title?: Comparison<string>
  emailFrom?: Comparison<string | null>
  weight?: Comparison<number>
  createdAt?: Comparison<string>
  updatedAt?: Comparison<string>
}

export type OrgSortable = 'id' | 'name' | 'title' | 'emailFrom' | 'weight' | 'createdAt' | 'updatedAt'

export interface KeyWhere {
  id?: Comparison<number>
  name?: Comparison<string>
  expiresAt?: Comparison<string | null>
  prefix?: Comparison<string>
  lastUsedAt?: Comparison<string | null>
  createdAt?: Comparison<string>
}

export type KeySortable = 'id' | 'name' | 'expiresAt' | 'prefix' | 'lastUsedAt' | 'createdAt'

export interface ServiceWhere {
  id?: Comparison<number>
  orgName?: Comparison<string>
  name?: Comparison<'ses' | 'mailjet' | 'smtp' | 'sqs' | 'webhook' | 'supabase' | 'stripe' | 'test_stripe' | 'wordpress' | 'testmail' | 'testdetail'>
  host?: Comparison<string | null>
  user?: Comparison<string | null>
  path?: Comparison<string | null>
  createdAt?: Comparison<string>
  updatedAt?: Comparison<string>
  version?: Comparison<number>
}

export type ServiceSortable = 'id' | 'orgName' | 'name' | 'createdAt' | 'updatedAt' | 'version'

export interface WorkerWhere {
  id?: Comparison<number>
  orgName?: Comparison<string>
  function?: Comparison<'email' | 'detail' | 'storage' | 'push' | 'event'>
}

export type WorkerSortable = 'id' | 'orgName' | 'function'

export interface TemplateWhere {
  id?: Comparison<number>
  orgName?: Comparison<string>
  name?: Comparison<string>
  locale?: Comparison<string | null>
  createdAt?: Comparison<string>
  updatedAt?: Comparison<string>
}

export type TemplateSortable = 'id' | 'orgName' | 'name' | 'locale' | 'createdAt' | 'updatedAt'

/** Input of queues.list. */
export interface QueuesListInput extends ListInput<QueueWhere, QueueSortable> {}

/** Input of queues.create. */
export interface QueuesCreateInput {
  name: string
  /** An http or https URL; null for a pull queue. */
  callbackUrl?: string | null
  /** One of POST, PUT, PATCH, GET, DELETE, HEAD, OPTIONS, in any case. */
  method?: string
  /** Sent with every message; a message’s own headers win. */
  headers?: Record<string, string> | null
  deadLetterQueueId?: number | null
  /** Retries after the first attempt. */
  maxRetries?: number
  /** 'standard', 'pg-hooks', {startMs, factor, maxMs, jitter} or {delaysMs, jitter} */
  backoff?: 'standard' | 'pg-hooks' | { startMs: number; factor?: number; maxMs?: number; jitter?: number } | { delaysMs: number[]; jitter?: number }
  /** Bound on a whole attempt. */
  timeoutMs?: number
  /** Most attempts under way at once. */
  concurrency?: number
  /** Most attempts per interval: {count, intervalMs, burst}; null for no bound. */
  rateLimit?: { count: number; intervalMs: number; burst?: number } | null
  /** After so many failures in a row, one probe at a time: {failures, probeMs, maxProbeMs}; null for none. */
  circuitBreaker?: { failures?: number; probeMs?: number; maxProbeMs?: number } | null
  /** Its share of a busy node: one with 20 gets twice as many turns as one with 10. */
  weight?: number
  /** Over how many slices, each delivered by one node; its rate and concurrency are divided among them. More than 1 not if ordered. */
  spread?: number
  /** How long a message may wait to be sent before operators are told; 0 is no bound, null the one of the settings. */
  backlogAgeLimitMs?: number | null
  ordered?: 'none' | 'queue' | 'key'
  followRedirects?: boolean
  /** What a 410 answer does. */
  onGone?: 'fail' | 'pause'
  /** Signing secrets, newest first; every request is signed with each of them. */
  secrets?: string[]
  /** How long settled messages are kept. Counted from when they were settled; null is the installation’s retention. */
  messageRetentionMs?: number | null
  /** How long their bodies and headers are kept; not longer than they are. Counted from when they were settled; null is the installation’s retention. */
  bodyRetentionMs?: number | null
  /** How long their attempts are kept; not longer than they are. Counted from when they were settled; null is the installation’s retention. */
  attemptRetentionMs?: number | null
}

/** Input of queues.get. */
export interface QueuesGetInput {
  id: number
}

/** Input of queues.update. */
export interface QueuesUpdateInput {
  name?: string
  /** An http or https URL; null for a pull queue. */
  callbackUrl?: string | null
  /** One of POST, PUT, PATCH, GET, DELETE, HEAD, OPTIONS, in any case. */
  method?: string
  /** Sent with every message; a message’s own headers win. */
  headers?: Record<string, string> | null
  deadLetterQueueId?: number | null
  /** Retries after the first attempt. */
  maxRetries?: number
  /** 'standard', 'pg-hooks', {startMs, factor, maxMs, jitter} or {delaysMs, jitter} */
  backoff?: 'standard' | 'pg-hooks' | { startMs: number; factor?: number; maxMs?: number; jitter?: number } | { delaysMs: number[]; jitter?: number }
  /** Bound on a whole attempt. */
  timeoutMs?: number
  /** Most attempts under way at once. */
  concurrency?: number
  /** Most attempts per interval: {count, intervalMs, burst}; null for no bound. */
  rateLimit?: { count: number; intervalMs: number; burst?: number } | null
  /** After so many failures in a row, one probe at a time: {failures, probeMs, maxProbeMs}; null for none. */
  circuitBreaker?: { failures?: number; probeMs?: number; maxProbeMs?: number } | null
  /** Its share of a busy node: one with 20 gets twice as many turns as one with 10. */
  weight?: number
  /** Over how many slices, each delivered by one node; its rate and concurrency are divided among them. More than 1 not if ordered. */
  spread?: number
  /** How long a message may wait to be sent before operators are told; 0 is no bound, null the one of the settings. */
  backlogAgeLimitMs?: number | null
  ordered?: 'none' | 'queue' | 'key'
  followRedirects?: boolean
  /** What a 410 answer does. */
  onGone?: 'fail' | 'pause'
  /** Signing secrets, newest first; every request is signed with each of them. */
  secrets?: string[]
  /** How long settled messages are kept. Counted from when they were settled; null is the installation’s retention. */
  messageRetentionMs?: number | null
  /** How long their bodies and headers are kept; not longer than they are. Counted from when they were settled; null is the installation’s retention. */
  bodyRetentionMs?: number | null
  /** How long their attempts are kept; not longer than they are. Counted from when they were settled; null is the installation’s retention. */
  attemptRetentionMs?: number | null
  id: number
}

/** Input of queues.createMany. */
export interface QueuesCreateManyInput {
  queues: readonly QueuesCreateInput[]
}

/** Input of queues.updateMany. */
export interface QueuesUpdateManyInput {
  /** All of these hold; there must be one. */
  where: QueueWhere
  name?: string
  /** An http or https URL; null for a pull queue. */
  callbackUrl?: string | null
  /** One of POST, PUT, PATCH, GET, DELETE, HEAD, OPTIONS, in any case. */
  method?: string
  /** Sent with every message; a message’s own headers win. */
  headers?: Record<string, string> | null
  deadLetterQueueId?: number | null
  /** Retries after the first attempt. */
  maxRetries?: number
  /** 'standard', 'pg-hooks', {startMs, factor, maxMs, jitter} or {delaysMs, jitter} */
  backoff?: 'standard' | 'pg-hooks' | { startMs: number; factor?: number; maxMs?: number; jitter?: number } | { delaysMs: number[]; jitter?: number }
  /** Bound on a whole attempt. */
  timeoutMs?: number
  /** Most attempts under way at once. */
  concurrency?: number
  /** Most attempts per interval: {count, intervalMs, burst}; null for no bound. */
  rateLimit?: { count: number; intervalMs: number; burst?: number } | null
  /** After so many failures in a row, one probe at a time: {failures, probeMs, maxProbeMs}; null for none. */
  circuitBreaker?: { failures?: number; probeMs?: number; maxProbeMs?: number } | null
  /** Its share of a busy node: one with 20 gets twice as many turns as one with 10. */
  weight?: number
  /** Over how many slices, each delivered by one node; its rate and concurrency are divided among them. More than 1 not if ordered. */
  spread?: number
  /** How long a message may wait to be sent before operators are told; 0 is no bound, null the one of the settings. */
  backlogAgeLimitMs?: number | null
  ordered?: 'none' | 'queue' | 'key'
  followRedirects?: boolean
  /** What a 410 answer does. */
  onGone?: 'fail' | 'pause'
  /** Signing secrets, newest first; every request is signed with each of them. */
  secrets?: string[]
  /** How long settled messages are kept. Counted from when they were settled; null is the installation’s retention. */
  messageRetentionMs?: number | null
  /** How long their bodies and headers are kept; not longer than they are. Counted from when they were settled; null is the installation’s retention. */
  bodyRetentionMs?: number | null
  /** How long their attempts are kept; not longer than they are. Counted from when they were settled; null is the installation’s retention. */
  attemptRetentionMs?: number | null
}

/** Input of queues.delete. */
export interface QueuesDeleteInput {
  id: number
}

/** Input of queues.previewDelete. */
export interface QueuesPreviewDeleteInput {
  id: number
}

/** Input of queues.pause. */
export interface QueuesPauseInput {
  /** Kept with it, for whoever looks. */
  reason?: string
  id: number
}

/** Input of queues.resume. */
export interface QueuesResumeInput {
  id: number
}

/** Input of queues.purge. */
export interface QueuesPurgeInput {
  /** Kept with it, for whoever looks. */
  reason?: string
  limit?: number
  id: number
}

/** Input of queues.redrive. */
export interface QueuesRedriveInput {
  limit?: number
  id: number
}

/** Input of queues.listMessages. */
export interface QueuesListMessagesInput extends ListInput<MessageWhere, MessageSortable> {
  id: number
}

/** Input of queues.listCrons. */
export interface QueuesListCronsInput extends ListInput<CronWhere, CronSortable> {
  id: number
}

/** Input of queues.listQueues. */
export interface QueuesListQueuesInput extends ListInput<QueueWhere, QueueSortable> {
  id: number
}

/** Input of queues.getDeadLetterQueue. */
export interface QueuesGetDeadLetterQueueInput {
  id: number
}

/** Input of queues.listAttempts. */
export interface QueuesListAttemptsInput extends ListInput<AttemptWhere, AttemptSortable> {
  id: number
}

/** Input of queues.claim. */
export interface QueuesClaimInput {
  /** How many at most; 10 by default. */
  limit?: number
  /** How long the claim holds, in milliseconds; 30,000 by default. After that the message is handed out again. */
  visibilityMs?: number
  id: number
}

/** Input of queues.acknowledge. */
export interface QueuesAcknowledgeInput {
  claims: ({ id: number; claim: string })[]
  id: number
}

/** Input of queues.reject. */
export interface QueuesRejectInput {
  claims: ({ id: number; claim: string })[]
  reason?: string
  id: number
}

/** Input of queues.extend. */
export interface QueuesExtendInput {
  claims: ({ id: number; claim: string })[]
  /** How long the claim holds, in milliseconds; 30,000 by default. After that the message is handed out again. */
  visibilityMs: number
  id: number
}

/** Input of messages.list. */
export interface MessagesListInput extends ListInput<MessageWhere, MessageSortable> {}

/** Input of messages.put. */
export interface MessagesPutInput {
  queueId: number
  /** Not before; null is at once. */
  when?: string | null
  /** null also where the body is not text. */
  body?: string | null
  /** Accepted without effect. */
  failed?: false
  headers?: Record<string, string> | null
  /** In an update of a settled message: send it again. */
  sentAt?: null
  /** The body where it is not text: instead of `body`, never with it. */
  bodyBase64?: string | null
  /** Higher goes first. Ordered queues take 0 only. */
  priority?: number
  /** What order by key goes by. */
  key?: string | null
  expiresAt?: string | null
  /** A repeated put with the same key answers with the first message and stores nothing. */
  idempotencyKey?: string
}

/** Input of messages.putMany. */
export interface MessagesPutManyInput {
  messages: readonly MessagesPutInput[]
  /** All of them or none, in one commit. Takes no idempotency keys. */
  together?: boolean
}

/** Input of messages.get. */
export interface MessagesGetInput {
  id: number
}

/** Input of messages.update. */
export interface MessagesUpdateInput {
  /** Not before; null is at once. */
  when?: string | null
  /** null also where the body is not text. */
  body?: string | null
  /** Accepted without effect. */
  failed?: false
  headers?: Record<string, string> | null
  /** In an update of a settled message: send it again. */
  sentAt?: null
  /** The body where it is not text: instead of `body`, never with it. */
  bodyBase64?: string | null
  /** Higher goes first. Ordered queues take 0 only. */
  priority?: number
  expiresAt?: string | null
  id: number
}

/** Input of messages.updateMany. */
export interface MessagesUpdateManyInput {
  /** All of these hold; there must be one. */
  where: MessageWhere
  /** Not before; null is at once. */
  when?: string | null
  /** null also where the body is not text. */
  body?: string | null
  /** Accepted without effect. */
  failed?: false
  headers?: Record<string, string> | null
  /** In an update of a settled message: send it again. */
  sentAt?: null
  /** The body where it is not text: instead of `body`, never with it. */
  bodyBase64?: string | null
  /** Higher goes first. Ordered queues take 0 only. */
  priority?: number
  expiresAt?: string | null
}

/** Input of messages.delete. */
export interface MessagesDeleteInput {
  id: number
}

/** Input of messages.redrive. */
export interface MessagesRedriveInput {
  id: number
}

/** Input of messages.cancel. */
export interface MessagesCancelInput {
  reason?: string
  id: number
}

/** Input of messages.expunge. */
export interface MessagesExpungeInput {
  id: number
}

/** Input of messages.resend. */
export interface MessagesResendInput {
  id: number
}

/** Input of messages.getQueue. */
export interface MessagesGetQueueInput {
  id: number
}

/** Input of messages.getCron. */
export interface MessagesGetCronInput {
  id: number
}

/** Input of messages.listAttempts. */
export interface MessagesListAttemptsInput extends ListInput<AttemptWhere, AttemptSortable> {
  id: number
}

/** Input of crons.list. */
export interface CronsListInput extends ListInput<CronWhere, CronSortable> {}

/** Input of crons.create. */
export interface CronsCreateInput {
  queueId: number
  /** Five fields, or six with the seconds first, or a name such as @hourly. */
  schedule: string
  /** The body of each of its messages. */
  body?: string | null
  headers?: Record<string, string> | null
  /** What the schedule is read in: a name such as Europe/Berlin. */
  timeZone?: string
  /** What becomes of the ticks that were missed while nothing ran: none, one message, or all of them. */
  misfire?: 'skip' | 'one' | 'all'
  /** Of its messages. Ordered queues take 0 only. */
  priority?: number
}

/** Input of crons.get. */
export interface CronsGetInput {
  id: number
}

/** Input of crons.update. */
export interface CronsUpdateInput {
  queueId?: number
  /** Five fields, or six with the seconds first, or a name such as @hourly. */
  schedule?: string
  /** The body of each of its messages. */
  body?: string | null
  headers?: Record<string, string> | null
  /** What the schedule is read in: a name such as Europe/Berlin. */
  timeZone?: string
  /** What becomes of the ticks that were missed while nothing ran: none, one message, or all of them. */
  misfire?: 'skip' | 'one' | 'all'
  /** Of its messages. Ordered queues take 0 only. */
  priority?: number
  id: number
}

/** Input of crons.createMany. */
export interface CronsCreateManyInput {
  crons: readonly CronsCreateInput[]
}

/** Input of crons.updateMany. */
export interface CronsUpdateManyInput {
  /** All of these hold; there must be one. */
  where: CronWhere
  queueId?: number
  /** Five fields, or six with the seconds first, or a name such as @hourly. */
  schedule?: string
  /** The body of each of its messages. */
  body?: string | null
  headers?: Record<string, string> | null
  /** What the schedule is read in: a name such as Europe/Berlin. */
  timeZone?: string
  /** What becomes of the ticks that were missed while nothing ran: none, one message, or all of them. */
  misfire?: 'skip' | 'one' | 'all'
  /** Of its messages. Ordered queues take 0 only. */
  priority?: number
}

/** Input of crons.delete. */
export interface CronsDeleteInput {
  id: number
}

/** Input of crons.previewDelete. */
export interface CronsPreviewDeleteInput {
  id: number
}

/** Input of crons.run. */
export interface CronsRunInput {
  id: number
}

/** Input of crons.pause. */
export interface CronsPauseInput {
  id: number
}

/** Input of crons.resume. */
export interface CronsResumeInput {
  id: number
}

/** Input of crons.getQueue. */
export interface CronsGetQueueInput {
  id: number
}

/** Input of crons.listMessages. */
export interface CronsListMessagesInput extends ListInput<MessageWhere, MessageSortable> {
  id: number
}

/** Input of orgs.list. */
export interface OrgsListInput extends ListInput<OrgWhere, OrgSortable> {}

/** Input of orgs.create. */
export interface OrgsCreateInput {
  /** Letters, digits, _ and -, at most 64; it cannot be changed. */
  name: string
  /** For people; its name if not given. */
  title?: string
  /** A JSON object of the org’s own, at most 64 KiB, and 100 deep. Not for secrets: it is given out as it is. */
  config?: Record<string, unknown>
  /** The address that its emails are sent from. */
  emailFrom?: string | null
  /** The share of a busy node that its queues have together, beside those of other orgs. */
  weight?: number
}

/** Input of orgs.get. */
export interface OrgsGetInput {
  id: number
}

/** Input of orgs.update. */
export interface OrgsUpdateInput {
  /** For people; its name if not given. */
  title?: string
  /** A JSON object of the org’s own, at most 64 KiB, and 100 deep. Not for secrets: it is given out as it is. */
  config?: Record<string, unknown>
  /** The address that its emails are sent from. */
  emailFrom?: string | null
  /** The share of a busy node that its queues have together, beside those of other orgs. */
  weight?: number
  id: number
}

/** Input of orgs.delete. */
export interface OrgsDeleteInput {
  id: number
}

/** Input of orgs.previewDelete. */
export interface OrgsPreviewDeleteInput {
  id: number
}

/** Input of keys.list. */
export interface KeysListInput extends ListInput<KeyWhere, KeySortable> {}

/** Input of keys.create. */
export interface KeysCreateInput {
  /** What it is for. */
  name: string
  /** What it may do: queue:find, message:save …, queue:* for all of one kind, * for everything. */
  scopes: string[]
  expiresAt?: string | null
}

/** Input of keys.get. */
export interface KeysGetInput {
  id: number
}

/** Input of keys.delete. */
export interface KeysDeleteInput {
  id: number
}

/** Input of services.list. */
export interface ServicesListInput extends ListInput<ServiceWhere, ServiceSortable> {}

/** Input of services.upsert. */
export interface ServicesUpsertInput {
  /** Which org; your own if it is left out. Others are for the operator alone. */
  orgName?: string
  id?: number
  /** Which service it is; never changes. */
  name: 'ses' | 'mailjet' | 'smtp' | 'sqs' | 'webhook' | 'supabase' | 'stripe' | 'test_stripe' | 'wordpress' | 'testmail' | 'testdetail'
  /** Where it is: a URL, a region, a server. */
  host?: string | null
  /** User, or id of the key. */
  user?: string | null
  /** Password, or secret of the key. */
  password?: string | null
  /** What it has besides: a queue, a bucket, a route. */
  path?: string | null
}

/** Input of services.get. */
export interface ServicesGetInput {
  id: number
}

/** Input of services.delete. */
export interface ServicesDeleteInput {
  id: number
}

/** Input of services.check. */
export interface ServicesCheckInput {
  id: number
}

/** Input of services.listTemplates. */
export interface ServicesListTemplatesInput {
  id: number
}

/** Input of services.inbox. */
export interface ServicesInboxInput {
  id: number
}

/** Input of services.jsonRequest. */
export interface ServicesJsonRequestInput {
  /** A path, or a URL at the service’s own host. */
  url: string
  method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  body?: unknown
  /** Sent as a form, instead of body. */
  form?: Record<string, string>
  headers?: Record<string, string>
  /** basic, header (the password as the Authorization header), none, or apiKey:<name> (the password in the header of that name); in the service’s own way if it is left out. */
  auth?: string
  id: number
}

/** Input of services.awsRequest. */
export interface ServicesAwsRequestInput {
  /** sqs, email (for SES), s3, lambda … */
  service: string
  method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  path?: string
  query?: Record<string, string>
  headers?: Record<string, string>
  body?: string
  id: number
}

/** Input of services.createPaymentIntent. */
export interface ServicesCreatePaymentIntentInput {
  params: Record<string, unknown>
  idempotencyKey?: string
  id: number
}

/** Input of services.createCustomer. */
export interface ServicesCreateCustomerInput {
  params: Record<string, unknown>
  idempotencyKey?: string
  id: number
}

/** Input of services.createPrice. */
export interface ServicesCreatePriceInput {
  params: Record<string, unknown>
  idempotencyKey?: string
  id: number
}

/** Input of services.createSubscription. */
export interface ServicesCreateSubscriptionInput {
  params: Record<string, unknown>
  idempotencyKey?: string
  id: number
}

/** Input of services.savePost. */
export interface ServicesSavePostInput {
  post?: number
  fields: Record<string, unknown>
  id: number
}

/** Input of workers.list. */
export interface WorkersListInput extends ListInput<WorkerWhere, WorkerSortable> {}

/** Input of workers.get. */
export interface WorkersGetInput {
  id: number
}

/** Input of workers.start. */
export interface WorkersStartInput {
  id: number
}

/** Input of workers.stop. */
export interface WorkersStopInput {
  id: number
}

/** Input of workers.restart. */
export interface WorkersRestartInput {
  id: number
}

/** Input of processing.get. */
export interface ProcessingGetInput {
  /** Which org; your own if it is left out. Others are for the operator alone. */
  orgName?: string
}

/** Input of processing.update. */
export interface ProcessingUpdateInput {
  /** Which org; your own if it is left out. Others are for the operator alone. */
  orgName?: string
  /** An email address, or null. */
  emailFrom?: string | null
  /** A service by its name (the latest of that name) or id, SYSTEM for the instance org’s, or null for none. */
  emailBackend?: string | null
  /** A service by its name (the latest of that name) or id, SYSTEM for the instance org’s, or null for none. */
  detailBackend?: string | null
  /** A service by its name (the latest of that name) or id, SYSTEM for the instance org’s, or null for none. */
  storageBackend?: string | null
  /** A service by its name (the latest of that name) or id, SYSTEM for the instance org’s, or null for none. */
  pushBackend?: string | null
  /** A service by its name (the latest of that name) or id, SYSTEM for the instance org’s, or null for none. */
  eventBackend?: string | null
}

/** Input of templates.list. */
export interface TemplatesListInput extends ListInput<TemplateWhere, TemplateSortable> {}

/** Input of templates.upsert. */
export interface TemplatesUpsertInput {
  /** Which org; your own if it is left out. Others are for the operator alone. */
  orgName?: string
  name: string
  /** Null is the one for whom no other fits. */
  locale?: string | null
  subject: string
  /** Its plain text. */
  text?: string | null
  /** Its HTML; merged fields are escaped. */
  html?: string | null
}

/** Input of templates.get. */
export interface TemplatesGetInput {
  id: number
}

/** Input of templates.delete. */
export interface TemplatesDeleteInput {
  id: number
}

/** Input of emails.send. */
export interface EmailsSendInput {
  /** Which org; your own if it is left out. Others are for the operator alone. */
  orgName?: string
  /** Who gets it, all in one email. */
  to: ({ address: string; name?: string })[]
  /** Who gets a copy. */
  cc?: ({ address: string; name?: string })[]
  /** Who gets a copy unseen. */
  bcc?: ({ address: string; name?: string })[]
  /** The org’s emailFrom, if it is not given. */
  from?: { address: string; name?: string }
  replyTo?: { address: string; name?: string }
  /** Instead of a template; Mustache too. */
  subject?: string
  text?: string
  html?: string
  /** Name of a template of the org. */
  template?: string
  /** en, de, pt-BR … */
  locale?: string
  /** A template that the provider keeps, by its reference. */
  providerTemplate?: string
  /** What stands for the fields of the template. */
  fields?: Record<string, unknown>
  /** Comes back in the provider’s events. */
  customId?: string
  headers?: Record<string, string>
  attachments?: ({ filename: string; contentType?: string; contentBase64?: string; path?: string; contentId?: string })[]
  idempotencyKey?: string
}

/** Input of details.lookup. */
export interface DetailsLookupInput {
  /** Which org; your own if it is left out. Others are for the operator alone. */
  orgName?: string
  email: string
  contactRef?: string | null
}

/** Input of files.download. */
export interface FilesDownloadInput {
  /** Which org; your own if it is left out. Others are for the operator alone. */
  orgName?: string
  /** bucket/path */
  path: string
  /** A file that is larger is not sent, or breaks off. */
  maxBytes?: number
}

/** Input of files.fetch. */
export interface FilesFetchInput {
  /** Which org; your own if it is left out. Others are for the operator alone. */
  orgName?: string
  paths: string[]
  /** Of all of them together. */
  maxBytes?: number
}

export interface QueuesOperations<Options> {
  /** Lists queues. */
  list(input?: QueuesListInput, options?: Options): Promise<Page<Queue>>
  /** Creates a queue. */
  create(input: QueuesCreateInput, options?: Options): Promise<Queue>
  /** Gives a queue. */
  get(input: QueuesGetInput, options?: Options): Promise<Queue>
  /** Changes a queue; fields left out keep their value. */
  update(input: QueuesUpdateInput, options?: Options): Promise<Queue>
  /** Creates up to 1000 queues in one commit: all of them or none. */
  createMany(input: QueuesCreateManyInput, options?: Options): Promise<{ results: ({ result: 'stored'; id: number })[] }>
  /** Changes all queues that `where` finds, at most 1000, in one commit: all of them or none. */
  updateMany(input?: QueuesUpdateManyInput, options?: Options): Promise<Queue[]>
  /** Deletes a queue and its crons; its pending messages are cancelled, its history stays. */
  delete(input: QueuesDeleteInput, options?: Options): Promise<Queue>
  /** Says what deleting a queue would do, and does nothing. */
  previewDelete(input: QueuesPreviewDeleteInput, options?: Options): Promise<{ cancelled: number; crons: number; orphaned: number }>
  /** Stops delivering; what is queued stays. */
  pause(input: QueuesPauseInput, options?: Options): Promise<Queue>
  /** Delivers again. */
  resume(input: QueuesResumeInput, options?: Options): Promise<Queue>
  /** Cancels pending messages of a queue, the oldest first; each is recorded as cancelled. */
  purge(input: QueuesPurgeInput, options?: Options): Promise<{ cancelled: number; more: boolean }>
  /** Sends the dead messages of a queue again, the oldest first. */
  redrive(input: QueuesRedriveInput, options?: Options): Promise<{ redriven: number; more: boolean }>
  /** Lists the messages of a queue. */
  listMessages(input: QueuesListMessagesInput, options?: Options): Promise<Page<Message>>
  /** Lists the crons of a queue. */
  listCrons(input: QueuesListCronsInput, options?: Options): Promise<Page<Cron>>
  /** Lists the queues that have this one as their dead letter queue. */
  listQueues(input: QueuesListQueuesInput, options?: Options): Promise<Page<Queue>>
  /** Gives the dead letter queue of a queue. */
  getDeadLetterQueue(input: QueuesGetDeadLetterQueueInput, options?: Options): Promise<Queue>
  /** Lists the attempts of a queue, all its messages together. */
  listAttempts(input: QueuesListAttemptsInput, options?: Options): Promise<Page<Attempt>>
  /** Claims due messages of a pull queue; an ordered one gives one at a time. */
  claim(input: QueuesClaimInput, options?: Options): Promise<{ messages: ({ id: number; claim: string; claimedUntil: string; attempt: number; body: string | null; bodyBase64: string | null; headers: Record<string, string> | null; key: string | null; webhookId: string })[] }>
  /** Says that claimed messages are done. */
  acknowledge(input: QueuesAcknowledgeInput, options?: Options): Promise<{ acknowledged: number[]; lost: number[] }>
  /** Gives claimed messages back: retried after the backoff, or dead when their retries are used up. */
  reject(input: QueuesRejectInput, options?: Options): Promise<{ retried: number[]; dead: number[]; lost: number[] }>
  /** Holds claims for longer, from now on. */
  extend(input: QueuesExtendInput, options?: Options): Promise<{ extended: number[]; lost: number[] }>
}

export interface MessagesOperations<Options> {
  /** Lists messages. */
  list(input?: MessagesListInput, options?: Options): Promise<Page<Message>>
  /** Puts a message on a queue; answered once it is durable. */
  put(input: MessagesPutInput, options?: Options): Promise<Message>
  /** Puts up to 1000 messages. One that is refused does not stop the others, unless they go together. */
  putMany(input: MessagesPutManyInput, options?: Options): Promise<{ results: ({ result: 'stored' | 'repeated' | 'error'; id: number | null; error?: { code: string; status: number; message: string; details: Record<string, string | number> } })[] }>
  /** Gives a message. */
  get(input: MessagesGetInput, options?: Options): Promise<Message>
  /** Changes a pending message; fields left out keep their value. */
  update(input: MessagesUpdateInput, options?: Options): Promise<Message>
  /** Changes all messages that `where` finds, at most 1000, in one commit: all of them or none. */
  updateMany(input?: MessagesUpdateManyInput, options?: Options): Promise<Message[]>
  /** Deletes a message and what is known of it. To stop it and keep the record, cancel it. */
  delete(input: MessagesDeleteInput, options?: Options): Promise<Message>
  /** Sends a dead message again, with all its retries. */
  redrive(input: MessagesRedriveInput, options?: Options): Promise<Message>
  /** Stops a pending message; it stays on record. */
  cancel(input: MessagesCancelInput, options?: Options): Promise<Message>
  /** Removes the content of a message and of its dead letters for good; what became of them stays on record. */
  expunge(input: MessagesExpungeInput, options?: Options): Promise<Message>
  /** Sends a settled message once more, under the same webhook-id. */
  resend(input: MessagesResendInput, options?: Options): Promise<Message>
  /** Gives the queue of a message. */
  getQueue(input: MessagesGetQueueInput, options?: Options): Promise<Queue>
  /** Gives the cron that a message is a tick of. */
  getCron(input: MessagesGetCronInput, options?: Options): Promise<Cron>
  /** Lists the attempts of a message. */
  listAttempts(input: MessagesListAttemptsInput, options?: Options): Promise<Page<Attempt>>
}

export interface CronsOperations<Options> {
  /** Lists crons. */
  list(input?: CronsListInput, options?: Options): Promise<Page<Cron>>
  /** Creates a cron; the message of its first tick is stored with it. */
  create(input: CronsCreateInput, options?: Options): Promise<Cron>
  /** Gives a cron. */
  get(input: CronsGetInput, options?: Options): Promise<Cron>
  /** Changes a cron; fields left out keep their value. The pending message of its next tick is replaced. */
  update(input: CronsUpdateInput, options?: Options): Promise<Cron>
  /** Creates up to 1000 crons with their first ticks in one commit: all of them or none. */
  createMany(input: CronsCreateManyInput, options?: Options): Promise<{ results: ({ result: 'stored'; id: number })[] }>
  /** Changes all crons that `where` finds, at most 1000, in one commit: all of them or none. */
  updateMany(input?: CronsUpdateManyInput, options?: Options): Promise<Cron[]>
  /** Deletes a cron with the pending message of its next tick; the messages of earlier ticks stay. */
  delete(input: CronsDeleteInput, options?: Options): Promise<Cron>
  /** Says what deleting a cron would do, and does nothing. */
  previewDelete(input: CronsPreviewDeleteInput, options?: Options): Promise<{ removed: number; pending: number; kept: number }>
  /** Puts one message on the queue now, besides those of the ticks. */
  run(input: CronsRunInput, options?: Options): Promise<Message>
  /** Stops ticking; the pending message of the next tick is removed. */
  pause(input: CronsPauseInput, options?: Options): Promise<Cron>
  /** Ticks again, from now on. */
  resume(input: CronsResumeInput, options?: Options): Promise<Cron>
  /** Gives the queue of a cron. */
  getQueue(input: CronsGetQueueInput, options?: Options): Promise<Queue>
  /** Lists the messages of a cron. */
  listMessages(input: CronsListMessagesInput, options?: Options): Promise<Page<Message>>
}

export interface OrgsOperations<Options> {
  /** Lists orgs. */
  list(input?: OrgsListInput, options?: Options): Promise<Page<Org>>
  /** Makes an org. */
  create(input: OrgsCreateInput, options?: Options): Promise<Org>
  /** Gives an org. */
  get(input: OrgsGetInput, options?: Options): Promise<Org>
  /** Changes an org; fields left out keep their value. */
  update(input: OrgsUpdateInput, options?: Options): Promise<Org>
  /** Deletes an org: its keys end and nothing of it can be reached any more at once, its records go in the background. */
  delete(input: OrgsDeleteInput, options?: Options): Promise<Org>
  /** Says what deleting an org would remove, and does nothing. */
  previewDelete(input: OrgsPreviewDeleteInput, options?: Options): Promise<{ queues: number; crons: number; pending: number; settled: number; keys: number; services: number }>
}

export interface KeysOperations<Options> {
  /** Lists API keys. */
  list(input?: KeysListInput, options?: Options): Promise<Page<Key>>
  /** Makes an API key. The answer has it, in `token`, and nobody can see it again. */
  create(input: KeysCreateInput, options?: Options): Promise<Key>
  /** Gives what is known of an API key. */
  get(input: KeysGetInput, options?: Options): Promise<Key>
  /** Revokes an API key: within a second, no node takes it any more. */
  delete(input: KeysDeleteInput, options?: Options): Promise<Key>
}

export interface ServicesOperations<Options> {
  /** Lists services. */
  list(input?: ServicesListInput, options?: Options): Promise<Page<Service>>
  /** Stores a service. With an id it changes that one, whose name stays; without, the latest of that name, or makes the first. Fields left out keep their value. */
  upsert(input: ServicesUpsertInput, options?: Options): Promise<Service>
  /** Gives a service, without its password. */
  get(input: ServicesGetInput, options?: Options): Promise<Service>
  /** Deletes a service; not while it is attached. */
  delete(input: ServicesDeleteInput, options?: Options): Promise<Service>
  /** Reaches the service with its credentials, and says what was found. */
  check(input: ServicesCheckInput, options?: Options): Promise<{ ok: boolean; message: string; fault: string | null }>
  /** Lists the email templates that the provider keeps. */
  listTemplates(input: ServicesListTemplatesInput, options?: Options): Promise<{ templates: ({ reference: string; name: string })[] }>
  /** What a stand-in (testmail, testdetail) was given within a day on any node, the newest first; 200 at most. */
  inbox(input: ServicesInboxInput, options?: Options): Promise<{ entries: (Record<string, unknown>)[] }>
  /** A request of the org’s own to its service, with the service’s credentials; only to the service’s own host. */
  jsonRequest(input: ServicesJsonRequestInput, options?: Options): Promise<{ status: number; body: unknown }>
  /** A request of the org’s own to any AWS API of the service’s region, signed with its keys. */
  awsRequest(input: ServicesAwsRequestInput, options?: Options): Promise<{ status: number; body: unknown }>
  /** Creates a payment intent at Stripe. An idempotency key makes a repeated call return the first. */
  createPaymentIntent(input: ServicesCreatePaymentIntentInput, options?: Options): Promise<{ id: string; object: Record<string, unknown> }>
  /** Creates a customer at Stripe. An idempotency key makes a repeated call return the first. */
  createCustomer(input: ServicesCreateCustomerInput, options?: Options): Promise<{ id: string; object: Record<string, unknown> }>
  /** Creates a price at Stripe. An idempotency key makes a repeated call return the first. */
  createPrice(input: ServicesCreatePriceInput, options?: Options): Promise<{ id: string; object: Record<string, unknown> }>
  /** Creates a subscription at Stripe. An idempotency key makes a repeated call return the first. */
  createSubscription(input: ServicesCreateSubscriptionInput, options?: Options): Promise<{ id: string; object: Record<string, unknown> }>
  /** Creates a post in WordPress, or updates the one whose id is given. */
  savePost(input: ServicesSavePostInput, options?: Options): Promise<{ post: number; link: string | null; status: string | null }>
}

export interface WorkersOperations<Options> {
  /** Lists workers: what runs, where, since when, and how it does. */
  list(input?: WorkersListInput, options?: Options): Promise<Page<Worker>>
  /** Gives a worker. */
  get(input: WorkersGetInput, options?: Options): Promise<Worker>
  /** Starts a worker that was stopped. */
  start(input: WorkersStartInput, options?: Options): Promise<Worker>
  /** Stops a worker; its queue still takes messages, and keeps them. */
  stop(input: WorkersStopInput, options?: Options): Promise<Worker>
  /** Starts a worker anew: with new connections to its service, and a closed circuit breaker. */
  restart(input: WorkersRestartInput, options?: Options): Promise<Worker>
}

export interface ProcessingOperations<Options> {
  /** What services an org uses, and from whom its emails are. */
  get(input?: ProcessingGetInput, options?: Options): Promise<{ orgName: string; emailFrom: string | null; emailBackend: string | null; detailBackend: string | null; storageBackend: string | null; pushBackend: string | null; eventBackend: string | null }>
  /** Attaches services to the functions of an org, or detaches them; what is left out stays. */
  update(input?: ProcessingUpdateInput, options?: Options): Promise<{ orgName: string; emailFrom: string | null; emailBackend: string | null; detailBackend: string | null; storageBackend: string | null; pushBackend: string | null; eventBackend: string | null }>
}

export interface TemplatesOperations<Options> {
  /** Lists email templates. */
  list(input?: TemplatesListInput, options?: Options): Promise<Page<Template>>
  /** Stores an email template: replaces the one of the same name and locale, or makes it. */
  upsert(input: TemplatesUpsertInput, options?: Options): Promise<Template>
  /** Gives an email template. */
  get(input: TemplatesGetInput, options?: Options): Promise<Template>
  /** Deletes an email template. */
  delete(input: TemplatesDeleteInput, options?: Options): Promise<Template>
}

export interface EmailsOperations<Options> {
  /** Puts an email on the queue of the org’s function email, once it is known to be complete. */
  send(input: EmailsSendInput, options?: Options): Promise<Message>
}

export interface DetailsOperations<Options> {
  /** Asks the org’s detail backend what is known of a supporter; answers are remembered for a minute. */
  lookup(input: DetailsLookupInput, options?: Options): Promise<{ privacy: Record<string, unknown> | null; action: Record<string, unknown> | null }>
}

export interface FilesOperations<Options> {
  /** One file of the org’s storage backend, as it comes; an answer that breaks off is not the whole file. */
  download(input: FilesDownloadInput, options?: Options): Promise<Download>
  /** Fetches files from the org’s storage backend. What was fetched before a failure is returned with it. */
  fetch(input: FilesFetchInput, options?: Options): Promise<{ files: ({ path: string; contentType: string; contentBase64: string })[]; failure: Record<string, unknown> | null }>
}

export interface Operations<Options> {
  readonly queues: QueuesOperations<Options>
  readonly messages: MessagesOperations<Options>
  readonly crons: CronsOperations<Options>
  readonly orgs: OrgsOperations<Options>
  readonly keys: KeysOperations<Options>
  readonly services: ServicesOperations<Options>
  readonly workers: WorkersOperations<Options>
  readonly processing: ProcessingOperations<Options>
  readonly templates: TemplatesOperations<Options>
  readonly emails: EmailsOperations<Options>
  readonly details: DetailsOperations<Options>
  readonly files: FilesOperations<Options>
}

/** What callers say of a queue, in the form in which it is stored. */
import {
  type CircuitBreaker,
  type CircuitBreakerInput,
  explicitBackoff,
  explicitCircuitBreaker,
  explicitRateLimit,
  Problem,
  type QueueCreate,
  type QueueUpdate,
  queue,
  resolveRetryPolicy,
} from '@posthorn/contract'
import type { Param } from '../db/port.ts'
import type { Params } from '../list/condition.ts'
import { queueSecretsPlace } from '../tenant/sealed-columns.ts'
import type { SecretBox } from '../tenant/secret-box.ts'

export interface QueueInputRules {
  readonly secrets: Pick<SecretBox, 'seal'>
  readonly checkHeaders: CheckHeaders
}

/** Of one org: what is sealed for it opens on no queue of another. */
type OrgRules = QueueInputRules & { readonly orgId: number }

/** What is wrong with headers that a caller gave, or null. */
export type CheckHeaders = (headers: Readonly<Record<string, unknown>>) => string | null

type Headers = Readonly<Record<string, string>>

/** How each field of an update is stored; `secrets` is never read back. */
const COLUMNS: {
  readonly [K in keyof Required<QueueUpdate>]: {
    readonly column: string
    readonly type: string
    readonly store: (value: NonNullable<QueueUpdate[K]>, rules: OrgRules) => Param
  }
} = {
  name: { column: 'name', type: 'text', store: storedText },
  callbackUrl: { column: 'callback_url', type: 'text', store: storedUrl },
  method: { column: 'method', type: 'text', store: value => value.toUpperCase() },
  headers: { column: 'headers', type: 'jsonb', store: (value, rules) => storedHeaders(value, rules.checkHeaders) },
  deadLetterQueueId: { column: 'dead_letter_queue_id', type: 'int', store: value => value },
  maxRetries: { column: 'max_retries', type: 'int', store: value => value },
  backoff: { column: 'backoff', type: 'jsonb', store: value => explicitBackoff(value) },
  timeoutMs: { column: 'timeout_ms', type: 'int', store: value => value },
  concurrency: { column: 'concurrency', type: 'int', store: value => value },
  ordered: { column: 'ordered', type: 'text', store: value => value },
  followRedirects: { column: 'follow_redirects', type: 'boolean', store: value => value },
  onGone: { column: 'on_gone', type: 'text', store: value => value },
  secrets: { column: 'secrets', type: 'text[]', store: sealAll },
  rateLimit: { column: 'rate_limit', type: 'jsonb', store: value => explicitRateLimit(value) },
  circuitBreaker: { column: 'circuit_breaker', type: 'jsonb', store: value => storedBreaker(value) },
  weight: { column: 'weight', type: 'smallint', store: value => value },
  backlogAgeLimitMs: { column: 'backlog_age_limit_ms', type: 'int', store: value => value },
  messageRetentionMs: { column: 'message_retention_ms', type: 'bigint', store: value => value },
  bodyRetentionMs: { column: 'body_retention_ms', type: 'bigint', store: value => value },
  attemptRetentionMs: { column: 'attempt_retention_ms', type: 'bigint', store: value => value },
  spread: { column: 'spread', type: 'smallint', store: value => value },
}

/** The parameters of create_queue.sql. @throws Problem validation_failed */
export function createParams(orgId: number, input: QueueCreate, rules: QueueInputRules): Param[] {
  const whole: QueueUpdate = { ...queue.defaults, ...input, ...resolveRetryPolicy(input) }
  const fields = Object.keys(COLUMNS) as (keyof QueueUpdate)[]
  return [orgId, ...fields.map(field => stored(field, whole, { ...rules, orgId }) ?? (field === 'secrets' ? [] : null))]
}

/** The assignments of an update; fields left out are left alone. @throws Problem validation_failed */
export function updateParts(orgId: number, patch: QueueUpdate, params: Params, rules: QueueInputRules): string[] {
  const fields = (Object.keys(COLUMNS) as (keyof QueueUpdate)[]).filter(field => patch[field] !== undefined)
  return fields.map(field => {
    const { column, type } = COLUMNS[field]
    const value = params.add(stored(field, patch, { ...rules, orgId }), type)
    return field === 'spread' ? `spread = ${value}, slices = greatest(slices, ${value})` : `${column} = ${value}`
  })
}

function stored<K extends keyof QueueUpdate>(field: K, input: QueueUpdate, rules: OrgRules): Param {
  const value = input[field]
  return value === undefined || value === null ? null : COLUMNS[field].store(value, rules)
}

/** @throws Problem validation_failed naming the header */
export function storedHeaders(headers: Readonly<Record<string, unknown>>, check: CheckHeaders): Headers {
  const problem = check(headers)
  if (problem !== null) throw new Problem('validation_failed', { problem: `body/${problem}` })
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value ?? '')]))
}

function storedText(value: string): string {
  if (value.includes('\0')) throw new Problem('validation_failed', { problem: 'body/name must not contain NUL' })
  return value
}

function storedUrl(value: string): string {
  const url = URL.canParse(value) ? new URL(value) : null
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') {
    throw new Problem('validation_failed', { problem: 'body/callbackUrl must be an http or https URL' })
  }
  return value
}

function storedBreaker(input: CircuitBreakerInput): CircuitBreaker {
  const breaker = explicitCircuitBreaker(input)
  const { probeMs, maxProbeMs } = breaker
  if (maxProbeMs >= probeMs) return breaker
  const field = 'body/circuitBreaker/maxProbeMs'
  throw new Problem('validation_failed', {
    problem: `${field} must be >= ${probeMs}, its probeMs`,
    field,
    rule: 'minimum',
    limit: probeMs,
  })
}

function sealAll(secrets: readonly string[], { secrets: box, orgId }: OrgRules): string[] {
  return secrets.map(secret => box.seal(secret, queueSecretsPlace(orgId)))
}

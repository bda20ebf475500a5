import { type Backoff, type Condition, type Queue, queue } from '@posthorn/contract'
import { type Columns, column, timestamp } from '../list/filter.ts'
import type { ListSource } from '../list/page.ts'

const columns: Columns = {
  id: column('q.id', 'int8'),
  name: column('q.name::text', 'text'),
  callbackUrl: column('q.callback_url::text', 'text', { nullable: true }),
  method: column('q.method::text', 'text'),
  deadLetterQueueId: column('q.dead_letter_queue_id', 'int8', { nullable: true }),
  maxRetries: column('q.max_retries', 'int8'),
  createdAt: timestamp('q.created_at'),
  updatedAt: timestamp('q.updated_at'),
  timeoutMs: column('q.timeout_ms', 'int8'),
  concurrency: column('q.concurrency', 'int8'),
  ordered: column('q.ordered', 'text'),
  followRedirects: column('q.follow_redirects', 'bool'),
  onGone: column('q.on_gone', 'text'),
  weight: column('q.weight', 'int8'),
  backlogAgeLimitMs: column('q.backlog_age_limit_ms', 'int8', { nullable: true }),
  messageRetentionMs: column('q.message_retention_ms', 'int8', { nullable: true }),
  bodyRetentionMs: column('q.body_retention_ms', 'int8', { nullable: true }),
  attemptRetentionMs: column('q.attempt_retention_ms', 'int8', { nullable: true }),
  pausedAt: timestamp('q.paused_at', { nullable: true }),
  pauseReason: column('q.pause_reason', 'text', { nullable: true }),
  version: column('q.version', 'int8'),
}

const hidden: Columns = {
  headers: column('q.headers', 'jsonb', { nullable: true }),
  backoff: column('q.backoff', 'jsonb'),
  rateLimit: column('q.rate_limit', 'jsonb', { nullable: true }),
  circuitBreaker: column('q.circuit_breaker', 'jsonb', { nullable: true }),
  signed: column('cardinality(q.secrets) > 0', 'bool'),
}

/** The queues of one org; deleted ones are gone at once. */
export function queueSource(orgId: number): ListSource<Queue> {
  return {
    resource: queue,
    branches: [
      {
        from: 'posthorn.queue AS q',
        columns,
        hidden,
        scope: params => `q.org_id = ${params.add(orgId, 'int4')} AND q.deleted_at IS NULL`,
      },
    ],
    supplement: null,
    serves,
    sorts: new Set(['id']),
    decode: row => decodeQueue(row as unknown as QueueRow),
  }
}

function serves({ field, op }: Condition): boolean {
  if (op === 'like' || op === 'ilike') return false
  return field === 'id' || (field === 'deadLetterQueueId' && op === 'eq')
}

interface QueueRow extends Omit<Queue, 'createdAt' | 'updatedAt' | 'pausedAt'> {
  readonly backoff: Backoff
  readonly createdAt: Date
  readonly updatedAt: Date
  readonly pausedAt: Date | null
}

function decodeQueue(row: QueueRow): Queue {
  return {
    id: row.id,
    name: row.name,
    callbackUrl: row.callbackUrl,
    method: row.method,
    headers: row.headers,
    deadLetterQueueId: row.deadLetterQueueId,
    maxRetries: row.maxRetries,
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
    backoff: row.backoff,
    timeoutMs: row.timeoutMs,
    concurrency: row.concurrency,
    ordered: row.ordered,
    followRedirects: row.followRedirects,
    onGone: row.onGone,
    rateLimit: row.rateLimit,
    circuitBreaker: row.circuitBreaker,
    weight: row.weight,
    backlogAgeLimitMs: row.backlogAgeLimitMs,
    signed: row.signed,
    messageRetentionMs: row.messageRetentionMs,
    bodyRetentionMs: row.bodyRetentionMs,
    attemptRetentionMs: row.attemptRetentionMs,
    pausedAt: row.pausedAt?.toISOString() ?? null,
    pauseReason: row.pauseReason,
    version: row.version,
  }
}

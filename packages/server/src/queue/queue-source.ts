import { type Condition, type Queue, queue } from '@posthorn/contract'
import { type Columns, column, timestamp } from '../list/filter.ts'
import type { ListSource } from '../list/page.ts'
import { rowReader } from '../list/read-row.ts'

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
  spread: column('q.spread', 'int8'),
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
    decode: rowReader(queue),
  }
}

function serves({ field, op }: Condition): boolean {
  if (op === 'like' || op === 'ilike') return false
  return field === 'id' || (field === 'deadLetterQueueId' && op === 'eq')
}

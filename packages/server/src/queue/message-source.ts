/**
 * Where messages are listed from: the live table and the history, told apart by nobody who asks.
 *
 * Every filter is put in terms of each table's own columns, so that its indexes serve it: a status that only settled
 * messages have is not looked for among the live ones, and the rare outcomes are found by the partial indexes over them.
 */
import { type Condition, type Message, type MessageStatus, message } from '@posthorn/contract'
import type { Params } from '../list/condition.ts'
import { type Columns, column, constant, timestamp } from '../list/filter.ts'
import type { AnyQuery, Branch, ListSource, Supplement } from '../list/page.ts'

/** The letters of message_done.outcome. */
export const OUTCOMES = { delivered: 'd', dead: 'x', cancelled: 'c', expired: 'e' } as const satisfies Partial<
  Record<MessageStatus, string>
>
const outcomes = Object.entries(OUTCOMES)

/** Columns that both tables have under the same name. */
const shared = (): Columns => ({
  id: column('m.id', 'int8'),
  queueId: column('m.queue_id', 'int8'),
  body: {
    ...column('(SELECT b.body FROM posthorn.payload AS b WHERE b.id = m.payload_id)', 'text', { nullable: true }),
    unread: true,
  },
  cronId: column('m.cron_id', 'int8', { nullable: true }),
  createdAt: timestamp('m.created_at'),
  attempts: column('m.attempts', 'int8'),
  key: column('m.key', 'text', { nullable: true }),
  expiresAt: timestamp('m.expires_at', { nullable: true }),
  originId: column('m.origin_id', 'int8', { nullable: true }),
})

/** A claimed message is on its way: what it waits for is not its time but its claim's end. */
const live: Columns = {
  ...shared(),
  priority: column('(m.lane % 10)', 'int8'),
  when: timestamp(
    `coalesce(CASE WHEN m.claim IS NULL THEN coalesce(m.retry_at, m.due_at) END, m.scheduled_at, m.created_at)`,
  ),
  failed: constant(false, 'bool'),
  sentAt: constant(null, 'timestamptz'),
  retries: column('(m.attempts - (m.claim IS NOT NULL)::int)', 'int8'),
  updatedAt: timestamp('m.created_at'),
  status: constant('pending', 'text'),
  reason: constant(null, 'text'),
  expungedAt: constant(null, 'timestamptz'),
}

/** Of a message that was sent, the last attempt was no retry's beginning; dead ones count as sent, as in pg-hooks. */
const settled: Columns = {
  ...shared(),
  priority: column('m.priority', 'int8'),
  when: timestamp('coalesce(m.scheduled_at, m.created_at)'),
  failed: {
    ...column(`(m.outcome = 'x')`, 'bool'),
    cases: [
      [true, `m.outcome = 'x'`],
      [false, `m.outcome <> 'x'`],
    ],
  },
  sentAt: {
    ...timestamp(`CASE WHEN m.outcome IN ('d', 'x') THEN m.done_at END`, { nullable: true }),
    whenNull: { is: `m.outcome IN ('c', 'e')`, isNot: `m.outcome IN ('d', 'x')` },
  },
  retries: column(`CASE WHEN m.outcome IN ('d', 'x') THEN greatest(m.attempts - 1, 0) ELSE m.attempts END`, 'int8'),
  updatedAt: timestamp('m.done_at'),
  status: {
    ...column(`CASE m.outcome ${outcomes.map(([status, o]) => `WHEN '${o}' THEN '${status}'`).join(' ')} END`, 'text'),
    cases: outcomes.map(([status, outcome]) => [status, `m.outcome = '${outcome}'`] as const),
  },
  reason: column('m.reason', 'text', { nullable: true }),
  expungedAt: timestamp('m.expunged_at', { nullable: true }),
}

const hidden: Columns = { payloadId: column('m.payload_id', 'int8') }

const payload: Supplement = {
  columns: 'p.body, p.bytes, p.headers',
  join: 'LEFT JOIN posthorn.payload AS p ON p.id = page."payloadId"',
}
const PAYLOAD_FIELDS = ['body', 'bodyBase64', 'headers']

/** Messages of one org. */
export function messageSource(
  orgId: number,
  query: Pick<AnyQuery, 'where' | 'fields'>,
  webhookId: (messageId: number) => string,
): ListSource<Message> {
  const narrow = query.where.some(({ field, op }) => op === 'eq' && (field === 'queueId' || field === 'cronId'))
  // Within a queue or a cron the org only checks: as a plain condition the planner may take it for the way in, and read
  // all of the org's messages to find the few of the queue (1.7 s in 10^7 rows; docs/decisions/storage.md).
  const scope = (params: Params): string => `${narrow ? '(m.org_id + 0)' : 'm.org_id'} = ${params.add(orgId, 'int4')}`
  const branches: Branch[] = [
    { from: 'posthorn.message AS m', columns: live, hidden, scope },
    { from: 'posthorn.message_done AS m', columns: settled, hidden, scope },
  ]
  const light = query.fields !== null && !query.fields.some(field => PAYLOAD_FIELDS.includes(field))
  return {
    resource: message,
    branches,
    supplement: light ? null : payload,
    serves,
    sorts: new Set(['id']),
    decode: row => decodeMessage(row as unknown as MessageRow, webhookId),
  }
}

/** Delivered messages are nearly all, or nearly none: then the few would be searched for among the others. */
function serves(condition: Condition): boolean {
  const { field, op } = condition
  if (field === 'id') return op !== 'like' && op !== 'ilike'
  if (field === 'queueId' || field === 'cronId') return op === 'eq'
  if (field === 'failed') return op === 'eq' && condition.value === true
  if (field === 'status') return op === 'eq' && condition.value !== 'delivered'
  return false
}

interface MessageRow {
  readonly id: number
  readonly queueId: number
  readonly when: Date
  readonly body?: string | null
  readonly bytes?: Buffer | null
  readonly headers?: string | null
  readonly failed: boolean
  readonly sentAt: Date | null
  readonly retries: number
  readonly cronId: number | null
  readonly createdAt: Date
  readonly updatedAt: Date
  readonly status: MessageStatus
  readonly reason: string | null
  readonly attempts: number
  readonly priority: number
  readonly key: string | null
  readonly expiresAt: Date | null
  readonly originId: number | null
  readonly expungedAt: Date | null
}

/** The contract's shape; pg-hooks' fields first, in its order. */
function decodeMessage(row: MessageRow, webhookId: (messageId: number) => string): Message {
  return {
    id: row.id,
    queueId: row.queueId,
    when: row.when.toISOString(),
    body: row.body ?? null,
    failed: row.failed,
    headers: row.headers ? JSON.parse(row.headers) : null,
    sentAt: row.sentAt?.toISOString() ?? null,
    retries: row.retries,
    cronId: row.cronId,
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
    bodyBase64: row.bytes?.toString('base64') ?? null,
    status: row.status,
    reason: row.reason,
    attempts: row.attempts,
    priority: row.priority,
    key: row.key,
    expiresAt: row.expiresAt?.toISOString() ?? null,
    originId: row.originId,
    expungedAt: row.expungedAt?.toISOString() ?? null,
    webhookId: webhookId(row.id),
  }
}

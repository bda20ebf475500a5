/**
 * Retirement of spans: history that leaves as a whole, whatever its size.
 *
 * A span that has been full for longer than the retention is dropped with its three partitions. What must outlive it moves
 * to the `_old` partitions in the same transaction, by moving their upper bound to the span's: live messages' attempts and
 * bodies, dead messages, what was settled within the retention, and bodies that a message elsewhere refers to. They are
 * found by indexes that hold little else, and read beforehand, so that puts and settles wait only for the move itself.
 * Nothing is missing at any moment: readers see the state before or the state after, and what is written to the span
 * meanwhile waits, and lands in `_old`.
 *
 * If a lock is not to be had at once, or if too much would have to move, the span stays for now.
 */
import type { Database, Executor } from '../../../db/port.ts'
import type { SpanRange } from './plan-spans.ts'
import { isLockTimeout, lockSpans } from './spans.ts'
import { statements } from './statements.ts'

export interface Retired {
  readonly spans: number
  /** Why the next one stays although its time is over; null if none does. */
  readonly stays: Staying | null
}

export type Staying =
  /** Puts would have had to wait for whoever holds a lock. */
  | { readonly reason: 'locked'; readonly span: SpanRange }
  | { readonly reason: 'full of survivors'; readonly span: SpanRange; readonly atLeast: number }

/** Puts and settles wait for us while we wait: for each of the three tables at most this long. */
const LOCK_TIMEOUT_MS = 100
const MOST_SURVIVORS = 20_000
const ALL = 2 ** 31 - 1

/**
 * With the column that they are partitioned by, and in the order in which statements lock them that use more than one
 * (settle, revive, delete, lists): in another, we and they would hold what the other waits for.
 */
const TABLES = [
  ['message_done', 'id'],
  ['attempt', 'message_id'],
  ['payload', 'id'],
] as const

/** Drops every span whose time is over, the oldest first. @throws DatabaseError */
export async function retireSpans(
  db: Database,
  { retentionMs, mostSurvivors = MOST_SURVIVORS }: { readonly retentionMs: number; readonly mostSurvivors?: number },
): Promise<Retired> {
  for (let spans = 0; ; spans++) {
    const [span] = await db.query<SpanRange>(statements.findRetirable, [retentionMs])
    if (!span) return { spans, stays: null }
    const stays = await retire(db, span, retentionMs, mostSurvivors)
    if (stays) return { spans, stays }
  }
}

async function retire(db: Database, span: SpanRange, retentionMs: number, most: number): Promise<Staying | null> {
  const atLeast = await db.transaction(tx => countSurvivors(tx, span, retentionMs, most), { slow: true })
  if (atLeast > most) return { reason: 'full of survivors', span, atLeast }
  try {
    await provideBound(db, span.hi)
    await db.transaction(tx => swap(db, tx, span, retentionMs))
    return null
  } catch (error) {
    if (isLockTimeout(error)) return { reason: 'locked', span }
    throw error
  }
}

interface Survivors {
  readonly settled: { readonly orgs: number[]; readonly ids: number[] }
  /** Whose attempts stay: settled and live. */
  readonly messages: { readonly queues: number[]; readonly ids: number[] }
  readonly payloads: number[]
}

interface SurvivorRow {
  readonly kind: 'l' | 'd' | 'p'
  readonly org_id: number
  readonly queue_id: number
  readonly id: number
  readonly payload_id: number
}

/** Not prepared: a plan for any range would have to do without knowing which partitions it needs. */
async function findSurvivors(
  tx: Executor,
  { lo, hi }: SpanRange,
  retentionMs: number,
  most: number,
): Promise<Survivors> {
  const { text } = statements.findSurvivors
  const rows = await tx.query<SurvivorRow>({ name: '', text }, [lo, hi, retentionMs, most])
  const settled = rows.filter(row => row.kind === 'd')
  const messages = rows.filter(row => row.kind !== 'p')
  const payloads = rows.map(row => row.payload_id).filter(id => id >= lo && id < hi)
  return {
    settled: { orgs: settled.map(row => row.org_id), ids: settled.map(row => row.id) },
    messages: { queues: messages.map(row => row.queue_id), ids: messages.map(row => row.id) },
    payloads: [...new Set(payloads)],
  }
}

async function countSurvivors(tx: Executor, span: SpanRange, retentionMs: number, most: number): Promise<number> {
  await useIndexes(tx)
  const { settled, messages, payloads } = await findSurvivors(tx, span, retentionMs, most + 1)
  const params = [messages.queues, messages.ids, payloads, span.lo, span.hi]
  const [read] = await tx.query<{ attempts: number }>({ name: '', text: statements.readSurvivors.text }, params)
  return Math.max(settled.ids.length, messages.ids.length, payloads.length, read!.attempts)
}

/** Statistics of these tables are of no use: all that is asked here is asked by key. */
function useIndexes(tx: Executor): Promise<void> {
  return tx.exec(`SET LOCAL enable_seqscan = off; SET LOCAL enable_hashjoin = off;
    SET LOCAL enable_mergejoin = off; SET LOCAL jit = off`)
}

/** A proven bound saves ATTACH from reading all of `_old` while everybody waits. */
async function provideBound(db: Database, hi: number): Promise<void> {
  await db.transaction(async tx => {
    await tx.exec(`SET LOCAL lock_timeout = ${LOCK_TIMEOUT_MS}`)
    for (const [table, key] of TABLES) {
      await tx.exec(`ALTER TABLE posthorn.${table}_old DROP CONSTRAINT IF EXISTS ${table}_old_bound,
        ADD CONSTRAINT ${table}_old_bound CHECK (${key} < ${hi}::bigint) NOT VALID`)
    }
  })
  await db.transaction(
    async tx => {
      await tx.exec(`SET LOCAL lock_timeout = ${LOCK_TIMEOUT_MS}`)
      for (const [table] of TABLES) {
        await tx.exec(`ALTER TABLE posthorn.${table}_old VALIDATE CONSTRAINT ${table}_old_bound`)
      }
    },
    { slow: true },
  )
}

/** Locks, moves, drops: the one moment in which puts and settles wait. */
async function swap(db: Database, tx: Executor, { lo, hi }: SpanRange, retentionMs: number): Promise<void> {
  await lockSpans(db, tx, LOCK_TIMEOUT_MS)
  await useIndexes(tx)
  // The parents alone: an autovacuum at work on some other partition must not turn us away.
  await tx.exec(each(table => `LOCK TABLE ONLY ${table} IN ACCESS EXCLUSIVE MODE`))
  await tx.exec(each(table => `ALTER TABLE ${table} DETACH PARTITION ${table}_old`))
  // Found anew: what became live or was settled until now is among them, what was deleted is not.
  await move(tx, { lo, hi }, await findSurvivors(tx, { lo, hi }, retentionMs, ALL))
  await tx.exec(each(table => `ALTER TABLE ${table} DETACH PARTITION ${table}_${lo}`))
  await tx.exec(
    each(table => `ALTER TABLE ${table} ATTACH PARTITION ${table}_old FOR VALUES FROM (MINVALUE) TO (${hi})`),
  )
  await tx.exec(each((table, name) => `ALTER TABLE ${table}_old DROP CONSTRAINT ${name}_old_bound`))
  await tx.exec(each(table => `DROP TABLE ${table}_${lo}`))
  await tx.query(statements.removeSpan, [lo])
}

async function move(tx: Executor, { lo, hi }: SpanRange, { settled, messages, payloads }: Survivors): Promise<void> {
  const { moveSettled, moveAttempts, movePayloads } = statements
  await tx.query({ name: '', text: moveSettled.text }, [settled.orgs, settled.ids, lo, hi])
  await tx.query({ name: '', text: moveAttempts.text }, [messages.queues, messages.ids, lo, hi])
  await tx.query({ name: '', text: movePayloads.text }, [payloads, lo, hi])
}

function each(statement: (table: string, name: string) => string): string {
  return TABLES.map(([table]) => statement(`posthorn.${table}`, table)).join('; ')
}

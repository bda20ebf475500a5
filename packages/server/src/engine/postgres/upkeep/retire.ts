/**
 * Retirement of spans: history that leaves as a whole, whatever its size.
 *
 * A span that has been full for longer than the retention is dropped with its three partitions. What must outlive it moves
 * to the `_old` partitions in the same transaction, by moving their upper bound to the span's: live messages' attempts and
 * bodies, dead messages, what was settled within the retention or belongs to a queue that keeps it longer, and bodies that a
 * message elsewhere refers to. They are found by indexes that hold little else, and read beforehand, so that puts and
 * settles wait only for the move itself. Nothing is missing at any moment: readers see the state before or the state after,
 * and what is written to the span meanwhile waits, and lands where its survivors are.
 *
 *   full ──▶ retired        while one before it has to stay:  full ──▶ thinned ──that one is gone──▶ retired
 *
 * If a lock is not to be had at once, or if too much would have to move, the span stays for now. Those behind it are
 * thinned: their partitions give way to new ones, of the same range, that hold the survivors alone.
 */
import type { Database, Executor } from '../../../db/port.ts'
import type { SpanRange } from './plan-spans.ts'
import { isLockTimeout, lockSpans } from './spans.ts'
import { statements } from './statements.ts'
import { copySurvivors, countSurvivors, findSurvivors, sizeOf, useIndexes } from './survivors.ts'

export interface Retired {
  /** Retired or thinned. */
  readonly spans: number
  /** Why others stay although their time is over. */
  readonly stay: readonly Staying[]
}

export type Staying =
  /** Puts would have had to wait for whoever holds a lock. */
  | { readonly reason: 'locked'; readonly span: SpanRange }
  | { readonly reason: 'full of survivors'; readonly span: SpanRange; readonly atLeast: number }

interface RetireOptions {
  readonly retentionMs: number
  /** More are not moved, since puts wait for it. */
  readonly mostSurvivors?: number
  /** Spans that are not looked at, by their `lo`. */
  readonly resting?: ReadonlySet<number>
}

type Limits = Required<Omit<RetireOptions, 'resting'>>

interface Ripe extends SpanRange {
  readonly is_first: boolean
  readonly is_thinned: boolean
}

/** Puts and settles wait for us while we wait: for each of the three tables at most this long. */
const LOCK_TIMEOUT_MS = 100
const MOST_SURVIVORS = 20_000

/**
 * With the column that they are partitioned by, and in the order in which statements lock them that use more than one
 * (settle, revive, delete, lists): in another, we and they would hold what the other waits for.
 */
const TABLES = [
  ['message_done', 'id'],
  ['attempt', 'message_id'],
  ['payload', 'id'],
] as const

/** Drops the history of every span whose time is over, the oldest first. @throws DatabaseError */
export async function retireSpans(db: Database, options: RetireOptions): Promise<Retired> {
  const { retentionMs, mostSurvivors = MOST_SURVIVORS, resting } = options
  const stay = new Map<number, Staying>()
  for (let spans = 0; ; ) {
    const ripe = await db.query<Ripe>(statements.findRetirable, [retentionMs])
    const next = ripe.find(
      ({ lo, is_first, is_thinned }) => !stay.has(lo) && !resting?.has(lo) && (is_first || !is_thinned),
    )
    const staying = next && (await retire(db, next, { retentionMs, mostSurvivors }))
    if (staying) stay.set(next!.lo, staying)
    else if (next) spans++
    // Whoever holds a lock holds up the next try too, and each try holds up puts.
    if (!next || staying?.reason === 'locked') return { spans, stay: [...stay.values()] }
  }
}

async function retire(
  db: Database,
  { lo, hi, is_first }: Ripe,
  { retentionMs, mostSurvivors }: Limits,
): Promise<Staying | null> {
  const span = { lo, hi }
  const found = await db.transaction(tx => countSurvivors(tx, span, retentionMs, mostSurvivors), { slow: true })
  if (found > mostSurvivors) return { reason: 'full of survivors', span, atLeast: found }
  try {
    if (is_first) await provideBound(db, hi)
    const swap = is_first ? moveToOld : thin
    // A rule of a queue may have changed since they were counted.
    const most = 2 * mostSurvivors
    const atLeast = await db.transaction(tx => swap(db, tx, span, { retentionMs, mostSurvivors: most }))
    return atLeast > most ? { reason: 'full of survivors', span, atLeast } : null
  } catch (error) {
    if (isLockTimeout(error)) return { reason: 'locked', span }
    throw error
  }
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

/** Locks, moves, drops: the one moment in which puts and settles wait. Gives the number of survivors; too many: nothing is done. */
async function moveToOld(db: Database, tx: Executor, span: SpanRange, limits: Limits): Promise<number> {
  const { lo, hi } = span
  await lockAll(db, tx)
  const survivors = await findSurvivors(tx, span, limits.retentionMs, limits.mostSurvivors + 1)
  if (sizeOf(survivors) > limits.mostSurvivors) return sizeOf(survivors)
  await tx.exec(each(table => `ALTER TABLE ${table} DETACH PARTITION ${table}_old`))
  await copySurvivors(tx, '_old', span, survivors)
  await tx.exec(each(table => `ALTER TABLE ${table} DETACH PARTITION ${table}_${lo}`))
  await tx.exec(
    each(table => `ALTER TABLE ${table} ATTACH PARTITION ${table}_old FOR VALUES FROM (MINVALUE) TO (${hi})`),
  )
  await tx.exec(each((table, name) => `ALTER TABLE ${table}_old DROP CONSTRAINT ${name}_old_bound`))
  await tx.exec(each(table => `DROP TABLE ${table}_${lo}`))
  await tx.query(statements.removeSpan, [lo])
  return sizeOf(survivors)
}

/** The same for a span that `_old` cannot reach over: new partitions for its survivors take the place of the old ones. */
async function thin(db: Database, tx: Executor, span: SpanRange, limits: Limits): Promise<number> {
  const { lo, hi } = span
  await lockAll(db, tx)
  const survivors = await findSurvivors(tx, span, limits.retentionMs, limits.mostSurvivors + 1)
  if (sizeOf(survivors) > limits.mostSurvivors) return sizeOf(survivors)
  const kept = `_${lo}_kept`
  await tx.exec(each(table => `CREATE TABLE ${table}${kept} (LIKE ${table} INCLUDING ALL)`))
  await copySurvivors(tx, kept, span, survivors)
  await tx.exec(each(table => `ALTER TABLE ${table} DETACH PARTITION ${table}_${lo}`))
  await tx.exec(each(table => `DROP TABLE ${table}_${lo}`))
  await tx.exec(each((table, name) => `ALTER TABLE ${table}${kept} RENAME TO ${name}_${lo}`))
  await tx.exec(
    each(table => `ALTER TABLE ${table} ATTACH PARTITION ${table}_${lo} FOR VALUES FROM (${lo}) TO (${hi})`),
  )
  await tx.query(statements.markThinned, [lo])
  return sizeOf(survivors)
}

/** Survivors are found after this: what became live or was settled until now is among them, what was deleted is not. */
async function lockAll(db: Database, tx: Executor): Promise<void> {
  await lockSpans(db, tx, LOCK_TIMEOUT_MS)
  await useIndexes(tx)
  // The parents alone: an autovacuum at work on some other partition must not turn us away.
  await tx.exec(each(table => `LOCK TABLE ONLY ${table} IN ACCESS EXCLUSIVE MODE`))
}

function each(statement: (table: string, name: string) => string): string {
  return TABLES.map(([table]) => statement(`posthorn.${table}`, table)).join('; ')
}

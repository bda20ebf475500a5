/**
 * Spans: ranges of ids, each with a partition of its own of `payload`, `message_done` and `attempt`.
 *
 * Guarantees that every id the sequence may draw for a long time has its partitions: spans follow each other without gaps
 * from the first to well ahead of the sequence, and where it has jumped past them, a failed put has them made (repair).
 * A partition is made beside and attached, which blocks neither puts nor settles. Partitions and the span's row come in
 * one transaction, under a lock that nodes and retirement share: they are there all or not at all.
 *
 *   ahead ──the sequence comes in──▶ current ──passes hi──▶ full ──retention──▶ retired: retire.ts
 */
import { type Database, DatabaseError, type Executor } from '../../../db/port.ts'
import { planSpans, type SpanRange, type SpanState } from './plan-spans.ts'
import { statements } from './statements.ts'

const SPAN_TABLES = ['message_done', 'attempt', 'payload'] as const

/** Second key of the advisory lock; the first one is the schema's. */
const SPAN_LOCK = 0x73_70_61_6e
const LOCK_TIMEOUT_MS = 2000
const TRIES = 5
const LOCK_NOT_AVAILABLE = '55P03'

/** Makes the spans that are wanted, if any are. Cheap when none is. @throws DatabaseError */
export async function ensureSpans(db: Database): Promise<void> {
  if (!isDue(await look(db))) return
  for (let left = TRIES; ; left--) {
    try {
      return await db.transaction(tx => extend(db, tx))
    } catch (error) {
      if (left <= 1 || !isLockTimeout(error)) throw error
    }
  }
}

/**
 * For the group commit: after a put that was refused for want of a partition, makes it. Gives true if the put is worth
 * another try. Calls at the same time share one repair. Never rejects.
 */
export function createSpanRepair(db: Database, failed: (error: unknown) => void): (error: unknown) => Promise<boolean> {
  let running: Promise<boolean> | null = null
  return error => {
    // A check constraint has the same SQLSTATE and a name: no partition will cure that.
    if ((error as DatabaseError).constraint !== undefined) return Promise.resolve(false)
    running ??= ensureSpans(db)
      .then(
        () => true,
        reason => {
          failed(reason)
          return false
        },
      )
      .finally(() => {
        running = null
      })
    return running
  }
}

/** Spans change by one hand at a time; also bounds how long the transaction waits for any lock. @throws DatabaseError */
export async function lockSpans(db: Database, tx: Executor, lockTimeoutMs: number): Promise<void> {
  await tx.exec(`SET LOCAL lock_timeout = ${lockTimeoutMs}`)
  await tx.query(statements.lockSpans, [db.lockSpace, SPAN_LOCK])
}

export function isLockTimeout(error: unknown): boolean {
  return error instanceof DatabaseError && error.sqlState === LOCK_NOT_AVAILABLE
}

interface Look extends SpanState {
  readonly markDue: boolean
  readonly fullDue: boolean
}

async function look(db: Executor): Promise<Look> {
  const [row] = await db.query<Record<string, unknown>>(statements.lookAtSpans)
  return {
    lastId: row!.last_id as number,
    currentHi: row!.current_hi as number | null,
    top: row!.top as number,
    dayIds: row!.day_ids as number,
    markDue: row!.mark_due as boolean,
    fullDue: row!.full_due as boolean,
  }
}

function isDue(seen: Look): boolean {
  return seen.markDue || seen.fullDue || planSpans(seen).length > 0
}

async function extend(db: Database, tx: Executor): Promise<void> {
  await lockSpans(db, tx, LOCK_TIMEOUT_MS)
  // Looked at anew: whoever had the lock before may have done it all.
  const seen = await look(tx)
  for (const span of planSpans(seen)) await makeSpan(tx, span)
  await tx.query(statements.markIds, [seen.lastId, seen.currentHi === null])
  await tx.query(statements.markFull, [seen.lastId])
}

/**
 * ATTACH takes a lock on the parent that puts and settles do not mind; PARTITION OF would stop them, and wait behind the
 * longest of them.
 */
async function makeSpan(tx: Executor, { lo, hi }: SpanRange): Promise<void> {
  for (const table of SPAN_TABLES) {
    const parent = `posthorn.${table}`
    await tx.exec(`CREATE TABLE ${parent}_${lo} (LIKE ${parent} INCLUDING ALL)`)
    await tx.exec(`ALTER TABLE ${parent} ATTACH PARTITION ${parent}_${lo} FOR VALUES FROM (${lo}) TO (${hi})`)
  }
  await tx.query(statements.addSpan, [lo, hi])
}

/**
 * Moving many messages of a queue at once: in batches of a thousand, each committed with its records, so that nothing is
 * locked for long and a process that dies in between leaves whole batches behind.
 */
import type { Database, Statement } from '../db/port.ts'
import { loadStatement } from '../db/statement.ts'
import { alongIndexes } from './index-plans.ts'

const BATCH = 1000
const CANCEL = loadStatement(import.meta.url, './sql/cancel_batch.sql')
const REVIVE = loadStatement(import.meta.url, './sql/revive_batch.sql')
const ANY_LIVE: Statement = {
  name: 'queue_has_live',
  text: 'SELECT EXISTS (SELECT FROM posthorn.message WHERE queue_id = $1::int) AS more',
}
const ANY_DEAD: Statement = {
  name: 'queue_has_dead',
  text: `SELECT EXISTS (
    SELECT FROM posthorn.message_done AS d
    WHERE d.queue_id = $1::int AND d.outcome = 'x' AND d.expunged_at IS NULL
      AND EXISTS (SELECT FROM posthorn.payload AS p WHERE p.id = d.payload_id)
  ) AS more`,
}

export interface Moved {
  readonly count: number
  /** Whether some are left. */
  readonly more: boolean
}

/** Cancels up to `limit` live messages of a queue, the oldest first, each on record with `reason`. @throws DatabaseError */
export function cancelBatch(db: Database, queueId: number, limit: number, reason: string): Promise<Moved> {
  return move(db, CANCEL, ANY_LIVE, queueId, limit, [reason])
}

/** Makes up to `limit` dead messages of a queue live again, the oldest first. @throws DatabaseError */
export function reviveBatch(db: Database, queueId: number, limit: number): Promise<Moved> {
  return move(db, REVIVE, ANY_DEAD, queueId, limit, [])
}

async function move(
  db: Database,
  statement: Statement,
  rest: Statement,
  queueId: number,
  limit: number,
  params: readonly string[],
): Promise<Moved> {
  let count = 0
  while (count < limit) {
    const batch = Math.min(BATCH, limit - count)
    const [row] = await alongIndexes(db, tx => tx.query<{ moved: number }>(statement, [queueId, batch, ...params]))
    const moved = row?.moved ?? 0
    count += moved
    if (moved < batch) break
  }
  const [left] = await db.query<{ more: boolean }>(rest, [queueId])
  return { count, more: left?.more ?? false }
}

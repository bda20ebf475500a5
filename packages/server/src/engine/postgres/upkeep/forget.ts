import type { Database, Statement } from '../../../db/port.ts'
import { statements } from './statements.ts'

const BATCH = 1000
/** So that other chores have their turn. */
const MOST_BATCHES = 50

/** Removes expired idempotency keys, at most 50,000 a call. Gives how many. @throws DatabaseError */
export function forgetKeys(db: Database): Promise<number> {
  return inBatches(db, statements.forgetKeys)
}

/** Removes notes of changes that are older than an hour, at most 50,000 a call. Gives how many. @throws DatabaseError */
export function forgetChanges(db: Database): Promise<number> {
  return inBatches(db, statements.forgetChanges)
}

async function inBatches(db: Database, statement: Statement): Promise<number> {
  let removed = 0
  for (let batch = 0; batch < MOST_BATCHES; batch++) {
    const [row] = await db.query<{ removed: number }>(statement, [BATCH])
    removed += row!.removed
    if (row!.removed < BATCH) break
  }
  return removed
}

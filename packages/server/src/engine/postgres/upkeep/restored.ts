/**
 * After a restore from a dump into another cluster, rows have the ids of transactions that are yet to be there: each sweep
 * would find them anew, and ordered queues would wait until those ids have come to pass.
 *
 * Such rows get ids that have passed. One id for all would sort each line by message id, which is not its order where a
 * message was redriven, changed or promoted, or was put beside others. So a line is cut into runs within which message ids
 * ascend, and each run gets an id of its own; as many ids as the longest line has runs are used up beforehand.
 */
import type { Database, Executor } from '../../../db/port.ts'
import { statements } from './statements.ts'

/** Second key of the advisory lock; the first one is the schema's. */
const RESTORE_LOCK = 0x72_65_73_74
const IDS_AT_ONCE = 1000
const USE_UP_ONE = 'BEGIN; SELECT pg_current_xact_id(); COMMIT;'

/**
 * Makes restored rows rows of this cluster, keeping their order; must come before the node works. Cheap if there are none.
 * Gives whether there were. @throws DatabaseError
 */
export async function adoptRestored(db: Database): Promise<boolean> {
  const [seen] = await db.query<{ found: boolean }>(statements.hasRestored)
  if (!seen!.found) return false
  let usedUp = 0
  for (;;) {
    const wanted = await db.transaction(tx => adopt(db, tx, usedUp), { slow: true })
    if (wanted <= usedUp) break
    await useUpIds(db, wanted)
    usedUp = wanted
  }
  // Every sweep looks where the rows were until now: without this, past a dead index entry for each of them.
  await db.exec('VACUUM posthorn.message')
  return true
}

/** Gives how many ids must have been used up for it to be done: if that is no more than there were, it is done. */
async function adopt(db: Database, tx: Executor, usedUp: number): Promise<number> {
  await tx.query(statements.lockSpans, [db.lockSpace, RESTORE_LOCK])
  const [seen] = await tx.query<{ found: boolean }>(statements.hasRestored)
  if (!seen!.found) return 0 // another node was faster
  const [counted] = await tx.query<{ runs: number }>(statements.countRuns, [usedUp])
  if (counted!.runs > usedUp) return counted!.runs
  await tx.query(statements.adoptMessages, [usedUp])
  await tx.query(statements.dropRestoredChanges)
  return 0
}

/** A transaction that does nothing but have an id waits for no disk. */
async function useUpIds(db: Database, count: number): Promise<void> {
  for (let left = count; left > 0; left -= IDS_AT_ONCE) await db.exec(USE_UP_ONE.repeat(Math.min(left, IDS_AT_ONCE)))
}

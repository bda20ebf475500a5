import { FORCE_PLANS } from '../db/forced-plans.ts'
import type { Database, Executor } from '../db/port.ts'

/** A transaction whose statements go along indexes. @throws DatabaseError, and what `work` throws */
export function alongIndexes<T>(db: Database, work: (tx: Executor) => Promise<T>): Promise<T> {
  return db.transaction(async tx => {
    await tx.query(FORCE_PLANS)
    return work(tx)
  })
}

/**
 * Statements that take a little from very much go along an index, whatever the statistics say: those of a table that grew
 * since they were taken, or never had any, let the planner read and sort all of it for every batch.
 */
import type { Database, Executor, Statement } from '../db/port.ts'

export const INDEX_PLANS: Statement = {
  name: 'index_plans',
  text: `SELECT set_config('plan_cache_mode', 'force_generic_plan', true), set_config('enable_seqscan', 'off', true),
      set_config('enable_bitmapscan', 'off', true), set_config('enable_hashjoin', 'off', true),
      set_config('enable_mergejoin', 'off', true), set_config('jit', 'off', true)`,
}

/** A transaction whose statements go along indexes. @throws DatabaseError, and what `work` throws */
export function alongIndexes<T>(db: Database, work: (tx: Executor) => Promise<T>): Promise<T> {
  return db.transaction(async tx => {
    await tx.query(INDEX_PLANS)
    return work(tx)
  })
}

import { Problem } from '@posthorn/contract'
import { type Database, DatabaseError, type Executor } from '../db/port.ts'

const QUERY_CANCELED = '57014'

/**
 * Reads under a time limit of its own. The embedded database knows no such limit; it serves one process, and small data.
 * @throws Problem list_too_slow, naming the parts that no index serves
 */
export async function withinLimit<T>(
  db: Database,
  limitMs: number,
  parts: readonly string[],
  read: (executor: Executor) => Promise<T>,
): Promise<T> {
  try {
    return await db.transaction(async tx => {
      await tx.exec(`SET LOCAL statement_timeout = ${Math.trunc(limitMs)}; SET LOCAL jit = off`)
      return read(tx)
    })
  } catch (error) {
    if (!(error instanceof DatabaseError) || error.sqlState !== QUERY_CANCELED) throw error
    throw new Problem('list_too_slow', { limit: limitMs, parts: parts.join(', ') }, { cause: error })
  }
}

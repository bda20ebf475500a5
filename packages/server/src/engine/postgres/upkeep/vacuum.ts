import type { Database } from '../../../db/port.ts'
import { statements } from './statements.ts'

/** Messages settled here between two vacuums: 90 to 210 ms of work each time while the table is short. */
const SETTLED = 150_000
/** The share of a long table that must have been settled, since a vacuum reads all of its indexes. */
const SHARE = 0.1
/** Dead rows, by the statistics, that are too many whoever made them. */
const DEAD = 50_000

/**
 * INDEX_CLEANUP: PostgreSQL would leave dead index entries of a long table alone, and they are what loading walks over.
 * No TRUNCATE: giving pages back locks the table. Another node's vacuum is not waited for.
 */
const VACUUM = 'VACUUM (SKIP_LOCKED, INDEX_CLEANUP ON, TRUNCATE OFF) posthorn.message'

export interface LiveVacuum {
  /** Vacuums the live table if this node has settled enough since it last did. @throws DatabaseError */
  afterSettling(): Promise<void>
  /** Vacuums it if the statistics say so: for what was settled by nobody in particular. @throws DatabaseError */
  ifNeglected(): Promise<void>
}

/**
 * Vacuum of the live table by what was done to it, not by the clock of autovacuum, which would come a minute later: at
 * 20,000 settled a second, to a million dead rows.
 * @param settledHere messages settled by this node so far
 */
export function createLiveVacuum(db: Database, settledHere: () => number): LiveVacuum {
  let done = settledHere()
  let interval = SETTLED
  const vacuum = async (): Promise<void> => {
    done = settledHere()
    await db.exec(VACUUM)
  }
  return {
    async afterSettling() {
      if (settledHere() - done < interval) return
      // A node that has just come does not know yet how long the table is.
      interval = Math.max(SETTLED, SHARE * (await look(db)).live)
      if (settledHere() - done >= interval) await vacuum()
    },
    async ifNeglected() {
      const { dead, live } = await look(db)
      if (dead > Math.max(DEAD, SHARE * live)) await vacuum()
    },
  }
}

async function look(db: Database): Promise<{ dead: number; live: number }> {
  const [row] = await db.query<{ dead: number; live: number }>(statements.liveTable, [db.schema])
  return row!
}

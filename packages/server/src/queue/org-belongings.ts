/**
 * What a deleted org's queues leave behind, a batch at a time and in this order: its queues are marked, so that every node
 * stops them; its crons go, so that nothing is put any more; its live messages are stopped, its history goes; and last, when
 * every node has long heard, the queues themselves, by which all of it was found.
 */
import type { Output } from '@posthorn/contract'
import type { Database, Executor } from '../db/port.ts'
import { loadStatement } from '../db/statement.ts'
import type { Belongings } from '../tenant/orgs.ts'
import { cancelBatch } from './batches.ts'
import { alongIndexes } from './index-plans.ts'

const BATCH = 1000
const GRACE_MS = 30_000

const COUNT = loadStatement(import.meta.url, './sql/count_of_org.sql')
const MARK_QUEUES = loadStatement(import.meta.url, './sql/mark_queues_of_org.sql')
const REMOVE_CRONS = loadStatement(import.meta.url, './sql/remove_crons_of_org.sql')
const LIVE_QUEUE = loadStatement(import.meta.url, './sql/live_queue_of_org.sql')
const REMOVE_HISTORY = loadStatement(import.meta.url, './sql/remove_history_of_org.sql')
const REMOVE_IDEMPOTENCY = loadStatement(import.meta.url, './sql/remove_idempotency_of_org.sql')
const REMOVE_QUEUES = loadStatement(import.meta.url, './sql/remove_queues_of_org.sql')
const ANY_QUEUE = {
  name: 'org_has_queue',
  text: 'SELECT EXISTS (SELECT FROM posthorn.queue WHERE org_id = $1::int) AS more',
}

type Counts = Pick<Output<'orgs.previewDelete'>, 'queues' | 'crons' | 'pending' | 'settled'>

export interface QueueBelongingsOptions {
  /** Called when queues were marked: nodes are to look; must not throw. */
  readonly changed: () => void
  /** How long a queue stays after it was marked; half a minute by default. */
  readonly graceMs?: number
}

/** Queues, crons and messages, as what an org owns. */
export function queueBelongings({ changed, graceMs = GRACE_MS }: QueueBelongingsOptions): Belongings {
  /** Up to where the history of an org is gone, as far as this process took it away. */
  const reached = new Map<number, number>()
  return {
    async count(db: Executor, orgId) {
      const [counts] = await db.query<Counts>(COUNT, [orgId])
      return counts!
    },
    async removeSome(db, orgId) {
      const has = async (statement: typeof MARK_QUEUES, ...more: number[]): Promise<boolean> =>
        (await alongIndexes(db, tx => tx.query(statement, [orgId, BATCH, ...more]))).length > 0
      if (await has(MARK_QUEUES)) {
        changed()
        return 'some'
      }
      if (await has(REMOVE_CRONS)) return 'some'
      const stopped = await stopSome(db, orgId)
      if (stopped !== 'none') return stopped
      const after = reached.get(orgId) ?? 0
      const last = await removeHistory(db, orgId, after)
      if (last === null) reached.delete(orgId)
      else reached.set(orgId, last)
      // At the end, once more from the beginning: something may have been settled behind the place.
      if (last !== null || after > 0) return 'some'
      if ((await has(REMOVE_IDEMPOTENCY)) || (await has(REMOVE_QUEUES, graceMs))) return 'some'
      const [left] = await db.query<{ more: boolean }>(ANY_QUEUE, [orgId])
      return left?.more ? 'later' : 'none'
    },
  }
}

/** What a settle is just removing is left to it. */
async function stopSome(db: Database, orgId: number): Promise<'some' | 'later' | 'none'> {
  const [queue] = await alongIndexes(db, tx => tx.query<{ id: number }>(LIVE_QUEUE, [orgId]))
  if (!queue) return 'none'
  const { count } = await cancelBatch(db, queue.id, BATCH, 'org deleted')
  return count > 0 ? 'some' : 'later'
}

/** Gives the last that went, from which the next batch goes on; null if there is none behind `after`. */
async function removeHistory(db: Database, orgId: number, after: number): Promise<number | null> {
  const [row] = await alongIndexes(db, tx => tx.query<{ last: number | null }>(REMOVE_HISTORY, [orgId, BATCH, after]))
  return row?.last ?? null
}

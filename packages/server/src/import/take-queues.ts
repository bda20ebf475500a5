import type { Database, Executor } from '../db/port.ts'
import { loadStatement } from '../db/statement.ts'
import { holdQueues } from '../queue/cron-tick.ts'
import { createParams, type QueueInputRules } from '../queue/queue-input.ts'
import { insertQueue } from '../queue/queues.ts'
import type { FitRules } from './fit.ts'
import type { Entry, Ledger } from './ledger.ts'
import type { PlannedQueue } from './plan.ts'

export interface TakeQueues {
  readonly target: Database
  readonly orgId: number
  readonly ledger: Ledger
  readonly rules: FitRules
}

const ADVANCE = loadStatement(import.meta.url, './sql/advance_queue_ids.sql')

/** Stores the queues that are not there yet, all in one transaction. Gives the ids of all, by their old ones. */
export async function takeQueues(room: TakeQueues, queues: readonly PlannedQueue[]): Promise<Map<number, number>> {
  const ids = new Map<number, number>()
  for (const { old, known } of queues) if (known?.newId) ids.set(old.id, known.newId)
  const fresh = queues.filter(({ known }) => known === null)
  if (fresh.length === 0) return ids
  await room.target.transaction(
    async tx => {
      await tx.query(ADVANCE, [Math.max(...fresh.map(({ old }) => old.id))])
      const live = new Set((await holdQueues(tx, room.orgId, [...ids.values()])).keys())
      const made: Entry[] = []
      for (const queue of fresh) {
        const id = await store(room, tx, queue, deadLetterQueueOf(queue, ids, live))
        ids.set(queue.old.id, id)
        live.add(id)
        made.push({ oldId: queue.old.id, createdUs: queue.old.created_us, newId: id })
      }
      await room.ledger.record(tx, 'q', made)
    },
    { slow: true },
  )
  return ids
}

/** None if it has been deleted here since an import before. */
function deadLetterQueueOf(
  { deadLetterQueueId }: PlannedQueue,
  ids: ReadonlyMap<number, number>,
  live: ReadonlySet<number>,
): number | null {
  const id = deadLetterQueueId === null ? undefined : ids.get(deadLetterQueueId)
  return id !== undefined && live.has(id) ? id : null
}

function store(
  { orgId, rules }: TakeQueues,
  tx: Executor,
  { input, newId }: PlannedQueue,
  deadLetterQueueId: number | null,
): Promise<number> {
  const params = createParams(orgId, { ...input, deadLetterQueueId }, { ...rules, secrets: NO_SECRETS })
  return insertQueue(tx, params, newId)
}

/** pg-hooks signs nothing: a queue comes without secrets, and the key that seals them need not be at hand. */
const NO_SECRETS: QueueInputRules['secrets'] = {
  seal() {
    throw new Error('an imported queue has no secrets')
  },
}

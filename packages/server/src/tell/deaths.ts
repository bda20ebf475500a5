import type { Clock } from '../clock.ts'
import type { Ids } from '../id.ts'
import type { Log } from '../log.ts'
import type { Death, Deaths } from '../queue/deaths.ts'
import type { Teller } from './teller.ts'

export interface DeathsOptions {
  readonly teller: Teller
  readonly ids: Pick<Ids, 'webhookId'>
  /** The name of a queue, if it is at hand. */
  readonly nameOf: (queueId: number) => string | null
  readonly counted: (type: 'message.dead', count: number) => void
  readonly clock: Clock
  readonly log: Log
}

/** So many ids are named in a line of the log. */
const NAMED = 20

/** Tells of dead messages: each by a message of its own, in the log those of a queue that die together in one line. */
export function createDeaths({ teller, ids, nameOf, counted, clock, log }: DeathsOptions): Deaths {
  return {
    noticeOf(death) {
      if (!teller.wants('message.dead', death.queueId)) return null
      const webhookId = ids.webhookId(death.messageId)
      const data = { ...death, queueName: nameOf(death.queueId), webhookId }
      return teller.noticeOf({ type: 'message.dead', data }, new Date(clock.now()))
    },
    died(deaths) {
      counted('message.dead', deaths.length)
      for (const [queueId, ofQueue] of byQueue(deaths)) {
        const messageIds = ofQueue.slice(0, NAMED).map(({ messageId }) => messageId)
        const { orgId, reason } = ofQueue.at(-1)!
        const fields = { event: 'message.dead', orgId, queueId, queueName: nameOf(queueId), messageIds, reason }
        log.warn({ ...fields, messages: ofQueue.length }, 'messages are dead')
      }
    },
  }
}

function byQueue(deaths: readonly Death[]): Map<number, Death[]> {
  const queues = new Map<number, Death[]>()
  for (const death of deaths) {
    const ofQueue = queues.get(death.queueId)
    if (ofQueue) ofQueue.push(death)
    else queues.set(death.queueId, [death])
  }
  return queues
}

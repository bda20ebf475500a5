import type { Clock, Timer } from '../clock.ts'
import type { Database } from '../db/port.ts'
import { loadStatement } from '../db/statement.ts'
import type { Log } from '../log.ts'
import type { AlarmedQueue, Alarms } from './alarms.ts'
import type { Happening } from './teller.ts'

export interface BreakersOptions {
  readonly db: Database
  readonly alarms: Pick<Alarms, 'raise' | 'clear'>
  readonly shardCount: number
  readonly clock: Clock
  readonly log: Log
}

const ORPHANED = loadStatement(import.meta.url, './sql/orphaned_breakers.sql')
const AGAIN_MS = 1000
/** How long the next owner of a queue has to find that its receiver still fails. */
const ORPHAN_MS = 60_000
const SERVED = 'a probe came through, or the queue was resumed or changed'
const ANOTHER_OWNER = 'another node serves the queue, and its breaker did not open again'

/**
 * Breakers: tells when the circuit breakers of this node's queues open and close.
 *
 * A breaker is in the memory of its queue's owner. Here is kept what each was last said to be, until that is on record: so
 * nothing waits for the database, and one that opened and closed while it was away is not told of at all.
 * The alarm of an owner that is gone goes over to the next one if its breaker opens too, and ends after a while if not.
 */
export class Breakers {
  readonly #options: BreakersOptions
  /** Why it opened; null: it closed. */
  readonly #said = new Map<number, { readonly reason: string | null }>()
  #writing: Promise<void> | null = null
  #timer: Timer | null = null
  #stopped = false

  constructor(options: BreakersOptions) {
    this.#options = options
  }

  opened(queueId: number, reason: string): void {
    this.#say(queueId, reason)
  }

  closed(queueId: number): void {
    this.#say(queueId, null)
  }

  /** Ends the alarms of breakers that nobody speaks for any more. @throws DatabaseError */
  async endOrphans(): Promise<void> {
    const { db, alarms, shardCount } = this.#options
    const rows = await db.query<{ queue_id: number }>(ORPHANED, [shardCount, ORPHAN_MS])
    const orphans = rows.map(row => row.queue_id)
    await alarms.clear('breaker', orphans, queue => (queue.isDeleted ? null : closedOf(queue, ANOTHER_OWNER)))
  }

  /** Resolves when what is being written is written; what is not, the next owner of the queue finds out by itself. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#timer?.cancel()
    await this.#writing
  }

  #say(queueId: number, reason: string | null): void {
    // To the end of the map: whoever is walking it meets what is inserted during the walk.
    this.#said.delete(queueId)
    this.#said.set(queueId, { reason })
    this.#write()
  }

  #write(): void {
    if (this.#stopped || this.#writing || this.#timer || this.#said.size === 0) return
    this.#writing = this.#writeAll().finally(() => {
      this.#writing = null
      this.#write()
    })
  }

  async #writeAll(): Promise<void> {
    const { alarms, clock, log } = this.#options
    for (const [queueId, said] of this.#said) {
      if (this.#stopped) return
      const { reason } = said
      try {
        if (reason !== null) await alarms.raise('breaker', [queueId], queue => openedOf(queue, reason))
        else await alarms.clear('breaker', [queueId], queue => (queue.isDeleted ? null : closedOf(queue, SERVED)))
      } catch (error) {
        log.warn({ queueId, err: error }, 'telling of a circuit breaker failed; trying again')
        this.#timer = clock.setTimer(() => {
          this.#timer = null
          this.#write()
        }, AGAIN_MS)
        return
      }
      // Unless it has been said otherwise meanwhile.
      if (this.#said.get(queueId) === said) this.#said.delete(queueId)
    }
  }
}

function openedOf({ orgId, queueId, name }: AlarmedQueue, reason: string): Happening {
  return { type: 'breaker.opened', data: { orgId, queueId, queueName: name, reason } }
}

function closedOf({ orgId, queueId, name, since }: AlarmedQueue, reason: string): Happening {
  return { type: 'breaker.closed', data: { orgId, queueId, queueName: name, since: since.toISOString(), reason } }
}

import { label } from './exposition.ts'
import type { Report } from './port.ts'

type Counts = Map<Report['outcome'], number>

interface Counted {
  readonly counts: Counts
  /** As it was last known: a series that lost its name for a while would begin anew. */
  name: string
  lastAt: number
}

/** A queue without an attempt for so long leaves its series to others. */
const IDLE_MS = 3_600_000
/** All others look for a place no more often than this. */
const REVIEW_MS = 60_000

/**
 * Attempts by queue, for so many queues as have series of their own: those that came first, and were not idle since. What
 * the others do, and what those did that left, is counted as one, so that the sum over all series never falls.
 */
export class QueueCounts {
  readonly #most: number
  readonly #now: () => number
  readonly #nameOf: (queueId: number) => string | undefined
  readonly #queues = new Map<number, Counted>()
  readonly #others: Counts = new Map()
  #reviewedAt = Number.NEGATIVE_INFINITY

  /**
   * @param now milliseconds, monotonic
   * @param nameOf undefined for a queue that is not known at the moment
   */
  constructor(most: number, now: () => number, nameOf: (queueId: number) => string | undefined) {
    this.#most = most
    this.#now = now
    this.#nameOf = nameOf
  }

  attempted(queueId: number, outcome: Report['outcome']): void {
    const counts = this.#of(queueId)
    counts.set(outcome, (counts.get(outcome) ?? 0) + 1)
  }

  series(): Map<string, number> {
    const series = new Map<string, number>()
    const add = (queue: string, name: string, counts: Counts): void => {
      const own = labelsOf(queue, name)
      for (const [outcome, count] of counts) series.set(`${own},${label('outcome', outcome)}`, count)
    }
    for (const [id, queue] of this.#queues) {
      queue.name = this.#nameOf(id) ?? queue.name
      add(`${id}`, queue.name, queue.counts)
    }
    if (this.#others.size > 0) add('other', '', this.#others)
    return series
  }

  /** How long each queue lags, in seconds, of all those that have no series of their own the longest. `waits`: in milliseconds. */
  lags(waits: ReadonlyMap<number, number>): Map<string, number> {
    const series = new Map<string, number>()
    let others = 0
    for (const [id, { name }] of this.#queues) series.set(labelsOf(`${id}`, name), (waits.get(id) ?? 0) / 1000)
    for (const [id, ms] of waits) if (!this.#queues.has(id)) others = Math.max(others, ms / 1000)
    return series.set(labelsOf('other', ''), others)
  }

  #of(queueId: number): Counts {
    const known = this.#queues.get(queueId)
    if (known) {
      known.lastAt = this.#now()
      return known.counts
    }
    if (this.#queues.size >= this.#most) this.#review()
    if (this.#queues.size >= this.#most) return this.#others
    const counts: Counts = new Map()
    this.#queues.set(queueId, { counts, name: this.#nameOf(queueId) ?? '', lastAt: this.#now() })
    return counts
  }

  #review(): void {
    const now = this.#now()
    if (now - this.#reviewedAt < REVIEW_MS) return
    this.#reviewedAt = now
    for (const [id, { counts, lastAt }] of this.#queues) {
      if (now - lastAt < IDLE_MS) continue
      this.#queues.delete(id)
      for (const [outcome, count] of counts) this.#others.set(outcome, (this.#others.get(outcome) ?? 0) + count)
    }
  }
}

const labelsOf = (queue: string, name: string): string => `${label('queue', queue)},${label('name', name)}`

import type { Route } from './port.ts'
import type { QueueRun } from './queue-run.ts'

/** A queue with fewer attempts under way than this may go on when half of the node's are taken. */
const SMALL = 8

/**
 * The fair round: queues that have something to start take turns, one message each.
 *
 * Guarantees that no queue shuts out the others: half of the node's attempts are for queues with only a few under way, so
 * receivers that hang after having earned many cannot hold them all; and a queue with none under way may always start one.
 */
export class Round<R extends Route> {
  readonly #most: number
  #ready: QueueRun<R>[] = []
  #first = 0
  #parked: QueueRun<R>[] = []
  inFlight = 0

  constructor(most: number) {
    this.#most = most
  }

  add(queue: QueueRun<R>): void {
    if (queue.isReady) return
    queue.isReady = true
    this.#ready.push(queue)
  }

  /** The next queue whose turn it is; its turn is over when it is added again. */
  next(): QueueRun<R> | null {
    while (this.#first < this.#ready.length) {
      const queue = this.#ready[this.#first]!
      this.#first += 1
      if (this.#first === this.#ready.length || this.#first === 1024) {
        this.#ready = this.#ready.slice(this.#first)
        this.#first = 0
      }
      if (this.#allows(queue)) {
        queue.isReady = false
        return queue
      }
      this.#parked.push(queue)
    }
    return null
  }

  started(): void {
    this.inFlight += 1
  }

  ended(): void {
    this.inFlight -= 1
    if (this.#parked.length === 0) return
    this.#ready.push(...this.#parked)
    this.#parked = []
  }

  #allows({ inFlight }: QueueRun<R>): boolean {
    if (this.inFlight < this.#most / 2 || inFlight === 0) return true
    return inFlight < SMALL && this.inFlight < this.#most
  }
}

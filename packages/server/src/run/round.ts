import type { Route } from './port.ts'
import type { QueueRun } from './queue-run.ts'
import { Turns } from './turns.ts'

/** A queue with fewer attempts under way than this may go on when half of the node's are taken. */
const SMALL = 8
/** Sockets are finite: with so many times its attempts under way, the node does not start even the first one of a queue. */
const CEILING = 4

type Kind = 'silent' | 'first' | 'small' | 'large'

/**
 * The fair round: queues that have something to start take turns, one message each.
 *
 * Guarantees that no queue shuts out the others. Half of the node's attempts are for queues with only a few under way, so
 * receivers that hang after having earned many cannot hold them all; and a queue with none under way may start one
 * although all are taken. Queues whose receiver did not answer last time share half as many attempts again, and these
 * count with nobody else's: a thousand dead receivers do not slow the others.
 *
 * A queue that may not go on is parked with its kind, and is looked at again when there is room for that, or when it is
 * of another kind: however many are parked, an attempt that ends costs the same.
 */
export class Round<R extends Route> {
  readonly #room: Readonly<Record<Kind, number>>
  readonly #ready = new Turns<QueueRun<R>>()
  readonly #parked: Readonly<Record<Kind, Turns<QueueRun<R>>>> = {
    silent: new Turns(),
    first: new Turns(),
    small: new Turns(),
    large: new Turns(),
  }
  /** Queues with an attempt under way that was started although their receiver had not answered. */
  readonly #silent = new Set<QueueRun<R>>()
  inFlight = 0

  constructor(most: number) {
    this.#room = { silent: most / 2, first: CEILING * most, small: most, large: most / 2 }
  }

  add(queue: QueueRun<R>): void {
    if (queue.isReady) return
    queue.isReady = true
    this.#ready.add(queue)
  }

  /** The next queue whose turn it is; its turn is over when it is added again. */
  next(): QueueRun<R> | null {
    for (let queue = this.#first(); queue; queue = this.#first()) {
      const kind = kindOf(queue)
      if (this.#hasRoom(kind)) {
        queue.isReady = false
        return queue
      }
      this.#parked[kind].add(queue)
    }
    return null
  }

  started(queue: QueueRun<R>): void {
    this.inFlight += 1
    if (queue.window.isSilent) this.#silent.add(queue)
  }

  /** An attempt of this queue is over; its window and its count say so already. */
  ended(queue: QueueRun<R>): void {
    this.inFlight -= 1
    if (queue.inFlight === 0) this.#silent.delete(queue)
    const now = kindOf(queue)
    for (const kind of KINDS) if (kind !== now && this.#parked[kind].leave(queue)) this.#ready.add(queue)
  }

  #first(): QueueRun<R> | null {
    const ready = this.#ready.next()
    if (ready) return ready
    for (const kind of KINDS) {
      const queue = this.#hasRoom(kind) ? this.#parked[kind].next() : null
      if (queue) return queue
    }
    return null
  }

  #hasRoom(kind: Kind): boolean {
    const counted = kind === 'silent' ? this.#silent.size : this.inFlight - this.#silent.size
    return counted < this.#room[kind]
  }
}

const KINDS = ['silent', 'first', 'large', 'small'] as const

function kindOf({
  window,
  inFlight,
}: {
  readonly window: { readonly isSilent: boolean }
  readonly inFlight: number
}): Kind {
  if (window.isSilent) return 'silent'
  if (inFlight === 0) return 'first'
  return inFlight < SMALL ? 'small' : 'large'
}

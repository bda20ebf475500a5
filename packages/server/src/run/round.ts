import { USUAL_WEIGHT } from '@posthorn/contract'
import { OrgTurns } from './org-turns.ts'
import type { Pace } from './pace.ts'
import type { Route } from './port.ts'
import type { Kind, QueueRun } from './queue-run.ts'

/** A queue of the usual weight with fewer attempts under way than this may go on when half of the node's are taken. */
const SMALL = 8
/** With so many times its attempts under way, the node does not start even the first one of a queue. */
const CEILING = 4
/** However heavy, a queue counts as small up to this part of the node's attempts at most. */
const LARGEST_SMALL = 1 / 8

/** In this order queues are asked: those with the least under way go first, so that none of them waits for a large one. */
const KINDS = ['first', 'failing', 'silent', 'small', 'large'] as const

/**
 * The fair round: queues that have something to start take turns, as many messages each as their weights say.
 *
 * Guarantees that no queue shuts out the others. Half of the node's attempts are for queues with only a few under way, so
 * receivers that hang after having earned many cannot hold them all; and a queue with none under way may start one
 * although all are taken. Queues whose receiver did not answer last time share half as many attempts again, and these
 * count with nobody else's: a thousand dead receivers do not slow the others. Queues whose receivers do nothing but fail
 * have one pace among them (see pace.ts), because what fails at once takes the processor and not a place.
 *
 * Queues wait in line with those of their kind, and are of a kind by what they have under way for their weight. When room
 * is short, each line gives its turns to orgs and, within an org, to its queues by their weights (org-turns.ts): a weight of
 * 20 starts two messages a round, one of 5 a message every other round, and every queue has its turn.
 * However many wait, an attempt that ends costs the same.
 */
export class Round<R extends Route> {
  readonly #most: number
  readonly #pace: Pick<Pace, 'allows' | 'started'>
  readonly #room: Readonly<Record<Kind, number>>
  readonly #lines: Readonly<Record<Kind, OrgTurns<R>>> = {
    silent: new OrgTurns(),
    failing: new OrgTurns(),
    first: new OrgTurns(),
    small: new OrgTurns(),
    large: new OrgTurns(),
  }
  /** Queues with an attempt under way that was started although their receiver had not answered. */
  readonly #silent = new Set<QueueRun<R>>()
  inFlight = 0

  constructor(most: number, sockets: number, pace: Pick<Pace, 'allows' | 'started'>) {
    this.#most = most
    this.#pace = pace
    const silent = Math.min(most, sockets) / 2
    const others = sockets - silent
    this.#room = {
      silent,
      failing: Math.min(CEILING * most, others),
      first: Math.min(CEILING * most, others),
      small: Math.min(most, others),
      large: Math.min(most, others) / 2,
    }
  }

  add(queue: QueueRun<R>): void {
    if (queue.isReady) return
    queue.isReady = true
    this.#join(queue)
  }

  /** The next queue whose turn it is; it waits for another when it is added again. */
  next(): QueueRun<R> | null {
    for (const kind of KINDS) {
      const queue = this.#hasRoom(kind) ? this.#lines[kind].next() : null
      if (!queue) continue
      queue.isReady = false
      return queue
    }
    return null
  }

  started(queue: QueueRun<R>): void {
    this.inFlight += 1
    if (queue.window.isSilent) this.#silent.add(queue)
    else if (queue.window.isFailing) this.#pace.started()
  }

  /** An attempt of this queue is over; its window and its count say so already. */
  ended(queue: QueueRun<R>): void {
    this.inFlight -= 1
    if (queue.inFlight === 0) this.#silent.delete(queue)
    if (!queue.isReady || queue.kind === this.#kindOf(queue)) return
    this.#lines[queue.kind].leave(queue)
    this.#join(queue)
  }

  #join(queue: QueueRun<R>): void {
    queue.kind = this.#kindOf(queue)
    this.#lines[queue.kind].add(queue)
  }

  #hasRoom(kind: Kind): boolean {
    const counted = kind === 'silent' ? this.#silent.size : this.inFlight - this.#silent.size
    if (counted >= this.#room[kind]) return false
    return kind !== 'failing' || (!this.#lines.failing.isEmpty && this.#pace.allows())
  }

  #kindOf({ window, inFlight, weight }: QueueRun<R>): Kind {
    if (window.isSilent) return 'silent'
    if (window.isFailing) return 'failing'
    const share = weight / USUAL_WEIGHT
    if (inFlight < Math.max(1, Math.floor(share))) return 'first'
    const most = share > 1 ? Math.max(SMALL, Math.min(share * SMALL, this.#most * LARGEST_SMALL)) : share * SMALL
    return inFlight < Math.max(1, most) ? 'small' : 'large'
  }
}

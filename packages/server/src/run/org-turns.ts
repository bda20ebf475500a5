import { USUAL_WEIGHT } from '@posthorn/contract'
import type { Route } from './port.ts'
import type { QueueRun } from './queue-run.ts'
import { newPlace, type Place, Turns } from './turns.ts'

/** An org's queues in one line. */
class OrgTurn<R extends Route> {
  readonly queues = new Turns<QueueRun<R>>()
  readonly place = newPlace(this)
  /** So much of its turn is left. */
  credit = 0
}

/** Below this many, orgs without a queue in line are kept: they mostly come again at once. */
const FEW = 64

/**
 * A line in which orgs take turns, and within each org its queues, both by deficit: at every visit an org, or a queue, gains
 * its weight, and a message costs the usual one. So a thousand queues of one org get no more than the single one of another.
 *
 * Everything is in constant time. What an org has left of its turn is kept while its only queue is away for a message.
 */
export class OrgTurns<R extends Route> {
  readonly #orgs = new Map<number, OrgTurn<R>>()
  readonly #turns = new Turns<OrgTurn<R>>()

  get isEmpty(): boolean {
    return this.#turns.size === 0
  }

  /** Orgs in memory, those without a queue in line included. */
  get size(): number {
    return this.#orgs.size
  }

  add(queue: QueueRun<R>): void {
    const org = this.#open(queue.route?.orgId ?? 0)
    stand(org.queues, queue.place, queue.credit)
    stand(this.#turns, org.place, org.credit)
  }

  /** For one that is in this line. */
  leave(queue: QueueRun<R>): void {
    const org = this.#open(queue.route?.orgId ?? 0)
    org.queues.leave(queue.place)
    if (org.queues.size === 0) this.#turns.leave(org.place)
  }

  /** Takes the queue whose turn it is out of the line. */
  next(): QueueRun<R> | null {
    for (let org = this.#turns.next(); org; org = this.#turns.next()) {
      const queue = this.#turnOf(org)
      if (org.queues.size > 0) stand(this.#turns, org.place, org.credit)
      if (queue) return queue
    }
    return null
  }

  #turnOf(org: OrgTurn<R>): QueueRun<R> | null {
    if (org.credit < USUAL_WEIGHT) org.credit += weightOf(org)
    if (org.credit < USUAL_WEIGHT) return null
    org.credit -= USUAL_WEIGHT
    return nextQueue(org.queues)
  }

  #open(orgId: number): OrgTurn<R> {
    const known = this.#orgs.get(orgId)
    if (known) return known
    if (this.#orgs.size > FEW + 2 * this.#turns.size) this.#clear()
    const org = new OrgTurn<R>()
    this.#orgs.set(orgId, org)
    return org
  }

  #clear(): void {
    for (const [id, org] of this.#orgs) if (org.queues.size === 0) this.#orgs.delete(id)
  }
}

/** Whoever has some of its turn left goes on with it. */
function stand<T>(line: Turns<T>, place: Place<T>, credit: number): void {
  if (credit >= USUAL_WEIGHT) line.addFirst(place)
  else line.add(place)
}

/** All queues of an org have its weight: the first one's is as good as any. */
function weightOf({ queues }: OrgTurn<Route>): number {
  return queues.first?.route?.orgWeight ?? USUAL_WEIGHT
}

function nextQueue<R extends Route>(line: Turns<QueueRun<R>>): QueueRun<R> | null {
  for (let queue = line.next(); queue; queue = line.next()) {
    if (queue.credit < USUAL_WEIGHT) queue.credit += queue.weight
    if (queue.credit >= USUAL_WEIGHT) {
      queue.credit -= USUAL_WEIGHT
      return queue
    }
    line.add(queue.place)
  }
  return null
}

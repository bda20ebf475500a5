/** A message as one look at the database showed it. */
interface Seen {
  readonly id: number
  /** Attempts before now: they tell an old look from a new one. */
  readonly attempts: number
}

const HERE = -1

/**
 * The messages that this node has in memory: waiting, in flight, or being settled. What a load brings is skipped if known.
 *
 * A load whose snapshot is older than a settle returns the settled rows after the settle has committed. So a settled
 * message stays known, as it was before, until every load that was running at that time has ended; the same message with
 * more attempts (retried, redriven) is news.
 *
 * A put of this node is like a load: others may find what it stored, and settle it, before its own answer is here.
 */
export class Known {
  readonly #messages = new Map<number, number>()
  readonly #running = new Set<number>()
  #lastTicket = 0
  /** Settled, and remembered for the sake of what is still running. */
  remembered = 0
  #leaving: { readonly ticket: number; readonly messages: readonly Seen[] }[] = []

  get size(): number {
    return this.#messages.size
  }

  /** The last one given out: an event that notes it came before every load and put with a higher one. */
  get lastTicket(): number {
    return this.#lastTicket
  }

  has({ id, attempts }: Seen): boolean {
    const before = this.#messages.get(id)
    return before !== undefined && (before === HERE || attempts <= before)
  }

  add(id: number): void {
    this.#messages.set(id, HERE)
  }

  /** The row is there as it was, only no longer in memory: a load may bring it at once. */
  release(id: number): void {
    this.#messages.delete(id)
  }

  /** An attempt of each of these is on record. */
  settled(messages: readonly Seen[]): void {
    if (this.#running.size === 0) {
      for (const { id } of messages) this.#messages.delete(id)
      return
    }
    for (const { id, attempts } of messages) this.#messages.set(id, attempts)
    this.remembered += messages.length
    this.#leaving.push({ ticket: this.#lastTicket, messages })
  }

  /** @returns the ticket to give back to `ended` */
  started(): number {
    this.#lastTicket += 1
    this.#running.add(this.#lastTicket)
    return this.#lastTicket
  }

  ended(ticket: number): void {
    this.#running.delete(ticket)
    if (this.#leaving.length === 0) return
    // Tickets are given out in order, so the first of the set is the oldest still running.
    const [oldest = Number.POSITIVE_INFINITY] = this.#running
    let gone = 0
    for (const { ticket: until, messages } of this.#leaving) {
      if (until >= oldest) break
      for (const { id, attempts } of messages) if (this.#messages.get(id) === attempts) this.#messages.delete(id)
      this.remembered -= messages.length
      gone += 1
    }
    if (gone > 0) this.#leaving = this.#leaving.slice(gone)
  }
}

/** One that can be a member: it knows where it stands. */
export interface Member {
  /** Written by `Members` alone; -1 for one that never was a member. */
  slot: number
}

/**
 * A set whose members come and go by the ten thousand: adding and removing moves one place in an array.
 *
 * A Set forgets what left only when its table is full, and then by a new table that the old one points to. Once one of
 * those has lived long enough to be out of the young generation's collections, each later one and what it held, long
 * gone, lives until the next full collection: most messages did (docs/decisions/hot-path.md).
 *
 * Each may be a member of one such set at a time. Iterating gives no order.
 */
export class Members<T extends Member> implements Iterable<T> {
  readonly #all: T[] = []

  get size(): number {
    return this.#all.length
  }

  has(member: T): boolean {
    return this.#all[member.slot] === member
  }

  add(member: T): void {
    if (this.has(member)) return
    member.slot = this.#all.length
    this.#all.push(member)
  }

  /** False if it was no member. */
  delete(member: T): boolean {
    if (!this.has(member)) return false
    const last = this.#all.pop()!
    if (last === member) return true
    this.#all[member.slot] = last
    last.slot = member.slot
    return true
  }

  clear(): void {
    this.#all.length = 0
  }

  [Symbol.iterator](): Iterator<T> {
    return this.#all[Symbol.iterator]()
  }
}

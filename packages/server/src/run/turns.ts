interface Place<T> {
  readonly one: T
  before: Place<T> | null
  after: Place<T> | null
}

/**
 * A waiting line that anyone in it may leave: first come, first served, all in constant time. (A Set in its insertion
 * order looks like one, but finds its first past all that have left: 20 µs each with 100,000 in it.)
 */
export class Turns<T> {
  readonly #places = new Map<T, Place<T>>()
  #first: Place<T> | null = null
  #last: Place<T> | null = null

  get size(): number {
    return this.#places.size
  }

  add(one: T): void {
    if (this.#places.has(one)) return
    const place: Place<T> = { one, before: this.#last, after: null }
    this.#places.set(one, place)
    if (this.#last) this.#last.after = place
    else this.#first = place
    this.#last = place
  }

  /** Goes to the front: its turn is not over. */
  addFirst(one: T): void {
    if (this.#places.has(one)) return
    const place: Place<T> = { one, before: null, after: this.#first }
    this.#places.set(one, place)
    if (this.#first) this.#first.before = place
    else this.#last = place
    this.#first = place
  }

  /** Takes the first. */
  next(): T | null {
    const first = this.#first
    if (!first) return null
    this.leave(first.one)
    return first.one
  }

  /** False if it was not in line. */
  leave(one: T): boolean {
    const place = this.#places.get(one)
    if (!place) return false
    this.#places.delete(one)
    if (place.before) place.before.after = place.after
    else this.#first = place.after
    if (place.after) place.after.before = place.before
    else this.#last = place.before
    return true
  }
}

/** Where one stands in line, made once for each that ever will. */
export interface Place<T> {
  readonly one: T
  line: Turns<T> | null
  before: Place<T> | null
  after: Place<T> | null
}

/** The place of one that is in no line. */
export const newPlace = <T>(one: T): Place<T> => ({ one, line: null, before: null, after: null })

/**
 * A waiting line that anyone in it may leave: first come, first served, all in constant time and without an allocation.
 * (A Set in its insertion order looks like one, but finds its first past all that have left: 20 µs each with 100,000 in
 * it.) A place is in one line at a time.
 */
export class Turns<T> {
  #size = 0
  #first: Place<T> | null = null
  #last: Place<T> | null = null

  get size(): number {
    return this.#size
  }

  /** Whose turn it is, without taking it. */
  get first(): T | null {
    return this.#first?.one ?? null
  }

  /** Does nothing for one that is in line already. */
  add(place: Place<T>): void {
    if (place.line) return
    place.line = this
    place.before = this.#last
    if (this.#last) this.#last.after = place
    else this.#first = place
    this.#last = place
    this.#size += 1
  }

  /** Goes to the front: its turn is not over. */
  addFirst(place: Place<T>): void {
    if (place.line) return
    place.line = this
    place.after = this.#first
    if (this.#first) this.#first.before = place
    else this.#last = place
    this.#first = place
    this.#size += 1
  }

  /** Takes the first. */
  next(): T | null {
    const first = this.#first
    if (!first) return null
    this.leave(first)
    return first.one
  }

  /** False if it was not in this line. */
  leave(place: Place<T>): boolean {
    if (place.line !== this) return false
    const { before, after } = place
    if (before) before.after = after
    else this.#first = after
    if (after) after.before = before
    else this.#last = before
    place.line = null
    place.before = null
    place.after = null
    this.#size -= 1
    return true
  }
}

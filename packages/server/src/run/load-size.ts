import type { Head } from '../engine/port.ts'
import type { Pantry } from './pantry.ts'

const LEAST = 16
const MOST = 1000
/** What one load may bring at most, as far as the last one tells. */
const BYTES = 4 * 1024 * 1024

/**
 * How many messages to load at once: few for a queue nobody knows yet, then doubling while there are more, within a bound
 * of bytes, and never more than the queue can use soon; with a full pantry one at a time, so that every queue goes on and
 * none makes it fuller.
 */
export class LoadSize {
  readonly #pantry: Pantry
  readonly #appetite: () => number
  #limit = LEAST
  #meanBytes: number | null = null

  /** `appetite`: how many the queue can use soon. */
  constructor(pantry: Pantry, appetite: () => number) {
    this.#pantry = pantry
    this.#appetite = appetite
  }

  next(): number {
    return Math.min(this.#limit, this.most, this.#appetite())
  }

  /** The bound on a load, however many there are. */
  get most(): number {
    return this.#pantry.isFull ? 1 : Math.max(1, Math.min(MOST, Math.floor(BYTES / this.meanBytes)))
  }

  /** Below this many waiting, load more: while there is work for as long again, so that no message costs a load of its own. */
  get low(): number {
    return Math.max(1, Math.min(this.next(), Math.floor(this.#appetite() / 2)))
  }

  /** What the next load will weigh. */
  get bytes(): number {
    return this.next() * this.meanBytes
  }

  loaded(heads: readonly Head[], limit: number): void {
    if (heads.length === 0) return
    const isMore = heads.length >= limit && limit >= this.#limit
    this.#meanBytes = heads.reduce((sum, head) => sum + 1 + (head.body?.length ?? 0), 0) / heads.length
    if (isMore && this.#limit < MOST) this.#limit = Math.min(MOST, this.#limit * 2)
  }

  /** What a message weighs. */
  get meanBytes(): number {
    return this.#meanBytes ?? this.#pantry.meanBytes
  }
}

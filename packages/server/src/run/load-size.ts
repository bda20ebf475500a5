import type { Head } from '../engine/port.ts'

const LEAST = 16
const MOST = 1000
/** What one load may bring at most, as far as the last one tells. */
const BYTES = 4 * 1024 * 1024

/** How many messages to load at once: few for a queue nobody knows yet, then doubling while there are more, within a bound of bytes. */
export class LoadSize {
  #limit = LEAST
  #meanBytes = 1024

  next(): number {
    return Math.max(1, Math.min(this.#limit, Math.floor(BYTES / this.#meanBytes)))
  }

  /** Below this many waiting, load more. */
  get low(): number {
    return this.next()
  }

  loaded(heads: readonly Head[], limit: number): void {
    if (heads.length === 0) return
    this.#meanBytes = heads.reduce((sum, head) => sum + 1 + (head.body?.length ?? 0), 0) / heads.length
    if (heads.length >= limit && this.#limit < MOST) this.#limit = Math.min(MOST, this.#limit * 2)
  }
}

import type { RateLimit } from '@posthorn/contract'

/**
 * How fast a queue's attempts may follow one another: a token bucket, kept as the one time at which it will be full again.
 *
 * Guarantees that in any t milliseconds at most burst + t · count / interval attempts are started: with a burst of 1, no
 * interval sees more than `count`. What is late is made up for as far as the burst goes. Times are monotonic, so a clock
 * that is set changes nothing.
 */
export class Rate {
  #limit: RateLimit
  /** When nothing is spent any more. */
  #fullAt = 0
  #lastAt = 0

  constructor(limit: RateLimit) {
    this.#limit = limit
  }

  /** When the next attempt may start; it may now if that is not later than now. */
  get opensAt(): number {
    return this.#fullAt - (this.#limit.burst - 1) * this.#spacingMs
  }

  /** Whether it is as good as new: it may be forgotten. */
  isFull(now: number): boolean {
    return this.#fullAt <= now
  }

  started(now: number): void {
    this.#fullAt = Math.max(now, this.#fullAt) + this.#spacingMs
    this.#lastAt = now
  }

  /** Another limit: what was spent stays spent, as far as the new burst goes. */
  change(limit: RateLimit): void {
    const { count, intervalMs, burst } = this.#limit
    if (count === limit.count && intervalMs === limit.intervalMs && burst === limit.burst) return
    const spent = Math.min((this.#fullAt - this.#lastAt) / this.#spacingMs, limit.burst)
    this.#limit = limit
    this.#fullAt = this.#lastAt + spent * this.#spacingMs
  }

  get #spacingMs(): number {
    return this.#limit.intervalMs / this.#limit.count
  }
}

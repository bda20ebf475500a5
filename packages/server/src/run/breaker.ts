import type { CircuitBreaker } from '@posthorn/contract'

/** What an attempt tells of its receiver; `nothing` where it failed for a reason of this node's own. */
export type Sign = 'well' | 'ill' | 'nothing'

/**
 * The circuit breaker of a queue.
 *
 *   closed ──so many failures in a row──▶ open ──after a wait──▶ probing ──it succeeds──▶ closed
 *                                           ◀──it fails: twice the wait──┘
 *
 * Guarantees that while it is open at most one attempt is started at a time: the probe. Attempts that were under way when
 * it opened decide nothing any more.
 */
export class Breaker {
  readonly limit: CircuitBreaker
  #failures = 0
  #isOpen = false
  #waitMs = 0
  #probeAt = 0
  /** The message whose attempt is the probe. */
  #probe: object | null = null

  constructor(limit: CircuitBreaker) {
    this.limit = limit
  }

  get isOpen(): boolean {
    return this.#isOpen
  }

  /** When the next attempt may start; infinity: not before the probe is over. */
  get opensAt(): number {
    if (!this.#isOpen) return 0
    return this.#probe ? Number.POSITIVE_INFINITY : this.#probeAt
  }

  /** Whether it is as good as new: it may be forgotten. */
  get isFresh(): boolean {
    return !this.#isOpen && this.#failures === 0
  }

  started(message: object): void {
    if (this.#isOpen) this.#probe = message
  }

  ended(message: object, sign: Sign, now: number): 'opened' | 'closed' | null {
    if (this.#isOpen) return this.#probe === message ? this.#probed(sign, now) : null
    if (sign === 'nothing') return null
    this.#failures = sign === 'well' ? 0 : this.#failures + 1
    if (this.#failures < this.limit.failures) return null
    this.#isOpen = true
    this.#wait(this.limit.probeMs, now)
    return 'opened'
  }

  #probed(sign: Sign, now: number): 'closed' | null {
    this.#probe = null
    if (sign === 'well') {
      this.#isOpen = false
      this.#failures = 0
      return 'closed'
    }
    this.#wait(sign === 'ill' ? this.#waitMs * 2 : this.#waitMs, now)
    return null
  }

  #wait(ms: number, now: number): void {
    this.#waitMs = Math.min(ms, this.limit.maxProbeMs)
    this.#probeAt = now + this.#waitMs
  }
}

import { Breaker, type Sign } from './breaker.ts'
import type { Route } from './port.ts'
import { Rate } from './rate.ts'

/** What a gate goes by. */
export type Bounds = Pick<Route, 'rateLimit' | 'circuitBreaker' | 'callbackUrl' | 'function' | 'startedAt'>

/** How far ahead of its rate a queue is read. */
const AHEAD_MS = 1000

/** What holds a queue back besides its order and its concurrency: its rate, its circuit breaker, a service that asked for rest. */
export class Gate {
  #bounds: Bounds
  #rate: Rate | null
  #breaker: Breaker | null
  #restsUntil = 0

  constructor(bounds: Bounds) {
    this.#bounds = bounds
    this.#rate = bounds.rateLimit && new Rate(bounds.rateLimit)
    this.#breaker = bounds.circuitBreaker && new Breaker(bounds.circuitBreaker)
  }

  /** A queue that has none of these goes without a gate, and pays nothing for it. */
  static isWanted({ rateLimit, circuitBreaker, function: work }: Bounds): boolean {
    return rateLimit !== null || circuitBreaker !== null || work !== null
  }

  get isOpenCircuit(): boolean {
    return this.#breaker?.isOpen ?? false
  }

  /** When the next attempt may start; it may now if that is not later than now. Infinity: not before another is over. */
  get opensAt(): number {
    return Math.max(this.#rate?.opensAt ?? 0, this.#breaker?.opensAt ?? 0, this.#restsUntil)
  }

  /** How many messages it lets through soon. */
  get appetite(): number {
    if (this.isOpenCircuit) return 1
    const { rateLimit } = this.#bounds
    return rateLimit ? rateLimit.burst + (rateLimit.count * AHEAD_MS) / rateLimit.intervalMs : Number.POSITIVE_INFINITY
  }

  /** Nothing of what happened matters any more: a new gate would do the same. */
  isAtRest(now: number): boolean {
    return (this.#rate?.isFull(now) ?? true) && (this.#breaker?.isFresh ?? true) && this.#restsUntil <= now
  }

  /** Nothing may start before then. */
  rest(until: number): void {
    this.#restsUntil = Math.max(this.#restsUntil, until)
  }

  started(message: object, now: number): void {
    this.#rate?.started(now)
    this.#breaker?.started(message)
  }

  ended(message: object, sign: Sign, now: number): 'opened' | 'closed' | null {
    return this.#breaker?.ended(message, sign, now) ?? null
  }

  /** Takes another configuration on. A queue that was resumed, or goes somewhere else now, is tried afresh. */
  change(bounds: Bounds, isResumed: boolean): void {
    const before = this.#bounds
    this.#bounds = bounds
    const { rateLimit, circuitBreaker } = bounds
    if (rateLimit && this.#rate) this.#rate.change(rateLimit)
    else this.#rate = rateLimit && new Rate(rateLimit)
    const isSame =
      circuitBreaker?.failures === before.circuitBreaker?.failures &&
      circuitBreaker?.probeMs === before.circuitBreaker?.probeMs &&
      circuitBreaker?.maxProbeMs === before.circuitBreaker?.maxProbeMs &&
      bounds.callbackUrl === before.callbackUrl
    const isFresh = isResumed || bounds.startedAt !== before.startedAt
    if (isFresh) this.#restsUntil = 0
    if (!isSame || isFresh) this.#breaker = circuitBreaker && new Breaker(circuitBreaker)
  }
}

import type { Clock, Timer } from '../clock.ts'
import type { Log } from '../log.ts'
import type { Known } from './known.ts'
import type { Limits } from './port.ts'

export interface HeadroomOptions {
  readonly clock: Clock
  readonly log: Log
  readonly limits: Limits
  readonly known: Pick<Known, 'remembered'>
  /** Outcomes not yet recorded. */
  readonly unsettled: () => number
  /** More may be started now. */
  readonly passed: () => void
}

const PAUSE_MS = 1000
/** An eighth more with every round, so that few attempts pay for finding out how many sockets there are. */
const GROWTH = 1 / 8

/**
 * What this node bears: outcomes that wait to be recorded, what is remembered of those that were, sockets.
 *
 * Outcomes are recorded more slowly than attempts end when the database is slow: then whatever would add to them waits, and
 * what the node holds in memory stays bounded, however long that takes. Sockets are there until an attempt fails for want
 * of one (or of memory). When one does, nothing is started for a second, and then half as many at once as there were; attempts that get their
 * sockets give more, until it is everything again. Receivers are not held responsible.
 */
export class Headroom {
  readonly #options: HeadroomOptions
  #limit = Number.POSITIVE_INFINITY
  #pause: Timer | null = null

  constructor(options: HeadroomOptions) {
    this.#options = options
  }

  get isFull(): boolean {
    const { limits, known, unsettled } = this.#options
    return unsettled() >= limits.unsettled || known.remembered >= limits.remembered
  }

  allows(inFlight: number): boolean {
    return !this.isFull && inFlight < this.#limit && this.#pause === null
  }

  /** `inFlight`: with this one. */
  attempted(exhausted: boolean, inFlight: number): void {
    if (exhausted) this.#shrink(inFlight)
    else if (this.#limit !== Number.POSITIVE_INFINITY) this.#grow()
  }

  stop(): void {
    this.#pause?.cancel()
  }

  #shrink(inFlight: number): void {
    // Those that fail during the pause were started before it.
    if (this.#pause !== null) return
    const { clock, log, passed } = this.#options
    this.#limit = Math.max(1, Math.floor(Math.min(this.#limit, inFlight) / 2))
    log.warn({ atOnce: this.#limit, pauseMs: PAUSE_MS }, 'out of sockets or memory: starting fewer attempts at once')
    this.#pause = clock.setTimer(() => {
      this.#pause = null
      passed()
    }, PAUSE_MS)
  }

  #grow(): void {
    this.#limit += GROWTH
    if (this.#limit >= this.#options.limits.sockets) this.#limit = Number.POSITIVE_INFINITY
  }
}

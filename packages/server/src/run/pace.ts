import type { Clock, Timer } from '../clock.ts'
import { Rate } from './rate.ts'

export interface PaceOptions {
  readonly clock: Clock
  /** Another may be started now. */
  readonly passed: () => void
}

const PER_SECOND = 200
const BURST = 20
/** So many become possible together: what they cost beside the attempt (a load, a settle) they then share. */
const LEAST_WAIT_MS = 100

/**
 * How fast the receivers that do nothing but fail are tried, all of them together.
 *
 * An attempt that fails at once (nothing listens: the connection is refused) holds its place for a fraction of a
 * millisecond, so that a bound on how many are under way bounds nothing: one such queue with a long backlog is tried as
 * fast as the node can, and the connecting and the records of it take the processor from everybody else (0.16 ms of it
 * each when 4500 a second are made, which is most of a core; three times that when it is few of them).
 */
export class Pace {
  readonly #options: PaceOptions
  readonly #rate = new Rate({ count: PER_SECOND, intervalMs: 1000, burst: BURST })
  #timer: Timer | null = null

  constructor(options: PaceOptions) {
    this.#options = options
  }

  /** Whether one may be started now. If not, `passed` is called when it may. */
  allows(): boolean {
    const { clock, passed } = this.#options
    const waitMs = this.#rate.opensAt - clock.monotonic()
    if (waitMs <= 0) return true
    this.#timer ??= clock.setTimer(
      () => {
        this.#timer = null
        passed()
      },
      Math.max(waitMs, LEAST_WAIT_MS),
    )
    return false
  }

  started(): void {
    this.#rate.started(this.#options.clock.monotonic())
  }

  stop(): void {
    this.#timer?.cancel()
  }
}

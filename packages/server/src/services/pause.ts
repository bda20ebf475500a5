import type { Clock } from '../clock.ts'

/** How long the pause is after a service throttles without saying for how long; doubled each time in a row. */
const FIRST_MS = 1_000
const LONGEST_MS = 60_000

/** Keeps away from a service that asked to be called less often, for as long as it asked. */
export class Pause {
  readonly #clock: Clock
  #until = 0
  #inRow = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** How much longer nothing may be sent; 0 if something may. */
  get leftMs(): number {
    return Math.max(0, Math.ceil(this.#until - this.#clock.monotonic()))
  }

  /** The service throttles. Returns how long to stay away. */
  begin(askedMs: number | null): number {
    const ms = askedMs ?? Math.min(LONGEST_MS, FIRST_MS * 2 ** this.#inRow)
    if (this.leftMs === 0) this.#inRow++
    this.#until = Math.max(this.#until, this.#clock.monotonic() + ms)
    return this.leftMs
  }

  /** The service took something. */
  passed(): void {
    this.#inRow = 0
  }
}

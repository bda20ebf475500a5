import type { Clock, Timer } from '../clock.ts'

export interface LotOptions {
  readonly clock: Clock
  /** How long one may wait for others, */
  readonly waitMs: number
  /** and how long where the last lot had but few. */
  readonly fewWaitMs: number
  /** So many need not wait. */
  readonly full: number
  readonly due: () => void
}

/** Where so few came together, others are not worth waiting for. */
const FEW = 2

/** What waits to be taken together: until there is enough of it, it has waited long enough, or some of it is urgent. */
export class Lot<T> {
  readonly #options: LotOptions
  readonly #waiting: T[] = []
  #timer: Timer | null = null
  /** How many the last lot had. */
  #before = 0
  /** Until nothing is left: what is due and finds no taker goes first later on. */
  isDue = false

  constructor(options: LotOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#waiting.length
  }

  add(one: T, isUrgent: boolean): void {
    const { clock, waitMs, fewWaitMs, full } = this.#options
    this.#waiting.push(one)
    if (isUrgent || this.#waiting.length >= full) this.#fallDue()
    else if (!this.isDue) this.#timer ??= clock.setTimer(() => this.#fallDue(), this.#before > FEW ? waitMs : fewWaitMs)
  }

  take(most: number): T[] {
    const taken = this.#waiting.splice(0, most)
    this.#before = taken.length
    if (this.#waiting.length === 0) this.stop()
    return taken
  }

  stop(): void {
    this.isDue = false
    this.#timer?.cancel()
    this.#timer = null
  }

  #fallDue(): void {
    this.isDue = true
    this.#timer?.cancel()
    this.#timer = null
    this.#options.due()
  }
}

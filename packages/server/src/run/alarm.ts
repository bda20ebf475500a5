import type { Clock, Timer } from '../clock.ts'
import { Timetable } from './timetable.ts'

export interface AlarmOptions<Key> {
  readonly clock: Clock
  /** By the clock that the times are of. */
  readonly now: () => number
  readonly ring: (key: Key) => void
}

/** Rings for each of many keys at its time, with one timer for the earliest of them. */
export class Alarm<Key> {
  readonly #options: AlarmOptions<Key>
  readonly #times = new Timetable<Key>()
  #timer: { readonly at: number; readonly timer: Timer } | null = null
  #stopped = false

  constructor(options: AlarmOptions<Key>) {
    this.#options = options
  }

  /** Sets the only time of `key`; null takes it away. */
  set(key: Key, at: number | null): void {
    this.#times.set(key, at)
    this.#arm()
  }

  stop(): void {
    this.#stopped = true
    this.#timer?.timer.cancel()
  }

  #arm(): void {
    const at = this.#times.next()
    if (at === null || this.#stopped || (this.#timer !== null && this.#timer.at <= at)) return
    this.#timer?.timer.cancel()
    const delayMs = Math.max(1, at - this.#options.now())
    this.#timer = { at, timer: this.#options.clock.setTimer(() => this.#ring(), delayMs) }
  }

  #ring(): void {
    this.#timer = null
    for (const key of this.#times.take(this.#options.now())) this.#options.ring(key)
    this.#arm()
  }
}

import type { Clock, Timer } from '../clock.ts'

/** A clock whose timers end with their owner: after `stop` none of them rings, and none is left to keep the process. */
export class OwnedClock implements Clock {
  readonly #clock: Clock
  readonly #timers = new Set<Timer>()
  #stopped = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  now(): number {
    return this.#clock.now()
  }

  monotonic(): number {
    return this.#clock.monotonic()
  }

  setTimer(run: () => void, delayMs: number): Timer {
    if (this.#stopped) return { cancel() {} }
    const inner = this.#clock.setTimer(() => {
      this.#timers.delete(timer)
      run()
    }, delayMs)
    const timer: Timer = {
      cancel: () => {
        this.#timers.delete(timer)
        inner.cancel()
      },
    }
    this.#timers.add(timer)
    return timer
  }

  stop(): void {
    this.#stopped = true
    for (const timer of [...this.#timers]) timer.cancel()
  }
}

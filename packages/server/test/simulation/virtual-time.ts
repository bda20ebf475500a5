import type { Clock, Timer } from '../../src/clock.ts'

interface Event {
  readonly at: number
  readonly nth: number
  readonly run: () => void
  cancelled: boolean
}

/** What wall clocks show when the virtual time begins. */
export const EPOCH_MS = 1_700_000_000_000

const turnOfTheLoop = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

/** Time that passes only when everything that could happen at its moment has happened. */
export class VirtualTime {
  #now = 0
  #nth = 0
  #events: Event[] = []

  get now(): number {
    return this.#now
  }

  at(delayMs: number, run: () => void): Timer {
    const event = { at: this.#now + Math.max(0, delayMs), nth: this.#nth++, run, cancelled: false }
    let index = this.#events.length
    while (index > 0 && this.#events[index - 1]!.at > event.at) index -= 1
    this.#events.splice(index, 0, event)
    return {
      cancel() {
        event.cancelled = true
      },
    }
  }

  sleep(delayMs: number): Promise<void> {
    return new Promise(resolve => this.at(delayMs, resolve))
  }

  /** Lets time pass until `done` says so, or until `limitMs` have passed: then false. */
  async run(limitMs: number, done: () => boolean): Promise<boolean> {
    const limit = this.#now + limitMs
    await turnOfTheLoop()
    while (!done()) {
      const event = this.#events.shift()
      if (!event) return false
      if (event.cancelled) continue
      if (event.at > limit) {
        this.#events.unshift(event)
        return false
      }
      this.#now = event.at
      event.run()
      await turnOfTheLoop()
    }
    return true
  }
}

/** A process in virtual time: it can be frozen (everything due waits until it is thawed) or killed (nothing ever comes). */
export class Process {
  readonly clock: Clock
  /** What its wall clock is off by. */
  #wallMs = 0
  #state: 'running' | 'frozen' | 'dead' = 'running'
  #waiting: (() => void)[] = []

  constructor(time: VirtualTime) {
    this.clock = {
      now: () => EPOCH_MS + time.now + this.#wallMs,
      monotonic: () => time.now,
      setTimer: (run, delayMs) => time.at(delayMs, () => this.do(run)),
    }
  }

  get isAlive(): boolean {
    return this.#state !== 'dead'
  }

  get isRunning(): boolean {
    return this.#state === 'running'
  }

  /** Does something that reaches the process from outside, or a timer of its own. */
  do(run: () => void): void {
    if (this.#state === 'running') run()
    else if (this.#state === 'frozen') this.#waiting.push(run)
  }

  freeze(): void {
    if (this.#state === 'running') this.#state = 'frozen'
  }

  thaw(): void {
    if (this.#state !== 'frozen') return
    this.#state = 'running'
    for (const run of this.#waiting.splice(0)) run()
  }

  /** Somebody sets its wall clock. */
  setWallClock(offMs: number): void {
    this.#wallMs = offMs
  }

  kill(): void {
    this.#state = 'dead'
    this.#waiting = []
  }
}

/** Numbers that look random and are the same for the same seed (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

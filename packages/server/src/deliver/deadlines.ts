import type { Clock, Timer } from '../clock.ts'
import { type Member, Members } from '../members.ts'

export interface Bounded extends Member {
  /** On the monotonic clock, milliseconds. */
  readonly deadline: number
  expire(): void
}

/** Timers run no closer together than this: with thousands of hung receivers each run looks at all of them. */
const STEP_MS = 10
/** Where a thousand receivers hang, their deadlines come together, and a request that is given up and made again takes 0.3 ms. */
const FEW = 5
/** Of more than a thousand, this share goes at once: all are over in a second or some. */
const SHARE = 1 / 200
/** Between two of such: most of the time is left to whatever else wants to run. */
const PAUSE_MS = 4

/**
 * Calls `expire` on what is still here at its deadline: at most 10 ms late, or, of very many with the same one, as soon as
 * those before are through, a few at a time: others' deliveries are not held up by them.
 *
 * One timer for all: nearly every attempt ends long before its deadline, and a timer of its own would cost each of
 * them more than anything else the sender does. It is set for the earliest deadline known and only ever set anew
 * when it fires or an earlier one arrives.
 */
export class Deadlines<T extends Bounded> {
  readonly #clock: Clock
  readonly #members = new Members<T>()
  #timer: Timer | null = null
  #armedFor = Number.POSITIVE_INFINITY

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get size(): number {
    return this.#members.size
  }

  add(member: T): void {
    this.#members.add(member)
    if (member.deadline < this.#armedFor) this.#arm(member.deadline, this.#clock.monotonic())
  }

  remove(member: T): void {
    this.#members.delete(member)
  }

  /** Everything that is still here, in no order. */
  members(): T[] {
    return [...this.#members]
  }

  stop(): void {
    this.#timer?.cancel()
    this.#timer = null
    this.#armedFor = Number.POSITIVE_INFINITY
    this.#members.clear()
  }

  #arm(deadline: number, now: number): void {
    this.#timer?.cancel()
    this.#armedFor = deadline
    this.#timer = this.#clock.setTimer(() => this.#expire(), Math.max(0, Math.ceil(deadline - now)))
  }

  #expire(): void {
    this.#timer = null
    this.#armedFor = Number.POSITIVE_INFINITY
    const now = this.#clock.monotonic()
    const due: T[] = []
    let earliest = Number.POSITIVE_INFINITY
    for (const member of this.#members) {
      if (member.deadline <= now) due.push(member)
      else if (member.deadline < earliest) earliest = member.deadline
    }
    const most = Math.max(FEW, Math.ceil(due.length * SHARE))
    for (const member of due.slice(0, most)) {
      this.#members.delete(member)
      member.expire()
    }
    if (due.length > most) this.#arm(now + PAUSE_MS, now)
    else if (earliest < this.#armedFor) this.#arm(Math.max(earliest, now + STEP_MS), now)
  }
}

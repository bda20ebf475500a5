import { Problem } from '@posthorn/contract'
import type { Clock } from '../../clock.ts'
import type { Row } from './calls.ts'

/** Of one subscriber: ids that wait to be read and sent. */
export const MAX_BEHIND = 1000

/**
 * The changes that one subscriber still has to be sent.
 *
 *   open ──push──▶ open ──return, endAt──▶ ended        open ──more than MAX_BEHIND wait──▶ failed
 *
 * Unlike a generator's, its `return` ends a `next` that waits. A failed one throws once, and has ended.
 */
export class ChangeStream implements AsyncIterableIterator<Row> {
  readonly #read: (id: number) => Promise<Row | null>
  readonly #endings: (() => void)[] = []
  #ids: number[] = []
  #wake: (() => void) | null = null
  #ended = false
  #failure: Problem | null = null

  /** @param read gives null for what is not to be sent */
  constructor(read: (id: number) => Promise<Row | null>) {
    this.#read = read
  }

  push(id: number): void {
    if (this.#ended) return
    if (this.#ids.length >= MAX_BEHIND) {
      this.#failure = new Problem('subscriber_too_slow', { limit: MAX_BEHIND })
      return void this.return()
    }
    this.#ids.push(id)
    this.#wake?.()
  }

  /** Called when it ends, in whatever way. */
  onEnd(run: () => void): void {
    this.#endings.push(run)
  }

  /** @param time in milliseconds since 1970 */
  endAt(time: number, clock: Clock): void {
    const timer = clock.setTimer(() => void this.return(), Math.max(0, time - clock.now()))
    this.onEnd(() => timer.cancel())
  }

  async next(): Promise<IteratorResult<Row, undefined>> {
    while (!this.#ended) {
      const id = this.#ids.shift()
      if (id === undefined) {
        await new Promise<void>(resolve => {
          this.#wake = resolve
        })
        continue
      }
      const row = await this.#read(id)
      if (row && !this.#ended) return { done: false, value: row }
    }
    const failure = this.#failure
    this.#failure = null
    if (failure) throw failure
    return { done: true, value: undefined }
  }

  async return(): Promise<IteratorResult<Row, undefined>> {
    if (!this.#ended) {
      this.#ended = true
      this.#ids = []
      for (const run of this.#endings) run()
      this.#wake?.()
    }
    return { done: true, value: undefined }
  }

  [Symbol.asyncIterator](): this {
    return this
  }
}

import type { Head } from '../engine/port.ts'
import type { Cursor } from './cursor.ts'
import { beforePlace } from './cursor.ts'
import type { Known } from './known.ts'

/**
 * Messages that were retried in place while their queue was ordered otherwise, and stand in no line now. They have no due
 * time that a load would go by, so they wait for it here. Few, if any.
 */
export class Held {
  readonly #known: Known
  #heads: Head[] = []

  constructor(known: Known) {
    this.#known = known
  }

  get isEmpty(): boolean {
    return this.#heads.length === 0
  }

  get times(): number[] {
    return this.#heads.map(head => head.retryAt!)
  }

  /** True if this message has to wait: it is held from here on. */
  holds(head: Head, now: number): boolean {
    if (head.retryAt === null || head.retryAt <= now) return false
    this.#heads.push(head)
    return true
  }

  /** One whose time has come. */
  take(now: number): Head | null {
    const index = this.#heads.findIndex(head => head.retryAt! <= now)
    return index < 0 ? null : this.#heads.splice(index, 1)[0]!
  }

  /** Puts those out of memory that are meant, to be read again. */
  drop(isMeant: (head: Head) => boolean, cursorOf: (head: Head) => Cursor): void {
    for (const head of this.#heads.filter(isMeant)) {
      this.#known.release(head.id)
      cursorOf(head).lookAgain(beforePlace(head))
    }
    this.#heads = this.#heads.filter(head => !isMeant(head))
  }
}

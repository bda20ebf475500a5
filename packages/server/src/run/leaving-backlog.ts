import type { DuePlace, FoldRequest, Head } from '../engine/port.ts'
import type { Backlog, Load } from './backlog.ts'

const START: DuePlace = { dueAt: 0, id: 0 }
const AT_ONCE = 1000

/**
 * The backlog of a slice that is no more, since its queue is spread over fewer, or ordered. It gives nothing to send: what
 * waits there moves to the slices that are, a load at a time. So the bounds and the order of the queue hold at once.
 */
export class LeavingBacklog implements Backlog {
  readonly waiting = 0
  readonly #request: () => Omit<FoldRequest, 'after' | 'limit'>
  #after = START
  /** There is, or may be, something to move. */
  #isBehind = false
  #isMoving = false
  #isFound = false

  constructor(request: () => Omit<FoldRequest, 'after' | 'limit'>) {
    this.#request = request
  }

  take(): null {
    return null
  }

  isUnsure(): boolean {
    return false
  }

  beginLook(): void {}

  beginPin(): readonly Head[] {
    return []
  }

  endPin(): void {}

  nextAt(): null {
    return null
  }

  offer(): void {
    this.#look()
  }

  found(): void {
    this.#look()
  }

  restart(): void {
    this.#look()
  }

  isFed(): boolean {
    return !this.#isBehind || this.#isMoving
  }

  loads(): Load[] {
    if (this.isFed()) return []
    this.#isBehind = false
    this.#isMoving = true
    const request = { ...this.#request(), after: this.#after, limit: AT_ONCE }
    const done = (last: DuePlace | null, more: boolean): void => {
      this.#isMoving = false
      if (last) this.#after = last
      if (more) this.#isBehind = true
      if (this.#isFound) this.#look()
      this.#isFound = false
    }
    return [{ kind: 'fold', request, bytes: 0, done, failed: () => done(null, true) }]
  }

  settled(_head: Head, retryAt: number | null): void {
    if (retryAt !== null) this.#look()
  }

  drop(): void {}

  clear(): void {}

  isIdle(): boolean {
    return !this.#isBehind && !this.#isMoving
  }

  /** From the beginning: what turned up may be due before all that was moved. */
  #look(): void {
    if (this.#isMoving) {
      this.#isFound = true
      return
    }
    this.#isBehind = true
    this.#after = START
  }
}

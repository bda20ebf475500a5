import type { DuePlace, DueRequest } from '../engine/port.ts'

const START: DuePlace = { dueAt: 0, id: 0 }

/**
 * How far the delayed messages of a queue have been read, and when the next one is due.
 * As with Cursor, whatever turns up earlier than that, also during a load, takes it back.
 */
export class DueCursor {
  after: DuePlace = START
  /** When the next one is due, as far as is known; null if none is delayed. */
  next: number | null = null
  loading = false
  #found: number | null = null

  begin(queueId: number, limit: number, slice = 0): DueRequest {
    this.loading = true
    this.#found = null
    return { queueId, slice, after: this.after, limit }
  }

  end(last: DuePlace | null, next: number | null): void {
    this.loading = false
    if (last) this.after = last
    this.next = next
    if (this.#found !== null) this.lookAgain(this.#found)
  }

  failed(): void {
    this.loading = false
    if (this.#found !== null) this.lookAgain(this.#found)
  }

  /** Something that is not in memory is due from then on. */
  lookAgain(dueAt: number): void {
    if (this.loading) {
      this.#found = Math.min(this.#found ?? dueAt, dueAt)
      return
    }
    if (dueAt <= this.after.dueAt) this.after = { dueAt: dueAt - 1, id: Number.MAX_SAFE_INTEGER }
    this.next = Math.min(this.next ?? dueAt, dueAt)
  }

  restart(next: number | null): void {
    if (next !== null) this.lookAgain(next)
  }
}

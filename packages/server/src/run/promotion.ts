import type { Load } from './backlog.ts'
import { DueCursor } from './due-cursor.ts'

/** Ordered queues: messages that have to be brought into line before they can be read (see `promote` in engine/port.ts). */
export class Promotion {
  readonly #due = new DueCursor()

  /** When there is something to bring into line; null if there is nothing. */
  nextAt(): number | null {
    return this.#due.loading ? null : this.#due.next
  }

  get isIdle(): boolean {
    return !this.#due.loading && this.#due.next === null
  }

  lookAgain(dueAt: number): void {
    this.#due.lookAgain(dueAt)
  }

  loads(queueId: number, now: number): Load[] {
    const due = this.#due
    if (due.loading || due.next === null || due.next > now) return []
    due.begin(queueId, 0)
    return [
      {
        kind: 'promote',
        queueId,
        bytes: 0,
        done: next => due.end(null, next),
        failed: () => due.failed(),
      },
    ]
  }
}

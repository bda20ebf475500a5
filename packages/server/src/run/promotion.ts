import type { Load } from './backlog.ts'
import { DueCursor } from './due-cursor.ts'

/** Ordered queues: messages that have to be brought into line before they can be read (see `promote` in engine/port.ts). */
export class Promotion {
  readonly #due = new DueCursor()
  /** Some may have a priority. */
  #raised = false

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

  /** There are, or may be, messages with a priority: they are ready, but not in line. */
  lookForRaised(): void {
    this.#raised = true
    this.#due.lookAgain(0)
  }

  loads(queueId: number, now: number): Load[] {
    const due = this.#due
    if (due.loading || due.next === null || due.next > now) return []
    due.begin(queueId, 0)
    const raised = this.#raised
    this.#raised = false
    return [
      {
        kind: 'promote',
        queueId,
        raised,
        bytes: 0,
        done: (next, moreRaised) => {
          due.end(null, next)
          if (moreRaised) this.lookForRaised()
        },
        failed: () => {
          due.failed()
          if (raised) this.lookForRaised()
        },
      },
    ]
  }
}

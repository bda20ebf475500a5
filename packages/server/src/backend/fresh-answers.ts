import type { Clock } from '../clock.ts'

interface Known<V> {
  readonly askedAt: number
  readonly answer: Promise<V>
}

/** Answers of the database that are good for so long. Who asks the same meanwhile shares one; a failure is not kept. */
export class FreshAnswers<V> {
  readonly #clock: Clock
  readonly #freshMs: number
  /** The oldest first. */
  readonly #known = new Map<string, Known<V>>()

  constructor(clock: Clock, freshMs: number) {
    this.#clock = clock
    this.#freshMs = freshMs
  }

  get(question: string, ask: () => Promise<V>): Promise<V> {
    const now = this.#clock.monotonic()
    const before = this.#known.get(question)
    if (before && this.#isFresh(before, now)) return before.answer
    this.#forgetOld(now)
    const known = { askedAt: now, answer: ask() }
    this.#known.set(question, known)
    known.answer.catch(() => {
      if (this.#known.get(question) === known) this.#known.delete(question)
    })
    return known.answer
  }

  #isFresh({ askedAt }: Known<V>, now: number): boolean {
    return now - askedAt < this.#freshMs
  }

  #forgetOld(now: number): void {
    for (const [question, known] of this.#known) {
      if (this.#isFresh(known, now)) return
      this.#known.delete(question)
    }
  }
}

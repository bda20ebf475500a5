import { Problem } from '@posthorn/contract'

type Admit = (refused?: Problem) => void

/**
 * The door: callers who come before the node serves wait here, since its port is held before it takes anything over.
 *
 * shut ──open──▶ open        shut ──lock──▶ locked: who waits is refused, and who comes
 */
export class Door {
  #state: 'shut' | 'open' | 'locked' = 'shut'
  #waiting: Admit[] = []

  get isOpen(): boolean {
    return this.#state === 'open'
  }

  /** Admits as soon as it is open. */
  enter(admit: Admit): void {
    if (this.#state === 'shut') this.#waiting.push(admit)
    else admit(this.isOpen ? undefined : new Problem('shutting_down', {}))
  }

  open(): void {
    if (this.#state === 'shut') this.#become('open')
  }

  /** Whoever is in may stay. */
  lock(): void {
    if (this.#state === 'shut') this.#become('locked')
  }

  #become(state: 'open' | 'locked'): void {
    this.#state = state
    for (const admit of this.#waiting.splice(0)) this.enter(admit)
  }
}

import type { Clock, Timer } from '../clock.ts'
import type { Chore } from '../engine/chore.ts'
import type { Log } from '../log.ts'

export interface JanitorOptions {
  readonly chores: readonly Chore[]
  /** Whether this node is the leader at this moment. */
  readonly leads: () => boolean
  readonly clock: Clock
  readonly log: Log
}

/** How soon a leader's chores that are due are begun by a node that has just become the leader. */
const LOOK_MS = 1000

/**
 * The janitor: does the chores, one at a time, each again some time after it was over.
 *
 * The leader's chores are done while this node leads and wait while it does not; two nodes that both hold themselves for
 * the leader for a moment do no harm, since every chore locks what it needs. A chore that fails is logged and comes again
 * in its time; it keeps no other from its turn. All are due at the start, the longest due first.
 */
export class Janitor {
  readonly #options: JanitorOptions
  readonly #due: Map<Chore, number>
  #timer: Timer | null = null
  #running: Promise<void> | null = null
  #stopped = false

  constructor(options: JanitorOptions) {
    this.#options = options
    this.#due = new Map(options.chores.map(chore => [chore, Number.NEGATIVE_INFINITY]))
  }

  start(): void {
    this.#look()
  }

  /** Resolves when the chore that is under way, if any, is over; no other is begun. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#timer?.cancel()
    await this.#running
  }

  #look(): void {
    this.#running = this.#doWhatIsDue().finally(() => {
      this.#running = null
      if (!this.#stopped) this.#timer = this.#options.clock.setTimer(() => this.#look(), LOOK_MS)
    })
  }

  async #doWhatIsDue(): Promise<void> {
    for (let chore = this.#next(); chore && !this.#stopped; chore = this.#next()) {
      await this.#do(chore)
      this.#due.set(chore, this.#options.clock.monotonic() + chore.everyMs)
    }
  }

  #next(): Chore | null {
    const { clock, leads } = this.#options
    const now = clock.monotonic()
    const mayLead = leads()
    let next: Chore | null = null
    for (const [chore, due] of this.#due) {
      if (due > now || (chore.on === 'leader' && !mayLead)) continue
      if (next === null || due < this.#due.get(next)!) next = chore
    }
    return next
  }

  async #do(chore: Chore): Promise<void> {
    const { log } = this.#options
    try {
      await chore.run()
    } catch (error) {
      if (!this.#stopped) log.warn({ err: error, chore: chore.name }, 'a chore failed; it is done again in its time')
    }
  }
}

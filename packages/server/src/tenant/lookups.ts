import type { Clock } from '../clock.ts'
import { Generations } from '../generations.ts'

export interface LookupsOptions<V> {
  /** Reads those of `keys` that there are. @throws DatabaseError */
  readonly load: (keys: readonly string[]) => Promise<ReadonlyMap<string, V>>
  readonly clock: Clock
  /** How many are kept at most; 20,000 by default. */
  readonly capacity?: number
}

const DEFAULT_CAPACITY = 20_000
const MISS_TTL_MS = 1_000
/** A node that was cut off for longer than changes are kept never hears of them. */
const MOST_AGE_MS = 600_000

interface Answer<V> {
  readonly value: V
  /** Monotonic. */
  readonly until: number
}

/**
 * What the database says under a name, kept in memory until somebody hears that it changed and calls `forget`, and for ten
 * minutes at most.
 *
 * An answer that was asked for before that is not kept, so that a change is never covered by what it changed. At most one
 * question is under way; what is asked meanwhile goes together into the next one, and unknown names are remembered for a
 * second: whoever guesses costs the database no more than one small statement at a time.
 */
export class Lookups<V extends object> {
  readonly #options: LookupsOptions<V>
  readonly #known: Generations<Answer<V>, string>
  /** Until when (monotonic) a name counts as unknown. */
  readonly #unknown: Generations<number, string>
  readonly #wanted = new Set<string>()
  #next: Promise<ReadonlyMap<string, V>> | null = null
  #running: Promise<unknown> = Promise.resolve()
  #changes = 0

  constructor(options: LookupsOptions<V>) {
    this.#options = options
    this.#known = new Generations(options.capacity ?? DEFAULT_CAPACITY)
    this.#unknown = new Generations(options.capacity ?? DEFAULT_CAPACITY)
  }

  /** Null if there is none; a promise only where the database must be asked, which rejects with DatabaseError. */
  find(name: string): V | null | Promise<V | null> {
    const known = this.#known.get(name)
    const now = this.#options.clock.monotonic()
    if (known !== undefined && known.until > now) return known.value
    const until = this.#unknown.get(name)
    if (until !== undefined && until > now) return null
    this.#wanted.add(name)
    this.#next ??= this.#ask()
    return this.#next.then(found => found.get(name) ?? null)
  }

  /** What does not match is still known: a change of one org costs the others no question. */
  forget(matches: (value: V) => boolean): void {
    this.#changes += 1
    this.#known.deleteWhere(({ value }) => matches(value))
    this.#unknown.clear()
  }

  async #ask(): Promise<ReadonlyMap<string, V>> {
    await this.#running
    const names = [...this.#wanted]
    this.#wanted.clear()
    this.#next = null
    const changes = this.#changes
    const answer = this.#options.load(names)
    this.#running = answer.catch(() => undefined)
    const found = await answer
    if (changes === this.#changes) for (const name of names) this.#remember(name, found.get(name))
    return found
  }

  #remember(name: string, value: V | undefined): void {
    const now = this.#options.clock.monotonic()
    if (value === undefined) {
      this.#unknown.set(name, now + MISS_TTL_MS)
      return
    }
    this.#known.set(name, { value, until: now + MOST_AGE_MS })
  }
}

import type { Clock, Timer } from '../clock.ts'
import type { Log } from '../log.ts'

const CHANGES = 'changes'
const DEBOUNCE_MS = 5

/**
 * Tells the other nodes that there is something to look at: one word for all that happens within a few milliseconds, on a
 * connection of its own (a NOTIFY inside each put would serialise their commits). A word that is lost costs at most the
 * others' poll interval.
 */
export class Announcer {
  readonly #notify: (payload: string) => Promise<void>
  readonly #clock: Clock
  readonly #log: Log
  readonly #shards = new Set<number>()
  #changes = false
  /** Waiting for its time, or for the word before it: a slow database is told less often, not more at once. */
  #timer: Timer | null = null
  #sending = false

  constructor(options: { notify: (payload: string) => Promise<void>; clock: Clock; log: Log }) {
    this.#notify = options.notify
    this.#clock = options.clock
    this.#log = options.log
  }

  /** Messages for these shards, or (null) changes of configuration. */
  announce(shards: readonly number[] | null): void {
    if (shards === null) this.#changes = true
    else for (const shard of shards) this.#shards.add(shard)
    if (!this.#sending) this.#timer ??= this.#clock.setTimer(() => void this.#send(), DEBOUNCE_MS)
  }

  stop(): void {
    this.#timer?.cancel()
  }

  async #send(): Promise<void> {
    const payload = this.#changes ? CHANGES : [...this.#shards].join(',')
    this.#timer = null
    this.#changes = false
    this.#shards.clear()
    this.#sending = true
    await this.#notify(payload).catch(error =>
      this.#log.debug({ err: error }, 'an announcement was lost; polls find it'),
    )
    this.#sending = false
    if (this.#changes) this.announce(null)
    else if (this.#shards.size > 0) this.announce([])
  }
}

/** What an announcement means: shards with new messages, or null for changes. */
export function readAnnouncement(payload: string): number[] | null {
  return payload === CHANGES ? null : payload.split(',').map(Number)
}

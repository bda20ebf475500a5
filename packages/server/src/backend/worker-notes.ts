import type { Clock, Timer } from '../clock.ts'
import type { Database } from '../db/port.ts'
import { loadStatement } from '../db/statement.ts'
import type { Log } from '../log.ts'
import type { QueueConfig } from '../queue/book.ts'

export interface WorkerNotesOptions {
  readonly db: Database
  readonly clock: Clock
  readonly log: Log
  readonly nodeId: string
}

interface Standing {
  readonly orgId: number
  readonly since: Date
  inFlight: number
  lastError: string | null
  lastErrorAt: Date | null
}

const WRITE_MS = 1_000
const WRITE = loadStatement(import.meta.url, './sql/note_workers.sql')

/** Writes down how the workers of this node do: once a second those that have changed, in one statement; idle ones cost nothing. */
export class WorkerNotes {
  readonly #options: WorkerNotesOptions
  readonly #changed = new Map<number, Standing>()
  #timer: Timer | null = null
  #stopped = false

  constructor(options: WorkerNotesOptions) {
    this.#options = options
  }

  /** `error`: what went wrong last, or null if nothing did this time. */
  note({ id, orgId, startedAt }: QueueConfig, inFlight: number, error: string | null): void {
    const now = new Date(this.#options.clock.now())
    const before = this.#changed.get(id)
    const since = before?.since ?? (startedAt === null ? now : new Date(startedAt))
    const failed = error === null ? before : { lastError: error, lastErrorAt: now }
    this.#changed.set(id, {
      orgId,
      since,
      inFlight,
      lastError: failed?.lastError ?? null,
      lastErrorAt: failed?.lastErrorAt ?? null,
    })
    if (!this.#stopped) this.#timer ??= this.#options.clock.setTimer(() => void this.#write(), WRITE_MS)
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#timer?.cancel()
    await this.#write()
  }

  async #write(): Promise<void> {
    this.#timer = null
    const all = [...this.#changed]
    this.#changed.clear()
    if (all.length === 0) return
    const list = <T>(pick: (standing: Standing) => T): T[] => all.map(([, standing]) => pick(standing))
    try {
      await this.#options.db.query(WRITE, [
        all.map(([id]) => id),
        list(({ orgId }) => orgId),
        this.#options.nodeId,
        list(({ since }) => since),
        list(({ inFlight }) => inFlight),
        list(({ lastError }) => lastError),
        list(({ lastErrorAt }) => lastErrorAt),
      ])
    } catch (error) {
      // It is for people to look at, and written anew with the next change.
      this.#options.log.debug({ err: error }, 'how workers do could not be written down')
    }
  }
}

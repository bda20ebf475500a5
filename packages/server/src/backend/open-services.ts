/**
 * Services that are open on this node, each with its connections, shared by all orgs that use it.
 *
 * A service is known by its id and its version: one that was changed is opened anew, and the old one closed once what is
 * under way there is over. One that nobody used for a while is closed; nothing is open because a record exists.
 */
import type { Clock, Timer } from '../clock.ts'
import type { Log } from '../log.ts'
import type { Credentials } from '../services/credentials.ts'
import type { Service } from '../services/port.ts'

export interface OpenServicesOptions {
  readonly open: (service: ServiceVersion, credentials: Credentials) => Service
  readonly clock: Clock
  readonly log: Log
}

/** Which service, and as of which change. */
export interface ServiceVersion {
  readonly id: number
  readonly org_id: number
  readonly name: string
  readonly version: number
}

interface Held {
  readonly version: number
  readonly service: Service
  users: number
  usedAt: number
  isLeft: boolean
}

const IDLE_MS = 300_000
const LOOK_MS = 60_000

export class OpenServices {
  readonly #options: OpenServicesOptions
  readonly #held = new Map<number, Held>()
  #timer: Timer | null = null

  constructor(options: OpenServicesOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#held.size
  }

  /** Uses a service. It stays open while `use` runs, whatever happens to its record. `credentials` is asked only to open it. */
  async use<T>(one: ServiceVersion, credentials: () => Credentials, use: (service: Service) => Promise<T>): Promise<T> {
    const { id, version } = one
    let held = this.#held.get(id)
    if (!held || held.version < version) {
      if (held) this.#leave(id, held)
      const service = this.#options.open(one, credentials())
      held = { version, service, users: 0, usedAt: 0, isLeft: false }
      this.#held.set(id, held)
      this.#timer ??= this.#options.clock.setTimer(() => this.#look(), LOOK_MS)
    }
    held.users += 1
    try {
      return await use(held.service)
    } finally {
      held.users -= 1
      held.usedAt = this.#options.clock.monotonic()
      if (held.isLeft && held.users === 0) void this.#close(held)
    }
  }

  /** Its next use opens it anew. */
  drop(id: number): void {
    const held = this.#held.get(id)
    if (held) this.#leave(id, held)
  }

  async stop(): Promise<void> {
    this.#timer?.cancel()
    const all = [...this.#held.values()]
    this.#held.clear()
    await Promise.all(all.map(held => this.#close(held)))
  }

  #leave(id: number, held: Held): void {
    this.#held.delete(id)
    held.isLeft = true
    if (held.users === 0) void this.#close(held)
  }

  async #close({ service }: Held): Promise<void> {
    await service.close().catch((error: unknown) => {
      this.#options.log.debug({ err: error, service: service.type.name }, 'closing a service failed')
    })
  }

  #look(): void {
    const before = this.#options.clock.monotonic() - IDLE_MS
    for (const [id, held] of this.#held) if (held.users === 0 && held.usedAt < before) this.#leave(id, held)
    this.#timer = this.#held.size > 0 ? this.#options.clock.setTimer(() => this.#look(), LOOK_MS) : null
  }
}

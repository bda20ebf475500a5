import type { Store } from '../../src/engine/memory/store.ts'
import type { Route, Routes } from '../../src/run/port.ts'
import { call, type Network } from './lying-network.ts'
import type { Process } from './virtual-time.ts'

export const SHARDS = 8
/** Ordered each in one of the three ways, in turn. */
export const FIRST_QUEUES = 12
/** Change their order now and then. */
export const REORDERED = [13, 14]
/** Are deleted now and then, with what they hold. */
export const DELETED = [15, 16, 17]
export const DEAD_LETTERS = 18
/** Many more queues than shards, with little to do. */
export const QUEUES = 60

const ORDERS = ['none', 'queue', 'key'] as const

interface Setting {
  readonly route: Route | null
  /** When its order was last changed. */
  readonly orderedAt: number
  /** Since when it starts nothing, as far as whoever stopped it was told; null if it may. */
  readonly stoppedAt: number | null
}

/** The configurations of queues as the database has them. Every change leaves a row in `change`, in the same commit. */
export class Settings {
  readonly #settings = new Map<number, Setting>()
  readonly #store: Store

  constructor(store: Store) {
    this.#store = store
    for (let id = 1; id <= QUEUES; id++)
      this.#settings.set(id, { route: routeOf(id), orderedAt: Number.NEGATIVE_INFINITY, stoppedAt: null })
  }

  get(id: number): Setting {
    return this.#settings.get(id)!
  }

  /** Null deletes it. Gives back what has to be called when the caller has been told. */
  change(id: number, at: number, patch: Partial<Route> | null): (toldAt: number) => void {
    const { route, orderedAt } = this.get(id)
    if (route === null) return () => {}
    const next = patch && { ...route, ...patch, version: route.version + 1 }
    const isStopped = next === null || next.isPaused
    const stoppedAt = isStopped ? this.get(id).stoppedAt : null
    this.#settings.set(id, { route: next, orderedAt: patch?.ordered ? at : orderedAt, stoppedAt })
    const xid = this.#store.begin()
    this.#store.changes.push({ xid, change: { kind: 'queue', queueId: id, messageId: null } })
    this.#store.end(xid)
    return toldAt => {
      const now = this.get(id)
      if (isStopped && now.route?.version === next?.version && now.stoppedAt === null)
        this.#settings.set(id, { ...now, stoppedAt: toldAt })
    }
  }
}

/** What one node has in memory of the settings, asked for over the network. */
export class NodeRoutes implements Routes<Route> {
  readonly #settings: Settings
  readonly #network: Network
  readonly #process: Process
  readonly #known = new Map<number, Route | null>()
  /** An answer counts only if nobody forgot the queue since it was asked for. */
  readonly #asked = new Map<number, object>()

  constructor(settings: Settings, network: Network, process: Process) {
    this.#settings = settings
    this.#network = network
    this.#process = process
  }

  get(id: number): Route | null | undefined {
    return this.#known.get(id)
  }

  forget(id: number): void {
    this.#known.delete(id)
    this.#asked.delete(id)
  }

  async load(ids: readonly number[]): Promise<void> {
    const asked = {}
    for (const id of ids) this.#asked.set(id, asked)
    const routes = await call(this.#network, this.#process, async () => ids.map(id => this.#settings.get(id).route))
    for (const [nth, id] of ids.entries()) if (this.#asked.get(id) === asked) this.#known.set(id, routes[nth]!)
  }
}

function routeOf(id: number): Route {
  const ordered = id <= FIRST_QUEUES ? ORDERS[id % 3]! : id > DEAD_LETTERS ? ORDERS[id % 3]! : 'none'
  const deadLetterQueueId = id <= FIRST_QUEUES && id % 2 === 0 ? DEAD_LETTERS : null
  return {
    id,
    orgId: 1,
    version: 1,
    callbackUrl: 'http://x',
    ordered,
    concurrency: 5,
    deadLetterQueueId,
    isPaused: false,
  }
}

/** Which line a message stands in; null if it is free of order. */
export function lineOf(route: Pick<Route, 'id' | 'ordered'>, key: string | null): string | null {
  if (route.ordered === 'none' || (route.ordered === 'key' && key === null)) return null
  return route.ordered === 'queue' ? `${route.id}` : `${route.id}/${key}`
}

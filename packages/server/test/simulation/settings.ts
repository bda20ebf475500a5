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

/** Over so many slices a queue is spread at most. */
export const MOST_SPREAD = 4

const ORDERS = ['none', 'queue', 'key'] as const

/** What may be left out of what nodes are told, as a bug that must be found. */
export type Untold = 'concurrency' | 'rateLimit' | 'circuitBreaker' | 'spread'

/** What a node takes for it instead. */
const UNTOLD = { concurrency: 50, rateLimit: null, circuitBreaker: null, spread: MOST_SPREAD }

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
  /** Every route that ever was, by queue and version. */
  readonly #history = new Map<string, Route>()

  constructor(store: Store, random: () => number) {
    this.#store = store
    for (let id = 1; id <= QUEUES; id++) {
      const route = fitting({ ...routeOf(id), ...randomBounds(random) })
      this.#keep(route)
      this.#settings.set(id, { route, orderedAt: Number.NEGATIVE_INFINITY, stoppedAt: null })
    }
  }

  /** As it was stored, whatever a node was told of it. */
  promised({ id, version }: Route): Route {
    return this.#history.get(`${id}/${version}`)!
  }

  #keep(route: Route): void {
    this.#history.set(`${route.id}/${route.version}`, route)
  }

  get(id: number): Setting {
    return this.#settings.get(id)!
  }

  /** Null deletes it. Gives back what has to be called when the caller has been told. */
  change(id: number, at: number, patch: Partial<Route> | null): (toldAt: number) => void {
    const { route, orderedAt } = this.get(id)
    if (route === null) return () => {}
    const next = patch && fitting({ ...route, ...patch, version: route.version + 1 })
    if (next) this.#keep(next)
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
  readonly #untold: Untold | null
  readonly #known = new Map<number, Route | null>()
  /** An answer counts only if nobody forgot the queue since it was asked for. */
  readonly #asked = new Map<number, object>()

  constructor(settings: Settings, network: Network, process: Process, untold: Untold | null) {
    this.#settings = settings
    this.#network = network
    this.#process = process
    this.#untold = untold
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
    const routes = await call(this.#network, this.#process, async () => ids.map(id => this.#told(id)))
    for (const [nth, id] of ids.entries()) if (this.#asked.get(id) === asked) this.#known.set(id, routes[nth]!)
  }

  #told(id: number): Route | null {
    const { route } = this.#settings.get(id)
    return route && this.#untold ? { ...route, [this.#untold]: UNTOLD[this.#untold] } : route
  }
}

function routeOf(id: number): Route {
  const ordered = id <= FIRST_QUEUES ? ORDERS[id % 3]! : id > DEAD_LETTERS ? ORDERS[id % 3]! : 'none'
  const deadLetterQueueId = id <= FIRST_QUEUES && id % 2 === 0 ? DEAD_LETTERS : null
  return {
    id,
    orgId: 1,
    orgWeight: 10,
    version: 1,
    callbackUrl: 'http://x',
    function: null,
    ordered,
    concurrency: 5,
    rateLimit: null,
    circuitBreaker: null,
    weight: 10,
    spread: 1,
    deadLetterQueueId,
    isPaused: false,
  }
}

/** Bounds that bind: what a queue gets here is about as much as they let through. */
export function randomBounds(
  random: () => number,
): Pick<Route, 'concurrency' | 'rateLimit' | 'circuitBreaker' | 'weight' | 'spread'> {
  const between = (least: number, most: number): number => least + Math.floor(random() * (most - least + 1))
  const probeMs = between(100, 500)
  return {
    concurrency: between(1, 6),
    rateLimit: random() < 0.3 ? { count: between(1, 4), intervalMs: between(200, 1000), burst: between(1, 3) } : null,
    circuitBreaker: random() < 0.4 ? { failures: between(1, 3), probeMs, maxProbeMs: probeMs * between(1, 8) } : null,
    weight: between(1, 100),
    spread: random() < 0.6 ? between(1, MOST_SPREAD) : 1,
  }
}

/** As the contract has it: an ordered queue is not spread, and no slice goes without an attempt. */
function fitting(route: Route): Route {
  const { spread, concurrency, ordered } = route
  return { ...route, spread: ordered === 'none' ? Math.min(spread, concurrency) : 1 }
}

/** Which line a message stands in; null if it is free of order. */
export function lineOf(route: Pick<Route, 'id' | 'ordered'>, key: string | null): string | null {
  if (route.ordered === 'none' || (route.ordered === 'key' && key === null)) return null
  return route.ordered === 'queue' ? `${route.id}` : `${route.id}/${key}`
}

import { createHash } from 'node:crypto'
import type { createMemoryEngine } from '../../src/engine/memory/engine.ts'
import type { NewMessage } from '../../src/engine/port.ts'
import type { Ledger } from './ledger.ts'
import { call, type Network } from './lying-network.ts'
import {
  DEAD_LETTERS,
  DELETED,
  FIRST_QUEUES,
  MOST_SPREAD,
  QUEUES,
  REORDERED,
  randomBounds,
  type Settings,
} from './settings.ts'
import type { SimulatedNode } from './world.ts'

const PATIENCE_MS = 15_000
const DAY_MS = 86_400_000
/** Within this time of a change, puts go by what was. */
const UNHEARD_MS = 1000
const ORDERS = ['none', 'queue', 'key'] as const

interface ClientsOptions {
  readonly network: Network
  readonly engine: ReturnType<typeof createMemoryEngine>
  readonly settings: Settings
  readonly ledger: Ledger
  /** How many messages are to be acknowledged in all. */
  readonly messages: number
  /** A running node. */
  readonly pickNode: () => SimulatedNode | undefined
}

/** Those outside: they put messages, cancel and redrive them, and change queues, through whichever node is there. */
export class Clients {
  readonly #options: ClientsOptions
  #count = 0
  #nth = 0
  #isCalm = false

  constructor(options: ClientsOptions) {
    this.#options = options
  }

  get areDone(): boolean {
    return this.#count >= this.#options.messages
  }

  start(): void {
    for (let client = 0; client < 6; client++) void this.#put()
    void this.#every(800, () => this.#cancel())
    void this.#every(1500, () => this.#redrive())
    void this.#every(2500, () => this.#changeQueue())
    void this.#every(1000, async () => this.#cleanUp())
  }

  /** From here on they only look on, and what is paused goes on. */
  calm(): void {
    this.#isCalm = true
    for (let id = 1; id <= QUEUES; id++) this.#resume(id)
  }

  /** What a receiver that is gone makes of its queue: it is resumed some time later. */
  async pauseGone(node: SimulatedNode, queueId: number): Promise<void> {
    const { network } = this.#options
    const told = await call(network, node.process, async () => this.#pause(queueId))
    told(network.time.now)
    node.working.changed()
  }

  async #every(ms: number, act: () => Promise<void>): Promise<void> {
    const { time, random } = this.#options.network
    for (;;) {
      await time.sleep(random() * ms)
      // What failed on the network was not acknowledged, and nothing is claimed about it.
      await act().catch(() => {})
    }
  }

  /** Puts one message after another, at times several to one line through one node after another. */
  async #put(): Promise<void> {
    const { time, random } = this.#options.network
    while (!this.areDone) {
      await time.sleep(random() < 0.7 ? random() * 40 : random() * 1200)
      const message = this.#message()
      await this.#putThrough(message)
      const more = random() < 0.2 ? Math.floor(random() * 12) : 0
      for (let nth = 0; nth < more && !this.areDone; nth++) await this.#putThrough(this.#another(message))
    }
  }

  /** One with an idempotency key is put again until it is acknowledged. */
  async #putThrough(message: NewMessage): Promise<void> {
    const { time, random } = this.#options.network
    const calledAt = time.now
    while (!this.areDone) {
      if ((await this.#try(message, calledAt)) || !message.idempotency) break
      await time.sleep(random() * 200)
    }
  }

  async #try(message: NewMessage, calledAt: number): Promise<boolean> {
    const { network, ledger, pickNode } = this.#options
    const node = pickNode()
    if (!node) return false
    try {
      const put = node.working.put([message])
      const late = network.time.sleep(PATIENCE_MS).then(() => Promise.reject(new Error('no answer')))
      const [result] = await Promise.race([put, late])
      if (!result || !node.process.isAlive) return false
      if (result.kind === 'conflict') ledger.violations.push(`a repeated put was refused: ${message.body}`)
      const { queueId, key } = message
      const acknowledgedAt = network.time.now
      ledger.acknowledge({ id: result.id, queueId, key, isDelayed: message.dueAt !== null, calledAt, acknowledgedAt })
      this.#count += 1
      return true
    } catch {
      return false
    }
  }

  #message(): NewMessage {
    const { network, engine, settings } = this.#options
    const { random } = network
    const now = engine.store.now
    const queueId = this.#pickQueue()
    const ordered = settings.get(queueId).route?.ordered ?? 'none'
    const isKeyed = ordered === 'key' || REORDERED.includes(queueId)
    const body = `message ${this.#nth++}`
    const bodyHash = createHash('md5').update(body).digest()
    return {
      orgId: 1,
      queueId,
      body,
      headers: null,
      dueAt: random() < 0.1 ? now + Math.floor(random() * 3000) : null,
      expiresAt: random() < 0.1 ? now + 200 + Math.floor(random() * 4000) : null,
      priority: ordered === 'none' && random() < 0.2 ? Math.floor(random() * 10) : 0,
      slice: this.#pickSlice(queueId),
      key: isKeyed && random() < 0.9 ? `k${Math.floor(random() * 4)}` : null,
      cronId: null,
      idempotency: random() < 0.3 ? { key: body, bodyHash, ttlMs: DAY_MS } : null,
    }
  }

  /** A node may not have heard yet that the queue is spread over fewer, or ordered. */
  #pickSlice(queueId: number): number {
    const { network, settings } = this.#options
    const { route, orderedAt } = settings.get(queueId)
    const isOrdered = route !== null && route.ordered !== 'none' && network.time.now > orderedAt + UNHEARD_MS
    const isStale = !isOrdered && network.random() < 0.05
    return Math.floor(network.random() * (isStale ? MOST_SPREAD : (route?.spread ?? 1)))
  }

  #another(like: NewMessage): NewMessage {
    return { ...like, body: `message ${this.#nth++}`, dueAt: null, idempotency: null }
  }

  #pickQueue(): number {
    const { settings, network } = this.#options
    const from = (first: number, last: number): number => first + Math.floor(network.random() * (last - first + 1))
    const chance = network.random()
    const id =
      chance < 0.7
        ? from(1, FIRST_QUEUES)
        : chance < 0.85
          ? from(REORDERED[0]!, DELETED.at(-1)!)
          : from(DEAD_LETTERS + 1, QUEUES)
    return settings.get(id).route === null ? 1 : id
  }

  async #cancel(): Promise<void> {
    const { network, engine, ledger, pickNode } = this.#options
    const { store } = engine
    const node = pickNode()
    const id = this.#pick([...store.live.keys()])
    if (this.#isCalm || !node || id === undefined || network.random() < 0.5) return
    const isCancelled = await call(network, node.process, async () => {
      const row = store.live.get(id)
      if (!row) return false
      store.finish(row, 'cancelled', 'not wanted any more', row.attempts)
      this.#note('message', row.queueId, id)
      return true
    })
    if (isCancelled) ledger.cancelled(id, network.time.now)
    node.working.changed()
  }

  async #redrive(): Promise<void> {
    const { network, engine, ledger, settings, pickNode } = this.#options
    const { store } = engine
    const node = pickNode()
    const dead = this.#pick([...store.done.values()].filter(({ outcome }) => outcome === 'dead'))
    if (this.#isCalm || !node || !dead || settings.get(dead.row.queueId).route === null) return
    await call(network, node.process, async () => {
      if (!store.done.delete(dead.row.id)) return
      ledger.redriven(dead.row.id)
      const { attempts } = dead
      const xid = store.begin()
      const expiresAt = dead.row.expiresAt !== null && dead.row.expiresAt > store.now ? dead.row.expiresAt : null
      const fresh = { dueAt: null, retryAt: null, pin: null, claim: null }
      store.live.set(dead.row.id, { ...dead.row, ...fresh, expiresAt, xid, attempts, forgiven: attempts })
      store.end(xid)
    })
    node.working.changed()
  }

  async #changeQueue(): Promise<void> {
    const { network, settings, pickNode } = this.#options
    const { random, time } = network
    const node = pickNode()
    if (this.#isCalm || !node) return
    const told = await call(network, node.process, async () => {
      if (random() < 0.4) {
        const spread = 1 + Math.floor(random() * MOST_SPREAD)
        return settings.change(this.#pick(REORDERED)!, time.now, { ordered: this.#pick(ORDERS)!, spread })
      }
      if (random() < 0.1) return settings.change(this.#pick(DELETED)!, time.now, null)
      if (random() < 0.4) return settings.change(1 + Math.floor(random() * QUEUES), time.now, randomBounds(random))
      return this.#pause(1 + Math.floor(random() * FIRST_QUEUES))
    })
    told(time.now)
    node.working.changed()
  }

  #pause(queueId: number): (toldAt: number) => void {
    const { network, settings } = this.#options
    network.time.at(500 + network.random() * 3500, () => this.#resume(queueId))
    return settings.change(queueId, network.time.now, { isPaused: true })
  }

  #resume(queueId: number): void {
    const { network, settings, pickNode } = this.#options
    if (settings.get(queueId).route?.isPaused !== true) return
    settings.change(queueId, network.time.now, { isPaused: false })
    pickNode()?.working.changed()
  }

  /** Cancels what deleted queues still hold, some at a time. */
  #cleanUp(): void {
    const { engine, settings } = this.#options
    const { store } = engine
    for (const queueId of DELETED) {
      if (settings.get(queueId).route !== null) continue
      const rows = [...store.live.values()].filter(row => row.queueId === queueId).slice(0, 5)
      for (const row of rows) store.finish(row, 'cancelled', 'its queue was deleted', row.attempts)
      if (rows.length > 0) this.#note('purge', queueId, null)
    }
  }

  #note(kind: 'message' | 'purge', queueId: number, messageId: number | null): void {
    const { store } = this.#options.engine
    const xid = store.begin()
    store.changes.push({ xid, change: { kind, queueId, messageId } })
    store.end(xid)
  }

  #pick<T>(from: readonly T[]): T | undefined {
    return from[Math.floor(this.#options.network.random() * from.length)]
  }
}

import { createMemoryEngine } from '../../src/engine/memory/engine.ts'
import { MemoryLocks } from '../../src/engine/memory/locks.ts'
import type { LockHold, Locks, NewMessage, PushEngine } from '../../src/engine/port.ts'
import { silentLog } from '../../src/log.ts'
import { WorkingNode } from '../../src/run/node.ts'
import { type Delivery, defaultLimits, type Report, type Route, silentMeter } from '../../src/run/port.ts'
import { Ledger } from './ledger.ts'
import { type Network, remoteEngine, remoteLocks } from './lying-network.ts'
import { Process, randomOf, VirtualTime } from './virtual-time.ts'

/** Bugs that the simulation must find: each takes out one of the things that the guarantees stand on. */
export type PlantedBug = 'missing fence' | 'cursor that skips late commits' | 'settle lost after a crash'

export interface Scenario {
  readonly seed: number
  readonly nodes: number
  readonly messages: number
  readonly faults: boolean
  /** Of the attempts: how many take seconds, how many fail. */
  readonly receivers?: 'well' | 'slow and failing'
  readonly bug?: PlantedBug
}

export interface Result {
  readonly violations: readonly string[]
  readonly acknowledged: number
  readonly virtualMs: number
}

interface SimulatedNode {
  readonly nth: number
  readonly process: Process
  readonly working: WorkingNode<Route>
  readonly engine: PushEngine
  readonly holds: Set<LockHold>
}

const RECEIVERS = { well: { failing: 0.1, slow: 0.03 }, 'slow and failing': { failing: 0.5, slow: 0.3 } }
const QUEUES = 9
const SHARDS = 8
const OWNERSHIP_TIMEOUT_MS = 3000
/** After the last fault everything must be over within this time. */
const PATIENCE_MS = 180_000

const orderOf = (queueId: number): Route['ordered'] => (['none', 'queue', 'key'] as const)[queueId % 3]!
const lineOf = (queueId: number, key: string | null): string | null => {
  const ordered = orderOf(queueId)
  if (ordered === 'none' || (ordered === 'key' && key === null)) return null
  return ordered === 'queue' ? `${queueId}` : `${queueId}/${key}`
}

/** One run: nodes, clients, receivers and faults on a virtual clock, everything decided by the seed. */
export async function simulate(scenario: Scenario): Promise<Result> {
  const world = new World(scenario)
  await world.run()
  return { violations: world.ledger.violations, acknowledged: world.ledger.acknowledged, virtualMs: world.time.now }
}

class World {
  readonly time = new VirtualTime()
  readonly ledger: Ledger
  readonly #scenario: Scenario
  readonly #random: () => number
  readonly #server: Process
  readonly #engine: ReturnType<typeof createMemoryEngine>
  readonly #locks: MemoryLocks
  readonly #nodes: SimulatedNode[] = []
  readonly #network: Network
  #born = 0
  #put = 0
  #calm = false
  #recent: { readonly at: number; readonly undo: () => void }[] = []

  constructor(scenario: Scenario) {
    this.#scenario = scenario
    this.#random = randomOf(scenario.seed)
    this.#server = new Process(this.time)
    this.#engine = createMemoryEngine({
      shardCount: SHARDS,
      clock: this.#server.clock,
      beforeCommit: () => this.time.sleep(this.#commitDelay()),
      orderOf,
    })
    this.#locks = new MemoryLocks(this.#engine.store)
    this.ledger = new Ledger(this.#engine.store)
    const failed = () => {
      for (const { nth } of this.#nodes) this.ledger.fault(nth, this.time.now)
    }
    this.#network = { time: this.time, random: this.#random, failureRate: scenario.faults ? 0.01 : 0, failed }
  }

  async run(): Promise<void> {
    for (let nth = 0; nth < this.#scenario.nodes; nth++) this.#birth()
    for (let client = 0; client < 6; client++) void this.#client()
    if (this.#scenario.faults) void this.#trouble()
    const allPut = await this.time.run(600_000, () => this.#put >= this.#scenario.messages)
    if (!allPut) this.ledger.violations.push('the clients never got through')
    this.#calm = true
    this.#network.failureRate = 0
    for (const { process } of this.#nodes) process.thaw()
    if (!this.#nodes.some(({ process }) => process.isAlive)) this.#birth()
    await this.time.run(PATIENCE_MS, () => this.#engine.store.live.size === 0)
    this.ledger.close(this.time.now)
    for (const { process } of this.#nodes) process.kill()
  }

  #birth(): void {
    const nth = this.#born++
    const process = new Process(this.time)
    const holds = new Set<LockHold>()
    const settled = (batch: Parameters<PushEngine['settle']>[0]): void => this.#settled(batch)
    const engine = this.#withBug(remoteEngine(this.#serverSide(), this.#network, process, settled))
    const working = new WorkingNode<Route>({
      id: `node-${nth}`,
      engine,
      locks: remoteLocks(this.#remembering(holds), this.#network, process),
      routes: { get: queueId => routeOf(queueId), load: async () => {}, forget: () => {} },
      delivery: this.#receiver(nth, process),
      clock: process.clock,
      log: silentLog,
      meter: silentMeter,
      limits: { ...defaultLimits, inFlight: 40 },
      random: this.#random,
      ownershipTimeoutMs: OWNERSHIP_TIMEOUT_MS,
      pauseQueue: async () => {},
      announce: shards => this.#announce(nth, shards),
      led: () => {},
    })
    this.#nodes.push({ nth, process, working, engine, holds })
    void this.#start(working, process)
  }

  async #start(working: WorkingNode<Route>, process: Process): Promise<void> {
    while (process.isAlive) {
      try {
        return await working.start()
      } catch {
        await this.time.sleep(200)
      }
    }
  }

  /** The sessions of a node, so that they can be ended with it. */
  #remembering(holds: Set<LockHold>): Locks {
    return {
      open: async (idleTimeoutMs, ended) => {
        const hold = await this.#locks.open(idleTimeoutMs, ended)
        holds.add(hold)
        return hold
      },
    }
  }

  #serverSide(): PushEngine {
    if (this.#scenario.bug !== 'missing fence') return this.#engine
    const settle: PushEngine['settle'] = (batch, again) => {
      const now = (shard: number): number => this.#engine.store.epochs.get(shard) ?? 0
      const unfenced = batch.map(one => ({ ...one, tenure: { ...one.tenure, epoch: now(one.tenure.shard) } }))
      return this.#engine.settle(unfenced, again)
    }
    return { ...this.#engine, settle }
  }

  #withBug(engine: PushEngine): PushEngine {
    if (this.#scenario.bug !== 'cursor that skips late commits') return engine
    return {
      ...engine,
      // Looks only at transactions that began since the last look, as a bare cursor over ids does.
      sweep: (since, shards, except) => engine.sweep({ ...since, xip: [] }, shards, except),
      findWork: (() => {
        let scanned = false
        return async (shards: readonly number[]) => {
          const work = scanned ? [] : await engine.findWork(shards)
          scanned = true
          return work
        }
      })(),
    }
  }

  #settled(batch: Parameters<PushEngine['settle']>[0]): void {
    for (const { id, queueId, verdict } of batch) {
      const done = this.#engine.store.done.get(id)
      if (verdict.kind === 'retry' || !done) continue
      this.ledger.settled(id, lineOf(queueId, done.row.key), this.time.now)
      const { store } = this.#engine
      this.#recent.push({
        at: this.time.now,
        undo: () => {
          store.done.delete(id)
          store.live.set(id, done.row)
        },
      })
    }
  }

  #announce(from: number, shards: readonly number[] | null): void {
    for (const { nth, process, working } of this.#nodes)
      if (nth !== from && this.#random() > 0.2)
        this.time.at(this.#random() * 10, () => process.do(() => working.heard(shards)))
  }

  #receiver(node: number, process: Process): Delivery<Route> {
    return {
      attempt: (_route, head, nth, done) => {
        const line = lineOf(head.queueId, head.key)
        const start = this.ledger.start(head.id, line, node, this.time.now)
        const { failing, slow } = RECEIVERS[this.#scenario.receivers ?? 'well']
        const fails = this.#random() < failing
        const takesMs = this.#random() < slow ? 2000 + this.#random() * 4000 : this.#random() * 40
        this.time.at(takesMs, () => {
          if (!fails) this.ledger.accepted(start, this.time.now)
          process.do(() => done(reportOf(fails, takesMs), now => decide(fails, nth, now, line !== null)))
        })
      },
    }
  }

  /** Puts one message after another, through whichever node is there. */
  async #client(): Promise<void> {
    while (this.#put < this.#scenario.messages) {
      await this.time.sleep(this.#random() * 60)
      const node = this.#pick(this.#nodes.filter(({ process }) => process.isRunning))
      if (!node) continue
      const message = this.#message()
      const calledAt = this.time.now
      try {
        const [result] = await within(this.time, 15_000, node.engine.put([message]))
        if (!result || !node.process.isAlive) continue
        node.process.do(() => node.working.stored([message], [result]))
        const line = lineOf(message.queueId, message.key)
        this.ledger.acknowledge({
          id: result.id,
          line: message.dueAt === null ? line : null,
          calledAt,
          acknowledgedAt: this.time.now,
        })
        this.#put += 1
      } catch {
        // Not acknowledged: whether it is stored is open, and nothing is claimed about it.
      }
    }
  }

  #message(): NewMessage {
    const random = this.#random
    const queueId = 1 + Math.floor(random() * QUEUES)
    const ordered = orderOf(queueId)
    return {
      orgId: 1,
      queueId,
      body: 'x',
      headers: null,
      dueAt: random() < 0.1 ? this.#server.clock.now() + Math.floor(random() * 3000) : null,
      expiresAt: null,
      priority: ordered === 'none' && random() < 0.2 ? Math.floor(random() * 10) : 0,
      key: ordered === 'key' && random() < 0.9 ? `k${Math.floor(random() * 4)}` : null,
      cronId: null,
      idempotency: null,
    }
  }

  #commitDelay(): number {
    const random = this.#random
    return random() < 0.05 ? random() * 4000 : random() * 4
  }

  async #trouble(): Promise<void> {
    while (!this.#calm) {
      await this.time.sleep(200 + this.#random() * 3000)
      if (this.#calm) return
      const node = this.#pick(this.#nodes.filter(({ process }) => process.isRunning))
      const kind = this.#pick(['kill', 'freeze', 'cut', 'birth', 'leave'] as const)!
      if (kind === 'cut') this.#cut()
      else if (kind === 'birth' && this.#running < this.#scenario.nodes + 1) this.#birth()
      else if (node && kind === 'freeze') this.#freeze(node)
      else if (node && kind === 'leave' && this.#running > 1) void this.#leave(node)
      else if (node && kind === 'kill') this.#kill(node)
    }
  }

  get #running(): number {
    return this.#nodes.filter(({ process }) => process.isAlive).length
  }

  #kill(node: SimulatedNode): void {
    this.ledger.fault(node.nth, this.time.now)
    node.process.kill()
    for (const hold of node.holds) void hold.close()
    if (this.#scenario.bug === 'settle lost after a crash')
      for (const { at, undo } of this.#recent) if (at > this.time.now - 200) undo()
    this.time.at(this.#random() * 3000, () => this.#birth())
  }

  #freeze(node: SimulatedNode): void {
    this.ledger.fault(node.nth, this.time.now)
    node.process.freeze()
    this.time.at(this.#random() * 8000, () => {
      this.ledger.fault(node.nth, this.time.now)
      node.process.thaw()
    })
  }

  async #leave(node: SimulatedNode): Promise<void> {
    await node.working.stop(60_000)
    this.ledger.fault(node.nth, this.time.now)
    node.process.kill()
    for (const hold of node.holds) void hold.close()
    this.time.at(this.#random() * 3000, () => this.#birth())
  }

  #cut(): void {
    for (const { nth } of this.#nodes) this.ledger.fault(nth, this.time.now)
    this.#locks.cut('terminated by an administrator', () => this.#random() < 0.5)
  }

  #pick<T>(from: readonly T[]): T | undefined {
    return from[Math.floor(this.#random() * from.length)]
  }
}

function routeOf(id: number): Route {
  const ordered = orderOf(id)
  return {
    id,
    orgId: 1,
    version: 1,
    callbackUrl: 'http://x',
    ordered,
    concurrency: 5,
    deadLetterQueueId: null,
    isPaused: false,
  }
}

function reportOf(fails: boolean, durationMs: number): Report {
  const none = { status: null, errorCode: null, error: null, excerpt: null, timedOut: false }
  return { ...none, outcome: fails ? 'failed' : 'delivered', durationMs }
}

function decide(fails: boolean, nth: number, now: number, inPlace: boolean) {
  if (!fails) return { verdict: { kind: 'delivered' }, pause: null } as const
  if (nth > 5) return { verdict: { kind: 'dead', reason: 'enough', deadLetterQueueId: null }, pause: null } as const
  return { verdict: { kind: 'retry', at: Math.floor(now) + 50 * 2 ** nth, inPlace }, pause: null } as const
}

function within<T>(time: VirtualTime, limitMs: number, promise: Promise<T>): Promise<T> {
  return Promise.race([promise, time.sleep(limitMs).then(() => Promise.reject(new Error('no answer')))])
}

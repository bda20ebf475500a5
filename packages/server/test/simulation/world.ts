import { createMemoryEngine } from '../../src/engine/memory/engine.ts'
import { MemoryLocks } from '../../src/engine/memory/locks.ts'
import type { LockHold, Locks, PushEngine, PutResult } from '../../src/engine/port.ts'
import { silentLog } from '../../src/log.ts'
import { WorkingNode } from '../../src/run/node.ts'
import { defaultLimits, type Route, silentHappenings, silentMeter } from '../../src/run/port.ts'
import { Clients } from './clients.ts'
import { Ledger } from './ledger.ts'
import { type Network, remoteEngine, remoteLocks } from './lying-network.ts'
import { type Receivers, receiversOf } from './receivers.ts'
import { NodeRoutes, Settings, SHARDS, type Untold } from './settings.ts'
import { EPOCH_MS, Process, randomOf, VirtualTime } from './virtual-time.ts'

/** Bugs that the simulation must find: each takes out one of the things that the guarantees stand on. */
export type PlantedBug =
  | 'missing fence'
  | 'cursor that skips late commits'
  | 'settle lost after a crash'
  | 'cancels that nobody hears of'
  | 'pauses that nobody hears of'
  | 'a concurrency that nobody keeps'
  | 'a rate that nobody keeps'
  | 'a circuit that never opens'
  | 'a spread that nobody takes back'

export interface Scenario {
  readonly seed: number
  readonly nodes: number
  readonly messages: number
  readonly faults: boolean
  /** Of the attempts: how many take seconds, how many fail. */
  readonly receivers?: Receivers
  readonly bug?: PlantedBug
}

export interface Result {
  readonly violations: readonly string[]
  readonly acknowledged: number
  readonly virtualMs: number
}

export interface SimulatedNode {
  readonly nth: number
  readonly process: Process
  readonly working: WorkingNode<Route>
  readonly engine: PushEngine
  readonly holds: Set<LockHold>
}

/** Bounds that nodes are not told of. */
const UNTOLD: Readonly<Record<string, Untold>> = {
  'a concurrency that nobody keeps': 'concurrency',
  'a rate that nobody keeps': 'rateLimit',
  'a circuit that never opens': 'circuitBreaker',
  'a spread that nobody takes back': 'spread',
}

const OWNERSHIP_TIMEOUT_MS = 3000
/** After the last fault everything must be over within this time. */
const PATIENCE_MS = 180_000

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
  readonly #engine: ReturnType<typeof createMemoryEngine>
  readonly #locks: MemoryLocks
  readonly #settings: Settings
  readonly #clients: Clients
  readonly #nodes: SimulatedNode[] = []
  readonly #network: Network
  #born = 0
  #isCalm = false
  #recent: { readonly at: number; readonly undo: () => void }[] = []

  constructor(scenario: Scenario) {
    this.#scenario = scenario
    this.#random = randomOf(scenario.seed)
    this.#engine = createMemoryEngine({
      shardCount: SHARDS,
      clock: new Process(this.time).clock,
      beforeCommit: () => this.time.sleep(this.#commitDelay()),
    })
    const { store } = this.#engine
    this.#locks = new MemoryLocks(store)
    this.#settings = new Settings(store, this.#random)
    this.ledger = new Ledger(store, this.#settings, EPOCH_MS)
    const failed = (process: Process): void => {
      for (const node of this.#nodes) if (node.process === process) this.ledger.fault(node.nth, this.time.now)
    }
    this.#network = { time: this.time, random: this.#random, failureRate: scenario.faults ? 0.01 : 0, failed }
    this.#clients = new Clients({
      network: this.#network,
      engine: this.#engine,
      settings: this.#settings,
      ledger: this.ledger,
      messages: scenario.messages,
      pickNode: () => this.#pick(this.#nodes.filter(({ process }) => process.isRunning)),
    })
  }

  async run(): Promise<void> {
    for (let nth = 0; nth < this.#scenario.nodes; nth++) this.#birth()
    this.#clients.start()
    if (this.#scenario.faults) void this.#trouble()
    const allPut = await this.time.run(600_000, () => this.#clients.areDone)
    if (!allPut) this.ledger.violations.push('the clients never got through')
    this.#isCalm = true
    this.#network.failureRate = 0
    this.#clients.calm()
    for (const { process } of this.#nodes) process.thaw()
    if (!this.#nodes.some(({ process }) => process.isAlive)) this.#birth()
    await this.time.run(PATIENCE_MS, () => this.#engine.store.live.size === 0)
    this.ledger.close(this.time.now, !this.#scenario.faults)
    for (const { process } of this.#nodes) process.kill()
  }

  #birth(): void {
    const nth = this.#born++
    const process = new Process(this.time)
    const holds = new Set<LockHold>()
    const settled = (batch: Parameters<PushEngine['settle']>[0]): void => this.#settled(batch)
    const engine = this.#withBug(remoteEngine(this.#serverSide(), this.#network, process, settled))
    const working: WorkingNode<Route> = new WorkingNode({
      id: `node-${nth}`,
      engine,
      locks: remoteLocks(this.#remembering(holds), this.#network, process),
      routes: new NodeRoutes(this.#settings, this.#network, process, UNTOLD[this.#scenario.bug ?? ''] ?? null),
      delivery: receiversOf({
        time: this.time,
        random: this.#random,
        ledger: this.ledger,
        node: nth,
        process,
        receivers: this.#scenario.receivers ?? 'well',
      }),
      clock: process.clock,
      log: silentLog,
      meter: silentMeter,
      happenings: silentHappenings,
      limits: { ...defaultLimits, inFlight: 40 },
      random: this.#random,
      ownershipTimeoutMs: OWNERSHIP_TIMEOUT_MS,
      pollMs: 800,
      pauseQueue: queueId => this.#clients.pauseGone(node, queueId),
      announce: shards => this.#announce(nth, shards),
      led: () => {},
    })
    const node: SimulatedNode = { nth, process, working, engine, holds }
    this.#nodes.push(node)
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
    const engine = { ...this.#engine, put: (messages => this.#putOnce(messages)) satisfies PushEngine['put'] }
    if (this.#scenario.bug !== 'missing fence') return engine
    const settle: PushEngine['settle'] = (batch, again) => {
      const now = (shard: number): number => this.#engine.store.epochs.get(shard) ?? 0
      const unfenced = batch.map(one => ({ ...one, tenure: { ...one.tenure, epoch: now(one.tenure.shard) } }))
      return this.#engine.settle(unfenced, again)
    }
    return { ...engine, settle }
  }

  /** A put whose key another put has just used waits for that one's commit, as the unique index makes it. */
  async #putOnce(messages: Parameters<PushEngine['put']>[0]): Promise<PutResult[]> {
    const { store } = this.#engine
    const results = await this.#engine.put(messages)
    for (const { kind, id } of results)
      while (kind === 'repeated' && !store.live.has(id) && !store.done.has(id)) await this.time.sleep(5)
    return results
  }

  #withBug(engine: PushEngine): PushEngine {
    const { bug } = this.#scenario
    const deaf = { 'cancels that nobody hears of': 'message', 'pauses that nobody hears of': 'queue' } as const
    if (bug === 'cancels that nobody hears of' || bug === 'pauses that nobody hears of')
      return {
        ...engine,
        sweep: async (...asked) => {
          const sweep = await engine.sweep(...asked)
          return { ...sweep, changes: sweep.changes.filter(({ kind }) => kind !== deaf[bug]) }
        },
      }
    if (bug !== 'cursor that skips late commits') return engine
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
    const { store } = this.#engine
    for (const { id, verdict } of batch) {
      const done = store.done.get(id)
      if (done?.outcome !== verdict.kind) continue
      this.ledger.settled(id, this.time.now)
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

  #commitDelay(): number {
    const random = this.#random
    return random() < 0.05 ? random() * 4000 : random() * 4
  }

  async #trouble(): Promise<void> {
    while (!this.#isCalm) {
      await this.time.sleep(200 + this.#random() * 3000)
      if (this.#isCalm) return
      const node = this.#pick(this.#nodes.filter(({ process }) => process.isRunning))
      const kind = this.#pick(['kill', 'freeze', 'cut', 'birth', 'leave', 'clock'] as const)!
      if (kind === 'cut') this.#cut()
      else if (kind === 'birth' && this.#running < this.#scenario.nodes + 1) this.#birth()
      else if (node && kind === 'freeze') this.#freeze(node)
      else if (node && kind === 'clock') node.process.setWallClock((this.#random() - 0.5) * 20_000)
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

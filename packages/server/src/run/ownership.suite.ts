/** Nodes that share shards over one set of locks, in virtual time: for the tests of ownership. */
import { expect } from 'vitest'
import { settled } from '../../test/run-room.ts'
import { Process, randomOf, VirtualTime } from '../../test/simulation/virtual-time.ts'
import type { Clock } from '../clock.ts'
import { MemoryLocks } from '../engine/memory/locks.ts'
import { Store } from '../engine/memory/store.ts'
import type { LockHold, Locks, Taken } from '../engine/port.ts'
import { silentLog } from '../log.ts'
import { Ownership } from './ownership.ts'

export const SHARDS = 12
export const TIMEOUT_MS = 3000
export const forever = new Promise<never>(() => {})

interface Faults {
  /** Calls that are not answered any more. */
  silent: boolean
  /** These calls fail, once. */
  readonly failing: Set<keyof LockHold>
  /** How long an answer takes. */
  latencyMs: number
}

export class Cluster {
  readonly time = new VirtualTime()
  readonly locks: MemoryLocks
  readonly store: Store
  readonly random = randomOf(1)

  constructor() {
    this.store = new Store({ shardCount: SHARDS, clock: new Process(this.time).clock })
    this.locks = new MemoryLocks(this.store)
  }

  /** Lets time pass, to its last moment. */
  async pass(ms: number): Promise<void> {
    let isOver = false
    this.time.at(ms, () => {
      isOver = true
    })
    await this.time.run(ms, () => isOver)
    await settled()
  }

  async until(done: () => boolean, limitMs = 10_000): Promise<number> {
    const from = this.time.now
    expect(await this.time.run(limitMs, done), 'it did not happen in time').toBe(true)
    return this.time.now - from
  }
}

export class Node {
  readonly process: Process
  readonly ownership: Ownership
  readonly faults: Faults = { silent: false, failing: new Set(), latencyMs: 0 }
  readonly events: string[] = []
  readonly taken: Taken[] = []
  /** Shards whose release waits for attempts under way. */
  busy = new Map<number, () => void>()
  isBusy = false
  /** What the wall clock is off by. */
  wallMs = 0
  readonly #cluster: Cluster

  constructor(cluster: Cluster, id: string) {
    this.#cluster = cluster
    this.process = new Process(cluster.time)
    const { clock } = this.process
    const jumping: Clock = { ...clock, now: () => clock.now() + this.wallMs }
    this.ownership = new Ownership({
      locks: this.#faulty(cluster.locks),
      clock: jumping,
      log: silentLog,
      random: cluster.random,
      nodeId: id,
      shardCount: SHARDS,
      timeoutMs: TIMEOUT_MS,
      taken: shards => void this.taken.push(...shards),
      release: shard => (this.isBusy ? new Promise(resolve => this.busy.set(shard, resolve)) : Promise.resolve()),
      lost: () => void this.events.push('lost'),
      resumed: () => void this.events.push('resumed'),
      led: leads => void this.events.push(leads ? 'leads' : 'leads no longer'),
    })
  }

  get shards(): readonly number[] {
    return this.ownership.shards
  }

  start(): this {
    this.ownership.start()
    return this
  }

  #faulty(locks: Locks): Locks {
    const { faults, process } = this
    const travel = () => (faults.latencyMs > 0 ? this.#cluster.time.sleep(faults.latencyMs / 2) : null)
    const call = async <T>(name: keyof LockHold, run: () => Promise<T>): Promise<T> => {
      await travel()
      if (faults.silent || !process.isAlive) return forever
      if (faults.failing.delete(name)) throw new Error(`${name} failed`)
      const answer = await run()
      await travel()
      return answer
    }
    return {
      open: async (idleTimeoutMs, ended) => {
        await travel()
        const hold = await locks.open(idleTimeoutMs, reason => process.do(() => ended(reason)))
        await travel()
        return {
          join: () => call('join', hold.join),
          leave: () => call('leave', hold.leave),
          look: () => call('look', hold.look),
          lock: shards => call('lock', () => hold.lock(shards)),
          unlock: shards => call('unlock', () => hold.unlock(shards)),
          take: (shards, owner) => call('take', () => hold.take(shards, owner)),
          lead: () => call('lead', hold.lead),
          close: () => hold.close(),
        }
      },
    }
  }
}

export function cluster(count: number) {
  const all = new Cluster()
  const nodes = Array.from({ length: count }, (_, nth) => new Node(all, `node-${nth}`))
  return { all, nodes }
}

export const sizes = (nodes: readonly Node[]) => nodes.map(({ shards }) => shards.length)
export const ownsAll = (nodes: readonly Node[]) => sizes(nodes).reduce((sum, size) => sum + size, 0) === SHARDS
export const disjoint = (nodes: readonly Node[]) => new Set(nodes.flatMap(({ shards }) => shards)).size

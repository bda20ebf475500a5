import { expect, test } from 'vitest'
import { settled } from '../../test/run-room.ts'
import { Process, randomOf, VirtualTime } from '../../test/simulation/virtual-time.ts'
import type { Clock } from '../clock.ts'
import { MemoryLocks } from '../engine/memory/locks.ts'
import { Store } from '../engine/memory/store.ts'
import type { LockHold, Locks, Taken } from '../engine/port.ts'
import { silentLog } from '../log.ts'
import { Ownership } from './ownership.ts'

const SHARDS = 12
const TIMEOUT_MS = 3000
const forever = new Promise<never>(() => {})

interface Faults {
  /** Calls that are not answered any more. */
  silent: boolean
  /** These calls fail, once. */
  readonly failing: Set<keyof LockHold>
  /** How long an answer takes. */
  latencyMs: number
}

class Cluster {
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

class Node {
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

function cluster(count: number) {
  const all = new Cluster()
  const nodes = Array.from({ length: count }, (_, nth) => new Node(all, `node-${nth}`))
  return { all, nodes }
}

const sizes = (nodes: readonly Node[]) => nodes.map(({ shards }) => shards.length)
const ownsAll = (nodes: readonly Node[]) => sizes(nodes).reduce((sum, size) => sum + size, 0) === SHARDS
const disjoint = (nodes: readonly Node[]) => new Set(nodes.flatMap(({ shards }) => shards)).size

test('one node owns all shards, and may act', async () => {
  const { all, nodes } = cluster(1)
  const [node] = nodes as [Node]
  expect(node.ownership.mayAct()).toBe(false)
  node.start()
  await all.until(() => ownsAll(nodes))
  expect(node.ownership.mayAct()).toBe(true)
  expect(node.taken.map(({ shard }) => shard).sort((a, b) => a - b)).toEqual([...Array(SHARDS).keys()])
})

test('a node that joins gets its share, and nobody owns a shard of another', async () => {
  const { all, nodes } = cluster(3)
  nodes[0]!.start()
  await all.until(() => ownsAll(nodes))
  nodes[1]!.start()
  await all.until(() => sizes(nodes).join() === '6,6,0')
  nodes[2]!.start()
  await all.until(() => sizes(nodes).join() === '4,4,4')
  expect(disjoint(nodes)).toBe(SHARDS)
  await all.pass(5000)
  expect(sizes(nodes)).toEqual([4, 4, 4])
})

test('shards are given away only when nothing of them is under way', async () => {
  const { all, nodes } = cluster(2)
  const [old, young] = nodes as [Node, Node]
  old.isBusy = true
  old.start()
  await all.until(() => ownsAll(nodes))
  young.start()
  await all.pass(3000)
  expect(old.busy.size).toBe(6)
  expect(young.shards).toEqual([])
  const [[shard, finish]] = old.busy as unknown as [[number, () => void]]
  finish()
  await all.until(() => young.shards.length === 1)
  expect(young.shards).toEqual([shard])
  expect(old.shards).not.toContain(shard)
})

test('a node that stops hands everything over at once, and its place is given to no one else', async () => {
  const { all, nodes } = cluster(2)
  for (const node of nodes) node.start()
  await all.until(() => sizes(nodes).join() === '6,6')
  await nodes[0]!.ownership.stop()
  expect(nodes[0]!.shards).toEqual([])
  expect(nodes[0]!.ownership.mayAct()).toBe(false)
  expect(await all.until(() => nodes[1]!.shards.length === SHARDS)).toBeLessThan(TIMEOUT_MS / 4)
})

test('stopping waits for what is under way, also of a shard that was on its way out before', async () => {
  const { all, nodes } = cluster(2)
  const [old, young] = nodes as [Node, Node]
  old.isBusy = true
  old.start()
  await all.until(() => ownsAll(nodes))
  young.start()
  await all.until(() => old.busy.size === 6)
  let isStopped = false
  void old.ownership.stop().then(() => {
    isStopped = true
  })
  await all.pass(1000)
  expect(old.busy.size).toBe(SHARDS)
  const finish = [...old.busy.values()]
  for (const one of finish.slice(1)) one()
  await all.pass(3000)
  expect(isStopped).toBe(false)
  expect(young.shards).toHaveLength(SHARDS - 1)
  finish[0]!()
  await all.until(() => isStopped)
  await all.until(() => young.shards.length === SHARDS)
})

test('a dead process frees its shards when its session ends, and another takes them', async () => {
  const { all, nodes } = cluster(2)
  for (const node of nodes) node.start()
  await all.until(() => sizes(nodes).join() === '6,6')
  nodes[0]!.process.kill()
  expect(await all.until(() => nodes[1]!.shards.length === SHARDS)).toBeLessThan(TIMEOUT_MS)
})

test('a node that cannot reach the server is silent before the server gives its shards away', async () => {
  const { all, nodes } = cluster(2)
  const [lonely, other] = nodes as [Node, Node]
  for (const node of nodes) node.start()
  await all.until(() => sizes(nodes).join() === '6,6')
  lonely.faults.silent = true
  await all.until(() => !lonely.ownership.mayAct())
  expect(other.shards).toHaveLength(6)
  const later = await all.until(() => other.shards.length === SHARDS)
  expect(later).toBeGreaterThan(TIMEOUT_MS / 10)
  expect(all.time.now).toBeGreaterThan(0)
})

test('a session that does not answer is given up in time, and a new one found once it can be', async () => {
  const { all, nodes } = cluster(1)
  const [node] = nodes as [Node]
  node.start()
  await all.until(() => ownsAll(nodes))
  node.faults.silent = true
  expect(await all.until(() => node.events.includes('lost'))).toBeLessThanOrEqual(TIMEOUT_MS)
  expect(node.shards).toEqual([])
  node.faults.silent = false
  await all.until(() => ownsAll(nodes), 2 * TIMEOUT_MS)
  expect(node.ownership.mayAct()).toBe(true)
})

test('a frozen node that wakes up does not act on what it had', async () => {
  const { all, nodes } = cluster(2)
  const [frozen, other] = nodes as [Node, Node]
  for (const node of nodes) node.start()
  await all.until(() => sizes(nodes).join() === '6,6')
  frozen.process.freeze()
  expect(await all.until(() => other.shards.length === SHARDS)).toBeLessThan(TIMEOUT_MS)
  expect(frozen.ownership.mayAct()).toBe(false)
  frozen.process.thaw()
  expect(frozen.ownership.mayAct()).toBe(false)
  await all.until(() => sizes(nodes).join() === '6,6')
  expect(frozen.events).toContain('lost')
})

test.each([60_000, -60_000])('a wall clock that is set by %d ms silences it until the next heartbeat', async jumpMs => {
  const { all, nodes } = cluster(1)
  const [node] = nodes as [Node]
  node.start()
  await all.until(() => ownsAll(nodes))
  node.wallMs = jumpMs
  expect(node.ownership.mayAct()).toBe(false)
  expect(await all.until(() => node.ownership.mayAct())).toBeLessThan(TIMEOUT_MS / 4)
  expect(node.events).toContain('resumed')
  expect(node.shards).toHaveLength(SHARDS)
})

test('the time to act counts from when the heartbeat was sent, not from its answer', async () => {
  const { all, nodes } = cluster(1)
  const [node] = nodes as [Node]
  node.start()
  await all.until(() => ownsAll(nodes))
  node.faults.latencyMs = 1000
  // The next heartbeat is sent after 240 ms and answered after 1240 ms; the one after it is not answered.
  await all.pass(1245)
  expect(node.ownership.mayAct()).toBe(true)
  node.faults.silent = true
  await all.pass(340)
  expect(node.ownership.mayAct()).toBe(true)
  await all.pass(10)
  expect(node.ownership.mayAct()).toBe(false)
})

test('an epoch is never taken twice, and nobody in between is known by it', async () => {
  const { all, nodes } = cluster(2)
  for (const node of nodes) node.start()
  await all.until(() => sizes(nodes).join() === '6,6')
  all.locks.cut('an administrator')
  await all.pass(1000)
  await all.until(() => ownsAll(nodes))
  const epochs = nodes.flatMap(({ taken }) => taken.map(({ shard, epoch }) => `${shard}:${epoch}`))
  expect(new Set(epochs).size).toBe(epochs.length)
  for (const { epoch, previousEpoch } of nodes.flatMap(({ taken }) => taken)) expect(previousEpoch).toBe(epoch - 1)
})

test('a shard that the records give to another is taken anew', async () => {
  const { all, nodes } = cluster(1)
  const [node] = nodes as [Node]
  node.start()
  await all.until(() => ownsAll(nodes))
  await node.ownership.retake(3)
  expect(node.taken.at(-1)).toEqual({ shard: 3, epoch: 2, previousEpoch: 1 })
  await node.ownership.retake(99)
  expect(node.taken).toHaveLength(SHARDS + 1)
})

test('a shard that cannot be taken anew is not kept from others', async () => {
  const { all, nodes } = cluster(1)
  const [node] = nodes as [Node]
  node.start()
  await all.until(() => ownsAll(nodes))
  node.faults.failing.add('take')
  await node.ownership.retake(3)
  await all.pass(1000)
  expect(node.taken.filter(({ shard }) => shard === 3)).toHaveLength(2)
  expect(node.shards).toHaveLength(SHARDS)
})

test.each(['join', 'look', 'lock', 'take', 'unlock', 'lead'] as const)(
  'when "%s" fails, it starts over',
  async name => {
    const { all, nodes } = cluster(2)
    nodes[0]!.faults.failing.add(name)
    for (const node of nodes) node.start()
    await all.pass(2000)
    nodes[0]!.faults.failing.add(name)
    await all.until(() => sizes(nodes).join() === '6,6')
    expect(disjoint(nodes)).toBe(SHARDS)
  },
)

test('however often sessions end, and wherever they are then, nobody owns what another owns', async () => {
  const { all, nodes } = cluster(3)
  for (const node of nodes) {
    node.faults.latencyMs = 40
    node.start()
  }
  for (let nth = 0; nth < 1500; nth++) {
    await all.pass(1 + 10 * all.random())
    if (all.random() < 0.05) all.locks.cut('an administrator', () => all.random() < 0.4)
    const owned = nodes.flatMap(({ shards }) => shards)
    expect(new Set(owned).size).toBe(owned.length)
  }
  await all.until(() => sizes(nodes).join() === '4,4,4')
})

test('wherever a session ends, what its node owns afterwards is what it has locked', async () => {
  for (let at = 1; at < 400; at += 7) {
    const { all, nodes } = cluster(1)
    const [node] = nodes as [Node]
    node.faults.latencyMs = 40
    node.start()
    await all.pass(at)
    all.locks.cut('an administrator')
    await all.pass(2000)
    const observer = await all.locks.open(TIMEOUT_MS, () => {})
    expect([...node.shards].sort()).toEqual([...(await observer.look()).locked].sort())
    expect(ownsAll(nodes)).toBe(true)
  }
})

test('a session that falls silent as it opens is given up in time', async () => {
  const { all, nodes } = cluster(1)
  const [node] = nodes as [Node]
  node.faults.silent = true
  node.start()
  await all.pass(100)
  node.faults.silent = false
  await all.until(() => ownsAll(nodes), TIMEOUT_MS)
})

test('a shard that was on its way out when its session ended is like any other afterwards', async () => {
  const { all, nodes } = cluster(3)
  const [old, young, late] = nodes as [Node, Node, Node]
  old.isBusy = true
  old.start()
  await all.until(() => ownsAll(nodes))
  young.start()
  await all.until(() => old.busy.size === 6)
  all.locks.cut('an administrator')
  old.isBusy = false
  for (const finish of old.busy.values()) finish()
  await all.until(() => sizes(nodes).join() === '6,6,0')
  await young.ownership.stop()
  await all.until(() => old.shards.length === SHARDS)
  late.start()
  await all.until(() => sizes(nodes).join() === '6,0,6')
})

test('shards on their way out are not counted again when more must go', async () => {
  const { all, nodes } = cluster(3)
  const [old, ...young] = nodes as [Node, Node, Node]
  old.isBusy = true
  old.start()
  await all.until(() => ownsAll(nodes))
  young[0]!.start()
  await all.until(() => old.busy.size === 6)
  young[1]!.start()
  await all.until(() => old.busy.size === 8)
  await all.pass(3000)
  expect(old.busy.size).toBe(8)
})

test('where the shards cannot be shared evenly, none is left over', async () => {
  const { all, nodes } = cluster(5)
  for (const node of nodes) node.start()
  await all.until(() => ownsAll(nodes))
  await all.pass(3000)
  expect(Math.max(...sizes(nodes))).toBe(3)
  expect(ownsAll(nodes)).toBe(true)
})

test('it falls silent by each of its clocks, also while the other stands still', async () => {
  const { all, nodes } = cluster(1)
  const [node] = nodes as [Node]
  node.start()
  await all.until(() => ownsAll(nodes))
  node.faults.silent = true
  await all.pass(1500)
  node.wallMs = -1500
  expect(node.ownership.mayAct()).toBe(false)
})

test('a session that ends while its node stops is not replaced by another', async () => {
  const { all, nodes } = cluster(2)
  const [gone, other] = nodes as [Node, Node]
  gone.isBusy = true
  for (const node of nodes) node.start()
  await all.until(() => sizes(nodes).join() === '6,6')
  void gone.ownership.stop()
  await all.pass(100)
  all.locks.cut('an administrator')
  await all.until(() => other.ownership.mayAct())
  for (let nth = 0; nth < 20; nth++) {
    await all.pass(100)
    expect(other.ownership.members).toBe(1)
  }
})

test('one node leads, and when it is gone another does', async () => {
  const { all, nodes } = cluster(3)
  for (const node of nodes) node.start()
  await all.pass(2000)
  const leaders = () => nodes.filter(({ ownership }) => ownership.leads)
  expect(leaders()).toHaveLength(1)
  const [first] = leaders() as [Node]
  first.process.kill()
  await all.until(() => leaders().some(node => node !== first))
  const [second] = leaders().filter(node => node !== first) as [Node]
  await second.ownership.stop()
  expect(second.events).toEqual(['leads', 'leads no longer'])
  await all.until(() => leaders().some(node => node !== first && node !== second))
})

test('a leader that has lost its session, or is silent, leads no longer', async () => {
  const { all, nodes } = cluster(1)
  const [node] = nodes as [Node]
  node.start()
  await all.until(() => node.ownership.leads)
  node.wallMs = 60_000
  expect(node.ownership.leads).toBe(false)
  node.faults.silent = true
  await all.until(() => node.events.includes('leads no longer'))
})

test('a node that was cut off while it stopped holds nothing any more, whatever was on its way', async () => {
  const { all, nodes } = cluster(2)
  const [gone, other] = nodes as [Node, Node]
  gone.faults.latencyMs = 20
  gone.isBusy = true
  for (const node of nodes) node.start()
  await all.until(() => sizes(nodes).join() === '6,6')
  for (let ms = 0; ms < 240; ms += 7) {
    void gone.ownership.stop()
    await all.pass(7)
  }
  await gone.ownership.abandon()
  await all.until(() => other.shards.length === SHARDS)
  await all.pass(10_000)
  expect(other.ownership.members).toBe(1)
  expect(gone.ownership.mayAct()).toBe(false)
})

test('a session that is still being opened when it is stopped is closed again', async () => {
  const { all, nodes } = cluster(2)
  const [gone, other] = nodes as [Node, Node]
  gone.faults.latencyMs = 100
  gone.start()
  other.start()
  await all.pass(20)
  await gone.ownership.abandon()
  for (let nth = 0; nth < 50; nth++) {
    await all.pass(100)
    expect(other.ownership.members).toBe(1)
  }
  expect(other.shards).toHaveLength(SHARDS)
})

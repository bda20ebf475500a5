import { expect, test } from 'vitest'
import { cluster, disjoint, type Node, ownsAll, SHARDS, sizes, TIMEOUT_MS } from './ownership.suite.ts'

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
  await all.pass(250)
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

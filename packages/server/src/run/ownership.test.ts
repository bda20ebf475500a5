import { expect, test } from 'vitest'
import { cluster, disjoint, type Node, ownsAll, SHARDS, sizes, TIMEOUT_MS } from './ownership.suite.ts'

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
  // Time goes by from event to event: without this, what happens between two heartbeats would be seen at the next.
  const look = (): void => void all.time.at(1, look)
  look()
  await all.until(() => !lonely.ownership.mayAct())
  expect(other.shards).toHaveLength(6)
  const later = await all.until(() => other.shards.length === SHARDS)
  expect(later).toBeGreaterThan(TIMEOUT_MS / 10)
  expect(all.time.now).toBeGreaterThan(0)
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

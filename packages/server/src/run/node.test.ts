import { expect, test } from 'vitest'
import { byHand, Room, SHARDS } from '../../test/node-room.ts'

test('a message that this node stored is delivered at once', async () => {
  const room = new Room()
  room.add(1)
  const node = await room.start()
  await room.put(1, 1, {}, node)
  await room.pass(20)
  const [id] = await room.put(1, 1, {}, node)
  await room.pass(20)
  expect(room.outcomeOf(id)).toBe('delivered')
  expect(room.engine.store.attempts.at(-1)).toMatchObject({
    n: 1,
    messageId: id,
    outcome: 'delivered',
    queueVersion: 1,
  })
  expect(node.stats).toMatchObject({ inFlight: 0, unsettled: 0, known: 0, bufferBytes: 0 })
})

test('every outcome of a message is told of, once it is on record', async () => {
  const room = new Room()
  room.add(1)
  const node = await room.start()
  room.maxRetries = 1
  room.receiver = attempt => attempt.end('failed')
  const seen: unknown[] = []
  const { push } = room.told
  room.told.push = id => {
    seen.push([room.outcomeOf(id), room.engine.store.attempts.length])
    return push.call(room.told, id)
  }
  const [id] = await room.put(1, 1, {}, node)
  await room.pass(1000)
  expect([...room.told]).toEqual([id, id])
  expect(seen).toEqual([
    ['live', 1],
    ['dead', 2],
  ])
})

test('what was stored before the start, or by others without a word, is delivered', async () => {
  const room = new Room()
  room.add(1)
  const before = await room.put(1, 3)
  await room.start()
  const [silent] = await room.put(1)
  await room.pass(1100)
  for (const id of [...before, silent]) expect(room.outcomeOf(id)).toBe('delivered')
})

test('another node’s message is delivered soon after it is announced', async () => {
  const room = new Room()
  room.add(1)
  await room.start('a')
  const api = room.open('b', {}, { locks: null })
  await api.start()
  expect(api.isReady).toBe(true)
  const [id] = await room.put(1, 1, {}, api)
  expect(room.announced).toEqual([[1]])
  await room.pass(30)
  expect(room.outcomeOf(id)).toBe('delivered')
})

test('an announcement for other shards is no reason to look', async () => {
  const room = new Room()
  const node = await room.start()
  await node.stop(1000)
  const api = room.open('b', {}, { locks: null })
  await api.start()
  let looks = 0
  const { sweep } = room.engine
  room.engine.sweep = (...asked) => {
    looks += 1
    return sweep(...asked)
  }
  api.heard([1, 2])
  await room.pass(10)
  expect(looks).toBe(0)
  api.heard(null)
  await room.pass(10)
  expect(looks).toBe(1)
})

test('a failed message is tried again, and in the end dead, with a dead letter for another queue of this node', async () => {
  const room = new Room()
  room.add(1, { deadLetterQueueId: 2 })
  room.add(2)
  room.receiver = ({ head, end }) => end(head.queueId === 1 ? 'failed' : 'delivered')
  const node = await room.start()
  const [id] = await room.put(1, 1, {}, node)
  await room.pass(1000)
  expect(room.attempts.filter(({ head }) => head.id === id).map(({ nth }) => nth)).toEqual([1, 2, 3, 4])
  expect(room.outcomeOf(id)).toBe('dead')
  const copy = [...room.engine.store.done.values()].find(({ row }) => row.originId === id)
  expect(copy).toMatchObject({ outcome: 'delivered', row: { queueId: 2 } })
})

test.each([100, 5000])('what others stored without a word is found within the poll interval of %d ms', async pollMs => {
  const room = new Room()
  room.add(1)
  const node = room.open('a', {}, { pollMs })
  await node.start()
  await room.pass(2 * pollMs + 500)
  // A look at the end of a poll begins the next one.
  const [early] = await room.put(1)
  await room.pass(pollMs + 10)
  expect(room.outcomeOf(early)).toBe('delivered')
  const [id] = await room.put(1)
  await room.pass(pollMs / 2)
  expect(room.outcomeOf(id)).toBe('live')
  await room.pass(pollMs / 2 + 10)
  expect(room.outcomeOf(id)).toBe('delivered')
})

test('dead letters for a queue of another node are announced', async () => {
  const room = new Room()
  const nodes = [await room.start('a'), await room.start('b')]
  await room.pass(2000)
  const [mine, other]: [number[], number[]] = [[], []]
  for (const shard of [0, 1, 2, 3]) {
    const isMine = nodes[0]!.stats.shards === 2 && (await ownerOf(room, shard)) === 'a'
    ;(isMine ? mine : other).push(shard === 0 ? SHARDS : shard)
  }
  room.add(mine[0]!, { deadLetterQueueId: other[0]! })
  room.add(other[0]!)
  room.maxRetries = 0
  room.receiver = ({ head, end }) => end(head.queueId === mine[0] ? 'failed' : 'delivered')
  room.announced.length = 0
  await room.put(mine[0]!, 1, {}, nodes[0])
  await room.pass(100)
  expect(room.announced.flat()).toContain(other[0]! % SHARDS)
  expect(room.attempts.map(({ node }) => node)).toEqual(['a', 'b'])
})

/** Whose session holds this shard, found out by a queue of its own. */
async function ownerOf(room: Room, shard: number): Promise<string | undefined> {
  for (const [id, node] of room.nodes) {
    const before = room.announced.length
    await room.put(shard + SHARDS * 1000, 1, { dueAt: 1e15 }, node)
    if (room.announced.length === before) return id
  }
  return undefined
}

test('a paused queue keeps what it has, and goes on when it is resumed', async () => {
  const room = new Room()
  room.add(1)
  const node = await room.start()
  room.change(1, { isPaused: true })
  node.changed()
  await room.pass(20)
  const ids = await room.put(1, 3, {}, node)
  await room.pass(40_000)
  expect(room.attempts).toEqual([])
  room.change(1, { isPaused: false })
  node.changed()
  await room.pass(50)
  expect(room.started).toEqual(ids)
})

test('pausing stops what waits in memory, and not what is under way', async () => {
  const room = new Room()
  room.add(1, { ordered: 'queue' })
  room.receiver = byHand
  const node = await room.start()
  const [first, second] = await room.put(1, 2, {}, node)
  await room.pass(20)
  room.change(1, { isPaused: true })
  node.changed()
  await room.pass(20)
  room.attempts[0]!.end('delivered')
  await room.pass(5000)
  expect([room.outcomeOf(first), room.outcomeOf(second)]).toEqual(['delivered', 'live'])
  expect(room.started).toEqual([first])
})

test('a change of configuration that nobody announces takes effect within a second', async () => {
  const room = new Room()
  room.add(1)
  const node = await room.start()
  await room.put(1, 1, {}, node)
  await room.pass(100)
  room.change(1, { isPaused: true })
  await room.pass(1000)
  const [id] = await room.put(1, 1, {}, node)
  await room.pass(5000)
  expect(room.outcomeOf(id)).toBe('live')
})

test('an org whose weight changes has its share of a full node within a second, over all its queues', async () => {
  const room = new Room()
  const ids = Array.from({ length: 20 }, (_, index) => index + 1)
  for (const id of ids) room.add(id, { orgId: id % 2, concurrency: 50 })
  room.takesMs = 10
  const made = [0, 0]
  room.receiver = attempt => {
    made[attempt.head.queueId % 2]! += 1
    attempt.end('delivered')
  }
  const node = await room.start('a', { inFlight: 60 })
  for (const id of ids) await room.put(id, 1000, {}, node)
  const shareIn = async (ms: number) => {
    const [even, odd] = made as [number, number]
    await room.pass(ms)
    return (made[1]! - odd) / (made[0]! - even)
  }
  await room.pass(200)
  expect(await shareIn(400)).toBeCloseTo(1, 1)
  room.changeOrg(1, { orgWeight: 40 })
  await room.pass(1000)
  expect(await shareIn(400)).toBeGreaterThan(2)
})

test('an attempt is made with the configuration of its start', async () => {
  const room = new Room()
  room.add(1)
  const node = await room.start()
  await room.put(1, 1, {}, node)
  await room.pass(20)
  room.change(1, { version: 7 })
  node.changed()
  await room.pass(20)
  await room.put(1, 1, {}, node)
  await room.pass(20)
  expect(room.engine.store.attempts.map(({ queueVersion }) => queueVersion)).toEqual([1, 7])
})

test('a queue whose order changes under load, there and back, keeps order while it is asked for and loses nothing', async () => {
  const room = new Room()
  room.add(1, { concurrency: 4 })
  const node = await room.start()
  room.takesMs = 7
  const ids: number[] = []
  const inFlight: number[] = []
  room.receiver = attempt => {
    inFlight.push(node.stats.inFlight)
    attempt.end(attempt.nth === 1 && attempt.head.id % 5 === 0 ? 'failed' : 'delivered')
  }
  for (const ordered of ['none', 'queue', 'none'] as const) {
    room.change(1, { ordered })
    node.changed()
    await room.pass(3)
    ids.push(...(await room.put(1, 30, { priority: 0 }, node)))
    await room.pass(60)
  }
  await room.pass(10_000)
  expect(ids.map(id => room.outcomeOf(id))).toEqual(ids.map(() => 'delivered'))
  expect(new Set(room.attempts.map(({ head, nth }) => `${head.id}:${nth}`)).size).toBe(room.attempts.length)
})

test('while a queue is ordered, its messages go in their order although some are retried', async () => {
  const room = new Room()
  room.add(1, { concurrency: 4 })
  const node = await room.start()
  await room.put(1, 10, {}, node)
  room.change(1, { ordered: 'queue' })
  node.changed()
  await room.pass(500)
  room.attempts.length = 0
  room.receiver = ({ head, nth, end }) => end(nth === 1 && head.id % 3 === 0 ? 'failed' : 'delivered')
  const ids = await room.put(1, 12, {}, node)
  await room.pass(5000)
  expect([...new Set(room.started)]).toEqual(ids)
  expect(room.started).toEqual([...room.started].sort((a, b) => a - b))
})

test('a cancelled message that waits in memory is not started', async () => {
  const room = new Room()
  room.add(1, { ordered: 'queue' })
  room.receiver = byHand
  const node = await room.start()
  const ids = await room.put(1, 3, {}, node)
  await room.pass(20)
  room.cancel(ids[1]!)
  node.changed()
  await room.pass(20)
  room.receiver = attempt => attempt.end('delivered')
  room.attempts[0]!.end('delivered')
  await room.pass(200)
  expect(room.started).toEqual([ids[0], ids[2]])
})

test('a deleted queue starts nothing any more, and leaves memory', async () => {
  const room = new Room()
  room.add(1, { ordered: 'queue' })
  room.receiver = byHand
  const node = await room.start()
  await room.put(1, 3, {}, node)
  await room.pass(20)
  room.change(1, null)
  node.changed()
  await room.pass(20)
  room.attempts[0]!.end('failed')
  await room.pass(40_000)
  for (const id of [...room.engine.store.live.keys()]) room.cancel(id)
  await room.pass(70_000)
  expect(room.attempts).toHaveLength(1)
  expect(node.stats).toMatchObject({ queues: 0, known: 0, bufferBytes: 0 })
})

test('a receiver that is gone pauses its queue, which says so, and everything stays', async () => {
  const room = new Room()
  room.add(1)
  room.receiver = ({ end }) => end('gone')
  const node = await room.start()
  const ids = await room.put(1, 3, {}, node)
  await room.pass(10_000)
  expect(room.pauses).toEqual(['it is gone'])
  expect(room.attempts).toHaveLength(1)
  room.receiver = ({ end }) => end('delivered')
  room.change(1, { isPaused: false })
  node.changed()
  await room.pass(1000)
  for (const id of ids) expect(room.outcomeOf(id)).toBe('delivered')
})

test('a message that expires while its queue is paused ends as expired, without an attempt', async () => {
  const room = new Room()
  room.add(1, { isPaused: true })
  const node = await room.start()
  const [id, kept] = [
    ...(await room.put(1, 1, { expiresAt: room.now + 3000 }, node)),
    ...(await room.put(1, 1, { expiresAt: room.now + 60_000 }, node)),
  ]
  await room.pass(2900)
  expect(room.outcomeOf(id)).toBe('live')
  await room.pass(1500)
  expect([room.outcomeOf(id), room.outcomeOf(kept)]).toEqual(['expired', 'live'])
  expect(room.attempts).toEqual([])
  expect(room.engine.store.attempts).toEqual([])
})

test('a message that expires while it waits in memory is not started', async () => {
  const room = new Room()
  room.add(1, { ordered: 'queue' })
  room.receiver = byHand
  const node = await room.start()
  const [first] = await room.put(1, 1, {}, node)
  const [late] = await room.put(1, 1, { expiresAt: room.now + 500 }, node)
  await room.pass(600)
  room.attempts[0]!.end('delivered')
  await room.pass(2000)
  expect(room.started).toEqual([first])
  expect(room.outcomeOf(late)).toBe('expired')
})

test('a message whose payload is gone is dead, without an attempt', async () => {
  const room = new Room()
  room.add(1)
  const [id] = await room.put(1)
  room.engine.store.live.get(id!)!.lost = true
  await room.start()
  expect(room.outcomeOf(id)).toBe('dead')
  expect(room.attempts).toEqual([])
})

test('a delayed message goes when it is due', async () => {
  const room = new Room()
  room.add(1)
  const node = await room.start()
  const from = room.time.now
  await room.put(1, 1, { dueAt: room.now + 5000 }, node)
  await room.pass(10_000)
  expect(room.attempts[0]!.at - from).toBeGreaterThanOrEqual(5000)
  expect(room.attempts[0]!.at - from).toBeLessThan(5100)
})

test('a receiver that hangs holds one attempt, and the other queues go on', async () => {
  const room = new Room()
  for (let id = 1; id <= 20; id++) room.add(id)
  room.receiver = attempt => attempt.head.queueId > 10 && attempt.end('delivered')
  const node = await room.start('a', { inFlight: 12 })
  for (let id = 1; id <= 10; id++) await room.put(id, 50, {}, node)
  await room.pass(100)
  expect(node.stats.inFlight).toBe(10)
  const good: number[] = []
  for (let id = 11; id <= 20; id++) good.push(...(await room.put(id, 20, {}, node)))
  await room.pass(1000)
  for (const id of good) expect(room.outcomeOf(id)).toBe('delivered')
})

test('a queue earns more attempts at once by successes, up to its concurrency', async () => {
  const room = new Room()
  room.add(1, { concurrency: 6 })
  const node = await room.start()
  room.takesMs = 10
  let most = 0
  room.receiver = attempt => {
    most = Math.max(most, node.stats.inFlight)
    attempt.end('delivered')
  }
  await room.put(1, 100, {}, node)
  await room.pass(15)
  expect(most).toBeLessThanOrEqual(2)
  await room.pass(1000)
  expect(most).toBe(6)
})

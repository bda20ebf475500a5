import { expect, test } from 'vitest'
import { byHand, Room } from '../../test/node-room.ts'

const ORDERS = ['none', 'queue', 'key'] as const
const DAY_MS = 86_400_000
const BREAKER = { failures: 3, probeMs: 1000, maxProbeMs: 4000 }

/** How long each attempt came after the one before it. */
const gaps = (room: Room): number[] => room.attempts.slice(1).map(({ at }, i) => at - room.attempts[i]!.at)

test.each(ORDERS)('attempts keep their rate, retries included, on a queue ordered by %s', async ordered => {
  const room = new Room()
  room.add(1, { ordered, rateLimit: { count: 10, intervalMs: 1000, burst: 1 } })
  room.receiver = ({ nth, end }) => end(nth === 1 ? 'failed' : 'delivered')
  const node = await room.start()
  await room.put(1, 20, { key: 'k' }, node)
  await room.pass(6000)
  expect(Math.min(...gaps(room))).toBeGreaterThanOrEqual(100 - 1e-6)
  expect(room.attempts).toHaveLength(40)
  expect(room.attempts.at(-1)!.at - room.attempts[0]!.at).toBeLessThan(ordered === 'none' ? 4200 : 5500)
})

test('a message that waits for its retry outside of any line waits for the rate, and no longer', async () => {
  const room = new Room()
  room.add(1, { ordered: 'queue' })
  room.receiver = ({ nth, head, end }) => end(nth === 1 && head.id === first ? 'failed' : 'delivered')
  const node = await room.start()
  const [first, second] = await room.put(1, 2, {}, node)
  await room.pass(20)
  room.change(1, { ordered: 'none', rateLimit: { count: 1, intervalMs: 2000, burst: 1 } })
  node.changed()
  await room.pass(1500)
  expect([room.outcomeOf(first), room.outcomeOf(second)]).toEqual(['live', 'delivered'])
  await room.pass(1000)
  expect(room.outcomeOf(first)).toBe('delivered')
})

test('the burst goes at once after a pause', async () => {
  const room = new Room()
  room.add(1, { rateLimit: { count: 1, intervalMs: 1000, burst: 5 } })
  const node = await room.start()
  await room.put(1, 1, {}, node)
  await room.pass(5000)
  await room.put(1, 20, {}, node)
  await room.pass(500)
  expect(room.attempts).toHaveLength(6)
  await room.pass(3000)
  expect(room.attempts).toHaveLength(9)
})

test('a queue that waits for its rate is at rest: no attempt, no load, next to nothing in memory', async () => {
  const room = new Room()
  room.add(1, { rateLimit: { count: 1, intervalMs: DAY_MS, burst: 1 } })
  room.add(2)
  const node = await room.start()
  await room.put(1, 500, {}, node)
  await room.pass(2000)
  let loads = 0
  const { loadLanes } = room.engine
  room.engine.loadLanes = requests => {
    loads += requests.filter(({ queueId }) => queueId === 1).length
    return loadLanes(requests)
  }
  await room.pass(20_000)
  expect(loads).toBe(0)
  expect(node.stats).toMatchObject({ inFlight: 0, unsettled: 0 })
  expect(node.stats.known).toBeLessThan(25)
  expect(room.attempts).toHaveLength(1)
  const [other] = await room.put(2, 1, {}, node)
  await room.pass(50)
  expect(room.outcomeOf(other)).toBe('delivered')
})

test('what was spent is remembered for as long as it counts, however idle the queue', async () => {
  const room = new Room()
  room.add(1, { rateLimit: { count: 1, intervalMs: 600_000, burst: 1 } })
  const node = await room.start()
  await room.put(1, 1, {}, node)
  await room.pass(200_000)
  expect(node.stats.queues).toBe(1)
  const [next] = await room.put(1, 1, {}, node)
  await room.pass(300_000)
  expect(room.outcomeOf(next)).toBe('live')
  await room.pass(110_000)
  expect(room.outcomeOf(next)).toBe('delivered')
  await room.pass(700_000)
  expect(node.stats.queues).toBe(0)
})

test.each(ORDERS)('another rate counts within a second, on whichever node, on a queue ordered by %s', async ordered => {
  const room = new Room()
  room.add(1, { ordered, rateLimit: { count: 1, intervalMs: DAY_MS, burst: 1 } })
  const node = await room.start()
  await room.put(1, 50, { key: 'k' }, node)
  await room.pass(5000)
  expect(room.attempts).toHaveLength(1)
  room.change(1, { rateLimit: { count: 1000, intervalMs: 1000, burst: 50 } })
  await room.pass(1000)
  expect(room.attempts.length).toBeGreaterThan(10)
  room.change(1, { rateLimit: null })
  await room.pass(2000)
  expect(room.engine.store.live.size).toBe(0)
})

test('no more attempts are under way than the concurrency allows, and it is reached', async () => {
  const room = new Room()
  room.add(1, { concurrency: 7 })
  room.takesMs = 20
  const node = await room.start()
  await room.put(1, 200, {}, node)
  let most = 0
  for (let ms = 0; ms < 400; ms += 5) {
    await room.pass(5)
    most = Math.max(most, node.stats.inFlight)
  }
  expect(most).toBe(7)
})

test('after so many failures in a row only probes go out, and the others keep their place and their retries', async () => {
  const room = new Room()
  room.add(1, { circuitBreaker: BREAKER })
  room.receiver = ({ end }) => end('failed', { status: 503 })
  const node = await room.start()
  const ids = await room.put(1, 100, {}, node)
  await room.pass(30_000)
  // Three that open it, then a probe after 1, 2, 4, 4, 4 … seconds.
  expect(room.attempts.length).toBeGreaterThan(8)
  expect(room.attempts.length).toBeLessThan(14)
  expect(
    gaps(room)
      .slice(3)
      .every(gap => gap >= 2000),
  ).toBe(true)
  const untouched = ids.filter(id => room.engine.store.live.get(id)?.attempts === 0)
  expect(untouched.length).toBeGreaterThan(85)
  expect(room.happened).toEqual(['1 opened: 3 attempts in a row failed; the last: status 503'])
  expect(node.stats).toMatchObject({ openCircuits: 1, inFlight: 0 })
  expect(node.stats.known).toBeLessThan(20)
})

test('what a receiver that was well had read ahead for it is put out of memory when its circuit opens', async () => {
  const room = new Room()
  room.add(1, { circuitBreaker: { ...BREAKER, failures: 20 } })
  const node = await room.start()
  await room.put(1, 200, {}, node)
  await room.pass(1000)
  room.receiver = ({ end }) => end('failed')
  await room.put(1, 500, {}, node)
  await room.pass(1)
  const before = node.stats.known
  await room.pass(500)
  expect([before > 100, node.stats.known < 40]).toEqual([true, true])
})

test.each(ORDERS)('a probe that succeeds lets everything follow, on a queue ordered by %s', async ordered => {
  const room = new Room()
  room.add(1, { ordered, circuitBreaker: BREAKER })
  room.maxRetries = 50
  let isWell = false
  room.receiver = ({ end }) => end(isWell ? 'delivered' : 'failed')
  const node = await room.start()
  const ids = await room.put(1, 50, { key: 'k' }, node)
  await room.pass(10_000)
  isWell = true
  await room.pass(6000)
  expect(ids.map(id => room.outcomeOf(id))).toEqual(ids.map(() => 'delivered'))
  expect(room.happened).toEqual(['1 opened: 3 attempts in a row failed; the last: no reason given', '1 closed'])
  expect(node.stats.openCircuits).toBe(0)
})

test('while it is open, one attempt is under way at most, however long it takes', async () => {
  const room = new Room()
  room.add(1, { circuitBreaker: { ...BREAKER, probeMs: 100, maxProbeMs: 100 } })
  const node = await room.start()
  await room.put(1, 50, {}, node)
  room.receiver = ({ end }) => end('failed')
  await room.put(1, 50, {}, node)
  await room.pass(1000)
  room.receiver = byHand
  await room.pass(60_000)
  expect(node.stats).toMatchObject({ openCircuits: 1, inFlight: 1 })
})

test.each([
  ['resumed', [{ isPaused: true }, { isPaused: false }]],
  ['pointed elsewhere', [{ callbackUrl: 'http://elsewhere.test' }]],
  ['freed of its breaker', [{ circuitBreaker: null }]],
])('a queue that is %s is tried at once, whatever its breaker waits for', async (_what, changes) => {
  const room = new Room()
  room.add(1, { circuitBreaker: { failures: 3, probeMs: DAY_MS, maxProbeMs: DAY_MS } })
  room.receiver = ({ end }) => end('failed')
  const node = await room.start()
  const ids = await room.put(1, 20, {}, node)
  await room.pass(5000)
  room.receiver = ({ end }) => end('delivered')
  for (const change of changes) {
    room.change(1, change)
    await room.pass(1500)
  }
  expect(ids.every(id => room.outcomeOf(id) === 'delivered')).toBe(true)
  expect(room.happened.at(-1)).toBe('1 closed')
})

test.each<[string, object]>([
  ['rate', { rateLimit: { count: 1, intervalMs: DAY_MS, burst: 1 } }],
  ['circuit', { circuitBreaker: { failures: 1, probeMs: DAY_MS, maxProbeMs: DAY_MS } }],
])('a message that expires while it waits for its queue’s %s ends in time', async (_what, bounds) => {
  const room = new Room()
  room.add(1, bounds)
  room.receiver = ({ end }) => end('failed')
  const node = await room.start()
  await room.put(1, 1, {}, node)
  await room.pass(100)
  const ids = await room.put(1, 30, { expiresAt: room.now + 3000 }, node)
  await room.pass(2500)
  expect(ids.every(id => room.outcomeOf(id) === 'live')).toBe(true)
  await room.pass(2500)
  expect(ids.map(id => room.outcomeOf(id))).toEqual(ids.map(() => 'expired'))
})

test('receivers that hang hold next to none of the memory that the others need', async () => {
  const room = new Room()
  const HANGING = 300
  const LIMIT = 16 * 1024 * 1024
  for (let id = 1; id <= HANGING; id++) room.add(id)
  room.add(1000)
  room.receiver = ({ head, end }) => {
    if (head.queueId === 1000) end('delivered')
  }
  const node = await room.start('a', { bufferBytes: LIMIT })
  const body = 'x'.repeat(2000)
  for (let id = 1; id <= HANGING; id++) await room.put(id, 1, { body }, node)
  await room.pass(1000)
  for (let id = 1; id <= HANGING; id++) await room.put(id, 100, { body }, node)
  await room.pass(1000)
  const ids = await room.put(1000, 2000, {}, node)
  await room.pass(3000)
  expect(node.stats.bufferBytes).toBeLessThan(0.8 * LIMIT)
  expect(ids.every(id => room.outcomeOf(id) === 'delivered')).toBe(true)
})

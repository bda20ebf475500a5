import { expect, test } from 'vitest'
import { Room } from '../../test/node-room.ts'

const ORDERS = ['none', 'queue', 'key'] as const
const FUNCTION = { callbackUrl: null, function: 'email' } as const

test.each(ORDERS)(
  'what was given back unmade is as it was, and starts again, on a queue ordered by %s',
  async ordered => {
    const room = new Room()
    room.add(1, { ...FUNCTION, ordered })
    let refused = 0
    room.receiver = attempt => (refused++ < 7 ? attempt.giveBack(20) : attempt.end('delivered'))
    const node = await room.start()
    const ids = await room.put(1, 5, { key: 'k' }, node)
    await room.pass(2000)
    expect(ids.map(id => room.outcomeOf(id))).toEqual(ids.map(() => 'delivered'))
    // Nothing counts as an attempt that was none.
    expect(new Set(room.attempts.map(({ nth }) => nth))).toEqual(new Set([1]))
    expect(room.attempts).toHaveLength(5 + 7)
    expect(node.stats).toMatchObject({ inFlight: 0, unsettled: 0, known: 0 })
  },
)

test('a message that waited for its retry is given back too', async () => {
  const room = new Room()
  room.add(1, FUNCTION)
  const fates = ['failed', 'back', 'back', 'delivered'] as const
  let nth = 0
  room.receiver = attempt => {
    const fate = fates[nth++]!
    if (fate === 'back') attempt.giveBack(50)
    else attempt.end(fate)
  }
  const node = await room.start()
  const [id] = await room.put(1, 1, {}, node)
  await room.pass(5000)
  expect(room.outcomeOf(id)).toBe('delivered')
  expect(room.attempts.map(attempt => attempt.nth)).toEqual([1, 2, 2, 2])
})

test('a queue whose service asks for rest starts nothing until it is over, and then goes on', async () => {
  const room = new Room()
  room.add(1, FUNCTION)
  let isThrottled = true
  room.receiver = attempt => (isThrottled ? attempt.giveBack(3000) : attempt.end('delivered'))
  const node = await room.start()
  await room.put(1, 50, {}, node)
  await room.pass(2500)
  expect(room.attempts.length).toBeLessThan(3)
  isThrottled = false
  await room.pass(2500)
  expect(room.engine.store.live.size).toBe(0)
})

test('a queue that is paused keeps what was given back, and begins with it when it goes on', async () => {
  const room = new Room()
  room.add(1, FUNCTION)
  const held: (() => void)[] = []
  room.receiver = attempt => void held.push(() => attempt.giveBack())
  const node = await room.start()
  const ids = await room.put(1, 3, {}, node)
  await room.pass(100)
  room.change(1, { isPaused: true })
  node.changed()
  await room.pass(100)
  for (const giveBack of held) giveBack()
  room.receiver = attempt => attempt.end('delivered')
  await room.pass(3000)
  expect(ids.map(id => room.outcomeOf(id))).toEqual(['live', 'live', 'live'])
  room.change(1, { isPaused: false })
  await room.pass(3000)
  expect(ids.map(id => room.outcomeOf(id))).toEqual(['delivered', 'delivered', 'delivered'])
})

test('a shard is handed over although messages of it were given back', async () => {
  const room = new Room()
  room.add(1, FUNCTION)
  room.receiver = attempt => attempt.giveBack(10_000)
  const node = await room.start()
  const [id] = await room.put(1, 1, {}, node)
  await room.pass(100)
  let isStopped = false
  void node.stop(600_000).then(() => {
    isStopped = true
  })
  await room.pass(5000)
  expect(isStopped).toBe(true)
  room.receiver = attempt => attempt.end('delivered')
  await room.start('b')
  await room.pass(3000)
  expect(room.outcomeOf(id)).toBe('delivered')
  expect(room.attempts.at(-1)!.node).toBe('b')
})

test('what fails for what is in it neither narrows the queue nor opens its circuit', async () => {
  const room = new Room()
  room.maxRetries = 0
  room.add(1, { ...FUNCTION, concurrency: 10, circuitBreaker: { failures: 2, probeMs: 60_000, maxProbeMs: 60_000 } })
  room.takesMs = 20
  room.receiver = attempt => attempt.end('failed', { isOwnFault: true })
  const node = await room.start()
  await room.put(1, 60, {}, node)
  await room.pass(1000)
  expect(room.engine.store.live.size).toBe(0)
  expect(node.stats.openCircuits).toBe(0)
})

test('a worker that is started anew is tried afresh, whatever its service asked for before', async () => {
  const room = new Room()
  room.add(1, { ...FUNCTION, startedAt: 1, circuitBreaker: { failures: 1, probeMs: 50_000, maxProbeMs: 50_000 } })
  room.receiver = attempt => attempt.end('failed', {}, 50_000)
  const node = await room.start()
  const [id] = await room.put(1, 1, {}, node)
  await room.pass(3000)
  expect(room.outcomeOf(id)).toBe('live')
  room.receiver = attempt => attempt.end('delivered')
  room.change(1, { startedAt: 2 })
  node.changed()
  await room.pass(3000)
  expect(room.outcomeOf(id)).toBe('delivered')
})

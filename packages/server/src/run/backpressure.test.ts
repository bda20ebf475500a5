import { expect, test } from 'vitest'
import { byHand, Room } from '../../test/node-room.ts'

/** As many times as each message was sent. */
function sent(room: Room): Map<number, number> {
  const times = new Map<number, number>()
  for (const id of room.started) times.set(id, (times.get(id) ?? 0) + 1)
  return times
}

const LIMITS = { inFlight: 50, unsettled: 100 }

test.for(['hangs', 'fails'])(
  'while the settle %s, nothing is started beyond the bound, and nothing is lost or doubled',
  async how => {
    const room = new Room()
    for (let id = 1; id <= 3; id++) room.add(id, { concurrency: 100 })
    const node = await room.start('a', LIMITS)
    const settle = room.engine.settle.bind(room.engine)
    let isAway = true
    const waiting: (() => void)[] = []
    room.engine.settle = async (...asked) => {
      if (isAway && how === 'fails') throw new Error('no connection')
      if (isAway) await new Promise<void>(resolve => waiting.push(resolve))
      return settle(...asked)
    }
    const ids = (await Promise.all([1, 2, 3].map(id => room.put(id, 400, {}, node)))).flat()
    await room.pass(60_000)
    expect(room.attempts.length).toBeGreaterThanOrEqual(LIMITS.unsettled)
    expect(room.attempts.length).toBeLessThanOrEqual(LIMITS.unsettled + LIMITS.inFlight)
    expect(node.stats.unsettled).toBe(room.attempts.length)
    isAway = false
    for (const go of waiting) go()
    await room.pass(10_000)
    expect(ids.every(id => room.outcomeOf(id) === 'delivered')).toBe(true)
    expect(new Set(sent(room).values())).toEqual(new Set([1]))
  },
)

test('what waits to be settled holds no bodies', async () => {
  const room = new Room()
  room.add(1, { concurrency: 100 })
  const node = await room.start('a', LIMITS)
  room.engine.settle = () => new Promise(() => {})
  await room.put(1, 300, { body: 'x'.repeat(1000), headers: '{"a":"b"}' }, node)
  await room.pass(5000)
  expect(room.attempts.length).toBeGreaterThanOrEqual(LIMITS.unsettled)
  for (const { head } of room.attempts) expect([head.body, head.headers]).toEqual([null, null])
})

test('a retry has its body again', async () => {
  const room = new Room()
  room.add(1)
  room.add(2, { ordered: 'queue' })
  const bodies: unknown[] = []
  room.receiver = ({ head, nth, end }) => {
    bodies.push(head.body)
    end(nth < 3 ? 'failed' : 'delivered')
  }
  const node = await room.start()
  await room.put(1, 1, { body: 'one' }, node)
  await room.put(2, 1, { body: 'two' }, node)
  await room.pass(5000)
  expect(bodies.sort()).toEqual(['one', 'one', 'one', 'two', 'two', 'two'])
})

test('while the settle hangs, expired messages stay where they are', async () => {
  const room = new Room()
  room.add(1, { isPaused: true })
  room.add(2, { concurrency: 100 })
  const node = await room.start('a', LIMITS)
  room.engine.settle = () => new Promise(() => {})
  await room.put(2, 500, {}, node)
  await room.pass(1000)
  await room.put(1, 5000, { expiresAt: room.now + 10 })
  await room.pass(60_000)
  expect(node.stats.unsettled).toBeLessThanOrEqual(LIMITS.unsettled + LIMITS.inFlight)
})

test('while a put hangs, what is settled beside it is remembered up to the bound, and then it goes on', async () => {
  const room = new Room()
  room.add(1, { concurrency: 100 })
  const node = await room.start('a', { ...LIMITS, remembered: 200 })
  const put = room.engine.put.bind(room.engine)
  let go = (): void => {}
  room.engine.put = async messages => {
    room.engine.put = put
    await new Promise<void>(resolve => {
      go = resolve
    })
    return put(messages)
  }
  const last = room.put(1, 1, {}, node)
  const ids = await room.put(1, 2000, {}, node)
  await room.pass(30_000)
  expect(room.attempts.length).toBeGreaterThanOrEqual(200)
  expect(room.attempts.length).toBeLessThanOrEqual(200 + LIMITS.inFlight + LIMITS.unsettled)
  go()
  await room.pass(30_000)
  for (const id of [...ids, ...(await last)]) expect(room.outcomeOf(id)).toBe('delivered')
  expect(new Set(sent(room).values())).toEqual(new Set([1]))
})

test('without a socket for an attempt the node starts fewer at once, and everything arrives in the end', async () => {
  const room = new Room()
  room.maxRetries = 100
  for (let id = 1; id <= 100; id++) room.add(id)
  let open = 0
  let refused = 0
  const SOCKETS = 10
  room.receiver = ({ end }) => {
    if (open >= SOCKETS) {
      refused += 1
      return end('failed', { errorCode: 'resources' })
    }
    open += 1
    room.time.at(50, () => {
      open -= 1
      end('delivered')
    })
  }
  const node = await room.start()
  const ids: number[] = []
  for (let id = 1; id <= 100; id++) ids.push(...(await room.put(id, 5, {}, node)))
  await room.pass(120_000)
  expect(ids.every(id => room.outcomeOf(id) === 'delivered')).toBe(true)
  expect(refused).toBeGreaterThan(90)
  expect(refused).toBeLessThan(500)
})

test('for a second after an attempt without a socket nothing is started', async () => {
  const room = new Room()
  for (let id = 1; id <= 3; id++) room.add(id)
  room.receiver = byHand
  const node = await room.start()
  await room.put(1, 1, {}, node)
  await room.pass(10)
  room.attempts[0]!.end('failed', { errorCode: 'resources' })
  await room.pass(10)
  await room.put(2, 1, {}, node)
  await room.pass(900)
  expect(room.attempts).toHaveLength(1)
  await room.pass(200)
  expect(room.attempts).toHaveLength(2)
})

test('no more attempts are under way than there are sockets, whatever the receivers do', async () => {
  const room = new Room()
  for (let id = 1; id <= 400; id++) room.add(id)
  room.receiver = ({ end }) => void room.time.at(1000, () => end('failed', { timedOut: true }))
  room.maxRetries = 100
  const node = await room.start('a', { inFlight: 50, sockets: 60 })
  for (let id = 1; id <= 400; id++) await room.put(id, 3, {}, node)
  let most = 0
  for (let nth = 0; nth < 100; nth++) {
    await room.pass(200)
    most = Math.max(most, node.stats.inFlight)
  }
  expect(most).toBeGreaterThan(30)
  expect(most).toBeLessThanOrEqual(60)
})

import { expect, test } from 'vitest'
import { byHand, Room } from '../../test/node-room.ts'

test('while too many outcomes wait to be settled, nothing new is started', async () => {
  const room = new Room()
  room.add(1, { concurrency: 100 })
  const node = await room.start('a', { unsettled: 5 })
  const { settle } = room.engine
  let isAway = true
  room.engine.settle = (...asked) => (isAway ? Promise.reject(new Error('no connection')) : settle(...asked))
  await room.stop(node)
  const away = await room.start('b', { unsettled: 5 })
  const ids = await room.put(1, 50, {}, away)
  await room.pass(3000)
  expect(room.attempts.length).toBeLessThan(20)
  expect(away.stats.unsettled).toBeGreaterThanOrEqual(5)
  isAway = false
  await room.pass(10_000)
  for (const id of ids) expect(room.outcomeOf(id)).toBe('delivered')
  expect(new Set(room.started).size).toBe(room.started.length)
})

test('stopping waits for what is under way, and hands over', async () => {
  const room = new Room()
  room.add(1)
  room.receiver = byHand
  const node = await room.start('a')
  const [first, second] = await room.put(1, 2, {}, node)
  await room.pass(20)
  let isStopped = false
  void node.stop(10_000).then(() => {
    isStopped = true
  })
  await room.pass(2000)
  expect(isStopped).toBe(false)
  room.attempts[0]!.end('delivered')
  await room.pass(100)
  expect(isStopped).toBe(true)
  expect(node.isReady).toBe(false)
  expect([room.outcomeOf(first), room.outcomeOf(second)]).toEqual(['delivered', 'live'])
  expect(room.attempts).toHaveLength(1)
  room.receiver = ({ end }) => end('delivered')
  await room.start('b')
  expect(room.outcomeOf(second)).toBe('delivered')
})

test('with an attempt that hangs, stopping takes its deadline, and the next owner tries again', async () => {
  const room = new Room()
  room.add(1)
  room.receiver = byHand
  const node = await room.start('a')
  const [id] = await room.put(1, 1, {}, node)
  await room.pass(20)
  const from = room.time.now
  let stoppedAt = 0
  void node.stop(2000).then(() => {
    stoppedAt = room.time.now
  })
  await room.pass(2500)
  expect(stoppedAt - from).toBeGreaterThanOrEqual(2000)
  expect(stoppedAt - from).toBeLessThan(2100)
  room.receiver = ({ end }) => end('delivered')
  await room.start('b')
  expect(room.attempts.map(({ node: by, nth }) => [by, nth])).toEqual([
    ['a', 1],
    ['b', 1],
  ])
  room.attempts[0]!.end('failed')
  await room.pass(1000)
  expect(room.outcomeOf(id)).toBe('delivered')
  expect(room.engine.store.attempts).toHaveLength(1)
})

test('a stopped node does nothing more and leaves no timer', async () => {
  const room = new Room()
  room.add(1)
  const node = await room.start('a')
  await room.put(1, 5, {}, node)
  await room.stop(node)
  await room.pass(1)
  const before = room.attempts.length
  await room.put(1, 5, {}, node)
  node.changed()
  node.heard(null)
  // Nothing is due any more: the virtual time has no event left but the one that ends the wait.
  expect(await room.time.run(1_000_000, () => false)).toBe(false)
  expect(room.time.now).toBeLessThan(10_000)
  expect(room.attempts).toHaveLength(before)
})

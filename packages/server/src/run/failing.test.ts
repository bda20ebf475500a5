import { expect, test } from 'vitest'
import { Room } from '../../test/node-room.ts'

const PER_SECOND = 200
/** Before they count as failing, and at once. */
const FREE = 5 + 20

function open(...refusing: number[]) {
  const room = new Room()
  room.maxRetries = 100
  const down = new Set(refusing)
  room.receiver = ({ head, end }) => end(down.has(head.queueId) ? 'failed' : 'delivered')
  const triesOf = (...queues: number[]) => room.attempts.filter(({ head }) => queues.includes(head.queueId)).length
  return { room, down, triesOf }
}

test('a receiver that refuses at once is tried at one pace, however much waits, and in few statements', async () => {
  const { room, triesOf } = open(1)
  room.add(1, { concurrency: 100 })
  room.add(2)
  const node = await room.start()
  let statements = 0
  const { settle, loadLanes } = room.engine
  Object.assign(room.engine, {
    settle: (...asked: Parameters<typeof settle>) => {
      statements += 1
      return settle(...asked)
    },
    loadLanes: (...asked: Parameters<typeof loadLanes>) => {
      statements += 1
      return loadLanes(...asked)
    },
  })
  await room.put(1, 5000, {}, node)
  await room.pass(5000)
  expect(triesOf(1)).toBeLessThanOrEqual(FREE + 5 * PER_SECOND)
  expect(triesOf(1)).toBeGreaterThan(4 * PER_SECOND)
  expect(statements).toBeLessThan(triesOf(1) / 4)
  const ids = await room.put(2, 50, {}, node)
  await room.pass(500)
  expect(ids.every(id => room.outcomeOf(id) === 'delivered')).toBe(true)
})

test('many of them share the pace, and each has its turns', async () => {
  const queues = Array.from({ length: 20 }, (_, index) => index + 1)
  const { room, triesOf } = open(...queues)
  for (const id of queues) room.add(id)
  const node = await room.start()
  for (const id of queues) await room.put(id, 200, {}, node)
  await room.pass(5000)
  expect(triesOf(...queues)).toBeLessThanOrEqual(20 * 5 + 20 + 5 * PER_SECOND)
  for (const id of queues) expect(triesOf(id)).toBeGreaterThan(20)
})

test('a receiver that is there again has its full speed with the first success', async () => {
  const { room, down } = open(1)
  room.add(1, { concurrency: 50 })
  const node = await room.start()
  const ids = await room.put(1, 3000, {}, node)
  await room.pass(1000)
  down.clear()
  await room.pass(5000)
  expect(ids.filter(id => room.outcomeOf(id) !== 'delivered')).toEqual([])
})

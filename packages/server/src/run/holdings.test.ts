import { expect, test } from 'vitest'
import { headOf, routeOf, settled } from '../../test/run-room.ts'
import { laneOf, shardOf } from '../engine/lane.ts'
import { Holdings } from './holdings.ts'
import { Known } from './known.ts'
import { Pantry } from './pantry.ts'
import type { Route } from './port.ts'
import type { QueueRun } from './queue-run.ts'
import { leaveBusy } from './shard.ts'

const SHARDS = 8

function open() {
  const known = new Known()
  const closed: number[] = []
  const holdings = new Holdings<Route>({
    shardCount: SHARDS,
    known,
    pantry: new Pantry(known, 1e9),
    opened: queue => queue.configure(routeOf(queue.id)),
    closed: queue => void closed.push(queue.id),
  })
  /** A message of this queue is under way. */
  const start = (queue: QueueRun<Route>, id: number) => {
    const head = headOf(id, { queueId: queue.id })
    known.add(id)
    queue.out.add(head)
    queue.shard.busy += 1
    return () => {
      queue.out.delete(head)
      leaveBusy(queue.shard)
    }
  }
  const take = (shard: number, epoch: number, previousEpoch = epoch - 1) =>
    holdings.take({ shard, epoch, previousEpoch })
  return { known, closed, holdings, start, take }
}

test('queues are served by their shard, as long as it is held', () => {
  const { holdings, take } = open()
  expect(holdings.open(3, 0)).toBeNull()
  take(3, 1)
  const queue = holdings.open(3 + SHARDS, 0)!
  expect(queue.shard).toMatchObject({ shard: 3, epoch: 1 })
  expect(holdings.open(3 + SHARDS, 0)).toBe(queue)
  expect(holdings.get(3 + SHARDS, 0)).toBe(queue)
  expect([holdings.holds(3), holdings.holds(4)]).toEqual([true, false])
  expect(holdings.size).toEqual({ shards: 1, queues: 1 })
})

test('each slice of a queue is served by the shard of its own', () => {
  const { holdings, take } = open()
  take(3, 1)
  const other = shardOf(3, 2, SHARDS)
  take(other, 1)
  const [first, third] = [holdings.open(3, 0)!, holdings.open(3, laneOf(2, 7))!]
  expect([first.slice, third.slice]).toEqual([0, 2])
  expect([first.shard.shard, third.shard.shard]).toEqual([3, other])
  expect(holdings.open(3, laneOf(2, 0))).toBe(third)
  expect(holdings.open(3, laneOf(1, 0))).toBeNull()
  expect(holdings.open(other, 0)).not.toBe(third)
  expect(holdings.ofQueue(3)).toEqual([first, third])
})

test('a queue lags as far as the slice that lags most, and not at all while it is not served', () => {
  const { holdings, take } = open()
  for (const slice of [0, 1]) take(shardOf(3, slice, SHARDS), 1)
  const slices = [holdings.open(3, 0)!, holdings.open(3, laneOf(1, 0))!]
  for (const queue of slices) queue.configure(routeOf(3, { spread: 2 }))
  slices[0]!.waitedMs = 20
  slices[1]!.waitedMs = 70
  expect([...holdings.waits]).toEqual([])
  holdings.scanned([0, 1, 2, 3, 4, 5, 6, 7])
  expect([...holdings.waits]).toEqual([[3, 70]])
  slices[1]!.configure(routeOf(3, { spread: 2, isPaused: true }))
  expect([...holdings.waits]).toEqual([[3, 20]])
})

test('nothing of a shard is started before it has been looked through', () => {
  const { holdings, take } = open()
  take(3, 1)
  take(4, 1)
  const queue = holdings.open(3, 0)!
  holdings.open(4, 0)
  expect(queue.mayStart).toBe(false)
  expect(holdings.scanned([3, 5])).toEqual([queue])
  expect(queue.mayStart).toBe(true)
  expect(holdings.scanned([3])).toEqual([])
})

test('a shard is released when nothing of it is under way', async () => {
  const { holdings, closed, start, take } = open()
  take(3, 1)
  const queue = holdings.open(3, 0)!
  const ends = [start(queue, 1), start(queue, 2)]
  let isReleased = false
  void holdings.release(3).then(() => {
    isReleased = true
  })
  expect(holdings.owned).toEqual([])
  expect(holdings.open(3, 0)).toBeNull()
  expect(queue.mayStart).toBe(false)
  ends[0]!()
  await settled()
  expect(isReleased).toBe(false)
  ends[1]!()
  await settled()
  expect(isReleased).toBe(true)
  expect(closed).toEqual([3])
  expect(holdings.size).toEqual({ shards: 0, queues: 0 })
})

test('a shard with nothing under way, and one that is not held, are released at once', async () => {
  const { holdings, take } = open()
  take(3, 1)
  await holdings.release(3)
  await holdings.release(4)
  expect(holdings.size.shards).toBe(0)
})

test('attempts go on as part of the next holding if nobody held the shard in between', () => {
  const { holdings, known, start, take } = open()
  take(3, 1)
  const queue = holdings.open(3, 0)!
  start(queue, 1)
  holdings.lose()
  expect(holdings.owned).toEqual([])
  expect(holdings.open(3, 0)).toBeNull()
  take(3, 2)
  expect(holdings.open(3, 0)).toBe(queue)
  expect(queue.shard).toMatchObject({ epoch: 2, state: 'owned', isScanned: false })
  expect(known.has(headOf(1))).toBe(true)
})

test('if somebody held it in between, what is under way is theirs: it may be read again, and is settled under the old epoch', () => {
  const { holdings, known, closed, start, take } = open()
  take(3, 1)
  const queue = holdings.open(3, 0)!
  start(queue, 1)
  holdings.lose()
  take(3, 3)
  expect(queue.shard).toMatchObject({ epoch: 1, state: 'gone' })
  expect(known.has(headOf(1))).toBe(false)
  expect(closed).toEqual([3])
  expect(holdings.open(3, 0)).not.toBe(queue)
})

test('a shard that is taken again while it was on its way out starts anew', async () => {
  const { holdings, known, start, take } = open()
  take(3, 1)
  const queue = holdings.open(3, 0)!
  const end = start(queue, 1)
  const released = holdings.release(3)
  holdings.lose()
  take(3, 2)
  expect(queue.shard.state).toBe('gone')
  expect(known.has(headOf(1))).toBe(false)
  const fresh = holdings.open(3, 0)!
  end()
  await released
  expect(holdings.holds(3)).toBe(true)
  expect(holdings.get(3, 0)).toBe(fresh)
})

test('what waits of a lost shard leaves memory; other shards keep theirs', () => {
  const { holdings, known, take } = open()
  for (const shard of [3, 4]) {
    take(shard, 1)
    holdings.scanned([shard])
    holdings.open(shard, 0)!.backlog!.offer(headOf(shard, { queueId: shard }))
  }
  holdings.loseOne(holdings.open(3, 0)!.shard)
  expect([known.has(headOf(3)), known.has(headOf(4))]).toEqual([false, true])
  expect([holdings.holds(3), holdings.holds(4)]).toEqual([false, true])
})

test('an idle queue leaves memory at the second look, one with work stays', () => {
  const { holdings, start, take } = open()
  take(3, 1)
  const idle = holdings.open(3, 0)!
  const busy = holdings.open(3 + SHARDS, 0)!
  start(busy, 1)
  holdings.forgetIdle(0)
  expect(holdings.get(3, 0)).toBe(idle)
  holdings.forgetIdle(0)
  expect(holdings.get(3, 0)).toBeUndefined()
  expect(holdings.get(3 + SHARDS, 0)).toBe(busy)
})

test('a queue that had work between two looks stays', () => {
  const { holdings, start, take } = open()
  take(3, 1)
  const queue = holdings.open(3, 0)!
  holdings.forgetIdle(0)
  const end = start(queue, 1)
  holdings.forgetIdle(0)
  end()
  holdings.forgetIdle(0)
  expect(holdings.get(3, 0)).toBe(queue)
})

test('a queue that is gone leaves memory, although messages are said to be there', () => {
  const { holdings, take } = open()
  take(3, 1)
  const queue = holdings.open(3, 0)!
  queue.close()
  queue.restart({ lanes: [0], nextDue: null, pinned: false })
  holdings.forgetIdle(0)
  holdings.forgetIdle(0)
  expect(holdings.size.queues).toBe(0)
})

test('a shard that is lost leaves memory when nothing of it is under way', () => {
  const { holdings, start, take } = open()
  take(3, 1)
  const end = start(holdings.open(3, 0)!, 1)
  holdings.lose()
  holdings.forgetIdle(0)
  expect(holdings.size.shards).toBe(1)
  end()
  holdings.forgetIdle(0)
  expect(holdings.size.shards).toBe(0)
})

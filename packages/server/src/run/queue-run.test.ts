import { expect, test } from 'vitest'
import { headOf, openPantry, QUEUE, routeOf, shardOf, Table } from '../../test/run-room.ts'
import type { Head } from '../engine/port.ts'
import type { Route } from './port.ts'
import { QueueRun, waitOf } from './queue-run.ts'
import type { Shard } from './shard.ts'

const ALL = 1e9

function open(fields: Partial<Route> = {}, shard: Partial<Shard> = {}) {
  const pantry = openPantry()
  const table = new Table(pantry)
  const queue = new QueueRun<Route>(QUEUE, shardOf(1, shard), pantry)
  const configure = (more: Partial<Route> = {}) => queue.configure(routeOf(QUEUE, { ...fields, ...more }))
  const find = (...heads: Head[]) => {
    table.put(...heads)
    for (const { lane, dueAt, xid } of heads) queue.find({ lane, fromXid: dueAt === null ? xid : null, fromDue: dueAt })
  }
  const takeAll = () => {
    const ids: number[] = []
    table.serve(queue)
    for (;;) {
      const head = queue.backlog?.take(table.now, ALL)
      if (!head || typeof head === 'string') return ids
      ids.push(head.id)
    }
  }
  return { pantry, table, queue, configure, find, takeAll }
}

test('what turns up before its configuration is here is remembered', () => {
  const { queue, table, find, configure, takeAll } = open()
  find(headOf(8, { lane: 2 }), headOf(5), headOf(7, { dueAt: 0 }), headOf(3))
  table.put(headOf(1, { lane: 4 }))
  queue.restart({ lanes: [4], nextDue: null, pinned: false })
  expect(queue.isIdle).toBe(false)
  expect(queue.loads(0)).toEqual([])
  configure()
  expect(takeAll().sort()).toEqual([1, 3, 5, 7, 8])
})

test.each<[string, Partial<Route>, Partial<Shard>]>([
  ['is paused', { isPaused: true }, {}],
  ['is read by consumers', { callbackUrl: null }, {}],
  ['is on its way to another node', {}, { state: 'draining' }],
  ['is in a shard that was lost', {}, { state: 'lost' }],
  ['is in a shard that has not been looked through', {}, { isScanned: false }],
])('nothing is started or loaded of a queue that %s', (_why, route, shard) => {
  const { queue, configure, find } = open(route, shard)
  configure()
  find(headOf(1))
  expect([queue.isServed, queue.mayStart, queue.loads(0)]).toEqual([false, false, []])
})

test('nothing is started of a queue that is held, or gone, until it is configured anew', () => {
  const { queue, configure, find, takeAll } = open()
  configure()
  find(headOf(1))
  for (const stop of [() => queue.hold(), () => queue.close()]) {
    stop()
    expect(queue.mayStart).toBe(false)
    configure()
    expect(queue.mayStart).toBe(true)
  }
  expect(takeAll()).toEqual([1])
})

test('pausing puts what waits out of memory, and resuming brings it back', () => {
  const { queue, pantry, configure, table, find, takeAll } = open()
  configure()
  find(headOf(1), headOf(2))
  table.serve(queue)
  configure({ isPaused: true })
  expect(pantry.bytes).toBe(0)
  configure()
  expect(takeAll()).toEqual([1, 2])
})

test('no more is under way than the window and the concurrency allow', () => {
  const { queue, configure } = open({ concurrency: 2 })
  configure()
  queue.inFlight = 1
  expect(queue.mayStart).toBe(false)
  queue.window.succeeded(10)
  queue.window.succeeded(10)
  expect(queue.mayStart).toBe(true)
  queue.inFlight = 2
  expect(queue.mayStart).toBe(false)
})

test('what is kept ahead of it goes by what its receiver has answered, and by what its bounds let through', () => {
  const { queue, configure } = open()
  configure()
  const { window } = queue
  expect(queue.appetite).toBe(2)
  window.failed(false)
  expect(queue.appetite).toBe(20)
  for (let nth = 0; nth < 9; nth++) window.succeeded(50)
  expect(queue.appetite).toBe(200)
  configure({ rateLimit: { count: 5, intervalMs: 1000, burst: 1 } })
  expect(queue.appetite).toBe(6)
  configure({ rateLimit: null })
  expect(queue.appetite).toBe(200)
  window.failed(true)
  expect(queue.appetite).toBe(2)
})

test('it reads ahead its share of the memory, however much it has earned, or some for each attempt under way', () => {
  const { queue, configure, pantry } = open()
  configure()
  for (let nth = 0; nth < 49; nth++) queue.window.succeeded(50)
  expect(queue.appetite).toBe(1000)
  const much = headOf(1, { body: Buffer.alloc(pantry.limitBytes / 8) })
  pantry.add(much)
  expect(queue.appetite).toBe(16)
  queue.inFlight = 50
  expect(queue.appetite).toBe(200)
  queue.inFlight = 0
  pantry.started(much)
  expect(queue.appetite).toBeGreaterThan(16)
})

test('another order waits until nothing of the old one is out, and then reads everything anew', () => {
  const { queue, table, configure, find, takeAll } = open()
  configure()
  find(headOf(1), headOf(2), headOf(3, { lane: 5 }))
  table.serve(queue)
  const out = queue.backlog!.take(0, ALL) as Head
  queue.out.add(out)
  configure({ ordered: 'queue' })
  expect(queue.mayStart).toBe(false)
  find(headOf(4))
  queue.openBacklog()
  expect(queue.backlog).toBeNull()
  queue.out.delete(out)
  table.rows.delete(out.id)
  queue.openBacklog()
  expect(takeAll()).toEqual([1])
})

test('what a load brings to a queue whose order changed meanwhile is left in the database', () => {
  const { queue, table, pantry, configure, find } = open()
  configure()
  find(headOf(1))
  const begun = queue.loads(0).map(load => table.begin(load))
  configure({ ordered: 'queue' })
  for (const one of begun) one.arrive()
  expect(pantry.known.size).toBe(0)
})

test('what a load brings to a shard that has left meanwhile is left in the database', () => {
  const { queue, table, pantry, configure, find } = open()
  configure()
  find(headOf(1))
  const begun = queue.loads(0).map(load => table.begin(load))
  queue.shard.state = 'gone'
  for (const one of begun) one.arrive()
  expect(pantry.known.size).toBe(0)
})

test('a message cancelled, or purged, while a load was reading it does not come back with that load', () => {
  const { queue, table, configure, find, takeAll } = open()
  configure()
  find(headOf(1), headOf(2))
  const begun = queue.loads(0).map(load => table.begin(load))
  table.rows.delete(1)
  queue.drop(1)
  for (const one of begun) one.arrive()
  expect(takeAll()).toEqual([2])
  find(headOf(3))
  const again = queue.loads(0).map(load => table.begin(load))
  table.rows.delete(3)
  queue.purge()
  for (const one of again) one.arrive()
  expect(takeAll()).toEqual([])
})

test('a queue that is gone can leave memory, whatever it was said to have, once nothing is out', () => {
  const { queue, configure } = open()
  queue.restart({ lanes: [0], nextDue: null, pinned: false })
  queue.out.add(headOf(1))
  queue.close()
  expect(queue.isIdle).toBe(false)
  queue.out.clear()
  expect(queue.isIdle).toBe(true)
  configure()
  expect(queue.isIdle).toBe(false)
})

test('a queue lags by its oldest message that is ready or overdue, and not by what is due later', () => {
  expect(waitOf({ waitsSince: 400, nextDue: null }, 1000)).toBe(600)
  expect(waitOf({ waitsSince: 400, nextDue: 100 }, 1000)).toBe(900)
  expect(waitOf({ waitsSince: null, nextDue: 1200 }, 1000)).toBe(0)
  expect(waitOf({ waitsSince: 1001, nextDue: null }, 1000)).toBe(0)
})

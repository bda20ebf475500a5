import { expect, test } from 'vitest'
import { headOf, openPantry, QUEUE, routeOf, shardOf } from '../../test/run-room.ts'
import type { FoldRequest } from '../engine/port.ts'
import type { Load } from './backlog.ts'
import type { Route } from './port.ts'
import { QueueRun } from './queue-run.ts'

const SLICE = 3
const LANE = 30
type Fold = Load & { kind: 'fold' }

/** A slice of a queue that is spread over so many. */
function open(spread: number, fields: Partial<Route> = {}) {
  const shard = shardOf(4)
  const queue = new QueueRun<Route>(QUEUE, shard, openPantry(), SLICE)
  const configure = (more: Partial<Route>) => queue.configure(routeOf(QUEUE, { ...fields, ...more }))
  configure({ spread })
  const find = (fromDue: number | null = null) =>
    queue.find({ lane: LANE, fromXid: fromDue === null ? 1 : null, fromDue })
  const fold = (): Fold => {
    const loads = queue.loads(0)
    expect(loads.map(({ kind }) => kind)).toEqual(['fold'])
    return loads[0] as Fold
  }
  return { shard, queue, configure, find, fold }
}

const asked = ({ request }: Fold): Partial<FoldRequest> => {
  const { queueId, slice, spread, after } = request
  return { queueId, slice, spread, after }
}

test('a slice that is one of the queue is served, one beyond its spread moves what it holds', () => {
  const { queue, configure, find, fold } = open(4)
  find()
  expect(queue.loads(0).map(({ kind }) => kind)).toEqual(['lane'])
  configure({ spread: 2 })
  const first = fold()
  expect(asked(first)).toEqual({ queueId: QUEUE, slice: SLICE, spread: 2, after: { dueAt: 0, id: 0 } })
  expect(first.request.tenure).toEqual({ shard: 4, epoch: 1 })
  expect(queue.loads(0)).toEqual([])
  expect(queue.isIdle).toBe(false)
  first.done({ dueAt: 70, id: 9 }, true)
  const next = fold()
  expect(next.request.after).toEqual({ dueAt: 70, id: 9 })
  next.done(null, false)
  expect(queue.loads(0)).toEqual([])
  expect(queue.isIdle).toBe(true)
})

test.each<[string, Partial<Route>]>([
  ['paused', { isPaused: true }],
  ['ordered', { ordered: 'queue' }],
  ['read by consumers', { callbackUrl: null }],
])('it does so also where the queue is %s', (_how, fields) => {
  const { find, fold } = open(1, fields)
  find()
  expect(asked(fold())).toMatchObject({ spread: 1 })
})

test('what turns up while messages are moved is moved too, from the beginning', () => {
  const { queue, find, fold } = open(2)
  find(50)
  const first = fold()
  find(20)
  queue.backlog!.offer(headOf(1, { lane: LANE }))
  first.done({ dueAt: 50, id: 9 }, false)
  const next = fold()
  expect(next.request.after).toEqual({ dueAt: 0, id: 0 })
  next.failed()
  expect(asked(fold())).toMatchObject({ slice: SLICE })
})

test('a slice that is one again reads nothing before its messages have stopped moving', () => {
  const { shard, queue, configure, find, fold } = open(2)
  find()
  const moving = fold()
  expect(shard.busy).toBe(1)
  configure({ spread: 4 })
  find()
  expect(queue.backlog).toBeNull()
  expect([queue.mayStart, queue.loads(0), queue.isIdle]).toEqual([false, [], false])
  moving.done(null, true)
  expect(queue.loads(0).map(({ kind }) => kind)).toContain('lane')
  expect(shard.busy).toBe(0)
})

test('its shard is handed over when they have stopped, also if that failed', () => {
  const { shard, find, fold } = open(2)
  find()
  const moving = fold()
  let isDrained = false
  shard.drained = () => {
    isDrained = true
  }
  moving.failed()
  expect(isDrained).toBe(true)
})

test('what is out of a slice that is no more is settled first', () => {
  const { queue, configure, find, fold } = open(4)
  find()
  const head = headOf(1, { lane: LANE })
  queue.out.add(head)
  configure({ spread: 2 })
  expect([queue.backlog, queue.loads(0)]).toEqual([null, []])
  queue.out.delete(head)
  queue.openBacklog()
  fold()
})

test('a gate that holds the slice back goes with it', () => {
  const rateLimit = { count: 1, intervalMs: 1000, burst: 1 }
  const { queue, configure } = open(4, { rateLimit })
  expect(queue.gate).not.toBeNull()
  configure({ spread: 2 })
  expect(queue.gate).toBeNull()
})

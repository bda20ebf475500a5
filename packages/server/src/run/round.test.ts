import { expect, test } from 'vitest'
import { openPantry, shardOf } from '../../test/run-room.ts'
import type { Route } from './port.ts'
import { QueueRun } from './queue-run.ts'
import { Round } from './round.ts'

const MOST = 100

function open() {
  const round = new Round<Route>(MOST)
  const pantry = openPantry()
  const queueOf = (id: number) => new QueueRun<Route>(id, shardOf(id), pantry)
  const start = (queue: QueueRun<Route>) => {
    round.started()
    queue.inFlight += 1
  }
  const end = (queue: QueueRun<Route>) => {
    queue.inFlight -= 1
    round.ended()
  }
  /** Starts what may be started of queues that never run dry. Gives back how many. */
  const fill = (...queues: QueueRun<Route>[]) => {
    let count = 0
    for (const queue of queues) round.add(queue)
    for (let queue = round.next(); queue; queue = round.next()) {
      start(queue)
      round.add(queue)
      count += 1
    }
    return count
  }
  return { round, queueOf, start, end, fill }
}

test('queues take turns', () => {
  const { round, queueOf } = open()
  const queues = [queueOf(1), queueOf(2), queueOf(3)]
  for (const queue of queues) round.add(queue)
  const turns: number[] = []
  for (let nth = 0; nth < 6; nth++) {
    const queue = round.next()!
    turns.push(queue.id)
    round.add(queue)
  }
  expect(turns).toEqual([1, 2, 3, 1, 2, 3])
})

test('a queue has one turn at a time, and none without being added', () => {
  const { round, queueOf } = open()
  const queue = queueOf(1)
  round.add(queue)
  round.add(queue)
  expect(round.next()).toBe(queue)
  expect(round.next()).toBeNull()
})

test('one queue gets no more than half of the node', () => {
  const { queueOf, fill } = open()
  expect(fill(queueOf(1))).toBe(MOST / 2)
})

test('the other half is for queues with few under way, whatever the large ones hold', () => {
  const { round, queueOf, fill } = open()
  const large = [queueOf(1), queueOf(2)]
  fill(...large)
  const small = queueOf(3)
  fill(...large, small)
  expect(small.inFlight).toBe(8)
  expect(large[0]!.inFlight + large[1]!.inFlight).toBe(MOST / 2)
  fill(...Array.from({ length: 30 }, (_, index) => queueOf(10 + index)))
  expect(round.inFlight).toBe(MOST)
})

test('a queue with nothing under way may always start one', () => {
  const { round, queueOf, fill } = open()
  fill(...Array.from({ length: 60 }, (_, index) => queueOf(10 + index)))
  expect(round.inFlight).toBe(MOST)
  const late = queueOf(1)
  expect(fill(late)).toBe(1)
  expect(late.inFlight).toBe(1)
})

test('a queue that had to wait gets its turn when an attempt has ended', () => {
  const { round, queueOf, fill, end } = open()
  const large = queueOf(1)
  fill(large)
  expect(round.next()).toBeNull()
  end(large)
  expect(round.next()).toBe(large)
})

test('however many queues there are, each gets its turn once in a round', () => {
  const { round, queueOf } = open()
  const queues = Array.from({ length: 5000 }, (_, index) => queueOf(index))
  for (const queue of queues) round.add(queue)
  const turns = new Set<number>()
  for (let nth = 0; nth < 5000; nth++) {
    const queue = round.next()!
    turns.add(queue.id)
    round.add(queue)
  }
  expect(turns.size).toBe(5000)
  expect(round.next()).toBe(queues[0])
})

import { expect, test } from 'vitest'
import { HandClock, headOf, openPantry, routeOf, settled, shardOf } from '../../test/run-room.ts'
import { silentLog } from '../log.ts'
import type { Route } from './port.ts'
import { QueueRun } from './queue-run.ts'
import { Unsure } from './unsure.ts'

function open() {
  const clock = new HandClock()
  const fixed: number[] = []
  const pins: { readonly ids: readonly number[]; answer(ids: readonly number[]): void; fail(): void }[] = []
  const sweeper = {
    xmin: 5,
    looks: 0,
    soon() {
      sweeper.looks += 1
    },
  }
  const unsure = new Unsure<Route>({
    engine: {
      pin: (_orgId, _queueId, ids) =>
        new Promise((resolve, reject) => {
          pins.push({ ids, answer: some => resolve([...some]), fail: () => reject(new Error('no connection')) })
        }),
    },
    sweeper,
    clock,
    log: silentLog,
    fixed: queue => void fixed.push(queue.id),
  })
  const queue = new QueueRun<Route>(1, shardOf(1), openPantry())
  queue.configure(routeOf(1, { ordered: 'queue' }))
  queue.backlog!.offer(headOf(7))
  return { clock, fixed, pins, sweeper, unsure, queue }
}

test('a place that the next look fixes is not pinned', async () => {
  const { fixed, pins, sweeper, unsure, queue } = open()
  unsure.add(queue)
  unsure.add(queue)
  expect(sweeper.looks).toBe(1)
  sweeper.xmin = 8
  unsure.swept()
  await settled()
  expect(fixed).toEqual([1])
  expect(pins).toEqual([])
})

test('a place that two looks did not fix is pinned, and then the queue has its turn', async () => {
  const { clock, fixed, pins, sweeper, unsure, queue } = open()
  unsure.add(queue)
  unsure.swept()
  await clock.pass(10)
  expect(sweeper.looks).toBe(2)
  unsure.swept()
  expect(pins.map(({ ids }) => ids)).toEqual([[7]])
  unsure.swept()
  expect(pins).toHaveLength(1)
  fixed.length = 0
  pins[0]!.answer([7])
  await settled()
  expect(fixed).toEqual([1])
  expect(queue.backlog!.take(0, sweeper.xmin)).toMatchObject({ id: 7 })
})

test('all that came before the look which decides are pinned together, and nothing that came later', async () => {
  const { pins, unsure, queue } = open()
  unsure.add(queue)
  queue.backlog!.offer(headOf(8))
  unsure.swept()
  queue.backlog!.offer(headOf(9))
  unsure.swept()
  expect(pins.map(({ ids }) => ids)).toEqual([[7, 8]])
})

test('a pin that fails is in doubt: after a pause, the table says what is pinned', async () => {
  const { clock, fixed, pins, sweeper, unsure, queue } = open()
  unsure.add(queue)
  unsure.swept()
  unsure.swept()
  fixed.length = 0
  pins[0]!.fail()
  await settled()
  expect(fixed).toEqual([])
  await clock.pass(500)
  expect(fixed).toEqual([1])
  expect(queue.backlog!.take(0, sweeper.xmin)).toBeNull()
  expect(queue.backlog!.loads(0).map(({ kind }) => kind)).toEqual(['pinned'])
})

test('a queue that is served no longer is left alone', () => {
  const { pins, sweeper, unsure, queue } = open()
  unsure.add(queue)
  unsure.swept()
  queue.hold()
  unsure.swept()
  expect(pins).toEqual([])
  queue.configure(routeOf(1, { ordered: 'queue' }))
  queue.backlog!.offer(headOf(9))
  unsure.add(queue)
  expect(sweeper.looks).toBe(2)
})

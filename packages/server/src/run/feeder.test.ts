import { expect, test } from 'vitest'
import { HandClock, headOf, openPantry, routeOf, settled, shardOf } from '../../test/run-room.ts'
import type { Load } from './backlog.ts'
import { Feeder } from './feeder.ts'
import type { Route } from './port.ts'
import { QueueRun } from './queue-run.ts'

function open() {
  const clock = new HandClock()
  const pantry = openPantry()
  const runs: { readonly loads: readonly Load[]; end(): Promise<void> }[] = []
  const fed: number[] = []
  const state = { mayAct: true }
  const feeder = new Feeder<Route>({
    loader: {
      run: (loads, over) =>
        new Promise(resolve => {
          const end = async (): Promise<void> => {
            for (const load of loads) if (load.kind === 'lane') load.done([])
            over(loads)
            resolve()
            await settled()
          }
          runs.push({ loads, end })
        }),
    },
    pantry,
    clock,
    now: () => clock.now(),
    mayAct: () => state.mayAct,
    fed: queue => void fed.push(queue.id),
  })
  /** A queue with something to read. */
  const queueOf = (id: number, fields: Partial<Route> = {}) => {
    const queue = new QueueRun<Route>(id, shardOf(1), pantry)
    queue.configure(routeOf(id, fields))
    Object.assign(queue.window, { size: 50, hasAnswered: true })
    queue.find({ lane: 0, fromXid: 1, fromDue: null })
    return queue
  }
  return { clock, pantry, runs, fed, state, feeder, queueOf }
}

test('the loads of many queues go together, and each queue is told when they are over', async () => {
  const { runs, fed, feeder, queueOf } = open()
  for (const id of [1, 2, 3]) feeder.want(queueOf(id))
  expect(runs).toEqual([])
  await settled()
  expect(runs).toHaveLength(1)
  expect(runs[0]!.loads).toHaveLength(3)
  expect(fed).toEqual([])
  await runs[0]!.end()
  expect(fed).toEqual([1, 2, 3])
})

test('at most two rounds of loads are under way, of at most 500 queues each; the others follow', async () => {
  const { runs, fed, feeder, pantry, queueOf } = open()
  // So that it is known that messages are small.
  for (let id = 0; id < 1000; id++) pantry.add(headOf(id))
  for (let id = 1; id <= 1700; id++) feeder.want(queueOf(id))
  await settled()
  feeder.want(queueOf(2000))
  await settled()
  expect(runs.map(({ loads }) => loads.length)).toEqual([500, 500])
  await runs[0]!.end()
  await runs[1]!.end()
  await settled()
  for (let nth = 2; nth < runs.length; nth++) await runs[nth]!.end()
  expect(fed).toHaveLength(1701)
})

test('a round of loads is bounded by what it will weigh', async () => {
  const { runs, feeder, pantry, queueOf } = open()
  for (let id = 0; id < 1000; id++) pantry.add(headOf(id, { body: 'x'.repeat(100_000) }))
  for (let id = 1; id <= 100; id++) feeder.want(queueOf(id))
  await settled()
  expect(runs[0]!.loads.length).toBeLessThan(15)
  for (let nth = 0; nth < runs.length; nth++) await runs[nth]!.end()
  expect(runs.reduce((sum, { loads }) => sum + loads.length, 0)).toBe(100)
})

test('nothing is loaded for a queue that may not send', async () => {
  const { runs, feeder, queueOf } = open()
  feeder.want(queueOf(1, { isPaused: true }))
  const leaving = queueOf(2)
  feeder.want(leaving)
  leaving.shard.state = 'draining'
  const forgotten = queueOf(3)
  feeder.want(forgotten)
  feeder.forget(forgotten)
  await settled()
  expect(runs).toEqual([])
})

test('nothing is loaded while the node may not act, and everything after', async () => {
  const { runs, state, feeder, queueOf } = open()
  state.mayAct = false
  feeder.want(queueOf(1))
  await settled()
  expect(runs).toEqual([])
  state.mayAct = true
  feeder.resume()
  await settled()
  expect(runs).toHaveLength(1)
})

test('a queue is told when the time comes that it waits for, the earliest first, with one timer for all', async () => {
  const { clock, fed, feeder, queueOf, runs } = open()
  const wait = (id: number, at: number) => {
    const queue = queueOf(id)
    queue.find({ lane: 0, fromXid: null, fromDue: clock.now() + at })
    feeder.want(queue)
    return queue
  }
  wait(1, 500)
  wait(2, 200)
  const gone = wait(3, 300)
  await settled()
  for (const run of runs) await run.end()
  fed.length = 0
  expect(clock.set).toHaveLength(1)
  feeder.forget(gone)
  await clock.pass(199)
  expect(fed).toEqual([])
  await clock.pass(1)
  expect(fed).toEqual([2])
  await clock.pass(1000)
  expect(fed).toEqual([2, 1])
})

test('once stopped, it loads nothing and leaves no timer', async () => {
  const { clock, runs, feeder, queueOf } = open()
  const queue = queueOf(1)
  queue.find({ lane: 0, fromXid: null, fromDue: clock.now() + 100 })
  feeder.want(queue)
  feeder.stop()
  await clock.pass(1000)
  feeder.want(queue)
  await settled()
  expect(runs).toEqual([])
  expect(clock.set).toEqual([])
})

test('what is on its way to one queue is no room for the next, until it is here', async () => {
  const { runs, feeder, pantry, queueOf } = open()
  for (let id = 0; id < 1000; id++) pantry.add(headOf(id))
  const alone = pantry.share
  for (let id = 1; id <= 100; id++) feeder.want(queueOf(id))
  await settled()
  expect(alone - pantry.share).toBeGreaterThan(1000)
  await runs[0]!.end()
  expect(pantry.share).toBe(alone)
})

import { expect, test } from 'vitest'
import { HandClock, openPantry, routeOf, settled, shardOf } from '../../test/run-room.ts'
import { silentLog } from '../log.ts'
import type { Route } from './port.ts'
import { QueueRun } from './queue-run.ts'
import { Router } from './router.ts'

function open() {
  const clock = new HandClock()
  /** What the database has, and what is in memory of it. */
  const stored = new Map<number, Route>()
  const known = new Map<number, Route | null>()
  const asked: number[][] = []
  const routed: number[] = []
  const state = { isAway: false, gate: null as Promise<void> | null }
  const router = new Router<Route>({
    routes: {
      get: id => known.get(id),
      async load(ids) {
        asked.push([...ids])
        await state.gate
        if (state.isAway) throw new Error('no connection')
        for (const id of ids) known.set(id, stored.get(id) ?? null)
      },
      forget: id => void known.delete(id),
    },
    clock,
    log: silentLog,
    routed: queue => void routed.push(queue.id),
  })
  const queueOf = (id: number) => new QueueRun<Route>(id, shardOf(1), openPantry())
  return { clock, stored, known, asked, routed, state, router, queueOf }
}

test('a configuration that is in memory is taken on at once', () => {
  const { known, asked, router, queueOf } = open()
  known.set(1, routeOf(1))
  const queue = queueOf(1)
  router.route(queue)
  expect(queue.route).toEqual(routeOf(1))
  expect(asked).toEqual([])
})

test('those that are not are asked for, many together, while others are on their way', async () => {
  const { stored, asked, routed, router, queueOf } = open()
  for (let id = 1; id <= 1200; id++) {
    stored.set(id, routeOf(id))
    router.route(queueOf(id))
  }
  await settled()
  expect(asked.map(({ length }) => length)).toEqual([1, 500, 500, 199])
  expect(routed).toHaveLength(1200)
})

test('a queue that is not there is closed', async () => {
  const { routed, router, queueOf } = open()
  const queue = queueOf(1)
  queue.configure(routeOf(1))
  router.route(queue)
  await settled()
  expect(queue.route).toBeNull()
  expect(queue.isIdle).toBe(true)
  expect(routed).toEqual([])
})

test('while the database is away it asks again and again, with pauses', async () => {
  const { clock, stored, asked, state, router, queueOf } = open()
  stored.set(1, routeOf(1))
  state.isAway = true
  const queue = queueOf(1)
  router.route(queue)
  await clock.pass(1600)
  expect(asked.length).toBeGreaterThan(2)
  expect(asked.length).toBeLessThan(6)
  state.isAway = false
  await clock.pass(600)
  expect(queue.route).toEqual(routeOf(1))
})

test('what changed while it was loaded is loaded again', async () => {
  const { clock, stored, known, asked, state, router, queueOf } = open()
  stored.set(1, routeOf(1))
  let release = (): void => {}
  state.gate = new Promise(resolve => {
    release = resolve
  })
  const queue = queueOf(1)
  router.route(queue)
  await settled()
  const set = known.set.bind(known)
  // The answer that was on its way counts no longer.
  known.set = () => known
  release()
  await settled()
  known.set = set
  stored.set(1, routeOf(1, { version: 2 }))
  state.gate = null
  await clock.pass(100)
  expect(asked.length).toBeGreaterThan(1)
  expect(queue.route?.version).toBe(2)
})

test('a queue that was closed meanwhile is not opened by an answer that was on its way', async () => {
  const { stored, known, routed, state, router, queueOf } = open()
  stored.set(1, routeOf(1))
  let release = (): void => {}
  state.gate = new Promise(resolve => {
    release = resolve
  })
  const queue = queueOf(1)
  router.route(queue)
  known.set(1, null)
  router.route(queue)
  expect(queue.isIdle).toBe(true)
  release()
  await settled()
  expect(queue.isIdle).toBe(true)
  expect(routed).toEqual([])
})

test('what is forgotten again and again is asked for with pauses, and the others are not kept waiting', async () => {
  const { clock, stored, known, asked, router, queueOf } = open()
  for (const id of [1, 2]) stored.set(id, routeOf(id))
  const set = known.set.bind(known)
  known.set = (id, route) => (id === 1 ? known : set(id, route))
  const [lost, other] = [queueOf(1), queueOf(2)]
  router.route(lost)
  await clock.pass(60)
  router.route(other)
  await clock.pass(500)
  expect(other.route).toEqual(routeOf(2))
  expect(asked.length).toBeLessThan(20)
  known.set = set
  await clock.pass(100)
  expect(lost.route).toEqual(routeOf(1))
})

test('once stopped, it asks no more', async () => {
  const { clock, asked, state, router, queueOf } = open()
  state.isAway = true
  router.route(queueOf(1))
  await settled()
  router.stop()
  await clock.pass(5000)
  expect(asked).toHaveLength(1)
})

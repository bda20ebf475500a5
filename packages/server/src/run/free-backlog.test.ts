import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import { eager, headOf, openPantry, QUEUE, Table } from '../../test/run-room.ts'
import type { Head } from '../engine/port.ts'
import { FreeBacklog } from './free-backlog.ts'

function open(limitBytes = 1e9) {
  const pantry = openPantry(limitBytes)
  const table = new Table(pantry)
  const backlog = new FreeBacklog(QUEUE, pantry, eager)
  const find = (...heads: Head[]) => {
    table.put(...heads)
    for (const { lane, dueAt, xid } of heads) backlog.found(lane, dueAt === null ? xid : null, dueAt)
  }
  const take = () => backlog.take(table.now)
  const takeAll = () => {
    const ids: number[] = []
    for (let head = take(); head; head = take()) ids.push(head.id)
    return ids
  }
  /** Loads and takes until neither gives anything, as the dispatcher does. */
  const drain = () => {
    const ids: number[] = []
    for (let some = [0]; some.length > 0; ids.push(...some)) {
      table.serve(backlog)
      some = takeAll()
    }
    return ids
  }
  return { pantry, table, backlog, find, take, takeAll, drain }
}

const many = (count: number, fields: Partial<Head> = {}) =>
  Array.from({ length: count }, (_, index) => headOf(index + 1, fields))

test('messages go in the order of their places, the highest priority first', () => {
  const { find, drain } = open()
  find(headOf(3), headOf(1), headOf(4, { lane: 9 }), headOf(2, { lane: 5 }), headOf(5, { lane: 9 }))
  expect(drain()).toEqual([4, 5, 2, 1, 3])
})

test('a lane longer than a load is read on until its end', () => {
  const { find, drain } = open()
  find(...many(5000))
  expect(drain()).toEqual(many(5000).map(({ id }) => id))
})

test('a lane that is never empty lets go of what it has given out', async () => {
  const { table, backlog, take, find } = open()
  let next = 1
  const refill = () => {
    find(...Array.from({ length: 1000 }, () => headOf(next++)))
    table.serve(backlog)
  }
  refill()
  const given: WeakRef<Head>[] = []
  for (let turn = 0; turn < 10; turn++) {
    refill()
    for (let nth = 0; nth < 1000; nth++) {
      const head = take()!
      table.rows.delete(head.id)
      given.push(new WeakRef(head))
    }
  }
  expect(backlog.waiting).toBeGreaterThan(0)
  setFlagsFromString('--expose-gc')
  // What a WeakRef was asked for lives until its turn is over.
  await new Promise(resolve => setImmediate(resolve))
  runInNewContext('gc')()
  expect(given.filter(ref => ref.deref()).length).toBeLessThanOrEqual(256)
})

test('a delayed message goes when it is due, and that time is known', () => {
  const { table, backlog, find, drain } = open()
  find(headOf(1, { dueAt: 50 }), headOf(2, { dueAt: 70 }))
  expect(drain()).toEqual([])
  expect(backlog.nextAt(table.now)).toBe(50)
  table.now = 50
  expect(drain()).toEqual([1])
  expect(backlog.nextAt(table.now)).toBe(70)
  table.now = 71
  expect(drain()).toEqual([2])
})

test('a message handed over goes without a load', () => {
  const { backlog, takeAll } = open()
  backlog.offer(headOf(1))
  expect(backlog.loads(0)).toEqual([])
  expect(takeAll()).toEqual([1])
})

test('a message handed over behind one that is not in memory is left for the load', () => {
  const { table, backlog, find, takeAll, drain } = open()
  find(headOf(1))
  table.put(headOf(2))
  backlog.offer(headOf(2))
  expect(takeAll()).toEqual([])
  expect(drain()).toEqual([1, 2])
})

test('what is handed over beyond some thousands waits in the database', () => {
  const { table, backlog, drain } = open()
  for (const head of many(10_000)) {
    table.put(head)
    backlog.offer(head)
  }
  expect(backlog.waiting).toBeLessThanOrEqual(4000)
  expect(drain()).toHaveLength(10_000)
})

test('a message that is found late, behind what has been read, goes out', () => {
  const { find, drain, table } = open()
  find(headOf(5))
  expect(drain()).toEqual([5])
  table.rows.delete(5)
  find(headOf(3))
  expect(drain()).toEqual([3])
})

test('a retried message goes again when its time comes', () => {
  const { table, backlog, find, drain, pantry } = open()
  find(headOf(1))
  drain()
  table.put(headOf(1, { attempts: 1, dueAt: 30 }))
  pantry.known.settled([headOf(1)])
  backlog.settled(headOf(1), 30)
  expect(drain()).toEqual([])
  expect(backlog.nextAt(0)).toBe(30)
  table.now = 30
  expect(drain()).toEqual([1])
})

test('a delivered message leaves nothing behind', () => {
  const { table, backlog, find, drain, pantry } = open()
  find(headOf(1))
  drain()
  table.rows.delete(1)
  pantry.known.settled([headOf(1)])
  backlog.settled(headOf(1), null)
  expect(backlog.isIdle()).toBe(true)
  expect(pantry.bytes).toBe(0)
})

test('a message taken from under it does not go out; a changed one goes as it is now', () => {
  const { table, backlog, find, drain } = open()
  find(...many(3), headOf(4, { dueAt: 0 }), headOf(5, { dueAt: 0 }))
  table.serve(backlog)
  for (const id of [1, 4]) {
    table.rows.delete(id)
    backlog.drop(id)
  }
  table.put(headOf(2, { body: 'new' }))
  backlog.drop(2)
  expect(drain().sort()).toEqual([2, 3, 5])
  expect(backlog.waiting).toBe(0)
})

test('what is cleared out of memory is read again', () => {
  const { table, backlog, find, drain, pantry } = open()
  find(...many(3), headOf(4, { dueAt: 0 }), headOf(5, { lane: 2 }))
  table.serve(backlog)
  backlog.clear()
  expect(backlog.waiting).toBe(0)
  expect(pantry.bytes).toBe(0)
  expect(drain().sort()).toEqual([1, 2, 3, 4, 5])
})

/** Left from when the queue was ordered: ready by its place, yet not to be sent before its time. */
const heldUntil = (at: number) => headOf(1, { attempts: 1, retryAt: at })

test('a message that was retried in place waits for its time and holds up nobody', () => {
  const { table, backlog, find, take, drain } = open()
  find(heldUntil(100), headOf(2), headOf(3))
  table.serve(backlog)
  expect(take()?.id).toBe(2)
  expect(backlog.nextAt(table.now)).toBe(100)
  expect(drain()).toEqual([3])
  table.now = 100
  expect(drain()).toEqual([1])
  expect(backlog.isIdle()).toBe(true)
})

test('a message that waits like that can be cancelled', () => {
  const { table, backlog, find, drain, pantry } = open()
  find(heldUntil(100))
  drain()
  table.rows.delete(1)
  backlog.drop(1)
  table.now = 100
  expect(drain()).toEqual([])
  expect(pantry.known.size).toBe(0)
})

test('a message that waits like that is read again after everything was cleared', () => {
  const { table, backlog, find, drain } = open()
  find(heldUntil(100), headOf(2, { lane: 3 }))
  drain()
  backlog.clear()
  table.now = 100
  expect(drain()).toEqual([1])
})

test('nothing is idle that waits, reads, or knows of something to read', () => {
  const { table, backlog, find, drain } = open()
  expect(backlog.isIdle()).toBe(true)
  find(heldUntil(100))
  expect(backlog.isIdle()).toBe(false)
  const [load] = backlog.loads(0)
  expect(backlog.isIdle()).toBe(false)
  table.begin(load!).arrive()
  expect(backlog.isIdle()).toBe(false)
  drain()
  expect(backlog.isIdle()).toBe(false)
  backlog.settled(headOf(7), 500)
  backlog.drop(1)
  expect(backlog.isIdle()).toBe(false)
})

test('a full pantry gives it one message at a time: it goes on, and makes it no fuller', () => {
  const { pantry, table, backlog, find, drain } = open(1000)
  pantry.add(headOf(9999, { body: 'x'.repeat(1000) }))
  find(...many(30))
  table.serve(backlog)
  expect(backlog.waiting).toBe(1)
  expect(drain()).toHaveLength(30)
})

test('the next load is asked for before memory is empty, and only one at a time', () => {
  const { table, backlog, find, take } = open()
  find(...many(5000))
  table.serve(backlog)
  for (let nth = 0; backlog.loads(0).length === 0; nth++) {
    expect(nth).toBeLessThan(5000)
    expect(take()).not.toBeNull()
  }
  expect(backlog.waiting).toBeGreaterThan(0)
  expect(backlog.loads(0)).toEqual([])
})

test('its messages have no places to fix', () => {
  const { backlog } = open()
  expect(backlog.isUnsure()).toBe(false)
  expect(backlog.beginPin()).toEqual([])
})

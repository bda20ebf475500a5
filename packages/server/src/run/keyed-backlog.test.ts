import { expect, test } from 'vitest'
import { eager, headOf, openPantry, QUEUE, Table } from '../../test/run-room.ts'
import type { Head } from '../engine/port.ts'
import { UNSURE } from './backlog.ts'
import { KeyedBacklog } from './keyed-backlog.ts'

const ALL = 1e9
const KIB = 1024

function open(limitBytes = 1e9) {
  const pantry = openPantry(limitBytes)
  const table = new Table(pantry)
  const backlog = new KeyedBacklog(QUEUE, pantry, eager)
  table.promoted = xid => backlog.found(0, xid, null)
  const find = (...heads: Head[]) => {
    table.put(...heads)
    for (const { lane, dueAt, xid } of heads) backlog.found(lane, dueAt === null ? xid : null, dueAt)
  }
  const settle = (head: Head, retryAt: number | null) => {
    const row = table.rows.get(head.id)!
    if (retryAt === null) table.rows.delete(head.id)
    else if (head.key === null) table.put({ ...row, attempts: row.attempts + 1, dueAt: retryAt })
    else table.put({ ...row, attempts: row.attempts + 1, retryAt })
    pantry.known.settled([head])
    backlog.settled(head, retryAt)
  }
  const take = (xmin = ALL) => {
    table.serve(backlog)
    return backlog.take(table.now, xmin)
  }
  const takeAll = (xmin = ALL) => {
    const heads: Head[] = []
    for (let head = take(xmin); head && head !== UNSURE; head = take(xmin)) heads.push(head)
    return heads
  }
  /** Delivers whatever may go, as long as anything may. */
  const deliver = () => {
    const heads: Head[] = []
    for (let some = takeAll(); some.length > 0; some = takeAll()) {
      for (const head of some) settle(head, null)
      heads.push(...some)
    }
    return heads.map(({ id }) => id)
  }
  return { pantry, table, backlog, find, settle, take, takeAll, deliver }
}

const idsOf = (heads: readonly Head[]) => heads.map(({ id }) => id)
const of = (key: string | null, count: number, from: number, fields: Partial<Head> = {}) =>
  Array.from({ length: count }, (_, index) => headOf(from + index, { key, ...fields }))

test('of each key one message is out at a time, in order; keys do not wait for each other', () => {
  const { find, takeAll, settle } = open()
  find(...of('a', 2, 1), ...of('b', 2, 11))
  const first = takeAll()
  expect(idsOf(first)).toEqual([1, 11])
  settle(first[1]!, null)
  expect(idsOf(takeAll())).toEqual([12])
  settle(first[0]!, null)
  expect(idsOf(takeAll())).toEqual([2])
})

test('messages without a key are free of order', () => {
  const { find, takeAll, settle, table } = open()
  find(...of(null, 3, 1))
  const free = takeAll()
  expect(idsOf(free)).toEqual([1, 2, 3])
  settle(free[0]!, 50)
  settle(free[1]!, null)
  expect(takeAll()).toEqual([])
  table.now = 50
  expect(idsOf(takeAll())).toEqual([1])
})

test('a key that waits for its retry holds up nobody else, and goes first of its own when the time comes', () => {
  const { find, take, settle, deliver, table, backlog } = open()
  find(...of('a', 2, 1), ...of('b', 2, 11))
  settle(take() as Head, 50)
  expect(deliver()).toEqual([11, 12])
  expect(backlog.nextAt(table.now)).toBe(50)
  table.now = 50
  expect(deliver()).toEqual([1, 2])
})

test('thousands behind a failing key hold up nobody, and are not held in memory', () => {
  const { find, take, settle, deliver, table, backlog } = open()
  find(...of('bad', 5000, 1), ...of('good', 100, 10_001))
  settle(take() as Head, 50)
  expect(deliver()).toHaveLength(100)
  expect(backlog.waiting).toBeLessThan(100)
  table.now = 50
  expect(deliver()).toEqual(idsOf(of('bad', 5000, 1)))
  expect(backlog.isIdle()).toBe(true)
})

test('a busy key with large messages waiting behind it does not keep the others from being read', () => {
  const { find, take, deliver } = open()
  const body = 'x'.repeat(400 * KIB)
  find(...of('busy', 100, 1, { body }), ...of('other', 3, 1001))
  expect(take()).toMatchObject({ id: 1 })
  expect(deliver()).toEqual([1001, 1002, 1003])
})

test('a full pantry does not stop it', () => {
  const { pantry, find, deliver } = open(1000)
  pantry.add(headOf(9999, { body: 'x'.repeat(1000) }))
  find(...of('a', 20, 1), ...of(null, 20, 101), ...of('b', 20, 201))
  expect(deliver().sort((a, b) => a - b)).toEqual(idsOf([...of('a', 20, 1), ...of(null, 20, 101), ...of('b', 20, 201)]))
})

test('when thousands of keys fail, memory stays bounded, and all go in the end', () => {
  const { find, takeAll, settle, deliver, table, backlog, pantry } = open()
  const count = 12_000
  find(...Array.from({ length: count }, (_, index) => headOf(index + 1, { key: `k${index}` })))
  let failed = 0
  for (let some = takeAll(); some.length > 0; some = takeAll()) {
    failed += some.length
    for (const head of some) settle(head, 50)
  }
  expect(failed).toBeLessThanOrEqual(11_000)
  expect(backlog.waiting).toBeLessThanOrEqual(1000)
  expect(pantry.known.size).toBeLessThanOrEqual(1000)
  table.now = 50
  expect(deliver()).toHaveLength(count)
}, 60_000)

test('a message of a key that commits late goes before those of its key that have not been started', () => {
  const { find, takeAll, settle, deliver } = open()
  find(...of('a', 2, 5), ...of('b', 1, 20))
  const [five] = takeAll()
  find(headOf(4, { key: 'a' }))
  settle(five!, null)
  expect(deliver()).toEqual([4, 6])
})

test('while something earlier is to be read, nothing behind it goes', () => {
  const { find, table, backlog } = open()
  find(...of('a', 1, 5))
  table.serve(backlog)
  backlog.found(0, 3, null)
  expect(backlog.take(0, ALL)).toBeNull()
  table.serve(backlog)
  expect(backlog.take(0, ALL)).toMatchObject({ id: 5 })
})

test('a message handed over goes without a load', () => {
  const { backlog } = open()
  backlog.offer(headOf(1, { key: 'a' }))
  backlog.offer(headOf(2))
  expect(idsOf([backlog.take(0, ALL) as Head, backlog.take(0, ALL) as Head]).sort()).toEqual([1, 2])
  expect(backlog.loads(0)).toEqual([])
})

test('unfixed places of many keys are fixed together, and only theirs stand still', () => {
  const { find, take, takeAll, backlog, table } = open()
  find(...of('old', 1, 1), headOf(5, { key: 'a' }), headOf(6, { key: 'b' }))
  expect(take(5)).toMatchObject({ id: 1 })
  expect(take(5)).toBe(UNSURE)
  backlog.beginLook(5)
  expect(idsOf(backlog.beginPin(5))).toEqual([5, 6])
  expect(take(5)).toBeNull()
  table.put(headOf(5, { key: 'a', pin: 1 }))
  backlog.endPin(new Set([5]))
  expect(idsOf(takeAll(5))).toEqual([5])
  expect(idsOf(takeAll())).toEqual([6])
})

test('a delayed message joins its key at the end when it is due', () => {
  const { find, deliver, table } = open()
  find(headOf(1, { key: 'a', dueAt: 50 }))
  expect(deliver()).toEqual([])
  find(headOf(2, { key: 'a' }))
  table.now = 50
  expect(deliver()).toEqual([2, 1])
})

test('after a takeover, pinned messages of a key go before its others', () => {
  const { table, backlog, deliver } = open()
  table.put(headOf(1, { key: 'a' }), headOf(9, { key: 'a', pin: 1 }), headOf(3, { key: 'b' }))
  backlog.restart([0], null, true)
  const ids = deliver()
  expect(ids.filter(id => id !== 3)).toEqual([9, 1])
  expect(ids).toContain(3)
})

test('what is cleared is read again, but for what is out', () => {
  const { find, take, settle, deliver, table, backlog, pantry } = open()
  find(...of('a', 3, 1), ...of('b', 2, 11), ...of(null, 2, 21))
  const first = take() as Head
  table.serve(backlog)
  backlog.clear()
  expect([backlog.waiting, pantry.bytes]).toEqual([0, 0])
  settle(first, null)
  expect(deliver()).toHaveLength(6)
})

test('what a load brings that was under way when everything was cleared starts nothing before what is pinned is read', () => {
  const { find, take, settle, deliver, table, backlog } = open()
  table.put(...of('a', 1, 1, { pin: 1 }), ...of('a', 1, 2, { pin: 2 }))
  backlog.restart([0], null, true)
  settle(take() as Head, 50)
  find(...of('a', 1, 2, { pin: 2 }))
  const [lane] = backlog.loads(table.now).filter(({ kind }) => kind === 'lane')
  const begun = table.begin(lane!)
  backlog.clear()
  begun.arrive()
  expect(backlog.take(table.now, ALL)).toBeNull()
  expect(deliver()).toEqual([])
  table.now = 50
  expect(deliver()).toEqual([1, 2])
})

test('a message taken from under it does not go, with a key or without', () => {
  const { find, deliver, table, backlog } = open()
  find(...of('a', 3, 1), ...of(null, 2, 11))
  table.serve(backlog)
  for (const id of [2, 11]) {
    table.rows.delete(id)
    backlog.drop(id)
  }
  expect(deliver().sort((a, b) => a - b)).toEqual([1, 3, 12])
})

test('loads that fail are made again', () => {
  const { find, take, settle, deliver, table, backlog } = open()
  find(...of('a', 40, 1))
  for (const load of backlog.loads(0)) table.begin(load).fail()
  settle(take() as Head, 50)
  table.now = 50
  for (const load of backlog.loads(50)) table.begin(load).fail()
  expect(deliver()).toHaveLength(40)
})

/** Left from when the queue was one line: of no key, and yet not to be sent before its time. */
const heldUntil = (at: number) => headOf(1, { attempts: 1, retryAt: at })

test('a message without a key that was retried in place waits for its time and holds up nobody', () => {
  const { find, deliver, table, backlog } = open()
  find(heldUntil(100), ...of(null, 2, 11), ...of('a', 1, 21))
  expect(deliver().sort((a, b) => a - b)).toEqual([11, 12, 21])
  expect([backlog.nextAt(table.now), backlog.isIdle()]).toEqual([100, false])
  table.now = 100
  expect(deliver()).toEqual([1])
  expect(backlog.isIdle()).toBe(true)
})

test('a message that waits like that can be cancelled, and is read again after everything was cleared', () => {
  const { find, deliver, table, backlog } = open()
  find(heldUntil(100), headOf(2, { attempts: 1, retryAt: 100 }))
  deliver()
  table.rows.delete(2)
  backlog.drop(2)
  backlog.clear()
  table.now = 100
  expect(deliver()).toEqual([1])
})

import { expect, test } from 'vitest'
import { eager, headOf, openPantry, QUEUE, Table } from '../../test/run-room.ts'
import type { Head } from '../engine/port.ts'
import { UNSURE } from './backlog.ts'
import { OrderedBacklog } from './ordered-backlog.ts'

const ALL = 1e9

function open() {
  const pantry = openPantry()
  const table = new Table(pantry)
  const backlog = new OrderedBacklog(QUEUE, pantry, eager)
  table.promoted = xid => backlog.found(0, xid, null)
  const find = (...heads: Head[]) => {
    table.put(...heads)
    for (const { lane, dueAt, xid } of heads) backlog.found(lane, dueAt === null ? xid : null, dueAt)
  }
  const settle = (head: Head, retryAt: number | null) => {
    const row = table.rows.get(head.id)!
    if (retryAt === null) table.rows.delete(head.id)
    else table.put({ ...row, attempts: row.attempts + 1, retryAt })
    pantry.known.settled([head])
    backlog.settled(head, retryAt)
  }
  const take = (xmin = ALL) => {
    table.serve(backlog)
    return backlog.take(table.now, xmin)
  }
  /** Delivers one after another, as long as one may go. */
  const deliver = () => {
    const ids: number[] = []
    for (let head = take(); head && head !== UNSURE; head = take()) {
      ids.push(head.id)
      settle(head, null)
    }
    return ids
  }
  return { pantry, table, backlog, find, settle, take, deliver }
}

const many = (count: number, from = 1) => Array.from({ length: count }, (_, index) => headOf(from + index))
const ids = (count: number, from = 1) => many(count, from).map(({ id }) => id)

test('messages go one after another, in the order of their places', () => {
  const { find, deliver } = open()
  find(headOf(3), headOf(1), headOf(2))
  expect(deliver()).toEqual([1, 2, 3])
})

test('a long line is read in parts, and holds no backlog in memory', () => {
  const { find, deliver, table, backlog } = open()
  find(...many(3000))
  table.serve(backlog)
  expect(backlog.waiting).toBeLessThanOrEqual(300)
  expect(deliver()).toEqual(ids(3000))
})

test('a message handed over goes without a load, behind what waits', () => {
  const { backlog } = open()
  backlog.offer(headOf(1))
  backlog.offer(headOf(2))
  expect(backlog.take(0, ALL)).toMatchObject({ id: 1 })
  expect(backlog.loads(0)).toEqual([])
})

test('while the head waits for its retry nothing goes, and then it is the first', () => {
  const { find, take, settle, deliver, table, backlog } = open()
  find(...many(3))
  settle(take() as Head, 50)
  expect(take()).toBeNull()
  expect(backlog.nextAt(table.now)).toBe(50)
  table.now = 50
  expect(deliver()).toEqual([1, 2, 3])
})

test('a message that commits late goes before those that have not been started', () => {
  const { find, take, settle, deliver } = open()
  find(headOf(5), headOf(6))
  const five = take() as Head
  find(headOf(4))
  settle(five, null)
  expect(deliver()).toEqual([4, 6])
})

test('a delayed message takes its place at the end of the line when it is due', () => {
  const { find, deliver, table, backlog } = open()
  find(headOf(1, { dueAt: 50 }))
  expect(deliver()).toEqual([])
  expect(backlog.nextAt(table.now)).toBe(50)
  find(...many(2, 2))
  table.now = 50
  expect(deliver()).toEqual([2, 3, 1])
})

test('messages with a priority, left from before it was ordered, take their places at the end of the line', () => {
  const { find, deliver, backlog } = open()
  find(headOf(1, { lane: 9 }), headOf(2))
  expect(deliver().sort()).toEqual([1, 2])
  expect(backlog.isIdle()).toBe(true)
})

test('unfixed places are fixed on demand, those in memory together', () => {
  const { find, take, settle, table, backlog } = open()
  find(headOf(5), headOf(6))
  expect(take(5)).toBe(UNSURE)
  expect(backlog.isUnsure(5)).toBe(true)
  backlog.beginLook()
  expect(backlog.beginPin(5).map(({ id }) => id)).toEqual([5, 6])
  expect(backlog.beginPin(5)).toEqual([])
  table.put(headOf(5, { pin: 1 }))
  table.put(headOf(6, { pin: 2 }))
  backlog.endPin(new Set([5, 6]))
  const first = take(5) as Head
  expect(first).toMatchObject({ id: 5 })
  settle(first, null)
  expect(take(5)).toMatchObject({ id: 6 })
})

test('a place that was fixed holds against what commits before it afterwards', () => {
  const { find, take, settle, deliver, table, backlog } = open()
  find(headOf(5))
  expect(take(5)).toBe(UNSURE)
  backlog.beginLook()
  backlog.beginPin(5)
  table.put(headOf(5, { pin: 1 }))
  backlog.endPin(new Set([5]))
  settle(take(5) as Head, 50)
  find(headOf(4))
  table.now = 50
  expect(deliver()).toEqual([5, 4])
})

test('after a takeover, pinned messages go first', () => {
  const { table, backlog, deliver } = open()
  table.put(headOf(1), headOf(2), headOf(9, { pin: 1 }))
  backlog.restart([0], null, true)
  expect(deliver()).toEqual([9, 1, 2])
})

test('looking again at everything does not disturb a line that is moving', () => {
  const { find, table, backlog, take, deliver, settle } = open()
  find(...many(3))
  const first = take() as Head
  backlog.restart([0], null, true)
  expect(backlog.waiting).toBe(2)
  settle(first, null)
  expect(deliver()).toEqual([2, 3])
  table.put(headOf(9))
  backlog.restart([0], null, false)
  expect(deliver()).toEqual([9])
})

test('what is cleared is read again, the pinned first', () => {
  const { find, table, backlog, deliver } = open()
  find(...many(3))
  table.serve(backlog)
  table.put(headOf(3, { pin: 1 }))
  backlog.clear()
  expect(backlog.waiting).toBe(0)
  expect(deliver()).toEqual([3, 1, 2])
})

test('a message taken from under it does not go', () => {
  const { find, table, backlog, deliver } = open()
  find(...many(3))
  table.serve(backlog)
  table.rows.delete(2)
  backlog.drop(2)
  expect(deliver()).toEqual([1, 3])
})

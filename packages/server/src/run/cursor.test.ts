import { expect, test } from 'vitest'
import { beforePlace, beforeXid, Cursor, isBefore, START } from './cursor.ts'

const at = (xid: number, id = xid) => ({ xid, id })

/** A cursor that has read everything up to this place. */
function readTo(xid: number): Cursor {
  const cursor = new Cursor()
  cursor.begin()
  cursor.end(at(xid), false)
  return cursor
}

test('places are ordered by transaction, then by id', () => {
  expect(isBefore(at(1, 9), at(2, 1))).toBe(true)
  expect(isBefore(at(2, 1), at(2, 2))).toBe(true)
  expect(isBefore(at(2, 2), at(2, 2))).toBe(false)
  expect(isBefore(at(2, 1), at(1, 9))).toBe(false)
})

test('what is right behind a place, or behind all of a transaction before, is read next', () => {
  expect(isBefore(beforePlace(at(5, 7)), at(5, 7))).toBe(true)
  expect(isBefore(beforePlace(at(5, 7)), at(5, 6))).toBe(false)
  expect(isBefore(beforeXid(5), at(5, 1))).toBe(true)
  expect(isBefore(beforeXid(5), at(4, 1e12))).toBe(false)
})

test('a new cursor has nothing to read, and reads from the start when told', () => {
  const cursor = new Cursor()
  expect(cursor.behind).toBe(false)
  cursor.lookAgain(at(5))
  expect(cursor.behind).toBe(true)
  expect(cursor.begin()).toEqual(START)
})

test('while a load runs nothing else is behind, and after it the cursor stands at the last row', () => {
  const cursor = new Cursor()
  cursor.lookAgain(START)
  cursor.begin()
  expect([cursor.loading, cursor.behind]).toEqual([true, false])
  cursor.end(at(7), false)
  expect([cursor.loading, cursor.behind]).toEqual([false, false])
  expect(cursor.begin()).toEqual(at(7))
})

test('a load that stopped at its limit leaves more to read', () => {
  const cursor = new Cursor()
  cursor.begin()
  cursor.end(at(7), true)
  expect(cursor.behind).toBe(true)
})

test('a load that brought nothing leaves the cursor where it was', () => {
  const cursor = readTo(7)
  cursor.begin()
  cursor.end(null, false)
  expect(cursor.begin()).toEqual(at(7))
})

test('what turns up behind the cursor takes it back', () => {
  const cursor = readTo(7)
  cursor.lookAgain(at(3))
  expect(cursor.begin()).toEqual(at(3))
})

test('what turns up beyond the cursor does not move it', () => {
  const cursor = readTo(7)
  cursor.lookAgain(at(9))
  expect(cursor.behind).toBe(true)
  expect(cursor.begin()).toEqual(at(7))
})

test('what turns up during a load is read after it, from the earliest of it', () => {
  const cursor = readTo(7)
  cursor.begin()
  cursor.lookAgain(at(4))
  cursor.lookAgain(at(3))
  cursor.lookAgain(at(6))
  expect(cursor.readTo).toEqual(at(3))
  cursor.end(at(20), false)
  expect(cursor.behind).toBe(true)
  expect(cursor.begin()).toEqual(at(3))
})

test('what turned up during a load counts once', () => {
  const cursor = readTo(7)
  cursor.begin()
  cursor.lookAgain(at(3))
  cursor.end(null, false)
  cursor.begin()
  cursor.end(at(8), false)
  expect(cursor.behind).toBe(false)
  expect(cursor.readTo).toEqual(at(8))
})

test('what turned up beyond the place that a load reaches does not hold back what has been read', () => {
  const cursor = readTo(7)
  cursor.begin()
  cursor.lookAgain(at(9))
  expect(cursor.readTo).toEqual(at(7))
})

test('a load that failed is made again from the same place, or from what turned up meanwhile', () => {
  const cursor = readTo(7)
  cursor.begin()
  cursor.failed()
  expect([cursor.loading, cursor.behind]).toEqual([false, true])
  expect(cursor.begin()).toEqual(at(7))
  cursor.lookAgain(at(2))
  cursor.failed()
  expect(cursor.begin()).toEqual(at(2))
})

test('a message in memory is covered only when nothing before it is unread', () => {
  const cursor = readTo(7)
  expect(cursor.covers(at(9))).toBe(true)
  expect(cursor.after).toEqual(at(9))
  expect(cursor.covers(at(8))).toBe(true)
  expect(cursor.after).toEqual(at(9))
  cursor.lookAgain(at(9))
  expect(cursor.covers(at(10))).toBe(false)
  cursor.begin()
  expect(cursor.covers(at(10))).toBe(false)
})

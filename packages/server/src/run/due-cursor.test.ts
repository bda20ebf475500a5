import { expect, test } from 'vitest'
import { DueCursor } from './due-cursor.ts'

const isPassed = (cursor: DueCursor, dueAt: number, id: number): boolean => {
  const { after } = cursor
  return dueAt < after.dueAt || (dueAt === after.dueAt && id <= after.id)
}

test('the next time is the earliest that was heard of', () => {
  const cursor = new DueCursor()
  expect(cursor.next).toBeNull()
  for (const dueAt of [50, 20, 80]) cursor.lookAgain(dueAt)
  expect(cursor.next).toBe(20)
})

test('a load asks for what comes after the last one, and takes on the next time', () => {
  const cursor = new DueCursor()
  cursor.lookAgain(20)
  expect(cursor.begin(3, 10)).toMatchObject({ queueId: 3, limit: 10 })
  expect(cursor.loading).toBe(true)
  cursor.end({ dueAt: 20, id: 5 }, 90)
  expect(cursor.loading).toBe(false)
  expect(cursor.next).toBe(90)
  expect(cursor.begin(3, 10).after).toEqual({ dueAt: 20, id: 5 })
  cursor.end(null, null)
  expect(cursor.next).toBeNull()
  expect(cursor.begin(3, 10).after).toEqual({ dueAt: 20, id: 5 })
})

test('what turns up at a time that has been passed, even the same one with a lower id, is not passed any more', () => {
  const cursor = new DueCursor()
  cursor.begin(1, 10)
  cursor.end({ dueAt: 20, id: 5 }, null)
  cursor.lookAgain(21)
  expect(isPassed(cursor, 20, 5)).toBe(true)
  cursor.lookAgain(20)
  expect(isPassed(cursor, 20, 1)).toBe(false)
  expect(isPassed(cursor, 19, 1)).toBe(true)
})

test('what turns up during a load is due after it, whatever the load says, and counts once', () => {
  const cursor = new DueCursor()
  cursor.begin(1, 10)
  cursor.lookAgain(15)
  cursor.lookAgain(30)
  cursor.end({ dueAt: 20, id: 5 }, 90)
  expect(cursor.next).toBe(15)
  expect(isPassed(cursor, 15, 1)).toBe(false)
  cursor.begin(1, 10)
  cursor.end({ dueAt: 20, id: 5 }, 90)
  expect(cursor.next).toBe(90)
})

test('a load that failed is made again, also for what turned up meanwhile', () => {
  const cursor = new DueCursor()
  cursor.lookAgain(20)
  cursor.begin(1, 10)
  cursor.lookAgain(10)
  cursor.failed()
  expect([cursor.loading, cursor.next]).toEqual([false, 10])
})

test('starting again from nothing delayed changes nothing', () => {
  const cursor = new DueCursor()
  cursor.lookAgain(20)
  cursor.restart(null)
  expect(cursor.next).toBe(20)
  cursor.restart(5)
  expect(cursor.next).toBe(5)
})

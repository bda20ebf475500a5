import { expect, test } from 'vitest'
import { headOf } from '../../test/run-room.ts'
import { Cursor } from './cursor.ts'
import { Held } from './held.ts'
import { Known } from './known.ts'

function open() {
  const known = new Known()
  const held = new Held(known)
  const hold = (id: number, retryAt: number | null, now = 0) => {
    known.add(id)
    return held.holds(headOf(id, { retryAt }), now)
  }
  return { known, held, hold }
}

test('only what has to wait is held', () => {
  const { held, hold } = open()
  expect([hold(1, null), hold(2, 50, 50), hold(3, 51, 50)]).toEqual([false, false, true])
  expect(held.times).toEqual([51])
})

test('what is held is given out when its time comes, once', () => {
  const { held, hold } = open()
  hold(1, 50)
  hold(2, 40)
  expect(held.take(39)).toBeNull()
  expect(held.take(45)?.id).toBe(2)
  expect(held.take(45)).toBeNull()
  expect(held.take(50)?.id).toBe(1)
  expect(held.isEmpty).toBe(true)
})

test('what is dropped is read again from its place, and what is not meant stays', () => {
  const { known, held, hold } = open()
  hold(7, 50)
  hold(8, 50)
  const cursor = new Cursor()
  held.drop(
    head => head.id === 7,
    () => cursor,
  )
  expect([known.has(headOf(7)), known.has(headOf(8))]).toEqual([false, true])
  expect(cursor.behind).toBe(true)
  expect(held.take(50)?.id).toBe(8)
  expect(held.isEmpty).toBe(true)
})

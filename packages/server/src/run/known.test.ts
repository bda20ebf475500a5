import { expect, test } from 'vitest'
import { Known } from './known.ts'

const first = { id: 1, attempts: 0 }
const retried = { id: 1, attempts: 1 }

test('a settled message is forgotten at once when no load is running', () => {
  const known = new Known()
  known.add(1)
  known.settled([first])
  expect(known.has(first)).toBe(false)
})

test('a settled message stays known until every load that was running then has ended', () => {
  const known = new Known()
  known.add(1)
  const early = known.started()
  const second = known.started()
  known.settled([first])
  const late = known.started()
  known.ended(early)
  expect(known.has(first)).toBe(true)
  known.ended(second)
  expect(known.has(first)).toBe(false)
  known.ended(late)
})

test('a load that began after the settle does not hold the message', () => {
  const known = new Known()
  known.add(1)
  const early = known.started()
  known.settled([first])
  known.started()
  known.ended(early)
  expect(known.has(first)).toBe(false)
})

test('a retried message is news, although an old load may still bring it as it was', () => {
  const known = new Known()
  known.add(1)
  known.started()
  known.settled([first])
  expect(known.has(first)).toBe(true)
  expect(known.has(retried)).toBe(false)
})

test('a message that came back is not forgotten when the loads of its last leaving end', () => {
  const known = new Known()
  known.add(1)
  const load = known.started()
  known.settled([first])
  known.add(1)
  known.ended(load)
  expect(known.has(retried)).toBe(true)
})

test('a released message can be loaded again at once', () => {
  const known = new Known()
  known.add(1)
  known.started()
  known.release(1)
  expect(known.has(first)).toBe(false)
})

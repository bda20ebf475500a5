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
  const early = known.loadStarted()
  const second = known.loadStarted()
  known.settled([first])
  const late = known.loadStarted()
  known.loadEnded(early)
  expect(known.has(first)).toBe(true)
  known.loadEnded(second)
  expect(known.has(first)).toBe(false)
  known.loadEnded(late)
})

test('a load that began after the settle does not hold the message', () => {
  const known = new Known()
  known.add(1)
  const early = known.loadStarted()
  known.settled([first])
  known.loadStarted()
  known.loadEnded(early)
  expect(known.has(first)).toBe(false)
})

test('a retried message is news, although an old load may still bring it as it was', () => {
  const known = new Known()
  known.add(1)
  known.loadStarted()
  known.settled([first])
  expect(known.has(first)).toBe(true)
  expect(known.has(retried)).toBe(false)
})

test('a message that came back is not forgotten when the loads of its last leaving end', () => {
  const known = new Known()
  known.add(1)
  const load = known.loadStarted()
  known.settled([first])
  known.add(1)
  known.loadEnded(load)
  expect(known.has(retried)).toBe(true)
})

test('a released message can be loaded again at once', () => {
  const known = new Known()
  known.add(1)
  known.loadStarted()
  known.release(1)
  expect(known.has(first)).toBe(false)
})

import { expect, test } from 'vitest'
import { eager, headOf, openPantry } from '../../test/run-room.ts'
import { LoadSize } from './load-size.ts'

const heads = (count: number, bytes = 500) =>
  Array.from({ length: count }, (_, id) => headOf(id, { body: 'x'.repeat(bytes) }))

/** Loads as long as there is as much as it asks for. */
function grow(size: LoadSize, bytes: number): void {
  for (let nth = 0; nth < 20; nth++) size.loaded(heads(size.next(), bytes), size.next())
}

test('it begins small and doubles while there is more, within a bound', () => {
  const size = new LoadSize(openPantry(), eager)
  const first = size.next()
  expect(first).toBeLessThanOrEqual(16)
  size.loaded(heads(first), first)
  expect(size.next()).toBe(2 * first)
  grow(size, 500)
  expect(size.next()).toBe(1000)
})

test('a load that brought less than it asked for does not make the next one larger', () => {
  const size = new LoadSize(openPantry(), eager)
  const first = size.next()
  size.loaded(heads(first - 1), first)
  size.loaded([], first)
  expect(size.next()).toBe(first)
})

test('no more is loaded than the queue can use soon, and that says nothing of how many there are', () => {
  let appetite = 2
  const size = new LoadSize(openPantry(), () => appetite)
  size.loaded(heads(2), 2)
  expect(size.next()).toBe(2)
  appetite = 1000
  expect(size.next()).toBe(16)
})

test('large messages are loaded a few at a time, and one at least', () => {
  const size = new LoadSize(openPantry(), eager)
  grow(size, 1024 * 1024)
  expect(size.next()).toBeLessThanOrEqual(4)
  size.loaded(heads(1, 16 * 1024 * 1024), 1)
  expect(size.next()).toBe(1)
})

test('what a load will weigh is told from the messages before', () => {
  const size = new LoadSize(openPantry(), eager)
  grow(size, 100_000)
  expect(size.bytes).toBeGreaterThan(3_000_000)
  expect(size.bytes).toBeLessThan(5_000_000)
})

test('when the pantry is full, one message at a time is loaded, and that says nothing of how many there are', () => {
  const pantry = openPantry(1000)
  const size = new LoadSize(pantry, eager)
  const first = size.next()
  const large = headOf(9, { body: 'x'.repeat(1000) })
  pantry.add(large)
  expect(size.next()).toBe(1)
  size.loaded(heads(1), 1)
  pantry.drop(large)
  expect(size.next()).toBe(first)
})

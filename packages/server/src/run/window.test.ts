import { expect, test } from 'vitest'
import { Window } from './window.ts'

/** How many attempts it allows at once. */
const sizeOf = (window: Window, most: number): number => {
  let size = 0
  while (window.allows(size, most)) size += 1
  return size
}

test('a receiver that nobody knows yet gets one attempt at a time', () => {
  expect(sizeOf(new Window(), 100)).toBe(1)
})

test('each success earns one more, up to what the queue allows', () => {
  const window = new Window()
  for (let nth = 0; nth < 5; nth++) window.succeeded(100)
  expect(sizeOf(window, 100)).toBe(6)
  for (let nth = 0; nth < 500; nth++) window.succeeded(100)
  expect(sizeOf(window, 1000)).toBe(100)
})

test('a concurrency that is lowered counts at once', () => {
  const window = new Window()
  for (let nth = 0; nth < 50; nth++) window.succeeded(100)
  expect(sizeOf(window, 4)).toBe(4)
})

test('a failure halves it, a timeout takes it back to one, and it is never less', () => {
  const window = new Window()
  for (let nth = 0; nth < 20; nth++) window.succeeded(100)
  window.failed(false)
  expect(sizeOf(window, 100)).toBe(10)
  window.failed(true)
  expect(sizeOf(window, 100)).toBe(1)
  window.failed(false)
  expect(sizeOf(window, 100)).toBe(1)
})

test('a receiver counts as silent from a timeout until it answers, well or not', () => {
  const window = new Window()
  expect(window.isSilent).toBe(false)
  window.failed(true)
  expect(window.isSilent).toBe(true)
  window.failed(false)
  expect(window.isSilent).toBe(false)
  window.failed(true)
  window.succeeded(10)
  expect(window.isSilent).toBe(false)
})

test('a receiver counts as failing after five failures in a row, until one succeeds', () => {
  const window = new Window()
  for (let nth = 0; nth < 4; nth++) window.failed(false)
  window.succeeded(10)
  for (let nth = 0; nth < 4; nth++) window.failed(false)
  expect(window.isFailing).toBe(false)
  window.failed(false)
  expect(window.isFailing).toBe(true)
  window.succeeded(10)
  expect(window.isFailing).toBe(false)
})

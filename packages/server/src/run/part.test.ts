import { expect, test } from 'vitest'
import { routeOf } from '../../test/run-room.ts'
import { partOf } from './part.ts'
import type { Route } from './port.ts'

const parts = (fields: Partial<Route>) => {
  const route = routeOf(1, fields)
  return Array.from({ length: route.spread }, (_, slice) => partOf(route, slice))
}

const sum = (numbers: readonly number[]): number => numbers.reduce((all, one) => all + one, 0)

test('a queue that is not spread is whole, and costs no copy', () => {
  const route = routeOf(1, { concurrency: 7 })
  expect(partOf(route, 0)).toBe(route)
})

test('the slices share the concurrency to the last attempt', () => {
  for (const [concurrency, spread] of [
    [10, 3],
    [8, 8],
    [50, 7],
  ] as const)
    expect(sum(parts({ concurrency, spread }).map(part => part.concurrency))).toBe(concurrency)
  expect(parts({ concurrency: 10, spread: 3 }).map(part => part.concurrency)).toEqual([4, 3, 3])
})

test('the slices share the rate evenly and the burst to the last, but for one that each may start', () => {
  const rateLimit = { count: 100, intervalMs: 1000, burst: 6 }
  const shared = parts({ spread: 4, rateLimit }).map(part => part.rateLimit!)
  expect(sum(shared.map(({ count, intervalMs }) => count / intervalMs))).toBeCloseTo(100 / 1000)
  expect(shared.map(({ burst }) => burst)).toEqual([2, 2, 1, 1])
  expect(parts({ spread: 8, rateLimit }).map(part => part.rateLimit!.burst)).toEqual(Array(8).fill(1))
  expect(parts({ spread: 4 }).every(part => part.rateLimit === null)).toBe(true)
})

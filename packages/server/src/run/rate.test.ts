import type { RateLimit } from '@posthorn/contract'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Rate } from './rate.ts'

/** Starts as early as it may from `from` until `until`. */
function run(rate: Rate, from: number, until: number): number[] {
  const starts: number[] = []
  for (let at = Math.max(from, rate.opensAt); at < until; at = Math.max(at, rate.opensAt)) {
    rate.started(at)
    starts.push(at)
  }
  return starts
}

/** The most starts in any window of so many milliseconds, its end not included. */
const mostWithin = (starts: readonly number[], ms: number): number =>
  Math.max(0, ...starts.map(first => starts.filter(at => at >= first && at < first + ms - 1e-6).length))

test('the burst goes at once, and the rest evenly after it', () => {
  const starts = run(new Rate({ count: 10, intervalMs: 1000, burst: 3 }), 5000, 5500)
  expect(starts).toEqual([5000, 5000, 5000, 5100, 5200, 5300, 5400])
})

test('with a burst of one, no interval sees more than its count', () => {
  const starts = run(new Rate({ count: 7, intervalMs: 1000, burst: 1 }), 0, 10_000)
  expect(starts.length).toBe(70)
  expect(mostWithin(starts, 1000)).toBe(7)
})

test('whenever it is asked, no window of any length sees more than the burst and what comes in that time', () => {
  const limit = fc.record({
    count: fc.integer({ min: 1, max: 50 }),
    intervalMs: fc.integer({ min: 100, max: 5000 }),
    burst: fc.integer({ min: 1, max: 20 }),
  })
  fc.assert(
    fc.property(limit, fc.array(fc.nat({ max: 300 }), { minLength: 1, maxLength: 200 }), (given, pauses) => {
      const rate = new Rate(given)
      const starts: number[] = []
      let now = 1000
      for (const pause of pauses) {
        now += pause
        if (rate.opensAt > now) continue
        rate.started(now)
        starts.push(now)
      }
      for (const [i, first] of starts.entries())
        for (let j = i; j < starts.length; j++)
          expect(j - i + 1).toBeLessThanOrEqual(
            given.burst + ((starts[j]! - first) * given.count) / given.intervalMs + 1e-6,
          )
    }),
  )
})

test('who comes late has lost nothing that the burst covers', () => {
  const rate = new Rate({ count: 100, intervalMs: 1000, burst: 5 })
  let starts = 0
  // Looked at every 35 ms only, as by a busy node.
  for (let now = 0; now < 10_000; now += 35)
    while (rate.opensAt <= now) {
      rate.started(now)
      starts += 1
    }
  expect(starts).toBeGreaterThan(995)
  expect(starts).toBeLessThanOrEqual(1005)
})

const limitOf = (count: number, burst: number): RateLimit => ({ count, intervalMs: 1000, burst })

test('another limit counts from now on, and gives back nothing that is spent', () => {
  const rate = new Rate(limitOf(10, 10))
  run(rate, 1000, 1001)
  rate.change(limitOf(10, 10))
  expect(rate.opensAt).toBe(1100)
  rate.change(limitOf(1, 10))
  expect(rate.opensAt).toBe(2000)
  rate.change(limitOf(1, 2))
  expect(rate.opensAt).toBe(2000)
  rate.change(limitOf(1000, 2))
  expect(rate.opensAt).toBe(1001)
})

test('it is as good as new when everything spent has come back, and not before', () => {
  const rate = new Rate({ count: 1, intervalMs: 86_400_000, burst: 2 })
  expect(rate.isFull(10)).toBe(true)
  rate.started(10)
  expect([rate.isFull(86_400_009), rate.isFull(86_400_010)]).toEqual([false, true])
})

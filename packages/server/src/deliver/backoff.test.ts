import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Backoff, checkBackoff, delayAfter, MAX_DELAY_MS, pgHooksBackoff, standardBackoff } from './backoff.ts'

const middle = () => 0.5
const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
const delay = fc.double({ min: 0, max: MAX_DELAY_MS, noNaN: true })
const jitter = fc.double({ min: 0, max: 1, noNaN: true })
const exponential = fc.record({
  startMs: delay,
  factor: fc.double({ min: 1, max: 1000, noNaN: true }),
  maxMs: delay,
  jitter,
})
const listed = fc.record({ delaysMs: fc.array(delay, { minLength: 1, maxLength: 100 }), jitter })
const backoff: fc.Arbitrary<Backoff> = fc.oneof(exponential, listed)
const failures = fc.integer({ min: 1, max: 40_000 })

test('a delay is always a whole number from 0 to ten years', () => {
  fc.assert(
    fc.property(backoff, failures, random, (backoff, n, r) => {
      expect(checkBackoff(backoff)).toBeNull()
      const ms = delayAfter(backoff, n, () => r)
      expect(Number.isSafeInteger(ms) && ms >= 0 && ms <= MAX_DELAY_MS).toBe(true)
    }),
  )
})

test('an exponential delay never passes its maximum, whatever the jitter', () => {
  fc.assert(
    fc.property(exponential, failures, random, (backoff, n, r) => {
      expect(delayAfter(backoff, n, () => r)).toBeLessThanOrEqual(backoff.maxMs)
    }),
  )
})

test('without jitter an exponential delay never gets shorter', () => {
  fc.assert(
    fc.property(exponential, failures, (backoff, n) => {
      const steady = { ...backoff, jitter: 0 }
      expect(delayAfter(steady, n + 1, middle)).toBeGreaterThanOrEqual(delayAfter(steady, n, middle))
    }),
  )
})

test('jitter keeps a delay within its share on both sides', () => {
  fc.assert(
    fc.property(listed, failures, random, (backoff, n, r) => {
      const plain = backoff.delaysMs[Math.min(n, backoff.delaysMs.length) - 1] ?? 0
      const ms = delayAfter(backoff, n, () => r)
      expect(ms).toBeGreaterThanOrEqual(Math.floor(plain * (1 - backoff.jitter)) - 1)
      expect(ms).toBeLessThanOrEqual(plain * (1 + backoff.jitter))
    }),
  )
})

test('even a backoff that no check has seen gives a delay in bounds', () => {
  const anything = fc.double()
  fc.assert(
    fc.property(anything, anything, anything, anything, failures, (startMs, factor, maxMs, jitter, n) => {
      for (const wild of [{ startMs, factor, maxMs, jitter }, { delaysMs: [startMs], jitter }, { delaysMs: [] }]) {
        const ms = delayAfter(wild, n, middle)
        expect(Number.isSafeInteger(ms) && ms >= 0 && ms <= MAX_DELAY_MS).toBe(true)
      }
    }),
  )
})

test('pg-hooks waits 100 ms doubled with every failure', () => {
  const waits = [1, 2, 3, 4, 5].map(n => delayAfter(pgHooksBackoff, n, Math.random))
  expect(waits).toEqual([100, 200, 400, 800, 1600])
  expect(delayAfter(pgHooksBackoff, 32_767, Math.random)).toBe(MAX_DELAY_MS)
})

test('the standard steps run from five seconds to ten hours and stay there', () => {
  const waits = [1, 2, 3, 4, 5, 6, 7].map(n => delayAfter(standardBackoff, n, middle) / 1000)
  expect(waits).toEqual([5, 300, 1800, 7200, 18_000, 36_000, 36_000])
  expect(delayAfter(standardBackoff, 1, () => 0)).toBe(4000)
})

test('a wrong backoff is refused by the name of its field and the bound', () => {
  const good = { startMs: 1, factor: 2, maxMs: 1000, jitter: 0 }
  expect(checkBackoff({ ...good, startMs: -1 })).toContain('backoff.startMs must be from 0')
  expect(checkBackoff({ ...good, maxMs: Number.NaN })).toContain('backoff.maxMs')
  expect(checkBackoff({ ...good, factor: 0.5 })).toBe('backoff.factor must be from 1 to 1000')
  expect(checkBackoff({ ...good, jitter: 2 })).toBe('backoff.jitter must be from 0 to 1')
  expect(checkBackoff({ delaysMs: [] })).toContain('backoff.delaysMs must hold 1 to 100')
  expect(checkBackoff({ delaysMs: [1, Number.POSITIVE_INFINITY] })).toContain('backoff.delaysMs[1]')
})

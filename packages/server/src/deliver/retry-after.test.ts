import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseRetryAfter } from './retry-after.ts'

const now = Date.parse('2026-01-01T00:00:00Z')
const day = 24 * 3_600_000

test('seconds and dates are read, in the three forms that HTTP knows', () => {
  expect(parseRetryAfter('120', now)).toBe(120_000)
  expect(parseRetryAfter(' 0 ', now)).toBe(0)
  expect(parseRetryAfter('Thu, 01 Jan 2026 00:01:00 GMT', now)).toBe(60_000)
  expect(parseRetryAfter('Thursday, 01-Jan-26 00:01:00 GMT', now)).toBe(60_000)
})

test('a date gone by is now, and nothing is longer than a day', () => {
  expect(parseRetryAfter('Wed, 31 Dec 2025 00:00:00 GMT', now)).toBe(0)
  expect(parseRetryAfter('9'.repeat(400), now)).toBe(day)
  expect(parseRetryAfter('Fri, 01 Jan 2100 00:00:00 GMT', now)).toBe(day)
})

test('anything else is nothing', () => {
  for (const text of ['', '-5', '1e3', '1.5', 'soon', 'Xxx, ', '2026-01-02']) {
    expect(parseRetryAfter(text, now), text).toBeNull()
  }
})

test('no text gives a wait out of bounds', () => {
  fc.assert(
    fc.property(fc.string(), text => {
      const wait = parseRetryAfter(text, now)
      expect(wait === null || (wait >= 0 && wait <= day)).toBe(true)
    }),
  )
})

import { describe, expect, test } from 'vitest'
import { backoffPresets, explicitBackoff, MAX_DELAY_MS, resolveRetryPolicy } from './retry-policy.ts'

describe('the retries of a new queue', () => {
  test('are the six of the standard preset where nothing is given', () => {
    expect(resolveRetryPolicy({})).toEqual({ maxRetries: 6, backoff: backoffPresets.standard })
  })

  test("are pg-hooks' doubling from 100 ms where only their number is given", () => {
    expect(resolveRetryPolicy({ maxRetries: 1 })).toEqual({
      maxRetries: 1,
      backoff: { startMs: 100, factor: 2, maxMs: MAX_DELAY_MS, jitter: 0 },
    })
    expect(resolveRetryPolicy({ maxRetries: 0 }).maxRetries).toBe(0)
  })

  test.each([
    ['pg-hooks', 5],
    [{ startMs: 10 }, 5],
    [{ delaysMs: [1, 2, 3] }, 3],
    ['standard', 6],
  ] as const)('are, for the backoff %j alone, %d', (backoff, retries) => {
    expect(resolveRetryPolicy({ backoff: structuredClone(backoff) as never }).maxRetries).toBe(retries)
  })

  test('are what is given where both are', () => {
    const policy = resolveRetryPolicy({ maxRetries: 9, backoff: { delaysMs: [1], jitter: 0.5 } })
    expect(policy).toEqual({ maxRetries: 9, backoff: { delaysMs: [1], jitter: 0.5 } })
  })
})

describe('a backoff written out', () => {
  test('doubles, without jitter, up to a day', () => {
    expect(explicitBackoff({ startMs: 10 })).toEqual({ startMs: 10, factor: 2, maxMs: 86_400_000, jitter: 0 })
  })

  test('never has a maximum below its start', () => {
    expect(explicitBackoff({ startMs: 100_000_000 })).toMatchObject({ maxMs: 100_000_000 })
  })

  test('shares nothing with the preset that it came from', () => {
    expect(explicitBackoff('standard')).not.toBe(backoffPresets.standard)
    expect(Object.isFrozen(explicitBackoff('standard'))).toBe(false)
  })

  test('has only the parts that it knows', () => {
    expect(explicitBackoff({ delaysMs: [1], more: 1 } as never)).toEqual({ delaysMs: [1], jitter: 0 })
  })
})

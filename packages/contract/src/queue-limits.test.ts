import { describe, expect, test } from 'vitest'
import { explicitCircuitBreaker, explicitRateLimit } from './queue-limits.ts'

describe('a rate', () => {
  test.each([
    [{ count: 100, intervalMs: 1000 }, 5],
    [{ count: 5000, intervalMs: 1000 }, 250],
    [{ count: 20, intervalMs: 1000 }, 1],
    [{ count: 100, intervalMs: 60_000 }, 1],
    [{ count: 1, intervalMs: 86_400_000 }, 1],
  ])('of %j without a burst allows what comes in 50 ms: %d', (input, burst) => {
    expect(explicitRateLimit(input)).toEqual({ ...input, burst })
  })

  test('keeps the burst that is given', () => {
    const input = { count: 1, intervalMs: 1000, burst: 30 }
    expect(explicitRateLimit(input)).toEqual(input)
  })
})

describe('a circuit breaker', () => {
  test('without a word is ten failures, a second, and a minute', () => {
    expect(explicitCircuitBreaker({})).toEqual({ failures: 10, probeMs: 1000, maxProbeMs: 60_000 })
  })

  test('never waits less for later probes than for the first, unless that is asked for', () => {
    expect(explicitCircuitBreaker({ probeMs: 120_000 }).maxProbeMs).toBe(120_000)
    expect(explicitCircuitBreaker({ probeMs: 200, maxProbeMs: 100 }).maxProbeMs).toBe(100)
  })
})

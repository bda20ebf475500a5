import fc from 'fast-check'
import { expect, test } from 'vitest'
import { pgHooksBackoff } from './backoff.ts'
import { MAX_RETRY_AFTER_MS, next, type RetryPolicy, type Situation } from './next.ts'
import type { Outcome } from './port.ts'

const failed: Outcome = {
  kind: 'failed',
  status: 500,
  errorCode: 'http_status',
  error: 'the receiver answered 500',
  excerpt: null,
  retryAfterMs: null,
  durationMs: 3,
}
const delivered: Outcome = { ...failed, kind: 'delivered', status: 200, errorCode: null, error: null }
const refused: Outcome = {
  ...failed,
  kind: 'refused',
  status: null,
  errorCode: 'address_refused',
  error: '10.0.0.1 is private',
}
const gone: Outcome = { ...failed, kind: 'gone', status: 410, error: 'the receiver answered 410' }
const policy: RetryPolicy = { maxRetries: 5, backoff: pgHooksBackoff, onGone: 'fail' }
const now = 1_000_000
const first: Situation = { attempts: 0, now, expiresAt: null, random: () => 0.5 }

test('a delivered message is done', () => {
  expect(next(delivered, policy, first)).toEqual({ kind: 'delivered' })
})

test('a failure is retried after its backoff, counted from the first', () => {
  expect(next(failed, policy, first)).toEqual({ kind: 'retry', at: now + 100, pauseQueue: null })
  expect(next(failed, policy, { ...first, attempts: 3 })).toEqual({ kind: 'retry', at: now + 800, pauseQueue: null })
})

test('a message has maxRetries + 1 attempts, no more and no fewer', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 100 }), fc.integer({ min: 0, max: 200 }), (maxRetries, attempts) => {
      const { kind } = next(failed, { ...policy, maxRetries }, { ...first, attempts })
      expect(kind).toBe(attempts < maxRetries ? 'retry' : 'dead')
    }),
  )
})

test('a dead message says how often it was tried and how it ended', () => {
  expect(next(failed, { ...policy, maxRetries: 0 }, first)).toEqual({
    kind: 'dead',
    reason: 'its only attempt failed; the last: the receiver answered 500',
  })
  expect(next(failed, policy, { ...first, attempts: 5 })).toEqual({
    kind: 'dead',
    reason: 'all 6 attempts failed; the last: the receiver answered 500',
  })
})

test('a refused address is dead at once and says why', () => {
  expect(next(refused, policy, first)).toEqual({ kind: 'dead', reason: '10.0.0.1 is private' })
})

test('a receiver may put the next attempt off, for a day at most, and never hurry it', () => {
  const at = (retryAfterMs: number, attempts = 0) => next({ ...failed, retryAfterMs }, policy, { ...first, attempts })
  expect(at(5000)).toMatchObject({ at: now + 5000 })
  expect(at(0, 3)).toMatchObject({ at: now + 800 })
  expect(at(10 * MAX_RETRY_AFTER_MS)).toMatchObject({ at: now + MAX_RETRY_AFTER_MS })
})

test('410 is an ordinary failure where the queue does not pause on it', () => {
  expect(next(gone, policy, first)).toEqual({ kind: 'retry', at: now + 100, pauseQueue: null })
  expect(next(gone, { ...policy, maxRetries: 0 }, first)).toMatchObject({ kind: 'dead' })
})

test('410 pauses the queue and keeps the message, even without retries left', () => {
  for (const attempts of [0, 5, 50]) {
    const verdict = next(gone, { ...policy, onGone: 'pause' }, { ...first, attempts })
    expect(verdict).toMatchObject({ kind: 'retry', pauseQueue: expect.stringContaining('410') })
  }
})

test('a message that would expire before its retry expires now, one that would not is retried', () => {
  expect(next(failed, policy, { ...first, expiresAt: now + 101 })).toMatchObject({ kind: 'retry' })
  expect(next(failed, policy, { ...first, expiresAt: now + 100 })).toEqual({
    kind: 'expired',
    reason: 'expires before its next retry; last attempt: the receiver answered 500',
  })
})

test('a message without retries left is dead rather than expired', () => {
  expect(next(failed, { ...policy, maxRetries: 0 }, { ...first, expiresAt: now })).toMatchObject({ kind: 'dead' })
})

import { type Backoff, delayAfter } from './backoff.ts'
import type { Outcome } from './port.ts'

export interface RetryPolicy {
  /** Retries after the first attempt: 0 is one attempt. */
  readonly maxRetries: number
  readonly backoff: Backoff
  /** What a 410 means: the receiver is gone for good (`pause` the queue), or it failed once more. */
  readonly onGone: 'fail' | 'pause'
}

export interface Situation {
  /** Attempts before this one, those forgiven by a redrive not counted. */
  readonly attempts: number
  /** Milliseconds since 1970, like `expiresAt`. */
  readonly now: number
  readonly expiresAt: number | null
  /** Gives 0 ≤ x < 1. */
  readonly random: () => number
}

export type Next =
  | { readonly kind: 'delivered' }
  /** `pauseQueue`: why the queue must be paused first; the message keeps its place and goes out after it is resumed. */
  | { readonly kind: 'retry'; readonly at: number; readonly pauseQueue: string | null }
  | { readonly kind: 'dead'; readonly reason: string }
  | { readonly kind: 'expired'; readonly reason: string }

/** A receiver may put off the next attempt, but not for longer than this. */
export const MAX_RETRY_AFTER_MS = 24 * 3_600_000

const DELIVERED: Next = { kind: 'delivered' }

/**
 * What becomes of a message after an attempt. Pure.
 *
 * A retry that could only come at or after the message's expiry is not planned: nothing would happen until then but
 * an ordered queue standing still behind it, so the message expires at once, and its reason names the last failure.
 */
export function next(outcome: Outcome, policy: RetryPolicy, situation: Situation): Next {
  if (outcome.kind === 'delivered') return DELIVERED
  // The address will not become allowed by waiting: only a changed queue or configuration helps, and then a redrive.
  if (outcome.kind === 'refused') return { kind: 'dead', reason: outcome.error ?? 'the address is refused' }

  const { attempts, now, expiresAt, random } = situation
  const at = now + waitAfter(outcome, delayAfter(policy.backoff, attempts + 1, random))
  const gone = outcome.kind === 'gone' && policy.onGone === 'pause'
  if (gone) {
    // Even without retries left: pausing keeps what is queued, and whoever resumes the queue wants it delivered.
    return { kind: 'retry', at, pauseQueue: 'the receiver answered 410: it is gone for good' }
  }
  if (attempts >= policy.maxRetries) return { kind: 'dead', reason: exhausted(attempts + 1, outcome) }
  if (expiresAt !== null && at >= expiresAt) {
    return { kind: 'expired', reason: `expires before its next retry; last attempt: ${describe(outcome)}` }
  }
  return { kind: 'retry', at, pauseQueue: null }
}

/** The longer of our own wait and the one asked for: a receiver may slow us down, never speed us up. */
function waitAfter(outcome: Outcome, backoffMs: number): number {
  return outcome.retryAfterMs === null
    ? backoffMs
    : Math.max(backoffMs, Math.min(outcome.retryAfterMs, MAX_RETRY_AFTER_MS))
}

function exhausted(attempts: number, outcome: Outcome): string {
  return `${attempts === 1 ? 'its only attempt' : `all ${attempts} attempts`} failed; the last: ${describe(outcome)}`
}

function describe(outcome: Outcome): string {
  return outcome.error ?? outcome.errorCode ?? 'no reason given'
}

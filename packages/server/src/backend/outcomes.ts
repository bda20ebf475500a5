/** From what became of a message at a service to what is recorded of the attempt, and what follows. */
import type { next as nextAfter } from '../deliver/next.ts'
import type { Head } from '../engine/port.ts'
import type { QueueConfig } from '../queue/book.ts'
import type { Decide, Report } from '../run/port.ts'
import { FAULTS, type Fault, type FaultCode } from '../services/faults.ts'
import type { Outcome } from '../services/port.ts'

export interface OutcomeRules {
  /** What follows from an attempt, by the queue's policy. */
  readonly next: typeof nextAfter
  readonly random: () => number
}

/** Trouble that others must end, and that says nothing of the message: it is tried for as long as that takes. */
const PATIENT: ReadonlySet<FaultCode> = new Set(['throttled', 'unauthorized', 'misconfigured', 'closed'])
/** A worker looks again now and then, whatever a service asked for: it may have another service by then. */
const LONGEST_REST_MS = 60_000

export function reportOf(service: string, outcome: Outcome, durationMs: number): Report {
  if (outcome.kind === 'delivered') {
    const { reference, remark } = outcome
    const excerpt = [reference, remark].filter(Boolean).join('; ') || null
    return { outcome: 'delivered', status: null, errorCode: null, error: null, excerpt, durationMs, timedOut: false }
  }
  const { fault } = outcome
  const { code, status } = fault
  return {
    outcome: 'failed',
    status,
    errorCode: code,
    error: sentenceOf(service, fault),
    excerpt: null,
    durationMs,
    timedOut: code === 'timeout',
    isOwnFault: FAULTS[code].about === 'message',
  }
}

/** `nth`: which attempt of the message it was, 1 for the first. */
export function decideOn(
  service: string,
  outcome: Outcome,
  route: QueueConfig,
  head: Head,
  nth: number,
  { next, random }: OutcomeRules,
): Decide {
  if (outcome.kind === 'delivered') return () => ({ verdict: { kind: 'delivered' }, pause: null })
  const { deadLetterQueueId } = route
  const error = sentenceOf(service, outcome.fault)
  if (outcome.kind === 'dead') {
    return () => ({ verdict: { kind: 'dead', reason: error, deadLetterQueueId }, pause: null })
  }
  const { code, retryAfterMs, status } = outcome.fault
  const failed = { kind: 'failed', status, errorCode: code, error, excerpt: null, retryAfterMs, durationMs: 0 } as const
  const policy = PATIENT.has(code) ? { ...route, maxRetries: Number.POSITIVE_INFINITY } : route
  return now => {
    const attempts = nth - 1 - head.forgiven
    const what = next(failed, policy, { attempts, now, expiresAt: head.expiresAt, random })
    if (what.kind === 'retry') {
      const inPlace = route.ordered === 'queue' || (route.ordered === 'key' && head.key !== null)
      return { verdict: { kind: 'retry', at: Math.ceil(what.at), inPlace }, pause: null }
    }
    if (what.kind === 'dead') return { verdict: { ...what, deadLetterQueueId }, pause: null }
    return { verdict: what, pause: null }
  }
}

/** For how long the queue must be left alone after this; undefined: not at all. */
export function restAfter(outcome: Outcome): number | undefined {
  if (outcome.kind !== 'retry' || outcome.fault.code !== 'throttled') return undefined
  return boundedRest(outcome.fault.retryAfterMs ?? 0)
}

export const boundedRest = (ms: number): number => Math.min(ms, LONGEST_REST_MS)

function sentenceOf(service: string, { reason, serviceCode }: Fault): string {
  const who = reason.startsWith(service) ? '' : `${service}: `
  return `${who}${reason}${serviceCode !== null && !reason.includes(serviceCode) ? ` (${serviceCode})` : ''}`
}

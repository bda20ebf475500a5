/** What keeps a queue within bounds: its rate, its circuit breaker, its weight and its spread. Shapes, and what applies where a caller says nothing. */
import { type Static, Type } from '@sinclair/typebox'

const DAY_MS = 86_400_000
const MOST = 1_000_000

const rate = {
  count: Type.Integer({ minimum: 1, maximum: MOST, description: 'Attempts per interval, retries included.' }),
  intervalMs: Type.Integer({ minimum: 100, maximum: DAY_MS }),
}
const burst = Type.Integer({
  minimum: 1,
  maximum: MOST,
  description: 'Attempts that may go at once after a pause: 1 keeps them evenly apart.',
})
const RATE = {
  title: 'rate limit',
  description: 'Most attempts per interval: {count, intervalMs, burst}; null for no bound.',
}

export const RateLimit = Type.Object({ ...rate, burst }, RATE)
export type RateLimit = Static<typeof RateLimit>
export const RateLimitInput = Type.Object({ ...rate, burst: Type.Optional(burst) }, RATE)
export type RateLimitInput = Static<typeof RateLimitInput>

/** Without a burst of its own, a rate allows what comes in this time: so much may a timer or a busy node be late, and still hold it. */
const SLACK_MS = 50

export function explicitRateLimit({ count, intervalMs, burst }: RateLimitInput): RateLimit {
  return { count, intervalMs, burst: burst ?? Math.max(1, Math.ceil((count * SLACK_MS) / intervalMs)) }
}

const failures = Type.Integer({ minimum: 1, maximum: 10_000, description: 'Failed attempts in a row that open it.' })
const probeMs = Type.Integer({
  minimum: 100,
  maximum: DAY_MS,
  description: 'Before the first probe; doubled after each that fails.',
})
const maxProbeMs = Type.Integer({ minimum: 100, maximum: DAY_MS, description: 'Longest wait between two probes.' })
const BREAKER = {
  title: 'circuit breaker',
  description: 'After so many failures in a row, one probe at a time: {failures, probeMs, maxProbeMs}; null for none.',
}

export const CircuitBreaker = Type.Object({ failures, probeMs, maxProbeMs }, BREAKER)
export type CircuitBreaker = Static<typeof CircuitBreaker>
export const CircuitBreakerInput = Type.Object(
  { failures: Type.Optional(failures), probeMs: Type.Optional(probeMs), maxProbeMs: Type.Optional(maxProbeMs) },
  BREAKER,
)
export type CircuitBreakerInput = Static<typeof CircuitBreakerInput>

const USUAL_BREAKER: CircuitBreaker = { failures: 10, probeMs: 1000, maxProbeMs: 60_000 }

/** `{}` is ten failures, a first probe after a second, and at most a minute between two. */
export function explicitCircuitBreaker(input: CircuitBreakerInput): CircuitBreaker {
  const { failures, probeMs, maxProbeMs } = { ...USUAL_BREAKER, ...input }
  return { failures, probeMs, maxProbeMs: input.maxProbeMs ?? Math.max(maxProbeMs, probeMs) }
}

/** The weight of a queue that says nothing: there is as much room below it as above. */
export const USUAL_WEIGHT = 10
export const Weight = weight('Its share of a busy node: one with 20 gets twice as many turns as one with 10.')
export const OrgWeight = weight('The share of a busy node that its queues have together, beside those of other orgs.')

export const Spread = Type.Integer({
  minimum: 1,
  maximum: 64,
  description:
    'Over how many slices, each delivered by one node; its rate and concurrency are divided among them. More than 1 not if ordered.',
})

function weight(description: string) {
  return Type.Integer({ minimum: 1, maximum: 100, description })
}

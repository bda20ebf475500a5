/** How often and how late a queue tries again: its shapes, its presets, and what applies where a caller says nothing. */
import { type Static, Type } from '@sinclair/typebox'

const DAY_MS = 86_400_000

/** The share of a delay that chance may add or take, 0 to 1. */
const Jitter = Type.Number({ minimum: 0, maximum: 1 })
/** No delay is longer: ten years. */
export const MAX_DELAY_MS = 10 * 365 * DAY_MS
const Delay = Type.Integer({ minimum: 0, maximum: MAX_DELAY_MS })

const exponential = {
  startMs: Delay,
  factor: Type.Number({ minimum: 1, maximum: 1000 }),
  maxMs: Delay,
}
const delaysMs = Type.Array(Delay, { minItems: 1, maxItems: 100 })

export const Backoff = Type.Union([
  Type.Object({ ...exponential, jitter: Jitter }, { title: 'exponential' }),
  Type.Object({ delaysMs, jitter: Jitter }, { title: 'list of delays; the last one repeats' }),
])
export type Backoff = Static<typeof Backoff>

/** Branches are told apart by what they require, and are open: a validator that removes what it does not know works through one branch after the other. */
export const BackoffInput = Type.Union(
  [
    Type.Unsafe<'standard' | 'pg-hooks'>({ type: 'string', enum: ['standard', 'pg-hooks'] }),
    Type.Object(
      {
        startMs: exponential.startMs,
        factor: Type.Optional(exponential.factor),
        maxMs: Type.Optional(exponential.maxMs),
        jitter: Type.Optional(Jitter),
      },
      { title: 'exponential' },
    ),
    Type.Object({ delaysMs, jitter: Type.Optional(Jitter) }, { title: 'list of delays' }),
  ],
  { description: "'standard', 'pg-hooks', {startMs, factor, maxMs, jitter} or {delaysMs, jitter}" },
)
export type BackoffInput = Static<typeof BackoffInput>

const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000

export const backoffPresets = {
  standard: {
    delaysMs: [5_000, 5 * MINUTE_MS, 30 * MINUTE_MS, 2 * HOUR_MS, 5 * HOUR_MS, 10 * HOUR_MS],
    jitter: 0.2,
  },
  'pg-hooks': { startMs: 100, factor: 2, maxMs: MAX_DELAY_MS, jitter: 0 },
} as const satisfies Record<string, Backoff | { delaysMs: readonly number[]; jitter: number }>

export interface RetryPolicy {
  readonly maxRetries: number
  readonly backoff: Backoff
}

const EXPONENTIAL_RETRIES = 5

/** Writes a backoff out in full: presets by their numbers, missing parts by factor 2, at most a day, no jitter. */
export function explicitBackoff(input: BackoffInput): Backoff {
  if (typeof input === 'string') return structuredClone(backoffPresets[input]) as Backoff
  const jitter = input.jitter ?? 0
  if ('delaysMs' in input) return { delaysMs: input.delaysMs, jitter }
  const maxMs = input.maxMs ?? Math.max(DAY_MS, input.startMs)
  return { startMs: input.startMs, factor: input.factor ?? 2, maxMs, jitter }
}

/**
 * The policy of a new queue: the preset `standard` where nothing is given; with `maxRetries` alone, pg-hooks' doubling
 * from 100 ms; with a backoff alone, as many retries as it lists, else 5.
 */
export function resolveRetryPolicy(input: { maxRetries?: number; backoff?: BackoffInput }): RetryPolicy {
  const backoff = explicitBackoff(input.backoff ?? (input.maxRetries === undefined ? 'standard' : 'pg-hooks'))
  const retries = 'delaysMs' in backoff ? backoff.delaysMs.length : EXPONENTIAL_RETRIES
  return { maxRetries: input.maxRetries ?? retries, backoff }
}

/** How long a message waits after each failed attempt. Milliseconds; `jitter` 0.2 spreads a delay by ±20 %. */
export type Backoff = ExponentialBackoff | ListedBackoff

export interface ExponentialBackoff {
  readonly startMs: number
  readonly factor: number
  readonly maxMs: number
  /** 0 to 1. */
  readonly jitter: number
}

export interface ListedBackoff {
  /** The wait after the first failure, the second …; the last one is used from there on. */
  readonly delaysMs: readonly number[]
  /** 0 to 1. */
  readonly jitter?: number
}

/** No delay is longer: ten years. */
export const MAX_DELAY_MS = 10 * 365 * 24 * 3_600_000
const MAX_FACTOR = 1000
const MAX_DELAYS = 100

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE

/** 100 ms × 2^n without jitter or cap, as @platformatic/pg-hooks waits. */
export const pgHooksBackoff: ExponentialBackoff = { startMs: 100, factor: 2, maxMs: MAX_DELAY_MS, jitter: 0 }

/** The steps that Standard Webhooks senders use. With jitter, so that what failed together does not come back together. */
export const standardBackoff: ListedBackoff = {
  delaysMs: [5 * SECOND, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR],
  jitter: 0.2,
}

/**
 * The wait in whole milliseconds after `failedAttempts` failures (1 for the first), never beyond the backoff's maximum.
 * @param random gives 0 ≤ x < 1
 */
export function delayAfter(backoff: Backoff, failedAttempts: number, random: () => number): number {
  const step = Math.max(1, failedAttempts)
  if ('delaysMs' in backoff) {
    const { delaysMs } = backoff
    return bound(spread(delaysMs[Math.min(step, delaysMs.length) - 1] ?? 0, backoff.jitter ?? 0, random), MAX_DELAY_MS)
  }
  const delay = Math.min(backoff.startMs * backoff.factor ** (step - 1), backoff.maxMs)
  return bound(spread(delay, backoff.jitter, random), backoff.maxMs)
}

function spread(delayMs: number, jitter: number, random: () => number): number {
  return jitter > 0 ? delayMs * (1 + jitter * (2 * random() - 1)) : delayMs
}

/** The comparison is false for NaN too: 0 × Infinity is one. */
function bound(delayMs: number, maxMs: number): number {
  return delayMs > 0 ? Math.floor(Math.min(delayMs, maxMs, MAX_DELAY_MS)) : 0
}

/** What is wrong with a backoff, naming the field and its bound; null if nothing is. */
export function checkBackoff(backoff: Backoff): string | null {
  const jitter = backoff.jitter ?? 0
  if (!(jitter >= 0 && jitter <= 1)) return 'backoff.jitter must be from 0 to 1'
  if ('delaysMs' in backoff) {
    const { length } = backoff.delaysMs
    if (length < 1 || length > MAX_DELAYS) return `backoff.delaysMs must hold 1 to ${MAX_DELAYS} delays`
    const wrong = backoff.delaysMs.findIndex(delay => !isDelay(delay))
    return wrong < 0 ? null : `backoff.delaysMs[${wrong}] must be from 0 to ${MAX_DELAY_MS} ms (ten years)`
  }
  if (!isDelay(backoff.startMs)) return `backoff.startMs must be from 0 to ${MAX_DELAY_MS} ms (ten years)`
  if (!isDelay(backoff.maxMs)) return `backoff.maxMs must be from 0 to ${MAX_DELAY_MS} ms (ten years)`
  if (!(backoff.factor >= 1 && backoff.factor <= MAX_FACTOR)) return `backoff.factor must be from 1 to ${MAX_FACTOR}`
  return null
}

function isDelay(ms: number): boolean {
  return ms >= 0 && ms <= MAX_DELAY_MS
}

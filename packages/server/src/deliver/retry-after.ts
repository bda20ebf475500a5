import { MAX_RETRY_AFTER_MS } from './next.ts'

/**
 * Reads Retry-After (RFC 9110 §10.2.3): seconds or an HTTP date. Milliseconds from `now`, at most 24 h;
 * null where it is neither.
 */
export function parseRetryAfter(value: string, now: number): number | null {
  const text = value.trim()
  if (/^\d+$/.test(text)) return Math.min(Number(text) * 1000, MAX_RETRY_AFTER_MS)
  // An HTTP date begins with the day's name; Date.parse alone would take "-5" or "1e3" for a date.
  if (!/^[A-Za-z]{3,9},? /.test(text)) return null
  const at = Date.parse(text)
  return Number.isNaN(at) ? null : Math.min(Math.max(0, at - now), MAX_RETRY_AFTER_MS)
}

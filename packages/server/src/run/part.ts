import type { Route } from './port.ts'

/**
 * What one slice of a queue keeps to, so that all of them together keep to what the queue may: each has its part of the
 * concurrency, to the last attempt, and an even part of the rate. A slice cannot start less than one message at once, so
 * a burst counts as one for each slice at least.
 */
export function partOf<R extends Route>(route: R, slice: number): R {
  const { spread, concurrency, rateLimit } = route
  if (spread === 1) return route
  return {
    ...route,
    concurrency: share(concurrency, spread, slice),
    rateLimit: rateLimit && {
      count: rateLimit.count,
      intervalMs: rateLimit.intervalMs * spread,
      burst: share(rateLimit.burst, spread, slice),
    },
  }
}

const share = (whole: number, parts: number, nth: number): number =>
  Math.max(1, Math.floor(whole / parts) + (nth < whole % parts ? 1 : 0))

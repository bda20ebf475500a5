export interface SpanRange {
  readonly lo: number
  /** Exclusive. */
  readonly hi: number
}

export interface SpanState {
  /** The last id drawn; 0 if none was. */
  readonly lastId: number
  /** Where the span of the next id ends; null if there is none. */
  readonly currentHi: number | null
  /** Where the last span ends; 0 if there is none. */
  readonly top: number
  /** Ids drawn in the last day. */
  readonly dayIds: number
}

const SMALLEST = 10_000_000
const LARGEST = 1_000_000_000
const ROUND_TO = 1_000_000
const SPANS_AHEAD = 2
const DAYS_AHEAD = 2
/** 115,000 a second: whatever looks like more was no traffic, and must not make partitions without end. */
const MOST_A_DAY = 10_000_000_000

/**
 * The spans to make now, so that beyond the one in use there are two, and the ids of two days like the last one.
 *
 * They follow each other without gaps: where the sequence has outrun them (a jump, or upkeep that failed for long), the
 * first is as long as it takes to catch up, so that any id drawn meanwhile has its place too.
 */
export function planSpans({ lastId, currentHi, top, dayIds }: SpanState): SpanRange[] {
  const rate = currentHi === null ? 0 : Math.min(dayIds, MOST_A_DAY)
  const size = Math.min(LARGEST, Math.max(SMALLEST, Math.ceil(rate / ROUND_TO) * ROUND_TO))
  const ahead = Math.max(SPANS_AHEAD * size, DAYS_AHEAD * rate)
  const planned: SpanRange[] = []
  let current = currentHi
  while (current === null || top < current + ahead) {
    const sizes = Math.max(1, Math.ceil((lastId + 2 - top) / size))
    const hi = top + (current === null ? sizes : 1) * size
    planned.push({ lo: top, hi })
    current ??= hi
    top = hi
  }
  return planned
}

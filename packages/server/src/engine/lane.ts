/**
 * A lane is one priority of one slice of a queue, and a queue that is not spread is one slice, the first. Each slice has its
 * own shard, so that several nodes share a queue that is spread (docs/decisions/spread.md).
 */

/** 0 to 9. */
const PRIORITIES = 10
/** As many as a queue can be spread over, and as there are shards. */
export const MOST_SLICES = 64

export const laneOf = (slice: number, priority: number): number => slice * PRIORITIES + priority

export const sliceOf = (lane: number): number => (lane < PRIORITIES ? 0 : Math.floor(lane / PRIORITIES))

export const priorityOf = (lane: number): number => lane % PRIORITIES

/** The lanes of a slice, the lowest priority first. */
export const lanesOf = (slice: number): number[] => Array.from({ length: PRIORITIES }, (_, nth) => laneOf(slice, nth))

/** A number for each slice of each queue; that of a queue which is not spread is its id. */
export const sliceKey = (queueId: number, slice: number): number => (slice === 0 ? queueId : queueId + slice * 2 ** 31)

/** A number for each lane of each queue. */
export const laneKey = (queueId: number, lane: number): number => queueId * MOST_SLICES * PRIORITIES + lane

/**
 * Nodes mostly have shards that follow one another, so the slices of a queue stand apart: by the golden section of 64
 * shards, which spaces any number of them out. The statements say it too, as 39.
 */
const APART = 39

export const shardOf = (queueId: number, slice: number, shardCount: number): number =>
  (queueId + slice * APART) % shardCount

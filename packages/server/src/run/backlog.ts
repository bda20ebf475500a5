import type { DuePlace, DueRequest, FoldRequest, Head, KeyRequest, LaneRequest } from '../engine/port.ts'

/**
 * One request to the loader. `done` gets the rows of this request alone, in order, known ones included; `bytes` is what
 * they will weigh, as far as is known.
 */
export type Load = { failed(): void } & (
  | { readonly kind: 'lane'; readonly request: LaneRequest; readonly bytes: number; done(heads: readonly Head[]): void }
  | { readonly kind: 'key'; readonly request: KeyRequest; readonly bytes: number; done(heads: readonly Head[]): void }
  | { readonly kind: 'pinned'; readonly queueId: number; readonly bytes: number; done(heads: readonly Head[]): void }
  | {
      readonly kind: 'due'
      readonly request: DueRequest
      readonly bytes: number
      done(heads: readonly Head[], next: number | null): void
    }
  | {
      readonly kind: 'promote'
      readonly queueId: number
      /** Also those with a priority: `done` says whether there are more. */
      readonly raised: boolean
      readonly bytes: number
      done(next: number | null, moreRaised: boolean): void
    }
  | {
      readonly kind: 'fold'
      readonly request: FoldRequest
      readonly bytes: number
      done(last: DuePlace | null, more: boolean): void
    }
)

/** What `take` says when something waits, but its place is not yet fixed (see ordered-backlog.ts). */
export const UNSURE = 'unsure'

/**
 * What waits in one queue, as far as it is in memory: a short buffer of heads, and how far the rest has been read.
 * One kind for queues without order, others for ordered ones and for slices that are no more. None of them does anything by itself.
 */
export interface Backlog {
  /** Messages in memory that have not been started. */
  readonly waiting: number
  /** The next message that may start at `now`. `xmin`: every transaction below it has ended. */
  take(now: number, xmin: number): Head | typeof UNSURE | null
  /** Whether a message would be taken now if its place were fixed. */
  isUnsure(xmin: number): boolean
  /** A look begins, whose end may be followed by `beginPin`: what comes into memory from now on is not pinned then. */
  beginLook(xmin: number): void
  /** Messages whose places are to be fixed now, each line's in order. Their lines stand still until `endPin` says which were; null: in doubt. */
  beginPin(xmin: number): readonly Head[]
  endPin(pinned: ReadonlySet<number> | null): void
  /** When, later than `now`, something that waits for its time becomes ready; null if nothing does. */
  nextAt(now: number): number | null
  /** A message stored by this node is offered in memory; if it is not taken, a load will find it. */
  offer(head: Head): void
  /** Messages became visible that are not in memory: ready ones from this transaction on, or delayed ones due from then on. */
  found(lane: number, fromXid: number | null, fromDue: number | null): void
  /** Looks again at everything, from the beginning. */
  restart(lanes: readonly number[], nextDue: number | null, pinned: boolean): void
  /** True only if it would like no load now: asked for each message, where `loads` is asked for each load. */
  isFed(now: number): boolean
  /** The loads that it would like now, each at most once at a time. */
  loads(now: number): Load[]
  /** An attempt was settled; `retryAt` is null where the message has left the queue. */
  settled(head: Head, retryAt: number | null): void
  /** Takes a message that has not been started out of memory; if it is still there, it is read again. */
  drop(id: number): void
  /** Takes everything that has not been started out of memory; it is read again when loads are asked for. */
  clear(): void
  /** Nothing is here, and nothing is known to be in the table. */
  isIdle(): boolean
}

/**
 * Handed over in memory beyond this many waiting, messages are left for a load: no backlog in memory, least of all for a
 * queue that can use next to none. Some are always taken, so that a queue at rest needs no load at all.
 */
export const mostOffered = (appetite: number): number => Math.max(16, Math.min(4000, 4 * appetite))

/** The earliest of these times that is still to come. */
export function earliest(now: number, times: readonly (number | null)[]): number | null {
  let next: number | null = null
  for (const at of times) if (at !== null && at > now && (next === null || at < next)) next = at
  return next
}

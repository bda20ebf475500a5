import type { CircuitBreaker, RateLimit } from '@posthorn/contract'
import type { Clock } from '../clock.ts'
import type { Head, PushEngine, Verdict } from '../engine/port.ts'
import type { Log } from '../log.ts'
import { type Deaths, silentDeaths } from '../queue/deaths.ts'
import type { Sweeper } from './sweeper.ts'

/** What the dispatcher has to know of a queue's configuration. */
export interface Route {
  readonly id: number
  readonly orgId: number
  /** Its org's share of a busy node. */
  readonly orgWeight: number
  readonly version: number
  /** Null for a pull queue: nothing is sent, consumers claim. */
  readonly callbackUrl: string | null
  /** What its messages are for, where a worker gives them to a service instead of sending them to a URL. */
  readonly function: string | null
  /** When its worker was last started: one that is started anew is tried afresh. */
  readonly startedAt?: number | null
  readonly ordered: 'none' | 'queue' | 'key'
  readonly concurrency: number
  /** Null: as fast as its receiver and the node go. */
  readonly rateLimit: RateLimit | null
  readonly circuitBreaker: CircuitBreaker | null
  readonly weight: number
  /** How many slices it has, each delivered by the owner of its own shard; 1 for an ordered queue. */
  readonly spread: number
  readonly deadLetterQueueId: number | null
  readonly isPaused: boolean
}

/** The configurations of queues, in memory as far as they were asked for. */
export interface Routes<R extends Route> {
  /** Undefined: not in memory, `load` it. Null: there is no such queue, or it is being deleted. */
  get(queueId: number): R | null | undefined
  load(queueIds: readonly number[]): Promise<void>
  forget(queueId: number): void
}

/** What is recorded of an attempt. */
export interface Report {
  readonly outcome: 'delivered' | 'failed' | 'refused' | 'gone'
  readonly status: number | null
  readonly errorCode: string | null
  readonly error: string | null
  readonly excerpt: string | null
  readonly durationMs: number
  readonly timedOut: boolean
  /** It failed for what is in the message: the receiver is as well as if it had taken it. */
  readonly isOwnFault?: boolean
}

export interface Delivery<R extends Route> {
  /** Makes one attempt, the nth of this message (1 is the first). Calls `done` exactly once, later, and never throws. */
  attempt(route: R, head: Head, nth: number, done: Done): void
}

/**
 * An attempt is over; a report of null: none was made, and the message is as it was. `restMs`: for so long the queue must
 * be left alone (only a queue with a function can ask for that).
 */
export type Done = (report: Report | null, decide: Decide, restMs?: number) => void

/** What follows from an attempt; `pause`: why its queue must be paused. */
export type Decide = (now: number) => { readonly verdict: Verdict; readonly pause: string | null }

/** What the node at work counts. Everything is a sum since its start or a value of this moment. */
export interface Meter {
  /** `startedAt` on the database's clock. */
  attempted(head: Head, report: Report, startedAt: number): void
  settled(batch: readonly { readonly head: Head; readonly verdict: Verdict }[]): void
  swept(found: number): void
  fenced(messages: number): void
}

export const silentMeter: Meter = { attempted() {}, settled() {}, swept() {}, fenced() {} }

/**
 * What befalls queues and is for their operator to know. Told as it happens by the node that serves the queue; returns at
 * once and never throws. What is told again (by the next owner of a shard) reaches the operator once.
 */
export interface Happenings extends Deaths {
  /** The circuit breaker of a queue lets nothing but probes through from here on. `reason`: one sentence. */
  breakerOpened(queueId: number, reason: string): void
  /** A probe came through, or the queue was resumed or is configured otherwise now: everything else follows. */
  breakerClosed(queueId: number): void
}

export const silentHappenings: Happenings = { ...silentDeaths, breakerOpened() {}, breakerClosed() {} }

/** How much a node takes on at once. */
export interface Limits {
  /** Attempts under way on this node. */
  readonly inFlight: number
  /** Bytes of messages waiting in memory. */
  readonly bufferBytes: number
  /** Connections to receivers: of attempts, however many queues have their first one under way. */
  readonly sockets: number
  /** Attempts that are over but not yet settled: beyond it, nothing new is started. */
  readonly unsettled: number
  /** Messages that are settled but remembered until a slow load or put has ended: the same. */
  readonly remembered: number
}

export const defaultLimits: Limits = {
  inFlight: 1000,
  bufferBytes: 64 * 1024 * 1024,
  sockets: 5000,
  unsettled: 10_000,
  remembered: 100_000,
}

/** What the dispatcher is handed in (see dispatcher.ts). */
export interface DispatcherOptions<R extends Route> {
  readonly engine: PushEngine
  readonly sweeper: Sweeper
  readonly routes: Routes<R>
  readonly delivery: Delivery<R>
  readonly clock: Clock
  readonly log: Log
  readonly meter: Meter
  readonly happenings: Happenings
  readonly limits: Limits
  /** Whether this node may start attempts at this very moment (see ownership.ts). */
  readonly mayAct: () => boolean
  /** Records that a queue is paused, and why. */
  readonly pauseQueue: (queueId: number, reason: string) => Promise<void>
  /** These queues, here or elsewhere, have received dead letters. */
  readonly deadLettered: (queueIds: readonly number[]) => void
  /** The message is not what it was: the outcome of an attempt, or its end, is on record. Not called for what is fenced. */
  readonly told?: (head: Head) => void
  /** The record says that another node has taken this shard. */
  readonly fenced: (shard: number) => void
}

/**
 * The engine: messages at rest and how they move. Two ports: push (the node's dispatcher takes what is due and settles
 * it) and pull (a consumer claims and acknowledges). Both hold movement only; listing and configuration are queue/'s.
 *
 * Every engine passes `engine.suite.ts`.
 */

import type { Member } from '../members.ts'

/** Text is valid UTF-8 without NUL; anything else is bytes. */
export type Body = string | Buffer | null

/** Times are milliseconds since 1970 on the database's clock. */
export interface NewMessage {
  readonly orgId: number
  readonly queueId: number
  readonly body: Body
  /** JSON text of an object of strings, as it is stored. */
  readonly headers: string | null
  /** Not before; null is at once. */
  readonly dueAt: number | null
  readonly expiresAt: number | null
  /** 0 to 9, higher first. */
  readonly priority: number
  /** Of a queue that is spread: which part of it takes the message; 0 for any other. */
  readonly slice: number
  readonly key: string | null
  readonly cronId: number | null
  readonly idempotency: { readonly key: string; readonly bodyHash: Buffer; readonly ttlMs: number } | null
}

export type PutResult =
  | { readonly kind: 'stored'; readonly id: number; readonly xid: number; readonly createdAt: number }
  /** The idempotency key was used before with the same content: this is the first message. */
  | { readonly kind: 'repeated'; readonly id: number }
  /** The idempotency key was used before with other content. Nothing was stored. */
  | { readonly kind: 'conflict'; readonly id: number }

/** The place of a message in its lane: the inserting transaction's id, then its own. Fixed once no older transaction runs. */
export interface Place {
  readonly xid: number
  readonly id: number
}

/** A live message as the dispatcher needs it. */
export interface Head extends Place, Member {
  readonly orgId: number
  readonly queueId: number
  /** Its slice and its priority (lane.ts). */
  readonly lane: number
  /** Attempts made so far. */
  readonly attempts: number
  /** Of these attempts, those made before a redrive: they no longer count as retries. */
  readonly forgiven: number
  readonly key: string | null
  readonly dueAt: number | null
  readonly retryAt: number | null
  readonly expiresAt: number | null
  /** Set where the place was fixed by hand; the dispatcher notes it here when it has done so. */
  pin: number | null
  /** The settler lets go of both: the next one reads them anew. */
  body: Body
  headers: string | null
  /** The payload is gone although the message lives: storage was tampered with. */
  readonly lost: boolean
  /** Only where its own node has just stored it to be sent at once: when that was. */
  readonly storedAt?: number | undefined
}

/** What the database's transactions looked like at one moment. */
export interface Snapshot {
  /** Every transaction below has ended. */
  readonly xmin: number
  /** No transaction from here on had begun. */
  readonly xmax: number
  /** The ones in between that were running. */
  readonly xip: readonly number[]
}

export interface Sweep {
  readonly snapshot: Snapshot
  /** The database's clock at the snapshot. */
  readonly now: number
  readonly found: readonly Found[]
  readonly changes: readonly Change[]
}

/** Messages of one lane that became visible since the snapshot that was given. */
export interface Found {
  readonly queueId: number
  readonly lane: number
  /** The lowest transaction id among those that are ready; null if none is. */
  readonly fromXid: number | null
  /** The earliest due time among those that are delayed; null if none is. */
  readonly fromDue: number | null
}

/**
 * Something that a node must hear of: a changed queue (messageId null), a message taken from under its owner, or an org and
 * its keys that are no longer what they were: then `queueId` is the org's id, and 0 for the key of secrets.
 */
export interface Change {
  readonly kind: 'queue' | 'message' | 'purge' | 'tenant' | 'org'
  readonly queueId: number
  readonly messageId: number | null
}

/** What waits in one slice of a queue. */
export interface Work {
  readonly queueId: number
  readonly slice: number
  /** Those that have ready messages. */
  readonly lanes: readonly number[]
  /** When the next delayed message is due, or earlier; null if none is delayed. */
  readonly nextDue: number | null
  /** Since when the first of its ready messages waits; null if none is ready, or where that is not known. */
  readonly waitsSince: number | null
  readonly pinned: boolean
}

export interface LaneRequest {
  readonly queueId: number
  readonly lane: number
  readonly after: Place
  readonly limit: number
}

export interface DueRequest {
  readonly queueId: number
  readonly slice: number
  /** Later than this place. */
  readonly after: DuePlace
  readonly limit: number
}

export interface DuePlace {
  readonly dueAt: number
  readonly id: number
}

export interface KeyRequest {
  readonly queueId: number
  readonly key: string
  readonly after: Place
  readonly limit: number
}

/** What waits in a slice that is no more, since its queue is spread over fewer, moves to those that are. */
export interface FoldRequest extends DueRequest {
  /** Over how many slices the queue is spread now. */
  readonly spread: number
  readonly tenure: Tenure
}

export interface Folded {
  /** The place of the last delayed message that was moved; null if none was. */
  readonly last: DuePlace | null
  /** There may be more. */
  readonly more: boolean
}

/** The right to change the messages of a shard: void once another node has taken it. */
export interface Tenure {
  readonly shard: number
  readonly epoch: number
}

export interface AttemptRecord {
  /** 1 for the first. */
  readonly n: number
  readonly startedAt: number
  readonly durationMs: number
  readonly status: number | null
  readonly errorCode: string | null
  readonly error: string | null
  readonly excerpt: string | null
  readonly queueVersion: number
}

export type Verdict =
  | { readonly kind: 'delivered' }
  /** `inPlace`: an ordered queue's head keeps its place in the lane while it waits. */
  | { readonly kind: 'retry'; readonly at: number; readonly inPlace: boolean }
  | { readonly kind: 'dead'; readonly reason: string; readonly deadLetterQueueId: number | null }
  | { readonly kind: 'expired'; readonly reason: string }
  | { readonly kind: 'cancelled'; readonly reason: string }

/** A message that is put in the same commit in which another one dies, if its queue is there by then. */
export interface Notice {
  readonly orgId: number
  readonly queueId: number
  readonly body: string
}

export interface Settlement {
  readonly orgId: number
  readonly queueId: number
  readonly id: number
  /** Attempts before this one. A row that says otherwise has been changed meanwhile and is left alone. */
  readonly attempts: number
  readonly tenure: Tenure
  readonly verdict: Verdict
  /** Null where no attempt was made (expired before its turn). */
  readonly attempt: AttemptRecord | null
  /** Only where it dies; null if nobody is to be told. */
  readonly notice: Notice | null
}

export interface Settled {
  /** Tenures that are void: their attempts are on record, their messages were left alone. */
  readonly fenced: readonly Tenure[]
  /** Queues that received a dead letter, or the notice of a death. */
  readonly deadLettered: readonly number[]
  /** Messages that are dead now. */
  readonly dead: readonly number[]
}

export interface Taken extends Tenure {
  /** The epoch found before this taking: one's own last one, if nobody had the shard in between. */
  readonly previousEpoch: number
}

export interface PushEngine {
  readonly shardCount: number
  /** Stores all in one commit, in order. @throws DatabaseError: `rejected` and `unsent` stored nothing, `unknown` may have. */
  put(messages: readonly NewMessage[]): Promise<PutResult[]>
  /** What became visible to the owner of `shards` since `since`; rows of the transactions in `except` are left out. */
  sweep(since: Snapshot, shards: readonly number[], except: readonly number[]): Promise<Sweep>
  snapshot(): Promise<{ readonly snapshot: Snapshot; readonly now: number }>
  /** Slices of queues, of these shards, that have live messages. */
  findWork(shards: readonly number[]): Promise<Work[]>
  /** Ready messages in the order of their places, lane by lane. */
  loadLanes(requests: readonly LaneRequest[]): Promise<Head[]>
  /** Delayed messages that are due by now, in the order of their times. */
  loadDue(requests: readonly DueRequest[]): Promise<Head[]>
  /** When the next delayed message after each of these places is due; null where there is none. */
  nextDue(requests: readonly DueRequest[]): Promise<(number | null)[]>
  loadKeys(requests: readonly KeyRequest[]): Promise<Head[]>
  /** Pinned messages in the order of their pins. */
  loadPinned(queueIds: readonly number[]): Promise<Head[]>
  /** Messages past their expiry in these shards. */
  loadExpired(shards: readonly number[], limit: number): Promise<Head[]>
  /** Fixes the places of these messages before all that are not pinned. Gives back the ids that are pinned now. */
  pin(orgId: number, queueId: number, ids: readonly number[], tenure: Tenure): Promise<number[]>
  /**
   * Ordered queues: delayed messages that are due, and those with a priority from before the queue was ordered, take their
   * place at the end of the line; a sweep finds them there.
   */
  promote(queueIds: readonly number[], limit: number): Promise<void>
  /** Nothing moves if the tenure is void: then there is more. A sweep finds what was moved. */
  fold(request: FoldRequest): Promise<Folded>
  /** `again`: an earlier try at this same batch ended `unknown`; nothing is recorded twice. */
  settle(batch: readonly Settlement[], again: boolean): Promise<Settled>
}

/**
 * The locks by which nodes share the shards. They belong to one session and are free the moment it ends, for whatever
 * reason; `take` runs in that same session, so that a session that has lost its locks cannot make a tenure void.
 */
export interface Locks {
  /** Opens a session. The server ends it by itself after `idleTimeoutMs` (whole) without a word. @throws DatabaseError */
  open(idleTimeoutMs: number, ended: (reason: Error) => void): Promise<LockHold>
}

export interface LockHold {
  /** Counts this session among the workers, or no longer. */
  join(): Promise<void>
  leave(): Promise<void>
  /** How many workers there are, and which shards are locked by anyone. Serves as the heartbeat. */
  look(): Promise<{ readonly members: number; readonly locked: readonly number[] }>
  /** Locks those of these shards that are free. Gives back the ones it got. */
  lock(shards: readonly number[]): Promise<number[]>
  unlock(shards: readonly number[]): Promise<void>
  /** Makes `owner` the owner in the records: earlier tenures of these shards are void from here on. */
  take(shards: readonly number[], owner: string): Promise<Taken[]>
  /** Becomes or stays the leader, if nobody else is. */
  lead(): Promise<boolean>
  close(): Promise<void>
}

/** What a consumer of a pull queue holds: it must answer before `until`. */
export interface Claim extends Head {
  readonly claim: string
  readonly until: number
}

export interface Burial {
  readonly dead: string
  readonly deadLetterQueueId: number | null
  /** For each of the claims, if anybody is to be told. */
  readonly notices: readonly (Notice | null)[] | null
}

export interface PullEngine {
  /** Takes up to `limit` due messages of a queue for `visibilityMs`; on an ordered queue, none while one is out. */
  claim(queueId: number, limit: number, visibilityMs: number): Promise<Claim[]>
  /** Settles as delivered. Gives back the ids that were still claimed. */
  acknowledge(queueId: number, claims: readonly { readonly id: number; readonly claim: string }[]): Promise<number[]>
  /** Gives up a claim: the message is due again at `at`, or dead with `reason`. */
  reject(
    queueId: number,
    claims: readonly { readonly id: number; readonly claim: string }[],
    next: { readonly at: number } | Burial,
  ): Promise<number[]>
  extend(
    queueId: number,
    claims: readonly { readonly id: number; readonly claim: string }[],
    visibilityMs: number,
  ): Promise<number[]>
}

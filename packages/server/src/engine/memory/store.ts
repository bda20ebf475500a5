import type { Clock } from '../../clock.ts'
import { shardOf, sliceOf } from '../lane.ts'
import type { AttemptRecord, Change, Head, Notice, Settlement, Snapshot } from '../port.ts'

/** A live message as it stands in memory. */
export interface Row extends Mutable<Head> {
  createdAt: number
  scheduledAt: number | null
  originId: number | null
  claim: string | null
}

export type Mutable<T> = { -readonly [K in keyof T]: T[K] }

export interface DoneRow {
  readonly row: Row
  readonly outcome: 'delivered' | 'dead' | 'expired' | 'cancelled'
  readonly reason: string | null
  readonly attempts: number
}

export interface AttemptRow extends AttemptRecord {
  readonly queueId: number
  readonly messageId: number
  readonly outcome: Settlement['verdict']['kind']
}

export interface MemoryOptions {
  readonly shardCount: number
  readonly clock: Clock
  /** How long a put's transaction stays open before its commit: lets a test or the simulation commit out of order. */
  readonly beforeCommit?: () => Promise<void> | undefined
  /** How a queue is ordered; pull needs to know. */
  readonly orderOf?: (queueId: number) => 'none' | 'queue' | 'key'
  readonly queueExists?: (queueId: number) => boolean
}

/** What PostgreSQL would hold, with its transaction ids: enough of MVCC that commits can become visible out of order. */
export class Store {
  readonly options: MemoryOptions
  readonly live = new Map<number, Row>()
  readonly done = new Map<number, DoneRow>()
  readonly attempts: AttemptRow[] = []
  readonly idempotency = new Map<string, { id: number; hash: Buffer; expiresAt: number }>()
  readonly epochs = new Map<number, number>()
  readonly changes: { readonly xid: number; readonly change: Change }[] = []
  #nextXid = 1
  #nextId = 1
  #nextPin = 1
  readonly #running = new Set<number>()

  constructor(options: MemoryOptions) {
    this.options = options
  }

  get now(): number {
    return Math.floor(this.options.clock.now())
  }

  begin(): number {
    const xid = this.#nextXid++
    this.#running.add(xid)
    return xid
  }

  end(xid: number): void {
    this.#running.delete(xid)
  }

  newId(): number {
    return this.#nextId++
  }

  newPin(): number {
    return this.#nextPin++
  }

  snapshot(): Snapshot {
    const xip = [...this.#running]
    return { xmin: Math.min(this.#nextXid, ...xip), xmax: this.#nextXid, xip }
  }

  shardOf({ queueId, lane }: Pick<Row, 'queueId' | 'lane'>): number {
    return shardOf(queueId, sliceOf(lane), this.options.shardCount)
  }

  /** Live messages of a queue, in the order of `compare`. */
  select(where: (row: Row) => boolean, compare: (a: Row, b: Row) => number): Row[] {
    return [...this.live.values()].filter(where).sort(compare)
  }

  finish(row: Row, outcome: DoneRow['outcome'], reason: string | null, attempts: number): void {
    this.live.delete(row.id)
    this.done.set(row.id, { row, outcome, reason, attempts })
  }

  tell({ orgId, queueId, body }: Notice): boolean {
    if (this.options.queueExists && !this.options.queueExists(queueId)) return false
    const xid = this.begin()
    const id = this.newId()
    const none = { key: null, dueAt: null, retryAt: null, scheduledAt: null, expiresAt: null, pin: null, claim: null }
    const fresh = {
      ...none,
      originId: null,
      headers: null,
      lane: 0,
      attempts: 0,
      forgiven: 0,
      lost: false,
      slot: -1,
    }
    this.live.set(id, { id, xid, orgId, queueId, body, createdAt: this.now, ...fresh })
    this.end(xid)
    return true
  }

  forward(row: Row, deadLetterQueueId: number): boolean {
    if (this.options.queueExists && !this.options.queueExists(deadLetterQueueId)) return false
    const xid = this.begin()
    const copy = { ...row, queueId: deadLetterQueueId, id: this.newId(), xid, attempts: 0, forgiven: 0, lane: 0 }
    this.live.set(copy.id, {
      ...copy,
      dueAt: null,
      retryAt: null,
      scheduledAt: null,
      expiresAt: null,
      pin: null,
      claim: null,
      originId: row.id,
    })
    this.end(xid)
    return true
  }
}

/** In a consumer's hands: its claim has not run out. */
export const isOut = (row: Row, now: number): boolean => row.claim !== null && (row.dueAt ?? row.retryAt ?? 0) > now

export const byPlace = (a: Row, b: Row): number => a.xid - b.xid || a.id - b.id
export const byDue = (a: Row, b: Row): number => a.dueAt! - b.dueAt! || a.id - b.id

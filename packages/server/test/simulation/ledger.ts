import { shardOf, sliceOf } from '../../src/engine/lane.ts'
import type { Store } from '../../src/engine/memory/store.ts'
import type { Head } from '../../src/engine/port.ts'
import type { Route } from '../../src/run/port.ts'
import { Bounds } from './bounds.ts'
import { lineOf, type Settings, SHARDS } from './settings.ts'

export interface Put {
  readonly id: number
  readonly queueId: number
  readonly key: string | null
  readonly isDelayed: boolean
  readonly calledAt: number
  readonly acknowledgedAt: number
}

interface Start {
  readonly id: number
  readonly queueId: number
  readonly slice: number
  readonly node: number
  readonly at: number
  /** When the receiver took it; null while it has not, or if it refused. */
  acceptedAt: number | null
  /** The node had given it up by then. */
  isLate: boolean
}

/** Within this time a change is heard of everywhere, announced or not. */
const CHANGE_MS = 1000
/** A queue that changed its order is judged by the new one when every node has surely taken it on. */
const REORDER_MS = 5000
/** How far a node's idea of the database's clock is behind at most, but for freezes. */
const CLOCK_MS = 100

/** Writes down what happened and says which of the guarantees it breaks. */
export class Ledger {
  readonly violations: string[] = []
  readonly #store: Store
  readonly #bounds = new Bounds()
  readonly #settings: Settings
  readonly #epochMs: number
  readonly #puts = new Map<number, Put>()
  readonly #queues = new Map<number, Put[]>()
  readonly #starts = new Map<number, Start[]>()
  /** Messages that were started and are not known to be settled, with the time of it, by line. */
  readonly #open = new Map<string, Map<number, number>>()
  readonly #settledAt = new Map<number, number>()
  readonly #cancelledAt = new Map<number, number>()
  readonly #redriven = new Set<number>()
  readonly #faults: { readonly node: number; readonly at: number }[] = []

  /** `epochMs`: what the database's clock showed when the virtual time began. */
  constructor(store: Store, settings: Settings, epochMs: number) {
    this.#store = store
    this.#settings = settings
    this.#epochMs = epochMs
  }

  get acknowledged(): number {
    return this.#puts.size
  }

  acknowledge(put: Put): void {
    this.#puts.set(put.id, put)
    const queue = this.#queues.get(put.queueId) ?? []
    queue.push(put)
    this.#queues.set(put.queueId, queue)
  }

  fault(node: number, at: number): void {
    this.#faults.push({ node, at })
  }

  start(head: Head, route: Route, node: number, at: number): Start {
    const { id } = head
    const slice = sliceOf(head.lane)
    const start: Start = { id, queueId: route.id, slice, node, at, acceptedAt: null, isLate: false }
    const before = this.#starts.get(id) ?? []
    this.#starts.set(id, [...before, start])
    if (this.#settledAt.has(id)) this.#break(at, `message ${id} was started after it had been settled`)
    this.#checkTimes(start, head, route.id)
    this.#checkOrder(start, head, route)
    const epoch = this.#store.epochs.get(shardOf(route.id, slice, SHARDS)) ?? 0
    const promised = this.#settings.promised(route)
    for (const what of this.#bounds.started(start, promised, epoch, at)) this.#break(at, what)
    const together = this.#bounds.together(start, promised)
    if (together !== null && this.#faults.length === 0) this.#break(at, together)
    return start
  }

  /** The node that made the attempt has heard how it ended. */
  ended(start: Start, route: Route, isDelivered: boolean, at: number): void {
    this.#bounds.ended(start, isDelivered, this.#settings.promised(route), at)
  }

  accepted(start: Start, at: number, isLate: boolean): void {
    for (const other of this.#starts.get(start.id) ?? []) {
      if (other === start || other.acceptedAt === null || other.isLate || isLate) continue
      const [first, second] = other.at <= start.at ? [other, start] : [start, other]
      if (!this.#faultBetween(first.node, first.at, second.at))
        this.#break(at, `message ${start.id} was delivered twice (${first.at}, ${second.at}) without a fault`)
    }
    start.acceptedAt = at
    start.isLate = isLate
  }

  /** The settle of a delivered, dead or expired message was reported as committed. */
  settled(id: number, at: number): void {
    this.#settledAt.set(id, at)
    for (const line of this.#open.values()) line.delete(id)
  }

  /** Whoever cancelled it was told so. */
  cancelled(id: number, at: number): void {
    this.#cancelledAt.set(id, at)
  }

  /** It is live again, at the end of its line. */
  redriven(id: number): void {
    this.#redriven.add(id)
    this.#settledAt.delete(id)
    this.#cancelledAt.delete(id)
  }

  /** At the end, when everything should be over. */
  close(at: number, isFaultless: boolean): void {
    for (const { id } of this.#store.live.values()) this.#break(at, `message ${id} is stuck`)
    for (const { id } of this.#puts.values()) {
      const done = this.#store.done.get(id)
      if (!done && !this.#store.live.has(id)) this.#break(at, `message ${id} was acknowledged and is lost`)
      if (done?.outcome === 'delivered' && !this.#starts.get(id)?.some(({ acceptedAt }) => acceptedAt !== null))
        this.#break(at, `message ${id} counts as delivered and never arrived`)
      if (done?.outcome === 'expired' && done.row.expiresAt === null)
        this.#break(at, `message ${id} counts as expired and cannot expire`)
    }
    this.#checkDeadLetters(at)
    if (isFaultless) this.#checkAttempts(at)
  }

  #checkDeadLetters(at: number): void {
    const copies = new Map<number, number>()
    for (const { row } of this.#store.done.values())
      if (row.originId !== null) copies.set(row.originId, (copies.get(row.originId) ?? 0) + 1)
    for (const { row, outcome } of this.#store.done.values()) {
      const count = copies.get(row.id) ?? 0
      const { route } = this.#settings.get(row.queueId)
      const isForwarded = outcome === 'dead' && typeof route?.deadLetterQueueId === 'number'
      if (
        isForwarded
          ? count === 0 || (count > 1 && !this.#redriven.has(row.id))
          : count > 0 && outcome !== 'dead' && !this.#redriven.has(row.id)
      )
        this.#break(at, `message ${row.id} (${outcome}) has ${count} dead letters`)
    }
  }

  #checkAttempts(at: number): void {
    const seen = new Set<string>()
    for (const { messageId, n } of this.#store.attempts) {
      if (seen.has(`${messageId}:${n}`)) this.#break(at, `attempt ${n} of message ${messageId} is on record twice`)
      seen.add(`${messageId}:${n}`)
    }
  }

  #checkTimes({ id, node, at }: Start, head: Head, queueId: number): void {
    const isLateFor = (from: number | null | undefined, limitMs: number): boolean =>
      from !== null && from !== undefined && at > from + limitMs && !this.#faultBetween(node, from - CHANGE_MS, at)
    if (isLateFor(this.#cancelledAt.get(id), CHANGE_MS)) this.#break(at, `message ${id} was started after its cancel`)
    const { stoppedAt } = this.#settings.get(queueId)
    if (isLateFor(stoppedAt, CHANGE_MS)) this.#break(at, `message ${id} was started on a queue stopped at ${stoppedAt}`)
    const expiresAt = head.expiresAt === null ? null : head.expiresAt - this.#epochMs
    if (isLateFor(expiresAt, CLOCK_MS)) this.#break(at, `message ${id} was started after its expiry at ${expiresAt}`)
    const dueAt = Math.max(head.dueAt ?? 0, head.retryAt ?? 0) - this.#epochMs
    if (at < dueAt - 1) this.#break(at, `message ${id} was started before its time ${dueAt}`)
  }

  #checkOrder({ id, at }: Start, head: Head, route: Route): void {
    const line = lineOf(route, head.key)
    const setting = this.#settings.get(route.id)
    const since = setting.orderedAt + REORDER_MS
    if (line === null || setting.route?.ordered !== route.ordered) return
    const own = this.#redriven.has(id) ? undefined : this.#puts.get(id)
    for (const put of this.#queues.get(route.id) ?? []) {
      const isBefore = own && put.acknowledgedAt < own.calledAt && put.calledAt > since && !put.isDelayed
      if (!isBefore || lineOf(route, put.key) !== line || this.#redriven.has(put.id)) continue
      if (!this.#isOver(put.id))
        this.#break(at, `message ${id} was started before ${put.id}, which was put before it (line ${line})`)
    }
    const open = this.#open.get(line) ?? new Map<number, number>()
    for (const [other, startedAt] of open)
      if (other !== id && startedAt > since && !this.#store.done.has(other))
        this.#break(at, `message ${id} was started while ${other} was not settled (line ${line})`)
    open.set(id, at)
    this.#open.set(line, open)
  }

  /** Settled, or past its expiry: it goes to nobody any more, so nothing waits until that is on record. */
  #isOver(id: number): boolean {
    if (this.#store.done.has(id)) return true
    const expiresAt = this.#store.live.get(id)?.expiresAt ?? null
    return expiresAt !== null && expiresAt <= this.#store.now
  }

  #faultBetween(node: number, from: number, to: number): boolean {
    return this.#faults.some(fault => fault.node === node && fault.at >= from && fault.at <= to)
  }

  #break(at: number, what: string): void {
    if (this.violations.length < 20) this.violations.push(`${at.toFixed(1)} ms: ${what}`)
  }
}

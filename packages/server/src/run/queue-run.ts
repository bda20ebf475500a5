import { USUAL_WEIGHT } from '@posthorn/contract'
import { lanesOf } from '../engine/lane.ts'
import type { Found, Head, Tenure, Work } from '../engine/port.ts'
import { Members } from '../members.ts'
import type { Backlog, Load } from './backlog.ts'
import { FreeBacklog } from './free-backlog.ts'
import { Gate } from './gate.ts'
import { KeyedBacklog } from './keyed-backlog.ts'
import { LeavingBacklog } from './leaving-backlog.ts'
import { OrderedBacklog } from './ordered-backlog.ts'
import type { Pantry } from './pantry.ts'
import { partOf } from './part.ts'
import type { Route } from './port.ts'
import { leaveBusy, type Shard } from './shard.ts'
import { newPlace } from './turns.ts'
import { Window } from './window.ts'

/** What was taken from under a load while it was under way: it may still bring it as it was. */
interface Outdated {
  readonly messages: Set<number>
  all: boolean
}

/** Which line of the round it waits in (see round.ts). */
export type Kind = 'silent' | 'failing' | 'first' | 'small' | 'large'

/** What is read ahead for a receiver that did not answer, or not yet, and for each attempt that another has earned. */
const UNKNOWN = 2
const AHEAD = 20
/** And for each that is under way, whatever others hold: a fast receiver is not slowed by the memory of many slow ones. */
const LEAST_AHEAD = 4

/** One queue, or one slice of a queue that is spread, as this node serves it, from when work turns up until it is idle again or its shard leaves. */
export class QueueRun<R extends Route> {
  readonly id: number
  readonly slice: number
  readonly shard: Shard
  readonly window = new Window()
  /** Of a slice, with its part of the queue's bounds. */
  route: R | null = null
  /** Null where there is neither a rate nor a circuit breaker to go by. */
  gate: Gate | null = null
  backlog: Backlog | null = null
  /** Attempts under way. */
  inFlight = 0
  /** How long the oldest message that it could send had waited at the last look at everything. */
  waitedMs = 0
  /** Messages whose attempt is under way, or whose outcome is not yet settled. */
  readonly out = new Members<Head>()
  /** In the dispatcher's round: in the line of this kind, with so much of its turn left. */
  isReady = false
  kind: Kind = 'first'
  credit = 0
  readonly place = newPlace(this)
  /** Was idle when last looked at: the next look takes it out of memory. */
  wasIdle = false
  readonly #pantry: Pantry
  /** Messages are on their way into other slices. */
  #isFolding = false
  /** Paused by an answer of its receiver, while the record of that is on its way. */
  #isHeld = false
  /** There is no such queue. */
  #isClosed = false
  readonly #loading = new Set<Outdated>()
  /** What there is to read, remembered until the configuration is here. */
  #work: Pick<Work, 'lanes' | 'nextDue' | 'pinned'> | null = null
  readonly #found = new Map<number, Found>()
  /** The last ticket when messages were last taken from under this node. */
  #disturbedAt = 0

  constructor(id: number, shard: Shard, pantry: Pantry, slice = 0) {
    this.id = id
    this.slice = slice
    this.shard = shard
    this.#pantry = pantry
  }

  get isServed(): boolean {
    const { route } = this
    if (route === null) return false
    const isPushed = route.callbackUrl !== null || route.function !== null
    const isOpen = (isPushed && !route.isPaused && !this.#isHeld) || kindOf(route, this.slice) === 'leaving'
    return isOpen && this.shard.state === 'owned' && this.shard.isScanned
  }

  get mayStart(): boolean {
    return this.isServed && this.backlog !== null && this.window.allows(this.inFlight, this.route!.concurrency)
  }

  get weight(): number {
    return this.route?.weight ?? USUAL_WEIGHT
  }

  /**
   * How many messages it can use soon, of its share of the node's memory: a backlog keeps no more. A receiver that takes
   * nothing, however many there are of its kind, so leaves the memory to the others.
   */
  get appetite(): number {
    const { size, hasAnswered } = this.window
    const share = Math.max(this.#pantry.share, this.inFlight * LEAST_AHEAD)
    const most = hasAnswered ? Math.min(size * AHEAD, share) : UNKNOWN
    return this.gate ? Math.min(most, Math.ceil(this.gate.appetite)) : most
  }

  get isIdle(): boolean {
    if (this.out.size > 0 || this.#isFolding) return false
    if (this.#isClosed) return true
    return this.#work === null && this.#found.size === 0 && (this.backlog?.isIdle() ?? false)
  }

  /** Whether this node alone has had the queue, and nobody took a message from under it, since this ticket was given out. */
  isUndisturbed(ticket: number): boolean {
    return ticket > this.#disturbedAt && ticket > this.shard.takenAt
  }

  /** Takes its configuration on. A queue whose order changes waits until nothing of the old order is out. */
  configure(whole: R): void {
    const route = partOf(whole, this.slice)
    this.#isHeld = false
    this.#isClosed = false
    const isResumed = this.route?.isPaused === true
    const kind = kindOf(route, this.slice)
    const isGated = Gate.isWanted(route) && kind !== 'leaving'
    if (this.gate && isGated) this.gate.change(route, isResumed)
    else this.gate = isGated ? new Gate(route) : null
    const reordered = this.route !== null && kindOf(this.route, this.slice) !== kind
    this.route = route
    if (reordered) {
      this.backlog?.clear()
      this.backlog = null
      this.#work = { lanes: lanesOf(this.slice), nextDue: 0, pinned: true }
    }
    this.openBacklog()
    if (!this.isServed) this.backlog?.clear()
  }

  /** Starts nothing until it is configured anew. */
  hold(): void {
    this.#isHeld = true
    this.backlog?.clear()
  }

  /** There is no such queue any more. */
  close(): void {
    this.#isClosed = true
    this.route = null
    this.gate = null
    this.backlog?.clear()
  }

  /** A message was changed, or taken away: what has not been started of it is read again. */
  drop(id: number): void {
    this.#disturbedAt = this.#pantry.known.lastTicket
    this.backlog?.drop(id)
    for (const outdated of this.#loading) outdated.messages.add(id)
  }

  /** Many messages were taken away. */
  purge(): void {
    this.#disturbedAt = this.#pantry.known.lastTicket
    this.backlog?.clear()
    for (const outdated of this.#loading) outdated.all = true
  }

  /** Opens the backlog that fits its order, unless there is one, or messages of the old order are still out. */
  openBacklog(): void {
    if (this.backlog || !this.route || this.out.size > 0 || this.#isFolding) return
    this.backlog = this.#newBacklog(this.route)
    if (this.#work) this.restart(this.#work)
    for (const found of this.#found.values()) this.find(found)
    this.#work = null
    this.#found.clear()
  }

  #newBacklog(route: R): Backlog {
    const { id, slice, shard } = this
    const kind = kindOf(route, slice)
    if (kind === 'leaving') {
      const tenure = (): Tenure => ({ shard: shard.shard, epoch: shard.epoch })
      return new LeavingBacklog(() => ({ queueId: id, slice, spread: this.route!.spread, tenure: tenure() }))
    }
    const appetite = (): number => this.appetite
    if (kind === 'none') return new FreeBacklog(id, this.#pantry, appetite, slice)
    const Kind = kind === 'queue' ? OrderedBacklog : KeyedBacklog
    return new Kind(id, this.#pantry, appetite)
  }

  /** The loads that its backlog wants; what they bring is of no use to a backlog that has been replaced or left meanwhile. */
  loads(now: number): Load[] {
    const { backlog } = this
    if (!this.isServed || !backlog) return []
    const isCurrent = (): boolean => this.backlog === backlog && this.shard.state !== 'gone'
    return backlog.loads(now).map(load => {
      const watched = this.#watched(load, backlog, isCurrent)
      return watched.kind === 'fold' ? this.#folding(watched) : watched
    })
  }

  /**
   * Nothing of this slice is read or handed over while messages are on their way out of it: what is read meanwhile might be
   * sent here, and again where it moved to.
   */
  #folding(load: Load & { kind: 'fold' }): Load {
    this.#isFolding = true
    this.shard.busy += 1
    const over = (): void => {
      this.#isFolding = false
      this.openBacklog()
      leaveBusy(this.shard)
    }
    const done: typeof load.done = (last, more) => {
      load.done(last, more)
      over()
    }
    const failed = (): void => {
      load.failed()
      over()
    }
    return { ...load, done, failed }
  }

  #watched(load: Load, backlog: Backlog, isCurrent: () => boolean): Load {
    const outdated: Outdated = { messages: new Set(), all: false }
    this.#loading.add(outdated)
    const done = (...brought: unknown[]): void => {
      this.#loading.delete(outdated)
      if (!isCurrent()) return
      ;(load.done as (...brought: unknown[]) => void)(...brought)
      if (outdated.all) backlog.clear()
      else for (const id of outdated.messages) backlog.drop(id)
    }
    const failed = (): void => {
      this.#loading.delete(outdated)
      load.failed()
    }
    return { ...load, done, failed } as Load
  }

  /** Reads everything again, from the beginning. */
  restart(work: Pick<Work, 'lanes' | 'nextDue' | 'pinned'>): void {
    if (this.backlog) this.backlog.restart(work.lanes, work.nextDue, work.pinned)
    else this.#work = work
  }

  /** There are messages that are not in memory. */
  find(found: Omit<Found, 'queueId'>): void {
    const { lane, fromXid, fromDue } = found
    if (this.backlog) {
      this.backlog.found(lane, fromXid, fromDue)
      return
    }
    const before = this.#found.get(lane)
    this.#found.set(lane, {
      queueId: this.id,
      lane,
      fromXid: least(before?.fromXid, fromXid),
      fromDue: least(before?.fromDue, fromDue),
    })
  }

  /** This message stands in the table and not in memory: it is read when its turn comes. */
  readLater({ lane, xid, dueAt }: Head): void {
    this.find({ lane, fromXid: dueAt === null ? xid : null, fromDue: dueAt })
  }
}

const kindOf = ({ ordered, spread }: Route, slice: number): Route['ordered'] | 'leaving' =>
  slice >= spread ? 'leaving' : ordered

/** How long the oldest message that could be sent waits, or is overdue. */
export function waitOf({ waitsSince, nextDue }: Pick<Work, 'waitsSince' | 'nextDue'>, now: number): number {
  return Math.max(0, now - Math.min(waitsSince ?? now, nextDue ?? now))
}

function least(a: number | null | undefined, b: number | null): number | null {
  return a === null || a === undefined ? b : b === null ? a : Math.min(a, b)
}

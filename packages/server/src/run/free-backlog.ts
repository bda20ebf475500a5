import type { Head } from '../engine/port.ts'
import { type Backlog, earliest, type Load, mostOffered } from './backlog.ts'
import { beforePlace, beforeXid, Cursor, START } from './cursor.ts'
import { DueCursor } from './due-cursor.ts'
import { Held } from './held.ts'
import { LoadSize } from './load-size.ts'
import type { Pantry } from './pantry.ts'

/** Given out, and not yet moved out of the way. */
const LEFT_BEHIND = 256

interface Lane {
  readonly lane: number
  readonly cursor: Cursor
  readonly size: LoadSize
  heads: Head[]
  next: number
}

/** The backlog of a queue without order, or of a slice of one that is spread: a lane for each priority, highest first, and the delayed ones by their time. */
export class FreeBacklog implements Backlog {
  readonly #queueId: number
  readonly #slice: number
  readonly #pantry: Pantry
  readonly #appetite: () => number
  #lanes: Lane[] = []
  readonly #due = new DueCursor()
  readonly #dueSize: LoadSize
  readonly #held: Held
  waiting = 0

  constructor(queueId: number, pantry: Pantry, appetite: () => number, slice = 0) {
    this.#queueId = queueId
    this.#slice = slice
    this.#pantry = pantry
    this.#appetite = appetite
    this.#dueSize = new LoadSize(pantry, appetite)
    this.#held = new Held(pantry.known)
  }

  take(now: number): Head | null {
    return this.#held.take(now) ?? this.#takeReady(now)
  }

  #takeReady(now: number): Head | null {
    for (const lane of this.#lanes)
      while (lane.next < lane.heads.length) {
        const head = this.#takeFrom(lane)
        if (!this.#held.holds(head, now)) return head
      }
    return null
  }

  #takeFrom(lane: Lane): Head {
    const head = lane.heads[lane.next]!
    lane.next += 1
    if (lane.next >= LEFT_BEHIND || lane.next === lane.heads.length) {
      lane.heads = lane.heads.slice(lane.next)
      lane.next = 0
    }
    this.waiting -= 1
    this.#pantry.started(head)
    return head
  }

  isUnsure(): boolean {
    return false
  }

  beginLook(): void {}

  beginPin(): readonly Head[] {
    return []
  }

  endPin(): void {}

  nextAt(now: number): number | null {
    const due = this.#due.loading ? null : this.#due.next
    if (this.#held.isEmpty) return due !== null && due > now ? due : null
    return earliest(now, [due, ...this.#held.times])
  }

  isIdle(): boolean {
    const isLevel = ({ cursor }: Lane): boolean => !cursor.behind && !cursor.loading
    const due = this.#due
    return this.waiting === 0 && this.#held.isEmpty && !due.loading && due.next === null && this.#lanes.every(isLevel)
  }

  offer(head: Head): void {
    if (head.dueAt !== null) {
      this.#due.lookAgain(head.dueAt)
      return
    }
    const lane = this.#lane(head.lane)
    const room = this.waiting < mostOffered(this.#appetite()) && !this.#pantry.isFull
    if (room && lane.cursor.covers(head)) this.#keep(lane, head)
    else if (!this.#pantry.known.has(head)) lane.cursor.lookAgain(beforePlace(head))
  }

  found(lane: number, fromXid: number | null, fromDue: number | null): void {
    if (fromXid !== null) this.#lane(lane).cursor.lookAgain(beforeXid(fromXid))
    if (fromDue !== null) this.#due.lookAgain(fromDue)
  }

  restart(lanes: readonly number[], nextDue: number | null): void {
    for (const lane of lanes) this.#lane(lane).cursor.lookAgain(START)
    this.#due.restart(nextDue)
  }

  isFed(now: number): boolean {
    if (this.#isStuffed) return true
    for (const lane of this.#lanes) if (wantsLoad(lane)) return false
    return !this.#wantsDue(now)
  }

  loads(now: number): Load[] {
    if (this.#isStuffed) return []
    const loads: Load[] = []
    for (const lane of this.#lanes) if (wantsLoad(lane)) loads.push(this.#loadLane(lane))
    if (this.#wantsDue(now)) loads.push(this.#loadDue())
    return loads
  }

  get #isStuffed(): boolean {
    return this.#pantry.isFull && this.waiting > 0
  }

  #wantsDue(now: number): boolean {
    const due = this.#due
    return !due.loading && due.next !== null && due.next <= now && this.waiting < this.#dueSize.low
  }

  settled(_head: Head, retryAt: number | null): void {
    if (retryAt !== null) this.#due.lookAgain(retryAt)
  }

  drop(id: number): void {
    this.#held.drop(
      head => head.id === id,
      head => this.#lane(head.lane).cursor,
    )
    for (const lane of this.#lanes) {
      const index = lane.heads.findIndex((head, at) => at >= lane.next && head.id === id)
      if (index < 0) continue
      const [head] = lane.heads.splice(index, 1) as [Head]
      this.#pantry.drop(head)
      this.waiting -= 1
      if (head.dueAt === null) lane.cursor.lookAgain(beforePlace(head))
      else this.#due.lookAgain(head.dueAt)
    }
  }

  clear(): void {
    for (const lane of this.#lanes) {
      const left = lane.heads.slice(lane.next)
      for (const head of left) this.#pantry.drop(head)
      if (left.length > 0) lane.cursor.lookAgain(START)
      lane.heads = []
      lane.next = 0
    }
    this.#held.drop(
      () => true,
      head => this.#lane(head.lane).cursor,
    )
    if (this.waiting > 0) this.#due.lookAgain(0)
    this.waiting = 0
  }

  #lane(nth: number): Lane {
    const known = this.#lanes.find(({ lane }) => lane === nth)
    if (known) return known
    const lane = {
      lane: nth,
      cursor: new Cursor(),
      size: new LoadSize(this.#pantry, this.#appetite),
      heads: [],
      next: 0,
    }
    this.#lanes = [...this.#lanes, lane].sort((a, b) => b.lane - a.lane)
    return lane
  }

  #keep(lane: Lane, head: Head): void {
    if (!this.#pantry.add(head)) return
    lane.heads.push(head)
    this.waiting += 1
  }

  #loadLane(lane: Lane): Load {
    const limit = lane.size.next()
    const request = { queueId: this.#queueId, lane: lane.lane, after: lane.cursor.begin(), limit }
    return {
      kind: 'lane',
      request,
      bytes: lane.size.bytes,
      done: heads => {
        lane.cursor.end(heads.at(-1) ?? null, heads.length === limit)
        lane.size.loaded(heads, limit)
        for (const head of heads) this.#keep(lane, head)
      },
      failed: () => lane.cursor.failed(),
    }
  }

  #loadDue(): Load {
    const limit = this.#dueSize.next()
    return {
      kind: 'due',
      request: this.#due.begin(this.#queueId, limit, this.#slice),
      bytes: this.#dueSize.bytes,
      done: (heads, next) => {
        const last = heads.at(-1)
        this.#due.end(last ? { dueAt: last.dueAt!, id: last.id } : null, next)
        this.#dueSize.loaded(heads, limit)
        for (const head of heads) this.#keep(this.#lane(head.lane), head)
      },
      failed: () => this.#due.failed(),
    }
  }
}

const wantsLoad = ({ cursor, heads, next, size }: Lane): boolean =>
  cursor.behind && !cursor.loading && heads.length - next < size.low

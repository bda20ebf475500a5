import type { Head, Place } from '../engine/port.ts'
import { type Backlog, earliest, type Load, UNSURE } from './backlog.ts'
import { beforePlace, beforeXid, Cursor, isBefore, START } from './cursor.ts'
import { Held } from './held.ts'
import { Line } from './line.ts'
import { LoadSize } from './load-size.ts'
import type { Pantry } from './pantry.ts'
import { Promotion } from './promotion.ts'
import { Timetable } from './timetable.ts'

/** Of each key, this many messages are kept in memory at most; the rest is read along its own index when its turn comes. */
const MOST_OF_A_KEY = 16
/** With this many keys waiting, failing or busy, the lane is read no further: the bound on memory of a queue whose every key fails. */
const MOST_KEYS = 10_000
const MOST_WAITING = 2000
/** Lines whose places are fixed at once. */
const MOST_PINNED = 100

/**
 * The backlog of a queue that is ordered by key: one reader goes along the lane and deals its messages out to the lines
 * of their keys. A message without a key is free of order. A key that waits for a retry holds up nobody else.
 */
export class KeyedBacklog implements Backlog {
  readonly #queueId: number
  readonly #pantry: Pantry
  readonly #lane = new Cursor()
  readonly #size: LoadSize
  readonly #promotion = new Promotion()
  readonly #lines = new Map<string, Line>()
  /** Lines that may have something to give out, in turn. */
  readonly #ready = new Set<string>()
  /** Lines that may want a load of their own. */
  readonly #hungry = new Set<string>()
  readonly #retries = new Timetable<string>()
  #free: Head[] = []
  readonly #held: Held
  /** The last place of the lane that has been dealt out. */
  #dealt: Place = START
  #pinned = false
  waiting = 0

  constructor(queueId: number, pantry: Pantry, appetite: () => number) {
    this.#queueId = queueId
    this.#pantry = pantry
    this.#size = new LoadSize(pantry, appetite)
    this.#held = new Held(pantry.known)
  }

  take(now: number, xmin: number): Head | typeof UNSURE | null {
    for (const key of this.#retries.take(now)) this.#look(key)
    return this.#held.take(now) ?? this.#takeFree(now) ?? this.#takeFront(now, xmin)
  }

  #takeFree(now: number): Head | null {
    for (let free = this.#free.shift(); free; free = this.#free.shift()) {
      this.waiting -= 1
      this.#pantry.started(free)
      if (!this.#held.holds(free, now)) return free
    }
    return null
  }

  #takeFront(now: number, xmin: number): Head | typeof UNSURE | null {
    let unsure = false
    for (const key of this.#ready) {
      const line = this.#lines.get(key)
      if (line && this.#isTooEarly(line)) continue
      const front = line?.front(now, xmin) ?? null
      if (front === UNSURE) {
        unsure = true
        continue
      }
      this.#ready.delete(key)
      if (line && front) return this.#counted(line, () => line.takeFront())
      if (line) this.#arm(key, line)
    }
    return unsure ? UNSURE : null
  }

  isUnsure(xmin: number): boolean {
    return this.#unsureLines(xmin).length > 0
  }

  beginLook(xmin: number): void {
    for (const line of this.#unsureLines(xmin)) line.beginLook()
  }

  beginPin(xmin: number): readonly Head[] {
    return this.#unsureLines(xmin).flatMap(line => line.beginPin(this.#lane.readTo))
  }

  endPin(pinned: ReadonlySet<number> | null): void {
    for (const [key, line] of this.#lines) {
      this.#counted(line, () => line.endPin(pinned))
      this.#look(key)
    }
  }

  nextAt(now: number): number | null {
    return earliest(now, [this.#retries.next(), this.#promotion.nextAt(), ...this.#held.times])
  }

  isIdle(): boolean {
    const { behind, loading } = this.#lane
    return (
      !behind &&
      !loading &&
      !this.#pinned &&
      this.#lines.size === 0 &&
      this.#free.length === 0 &&
      this.#held.isEmpty &&
      this.#promotion.isIdle
    )
  }

  offer(head: Head): void {
    if (head.dueAt !== null) this.#promotion.lookAgain(head.dueAt)
    else if (head.lane !== 0) this.#promotion.lookForRaised()
    else if (this.#hasRoom && this.#lane.covers(head)) this.#deal(head)
    else this.#lane.lookAgain(beforePlace(head))
  }

  found(lane: number, fromXid: number | null, fromDue: number | null): void {
    if (fromXid !== null && lane === 0) this.#lane.lookAgain(beforeXid(fromXid))
    else if (fromXid !== null) this.#promotion.lookForRaised()
    if (fromDue !== null) this.#promotion.lookAgain(fromDue)
  }

  restart(lanes: readonly number[], nextDue: number | null, pinned: boolean): void {
    if (lanes.some(lane => lane !== 0)) this.#promotion.lookForRaised()
    if (nextDue !== null) this.#promotion.lookAgain(nextDue)
    // Not while there is something in memory: it would wait until everything before it had been read again.
    if (this.#lines.size > 0) return
    if (pinned) this.#pinned = true
    if (pinned || lanes.includes(0)) this.#lane.lookAgain(START)
  }

  isFed(): boolean {
    return false
  }

  loads(now: number): Load[] {
    for (const key of this.#retries.take(now)) this.#look(key)
    const loads = this.#promotion.loads(this.#queueId, now)
    if (this.#pinned && !this.#lane.loading) return [...loads, this.#loadPinned()]
    loads.push(...this.#loadKeys(now))
    const { behind, loading } = this.#lane
    // By what may start, not by what waits behind something that is out: one busy key would hold up the others.
    const isShort = this.#hasRoom && this.#free.length + this.#ready.size < this.#size.low
    if (behind && !loading && (isShort || this.#isLate)) loads.push(this.#loadLane())
    return loads
  }

  settled(head: Head, retryAt: number | null): void {
    if (head.key === null) {
      if (retryAt !== null) this.#promotion.lookAgain(retryAt)
      return
    }
    const line = this.#lines.get(head.key)
    if (!line) return
    this.#counted(line, () => line.settled(head, retryAt))
    this.#arm(head.key, line)
    this.#look(head.key)
  }

  drop(id: number): void {
    this.#held.drop(
      head => head.id === id,
      () => this.#lane,
    )
    const index = this.#free.findIndex(head => head.id === id)
    if (index >= 0) {
      const [head] = this.#free.splice(index, 1) as [Head]
      this.#pantry.drop(head)
      this.waiting -= 1
      this.#lane.lookAgain(beforePlace(head))
    }
    for (const [key, line] of this.#lines)
      if (line.heads.some(head => head.id === id)) {
        this.#counted(line, () => line.drop(id))
        this.#look(key)
      }
  }

  clear(): void {
    for (const head of this.#free) this.#pantry.drop(head)
    this.waiting -= this.#free.length
    this.#free = []
    this.#held.drop(
      () => true,
      () => this.#lane,
    )
    for (const line of this.#lines.values()) this.#counted(line, () => line.rewind(START))
    for (const [key, line] of this.#lines) if (!line.isBusy) this.#lines.delete(key)
    this.#ready.clear()
    this.#dealt = START
    this.#pinned = true
    this.#lane.lookAgain(START)
  }

  get #hasRoom(): boolean {
    return this.#hasMemory && this.#lines.size < MOST_KEYS
  }

  /** With a full pantry, for something to start, and no more. */
  get #hasMemory(): boolean {
    return this.waiting < MOST_WAITING && (!this.#pantry.isFull || this.waiting === 0)
  }

  #unsureLines(xmin: number): Line[] {
    const lines = [...this.#ready].flatMap(key => this.#lines.get(key) ?? [])
    return lines.filter(line => line.isUnsure(xmin) && !this.#isTooEarly(line)).slice(0, MOST_PINNED)
  }

  /** Something turned up before what is in memory: that waits until it has been read. */
  get #isLate(): boolean {
    return isBefore(this.#lane.readTo, this.#dealt)
  }

  #isTooEarly(line: Line): boolean {
    const head = line.heads[0]
    return head !== undefined && head.pin === null && isBefore(this.#lane.readTo, head)
  }

  #deal(head: Head): void {
    if (this.#pantry.known.has(head)) return
    if (isBefore(this.#dealt, head)) this.#dealt = { xid: head.xid, id: head.id }
    if (head.key === null) {
      if (this.#pantry.add(head)) {
        this.#free.push(head)
        this.waiting += 1
      }
      return
    }
    const line = this.#lineOf(head.key)
    this.#counted(line, () => line.offer(head))
    this.#look(head.key)
  }

  #lineOf(key: string): Line {
    let line = this.#lines.get(key)
    if (!line) {
      line = new Line(this.#pantry, MOST_OF_A_KEY)
      this.#lines.set(key, line)
    }
    return line
  }

  /** Something happened to this line: it may have a message to give, want a load, or be finished. */
  #look(key: string): void {
    const line = this.#lines.get(key)
    if (!line) return
    if (line.isIdle) {
      this.#lines.delete(key)
      this.#ready.delete(key)
      this.#retries.set(key, null)
      return
    }
    // What has nothing to give must not count as if it had: the lane would be read no further.
    if (line.waiting > 0 && !line.current) this.#ready.add(key)
    else this.#ready.delete(key)
    this.#hungry.add(key)
  }

  #arm(key: string, line: Line): void {
    if (!line.current && line.notBefore > 0) this.#retries.set(key, line.notBefore)
  }

  #counted<T>(line: Line, act: () => T): T {
    const before = line.waiting
    const result = act()
    this.waiting += line.waiting - before
    return result
  }

  #loadLane(): Load {
    const limit = this.#size.next()
    return {
      kind: 'lane',
      request: { queueId: this.#queueId, lane: 0, after: this.#lane.begin(), limit },
      bytes: this.#size.bytes,
      done: heads => {
        this.#size.loaded(heads, limit)
        // Begun before everything was cleared: what is pinned is not in memory any more, and goes first.
        if (this.#pinned) {
          this.#lane.end(null, true)
          return
        }
        this.#lane.end(heads.at(-1) ?? null, heads.length === limit)
        for (const head of heads) this.#deal(head)
      },
      failed: () => this.#lane.failed(),
    }
  }

  /** As many as one load may bring; the other keys stay hungry. */
  #loadKeys(now: number): Load[] {
    const loads: Load[] = []
    const limit = Math.min(MOST_OF_A_KEY, this.#size.most)
    const most = this.#hasMemory ? Math.ceil(this.#size.most / limit) : 0
    for (const key of this.#hungry) {
      if (loads.length >= most) break
      const line = this.#lines.get(key)
      if (line?.wantsPinned(now)) loads.push(this.#loadPinnedOf(key, line))
      else if (line?.wantsLoad(now, 1)) loads.push(this.#loadKey(key, line, limit))
      else if (line && now < line.notBefore) this.#arm(key, line)
      this.#hungry.delete(key)
    }
    return loads
  }

  #loadKey(key: string, line: Line, limit: number): Load {
    return {
      kind: 'key',
      request: { queueId: this.#queueId, key, after: line.cursor.begin(), limit },
      bytes: this.#size.meanBytes * limit,
      done: heads => {
        // What the lane has not reached yet, it will deal out itself.
        const reached = heads.filter(head => !isBefore(this.#lane.readTo, head))
        this.#counted(line, () => line.loaded(reached, reached.length === limit))
        this.#look(key)
      },
      failed: () => {
        line.cursor.failed()
        this.#hungry.add(key)
      },
    }
  }

  #loadPinnedOf(key: string, line: Line): Load {
    const load = line.loadPinned(this.#queueId, head => head.key === key)
    return {
      ...load,
      done: (heads: readonly Head[]) => {
        this.#counted(line, () => load.done(heads))
        this.#look(key)
      },
      failed: () => {
        load.failed()
        this.#hungry.add(key)
      },
    }
  }

  /** All pinned messages of the queue, dealt out before anything else is read. */
  #loadPinned(): Load {
    this.#lane.begin()
    return {
      kind: 'pinned',
      queueId: this.#queueId,
      bytes: 0,
      done: heads => {
        this.#pinned = false
        this.#lane.end(null, true)
        for (const { key } of heads) if (key !== null) this.#lineOf(key).pinned = true
        for (const { key } of heads) if (key !== null) this.#look(key)
      },
      failed: () => this.#lane.failed(),
    }
  }
}

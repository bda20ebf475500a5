import type { Head } from '../engine/port.ts'
import { type Backlog, earliest, type Load, mostOffered, type UNSURE } from './backlog.ts'
import { beforePlace, beforeXid, START } from './cursor.ts'
import { Line } from './line.ts'
import { LoadSize } from './load-size.ts'
import type { Pantry } from './pantry.ts'
import { Promotion } from './promotion.ts'

const MOST_WAITING = 200

/** The backlog of a queue that is one line. */
export class OrderedBacklog implements Backlog {
  readonly #queueId: number
  readonly #line: Line
  readonly #promotion = new Promotion()
  readonly #size: LoadSize
  readonly #appetite: () => number

  constructor(queueId: number, pantry: Pantry, appetite: () => number) {
    this.#queueId = queueId
    this.#appetite = appetite
    this.#line = new Line(pantry, MOST_WAITING)
    this.#size = new LoadSize(pantry, appetite)
  }

  get waiting(): number {
    return this.#line.waiting
  }

  take(now: number, xmin: number): Head | typeof UNSURE | null {
    const front = this.#line.front(now, xmin)
    return front && typeof front === 'object' ? this.#line.takeFront() : front
  }

  isUnsure(xmin: number): boolean {
    return this.#line.isUnsure(xmin)
  }

  beginLook(): void {
    this.#line.beginLook()
  }

  beginPin(xmin: number): readonly Head[] {
    return this.#line.isUnsure(xmin) ? this.#line.beginPin(this.#line.cursor.readTo) : []
  }

  endPin(pinned: ReadonlySet<number> | null): void {
    this.#line.endPin(pinned)
  }

  nextAt(now: number): number | null {
    return earliest(now, [this.#promotion.nextAt(), this.#line.current ? null : this.#line.notBefore])
  }

  isIdle(): boolean {
    return this.#line.isIdle && this.#promotion.isIdle
  }

  offer(head: Head): void {
    if (head.dueAt !== null) this.#promotion.lookAgain(head.dueAt)
    else if (head.lane !== 0) this.#promotion.lookForRaised()
    else if (this.#line.waiting < mostOffered(this.#appetite())) this.#line.offer(head)
    else this.#line.lookAgain(beforePlace(head))
  }

  found(lane: number, fromXid: number | null, fromDue: number | null): void {
    if (fromXid !== null && lane === 0) this.#line.lookAgain(beforeXid(fromXid))
    else if (fromXid !== null) this.#promotion.lookForRaised()
    if (fromDue !== null) this.#promotion.lookAgain(fromDue)
  }

  restart(lanes: readonly number[], nextDue: number | null, pinned: boolean): void {
    if (lanes.some(lane => lane !== 0)) this.#promotion.lookForRaised()
    if (nextDue !== null) this.#promotion.lookAgain(nextDue)
    const line = this.#line
    if (line.current || line.waiting > 0) return
    if (pinned) line.pinned = true
    if (lanes.includes(0)) line.lookAgain(START)
  }

  isFed(): boolean {
    return false
  }

  loads(now: number): Load[] {
    const line = this.#line
    const loads = this.#promotion.loads(this.#queueId, now)
    if (line.wantsPinned(now)) loads.push(line.loadPinned(this.#queueId, () => true))
    else if (line.wantsLoad(now, Math.min(MOST_WAITING / 2, this.#size.low))) loads.push(this.#loadLane())
    return loads
  }

  settled(head: Head, retryAt: number | null): void {
    this.#line.settled(head, retryAt)
  }

  drop(id: number): void {
    this.#line.drop(id)
  }

  clear(): void {
    this.#line.rewind(START)
    this.#line.pinned = true
  }

  #loadLane(): Load {
    const limit = Math.min(MOST_WAITING, this.#size.next())
    const request = { queueId: this.#queueId, lane: 0, after: this.#line.cursor.begin(), limit }
    return {
      kind: 'lane',
      request,
      bytes: this.#size.bytes,
      done: heads => {
        this.#size.loaded(heads, limit)
        this.#line.loaded(heads, heads.length === limit)
      },
      failed: () => this.#line.cursor.failed(),
    }
  }
}

import type { Head, Place } from '../engine/port.ts'
import { type Load, UNSURE } from './backlog.ts'
import { beforePlace, Cursor, isBefore } from './cursor.ts'
import type { Pantry } from './pantry.ts'

/**
 * A line: messages that go one after another. A whole queue is one line, or each key of a queue is.
 *
 * Guarantees that message n+1 is not given out before n is settled, and that the order is one that every later owner
 * finds again: by place (transaction id, then id), pinned messages before all others. A place is fixed when no
 * transaction below it runs any more; until then `front` answers UNSURE, and the dispatcher waits or pins (unsure.ts).
 *
 * What is in memory is a run of the line without gaps. Whatever turns up inside or before it empties it, and the line is
 * read again from there; a retried head likewise leaves memory and is read again when its time comes.
 */
export class Line {
  readonly cursor = new Cursor()
  /** Pinned messages may be in the table: they are loaded before anything else. */
  pinned = false
  /** Out, or being settled. */
  current: Head | null = null
  /** Their places are being fixed; meanwhile the line stands still. */
  #pinning: readonly Head[] = []
  /** The last one that was here before the look that is under way. */
  #lookedFor: Head | null = null
  /** The head is retried no earlier than this. */
  notBefore = 0
  readonly #pantry: Pantry
  readonly #most: number
  #heads: Head[] = []

  constructor(pantry: Pantry, most: number) {
    this.#pantry = pantry
    this.#most = most
  }

  get waiting(): number {
    return this.#heads.length
  }

  get heads(): readonly Head[] {
    return this.#heads
  }

  get isIdle(): boolean {
    return !this.isBusy && !this.pinned && this.#heads.length === 0 && !this.cursor.behind
  }

  /** An attempt, a load or a pin is under way, and its end will come to this line. */
  get isBusy(): boolean {
    return this.current !== null || this.#pinning.length > 0 || this.cursor.loading
  }

  /** The next message, if it may start now. */
  front(now: number, xmin: number): Head | typeof UNSURE | null {
    const head = this.#heads[0]
    if (this.current || this.#pinning.length > 0 || this.pinned || !head || now < this.notBefore) return null
    if (head.retryAt !== null && head.retryAt > now) {
      this.notBefore = head.retryAt
      return null
    }
    return head.pin !== null || head.xid < xmin ? head : UNSURE
  }

  /** Gives the front out. */
  takeFront(): Head {
    const head = this.#heads.shift()!
    this.#pantry.started(head)
    this.current = head
    return head
  }

  isUnsure(xmin: number): boolean {
    const head = this.#heads[0]
    const standsStill = this.current !== null || this.#pinning.length > 0 || this.pinned
    return !standsStill && head !== undefined && head.pin === null && head.xid >= xmin
  }

  /** A look begins that will find whatever was acknowledged before one of these was put. */
  beginLook(): void {
    this.#lookedFor = this.#heads.at(-1) ?? null
  }

  /** Those in memory, up to this place, whose places may be fixed: nothing that precedes them is still to be found. */
  beginPin(upTo: Place): readonly Head[] {
    const count = this.#lookedFor === null ? 0 : this.#heads.indexOf(this.#lookedFor) + 1
    this.#pinning = this.#heads.slice(0, count).filter(head => !isBefore(upTo, head))
    return this.#pinning
  }

  /** Which places were fixed; null: in doubt. What is pinned in the table and not here is read from there first. */
  endPin(pinned: ReadonlySet<number> | null): void {
    const heads = this.#pinning
    const [first] = heads
    if (!first) return
    this.#pinning = []
    if (heads.every((head, index) => pinned?.has(head.id) && this.#heads[index] === head)) {
      for (const head of heads) head.pin = 0
      return
    }
    this.pinned = true
    this.rewind(beforePlace(first))
  }

  /** A message handed over in memory, or met on the way of the lane that feeds this line. */
  offer(head: Head): void {
    if (this.#pantry.known.has(head)) return
    const last = this.#heads.at(-1)
    if (last && isBefore(head, last)) {
      this.rewind(beforePlace(head))
      return
    }
    // One at least: a line whose messages are not taken in goes no further.
    const room = this.#heads.length < this.#most && (this.#heads.length === 0 || !this.#pantry.isFull)
    if (room && !this.pinned && this.cursor.covers(head) && this.#pantry.add(head)) this.#heads.push(head)
    else this.cursor.lookAgain(beforePlace(head))
  }

  /** Something that is not in memory stands right behind `place` or later. */
  lookAgain(place: Place): void {
    const last = this.#heads.at(-1)
    if (last && isBefore(place, last)) this.rewind(place)
    else this.cursor.lookAgain(place)
  }

  /** Empties memory and reads again from `place`, or from the earliest of its messages (pinned ones may stand before earlier). */
  rewind(place: Place): void {
    let from = place
    for (const head of this.#heads) {
      if (head.pin !== null) this.pinned = true
      if (isBefore(beforePlace(head), from)) from = beforePlace(head)
      this.#pantry.drop(head)
    }
    this.#heads = []
    this.cursor.lookAgain(from)
  }

  /** The rows of a load of this line, in order. */
  loaded(heads: readonly Head[], more: boolean): void {
    this.cursor.end(heads.at(-1) ?? null, more)
    for (const head of heads) {
      if (this.#pantry.known.has(head)) continue
      // Something turned up before it during the load: it is read again after that.
      if (isBefore(this.cursor.after, head)) return
      const last = this.#heads.at(-1)
      if (last && last.pin === null && isBefore(head, last)) {
        this.rewind(beforePlace(head))
        return
      }
      if (this.#pantry.add(head)) this.#heads.push(head)
    }
  }

  settled(head: Head, retryAt: number | null): void {
    if (this.current?.id === head.id) this.current = null
    if (retryAt === null) return
    this.notBefore = retryAt
    this.pinned ||= head.pin !== null
    this.rewind(beforePlace(head))
  }

  drop(id: number): void {
    const index = this.#heads.findIndex(head => head.id === id)
    if (index >= 0) this.rewind(beforePlace(this.#heads[index]!))
  }

  /** Whether a load of the line itself is wanted at `now`: not while it waits for a retry, and not while it has enough. */
  wantsLoad(now: number, low: number): boolean {
    const { behind, loading } = this.cursor
    return behind && !loading && !this.pinned && now >= this.notBefore && this.#heads.length < low
  }

  /** Not while places are being fixed: it would bring none of those, and say that there are none. */
  wantsPinned(now: number): boolean {
    return this.pinned && !this.isBusy && now >= this.notBefore
  }

  loadPinned(queueId: number, pick: (head: Head) => boolean): Load & { kind: 'pinned' } {
    this.cursor.begin()
    return {
      kind: 'pinned',
      queueId,
      // Few, if any: pins are for what starts while an older transaction runs.
      bytes: 0,
      done: (heads: readonly Head[]) => {
        this.cursor.end(null, true)
        this.rewind(this.cursor.after)
        this.pinned = false
        for (const head of heads.filter(pick)) if (this.#pantry.add(head)) this.#heads.push(head)
      },
      failed: () => this.cursor.failed(),
    }
  }
}

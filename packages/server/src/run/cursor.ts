import type { Place } from '../engine/port.ts'

export const START: Place = { xid: 0, id: 0 }

export const isBefore = (a: Place, b: Place): boolean => a.xid < b.xid || (a.xid === b.xid && a.id < b.id)

/** The place alone, without the message that stands there. */
const placeOf = ({ xid, id }: Place): Place => ({ xid, id })

/** The last place before everything of this transaction. */
export const beforeXid = (xid: number): Place => ({ xid: xid - 1, id: Number.MAX_SAFE_INTEGER })

/** The last place before this one. */
export const beforePlace = ({ xid, id }: Place): Place => ({ xid, id: id - 1 })

/**
 * How far a line of ready messages has been read.
 *
 * Guarantees that no place is passed unread: whatever turns up at or behind the cursor, also while a load is under way
 * that may have been too early to see it, takes the cursor back before it.
 *
 *   level ──something found──▶ behind ──begin──▶ loading ──end: all read──▶ level
 *                                 ▲                 └──end: more there, or found meanwhile──▶ behind
 */
export class Cursor {
  after: Place = START
  /** There is, or may be, something to load beyond the cursor. */
  behind = false
  loading = false
  #found: Place | null = null

  /** Everything up to here has been read. */
  get readTo(): Place {
    return this.#found && isBefore(this.#found, this.after) ? this.#found : this.after
  }

  begin(): Place {
    this.loading = true
    this.behind = false
    this.#found = null
    return this.after
  }

  /** `last`: the last place that the load gave; null if it gave nothing. `more`: it stopped at its limit. */
  end(last: Place | null, more: boolean): void {
    this.loading = false
    if (last && isBefore(this.after, last)) this.after = placeOf(last)
    if (more) this.behind = true
    this.#settleFound()
  }

  failed(): void {
    this.loading = false
    this.behind = true
    this.#settleFound()
  }

  /** Something that is not in memory is right behind `place`, or later. */
  lookAgain(place: Place): void {
    if (this.loading) {
      if (!this.#found || isBefore(place, this.#found)) this.#found = place
      return
    }
    this.behind = true
    if (isBefore(place, this.after)) this.after = place
  }

  /** A message that was handed over in memory: true if the cursor has it covered, so that it may be kept. */
  covers(place: Place): boolean {
    if (this.behind || this.loading) return false
    if (isBefore(this.after, place)) this.after = placeOf(place)
    return true
  }

  #settleFound(): void {
    const found = this.#found
    this.#found = null
    if (found) this.lookAgain(found)
  }
}

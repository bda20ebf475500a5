/**
 * Retention, message by message: for history that does not leave with its span.
 *
 * Guarantees that what was settled longer than the retention ago goes, with its attempts and with the payloads that no
 * message refers to any more; that nothing younger goes, nothing that lives and nothing dead, nor a body of theirs. Queues
 * with a rule of their own are left to queue-retention.ts.
 * Walks each range of ids org by org, lowest id first, and leaves an org at the first message put within the retention:
 * what follows was put later and so settled later. What was put long ago and settled lately (a long delay) is stepped over
 * and met again on the next walk. A walk is cut into calls; each page of it is one commit.
 */
import type { Database } from '../../../db/port.ts'
import { readPage, removeSettled } from './expired-page.ts'
import { statements } from './statements.ts'

export interface ExpireOptions {
  /** How long settled messages are kept. */
  readonly retentionMs: number
  /** The most messages to look at in this call. */
  readonly limit: number
  /** Where the last call ended; null begins a walk. */
  readonly from: HistoryPlace | null
}

/** A place on the walk: in the range of ids from `lo` on, in this org, after this id. */
export interface HistoryPlace {
  readonly lo: number
  readonly orgId: number
  readonly after: number
}

export interface Expired {
  readonly removed: number
  /** Where to go on; null if the walk is over. */
  readonly next: HistoryPlace | null
}

interface Range {
  readonly lo: number
  /** Exclusive. */
  readonly hi: number
}

const PAGE = 500
const LOWEST_ID = Number.MIN_SAFE_INTEGER
const BEFORE_ALL_ORGS = -1

/** Removes settled messages whose time is over, on the next stretch of the walk. @throws DatabaseError */
export async function expireHistory(db: Database, { retentionMs, limit, from }: ExpireOptions): Promise<Expired> {
  const ranges = await db.query<Range>(statements.expirableSpans, [retentionMs, LOWEST_ID])
  let removed = 0
  let left = limit
  for (const range of ranges) {
    if (from !== null && range.lo < from.lo) continue
    let place = from?.lo === range.lo ? from : await nextOrg(db, range, BEFORE_ALL_ORGS, retentionMs)
    while (place) {
      if (left <= 0) return { removed, next: place }
      const page = await expirePage(db, range, place, retentionMs)
      removed += page.removed
      left -= Math.max(1, page.seen)
      place = page.next ?? (await nextOrg(db, range, place.orgId, retentionMs))
    }
  }
  return { removed, next: null }
}

async function nextOrg(
  db: Database,
  range: Range,
  afterOrg: number,
  retentionMs: number,
): Promise<HistoryPlace | null> {
  const params = [`${range.lo}`, `${range.hi}`, `${afterOrg}`, `${retentionMs}`]
  const [row] = await db.hot.rows(statements.nextOrgToExpire, params)
  return row ? { lo: range.lo, orgId: Number(row[0]), after: LOWEST_ID } : null
}

async function expirePage(db: Database, range: Range, place: HistoryPlace, retentionMs: number) {
  const params = [range.lo, range.hi, place.orgId, place.after, PAGE, retentionMs].map(String)
  const { seen, last, reached, over } = await readPage(db.hot, statements.findExpired, params)
  const removed = over ? await removeSettled(db.hot, place.orgId, over) : 0
  const isOver = reached !== null || seen < PAGE
  return { seen, removed, next: isOver ? null : { ...place, after: last! } }
}

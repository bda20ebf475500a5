import type { Executor } from '../../db/port.ts'
import { sliceKey, sliceOf } from '../lane.ts'
import type { Change, DueRequest, Found, Head, KeyRequest, LaneRequest, Snapshot, Sweep, Work } from '../port.ts'
import { headOf, numberOrNull, snapshotOf } from './decode.ts'
import { column, list, textColumn } from './encode.ts'
import { statements } from './statements.ts'

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

export async function snapshot(db: Executor): Promise<{ snapshot: Snapshot; now: number }> {
  const [row] = await db.rows(statements.snapshot)
  return { snapshot: snapshotOf(row![0]!, row![1]!, row![2]!), now: Number(row![3]) }
}

export async function sweep(
  db: Executor,
  since: Snapshot,
  shards: readonly number[],
  shardCount: number,
  except: readonly number[],
): Promise<Sweep> {
  const params = [`${since.xmax}`, list(since.xip), list(shards), `${shardCount}`, list(except)]
  const found: Found[] = []
  const changes: Change[] = []
  let taken: { snapshot: Snapshot; now: number } | undefined
  for (const [tag, a, b, c, d] of await db.rows(statements.sweep, params)) {
    if (tag === 's') taken = { snapshot: snapshotOf(a!, b!, c!), now: Number(d) }
    else if (tag === 'c') changes.push({ kind: a as Change['kind'], queueId: Number(b), messageId: numberOrNull(c!) })
    else found.push({ queueId: Number(a), lane: Number(b), fromXid: numberOrNull(c!), fromDue: numberOrNull(d!) })
  }
  return { ...taken!, found, changes }
}

export async function findWork(db: Executor, shards: readonly number[], shardCount: number): Promise<Work[]> {
  const params = [list(shards), `${shardCount}`]
  const work = new Map<number, Mutable<Work> & { lanes: number[] }>()
  const of = (queueId: number, slice: number) => {
    const key = sliceKey(queueId, slice)
    let entry = work.get(key)
    if (!entry) {
      entry = { queueId, slice, lanes: [], nextDue: null, waitsSince: null, pinned: false }
      work.set(key, entry)
    }
    return entry
  }
  for (const row of await db.rows(statements.findLanes, params)) {
    const [queueId, lane] = row.map(Number) as [number, number]
    const found = of(queueId, sliceOf(lane))
    found.lanes.push(lane)
    if (row[2] !== null) found.waitsSince = Math.min(found.waitsSince ?? Number.POSITIVE_INFINITY, Number(row[2]))
  }
  for (const row of await db.rows(statements.findDue, params)) {
    const [queueId, slice, due] = row.map(Number) as [number, number, number]
    of(queueId, slice).nextDue = due
  }
  for (const [queueId] of await db.rows(statements.findPinned, params)) of(Number(queueId), 0).pinned = true
  return [...work.values()]
}

export async function loadLanes(db: Executor, requests: readonly LaneRequest[]): Promise<Head[]> {
  const rows = await db.rows(statements.loadLanes, [
    column(requests, request => request.queueId),
    column(requests, request => request.lane),
    column(requests, request => request.after.xid),
    column(requests, request => request.after.id),
    column(requests, request => request.limit),
  ])
  return rows.map(headOf)
}

export async function loadDue(db: Executor, requests: readonly DueRequest[]): Promise<Head[]> {
  const rows = await db.rows(statements.loadDue, [
    column(requests, request => request.queueId),
    column(requests, request => request.after.dueAt),
    column(requests, request => request.after.id),
    column(requests, request => request.limit),
    column(requests, request => request.slice),
  ])
  return rows.map(headOf)
}

export async function nextDue(db: Executor, requests: readonly DueRequest[]): Promise<(number | null)[]> {
  const rows = await db.rows(statements.nextDue, [
    column(requests, request => request.queueId),
    column(requests, request => request.after.dueAt),
    column(requests, request => request.after.id),
    column(requests, request => request.slice),
  ])
  const next: (number | null)[] = requests.map(() => null)
  for (const [ord, due] of rows) next[Number(ord) - 1] = Number(due)
  return next
}

export async function loadKeys(db: Executor, requests: readonly KeyRequest[]): Promise<Head[]> {
  const rows = await db.rows(statements.loadKeys, [
    column(requests, request => request.queueId),
    textColumn(requests, request => request.key),
    column(requests, request => request.after.xid),
    column(requests, request => request.after.id),
    column(requests, request => request.limit),
  ])
  return rows.map(headOf)
}

export async function loadPinned(db: Executor, queueIds: readonly number[]): Promise<Head[]> {
  return (await db.rows(statements.loadPinned, [list(queueIds)])).map(headOf)
}

export async function loadExpired(
  db: Executor,
  shards: readonly number[],
  shardCount: number,
  limit: number,
): Promise<Head[]> {
  return (await db.rows(statements.loadExpired, [list(shards), `${shardCount}`, `${limit}`])).map(headOf)
}

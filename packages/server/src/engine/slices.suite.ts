import { expect, test } from 'vitest'
import {
  delivered,
  FIRST_DUE,
  type Fixture,
  idsOf,
  type Laws,
  loadLane,
  own,
  put,
  START,
  sorted,
} from './fixture.suite.ts'
import { laneOf, shardOf } from './lane.ts'
import type { FoldRequest } from './port.ts'

const HOUR = 3_600_000
const SLICES = 4

const shardOfSlice = (f: Fixture, queueId: number, slice: number): number =>
  shardOf(queueId, slice, f.engine.shardCount)

/** A request of whoever owns the slice, of a queue that is spread over two now. */
async function foldOf(f: Fixture, queueId: number, slice: number, more: Partial<FoldRequest> = {}) {
  const tenure = await own(f, queueId, slice)
  return { queueId, slice, spread: 2, after: FIRST_DUE, limit: 100, tenure, ...more }
}

export function sliceLaws(laws: Laws): void {
  partLaws(laws)
  foldLaws(laws)
}

function partLaws({ fixture }: Laws): void {
  test('each slice of a queue is read by itself, and a priority within it', async () => {
    const f = fixture()
    const queueId = await f.makeQueue('none', SLICES)
    const [first, third, high, plain] = await put(f, queueId, {}, { slice: 3 }, { slice: 3, priority: 9 }, { slice: 3 })
    expect(idsOf(await loadLane(f, queueId))).toEqual([first])
    expect(idsOf(await loadLane(f, queueId, START, 10, laneOf(3, 0)))).toEqual([third, plain])
    expect(await loadLane(f, queueId, START, 10, laneOf(3, 9))).toMatchObject([{ id: high, lane: laneOf(3, 9) }])
  })

  test('plain messages for several slices in one put go each to its own', async () => {
    const f = fixture()
    const queueId = await f.makeQueue('none', SLICES)
    const ids = await put(f, queueId, { slice: 2 }, {}, { slice: 1 })
    expect((await Promise.all(ids.map(id => f.live(id)))).map(row => row!.lane)).toEqual([
      laneOf(2, 0),
      0,
      laneOf(1, 0),
    ])
  })

  test('what is delayed is due in its own slice', async () => {
    const f = fixture()
    const queueId = await f.makeQueue('none', SLICES)
    const dueAt = (await f.now()) + 1000
    const [mine, other] = await put(f, queueId, { slice: 1, dueAt: dueAt + 1 }, { dueAt })
    const of = (slice: number) => ({ queueId, slice, after: FIRST_DUE, limit: 10 })
    expect(await f.engine.nextDue([of(1), of(0), of(2)])).toEqual([dueAt + 1, dueAt, null])
    await f.pass(1002)
    expect(idsOf(await f.engine.loadDue([of(1)]))).toEqual([mine])
    expect(idsOf(await f.engine.loadDue([of(0)]))).toEqual([other])
  })

  test('the owner of a shard is told of its slices alone', async () => {
    const f = fixture()
    const queueId = await f.makeQueue('none', SLICES)
    const { snapshot } = await f.engine.snapshot()
    const dueAt = (await f.now()) + HOUR
    await put(f, queueId, {}, { slice: 1 }, { slice: 2, dueAt }, { slice: 1, priority: 5 })
    const workOf = async (slice: number) =>
      (await f.engine.findWork([shardOfSlice(f, queueId, slice)])).filter(work => work.queueId === queueId)
    const [ready] = await workOf(1)
    expect(ready).toMatchObject({ slice: 1, pinned: false })
    expect(sorted(ready!.lanes)).toEqual([laneOf(1, 0), laneOf(1, 5)])
    expect(await workOf(2)).toMatchObject([{ slice: 2, lanes: [], nextDue: dueAt }])
    const sweep = await f.engine.sweep(snapshot, [shardOfSlice(f, queueId, 2)], [])
    const found = sweep.found.filter(one => one.queueId === queueId)
    expect(found).toEqual([{ queueId, lane: laneOf(2, 0), fromXid: null, fromDue: dueAt }])
  })

  test('the owner of a shard ends what has expired in its slices', async () => {
    const f = fixture()
    const queueId = await f.makeQueue('none', SLICES)
    const expiresAt = (await f.now()) + 1000
    const [, mine] = await put(f, queueId, { expiresAt }, { expiresAt, slice: 1 })
    await f.pass(1001)
    const heads = await f.engine.loadExpired([shardOfSlice(f, queueId, 1)], 100)
    expect(idsOf(heads.filter(head => head.queueId === queueId))).toEqual([mine])
  })

  test('a message of a slice is settled under the tenure of its shard, and no other', async () => {
    const f = fixture()
    const queueId = await f.makeQueue('none', SLICES)
    const [id] = await put(f, queueId, { slice: 3, priority: 2 })
    const [head] = await loadLane(f, queueId, START, 10, laneOf(3, 2))
    const tenure = await own(f, queueId, 3)
    await own(f, queueId, 3)
    expect((await f.engine.settle([delivered(head!, tenure)], false)).fenced).toEqual([tenure])
    expect(await f.live(id!)).toMatchObject({ lane: laneOf(3, 2) })
    await f.engine.settle([delivered(head!, await own(f, queueId, 3))], false)
    expect(await f.history(id!)).toMatchObject({ outcome: 'delivered' })
  })
}

function foldLaws({ fixture }: Laws): void {
  test('what waits in a slice that is no more moves to those that are, ready or delayed, with its priority', async () => {
    const f = fixture()
    const queueId = await f.makeQueue('none', SLICES)
    const dueAt = (await f.now()) + HOUR
    const moved = await put(f, queueId, { slice: 3 }, { slice: 3, priority: 7 }, { slice: 3, dueAt }, { slice: 3 })
    const [stays] = await put(f, queueId, { slice: 2 })
    const { snapshot } = await f.engine.snapshot()
    const folded = await f.engine.fold(await foldOf(f, queueId, 3))
    expect(folded).toEqual({ last: { dueAt, id: moved[2] }, more: false })
    const rows = await Promise.all(moved.map(id => f.live(id)))
    expect(rows.map(row => row!.lane)).toEqual(moved.map((id, nth) => laneOf(id % 2, nth === 1 ? 7 : 0)))
    expect(rows[2]!.dueAt).toBe(dueAt)
    expect((await f.live(stays!))!.lane).toBe(laneOf(2, 0))
    const everywhere = Array.from({ length: f.engine.shardCount }, (_, shard) => shard)
    const { found } = await f.engine.sweep(snapshot, everywhere, [])
    const lanes = found.filter(one => one.queueId === queueId).map(({ lane }) => lane)
    expect(sorted(lanes)).toEqual(sorted([...new Set(rows.map(row => row!.lane))]))
  })

  test('of more than the limit the first go first, the rest with the next call', async () => {
    const f = fixture()
    const queueId = await f.makeQueue('none', SLICES)
    const now = await f.now()
    const ids = await put(f, queueId, ...[1, 2, 3].map(nth => ({ slice: 2, dueAt: now + HOUR + nth })))
    const first = await f.engine.fold(await foldOf(f, queueId, 2, { spread: 1, limit: 2 }))
    expect(first).toEqual({ last: { dueAt: now + HOUR + 2, id: ids[1] }, more: true })
    const next = await f.engine.fold(await foldOf(f, queueId, 2, { spread: 1, limit: 2, after: first.last! }))
    expect(next).toEqual({ last: { dueAt: now + HOUR + 3, id: ids[2] }, more: false })
    for (const id of ids) expect((await f.live(id))!.lane).toBe(0)
  })

  test('whoever has lost the shard moves nothing', async () => {
    const f = fixture()
    const queueId = await f.makeQueue('none', SLICES)
    const [id] = await put(f, queueId, { slice: 3 })
    const request = await foldOf(f, queueId, 3)
    await own(f, queueId, 3)
    expect(await f.engine.fold(request)).toEqual({ last: null, more: true })
    expect((await f.live(id!))!.lane).toBe(laneOf(3, 0))
  })

  test('an ordered queue brings into line what is in its first slice, and reads nothing of the others', async () => {
    const f = fixture()
    const queueId = await f.makeQueue('key', SLICES)
    const dueAt = (await f.now()) + 1000
    const [here] = await put(f, queueId, { dueAt, key: 'k' })
    const [late, ready] = await put(f, queueId, { slice: 3, dueAt }, { slice: 3, key: 'k' })
    await f.pass(1001)
    await f.engine.promote([queueId], 100)
    expect(idsOf(await loadLane(f, queueId))).toEqual([here])
    expect(idsOf(await f.engine.loadKeys([{ queueId, key: 'k', after: START, limit: 10 }]))).toEqual([here])
    expect((await f.live(late!))!.lane).toBe(laneOf(3, 0))
    expect((await f.live(ready!))!.lane).toBe(laneOf(3, 0))
  })
}

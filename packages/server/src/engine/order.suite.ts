import { expect, test } from 'vitest'
import {
  delivered,
  FIRST_DUE,
  type Fixture,
  idsOf,
  type Laws,
  loadLane,
  nobody,
  own,
  put,
  retried,
  START,
} from './fixture.suite.ts'

const HOUR = 3_600_000

const loadPinned = async (f: Fixture, queueId: number): Promise<number[]> => idsOf(await f.engine.loadPinned([queueId]))

export function orderLaws({ fixture, needs }: Laws): void {
  pinLaws({ fixture, needs })
  promoteLaws({ fixture, needs })
}

function pinLaws({ fixture, needs }: Laws): void {
  test('pinned messages are loaded in the order in which they were pinned, queue by queue', async () => {
    const f = fixture()
    const [a, b] = [await f.makeQueue('queue'), await f.makeQueue('queue')]
    const ids = await put(f, a, {}, {}, {})
    const [other] = await put(f, b, {})
    expect(await f.engine.pin(f.orgId, a, [ids[2]!, ids[0]!], await own(f, a))).toHaveLength(2)
    await f.engine.pin(f.orgId, b, [other!], await own(f, b))
    expect(await loadPinned(f, a)).toEqual([ids[2], ids[0]])
    const both = await f.engine.loadPinned([a, b])
    expect(idsOf(both.filter(head => head.queueId === b))).toEqual([other])
    expect(both.every(head => head.pin !== null)).toBe(true)
  })

  test('a pin that is set stays where it is', async () => {
    const f = fixture()
    const queueId = await f.makeQueue('queue')
    const tenure = await own(f, queueId)
    const [first, second] = await put(f, queueId, {}, {})
    await f.engine.pin(f.orgId, queueId, [second!], tenure)
    expect(await f.engine.pin(f.orgId, queueId, [first!, second!], tenure)).toHaveLength(2)
    expect(await loadPinned(f, queueId)).toEqual([second, first])
  })

  test('what is no longer live is not pinned', async () => {
    const f = fixture()
    const queueId = await f.makeQueue('queue')
    const tenure = await own(f, queueId)
    const [gone, there] = await put(f, queueId, {}, {})
    await f.engine.settle([delivered((await loadLane(f, queueId))[0]!, tenure)], false)
    expect(await f.engine.pin(f.orgId, queueId, [gone!, there!], tenure)).toEqual([there])
  })

  test('a pinned message that is put off waits for its time like any other', async () => {
    const f = fixture()
    const queueId = await f.makeQueue('queue')
    const tenure = await own(f, queueId)
    const [id] = await put(f, queueId, {})
    await f.engine.pin(f.orgId, queueId, [id!], tenure)
    await f.engine.settle([retried((await loadLane(f, queueId))[0]!, tenure, (await f.now()) + HOUR)], false)
    expect(await loadPinned(f, queueId)).toEqual([])
  })

  test('a void tenure pins nothing', async () => {
    const f = fixture()
    const queueId = await f.makeQueue('queue')
    const old = await own(f, queueId)
    await own(f, queueId)
    const [id] = await put(f, queueId, {})
    expect(await f.engine.pin(f.orgId, queueId, [id!], old)).toEqual([])
    expect(await f.engine.pin(f.orgId, queueId, [id!], nobody)).toEqual([])
    expect(await loadPinned(f, queueId)).toEqual([])
  })

  needs('transactions', 'a pin that waits for a takeover finds its tenure void', async () => {
    const f = fixture()
    const queueId = await f.makeQueue('queue')
    const old = await own(f, queueId)
    const [id] = await put(f, queueId, {})
    const takeover = await f.begin()
    await takeover.take(old.shard)
    const pinned = f.engine.pin(f.orgId, queueId, [id!], old)
    await takeover.awaited()
    await takeover.commit()
    expect(await pinned).toEqual([])
    expect(await loadPinned(f, queueId)).toEqual([])
  })
}

function promoteLaws({ fixture, needs }: Laws): void {
  test('a delayed message that is due takes its place at the end of the line; one that is not waits', async () => {
    const f = fixture()
    const queueId = await f.makeQueue('queue')
    const now = await f.now()
    const [late, soon, waiting] = await put(
      f,
      queueId,
      { dueAt: now + 2000 },
      { dueAt: now + 1000 },
      { dueAt: now + HOUR },
    )
    const [ready] = await put(f, queueId, {})
    await f.pass(2001)
    await f.engine.promote([queueId], 100)
    const line = idsOf(await loadLane(f, queueId))
    expect(line[0]).toBe(ready)
    expect(line.slice(1).sort()).toEqual([late, soon].sort())
    expect((await f.live(waiting!))!.dueAt).not.toBeNull()
    expect((await f.live(late!))!.scheduledAt).toBe(now + 2000)
    expect(await f.engine.loadDue([{ queueId, slice: 0, after: FIRST_DUE, limit: 10 }])).toEqual([])
  })

  test('of more than the limit the first due go first, the rest with the next call', async () => {
    const f = fixture()
    const queueId = await f.makeQueue('queue')
    const now = await f.now()
    const ids = await put(f, queueId, ...[4, 3, 2, 1].map(s => ({ dueAt: now + s * 1000 })))
    await f.pass(5000)
    await f.engine.promote([queueId], 3)
    expect(idsOf(await loadLane(f, queueId)).sort()).toEqual([ids[3], ids[2], ids[1]].sort())
    await f.engine.promote([queueId], 3)
    expect(idsOf(await loadLane(f, queueId)).at(-1)).toBe(ids[0])
  })

  test('a priority from before the queue was ordered is given up', async () => {
    const f = fixture()
    const queueId = await f.makeQueue('queue')
    const [high, plain] = await put(f, queueId, { priority: 9 }, {})
    await f.engine.promote([queueId], 100)
    expect(idsOf(await loadLane(f, queueId))).toEqual([plain, high])
    expect(await loadLane(f, queueId, START, 10, 9)).toEqual([])
  })

  test('a sweep finds what was promoted', async () => {
    const f = fixture()
    const queueId = await f.makeQueue('queue')
    await put(f, queueId, { dueAt: (await f.now()) + 1000 })
    await f.pass(1001)
    const { snapshot } = await f.engine.snapshot()
    await f.engine.promote([queueId], 100)
    const { found } = await f.engine.sweep(snapshot, [queueId % f.engine.shardCount], [])
    const [head] = await loadLane(f, queueId)
    expect(found).toEqual([{ queueId, lane: 0, fromXid: head!.xid, fromDue: null }])
  })

  test('a queue that is not named is left alone', async () => {
    const f = fixture()
    const [named, other] = [await f.makeQueue('queue'), await f.makeQueue('queue')]
    const [id] = await put(f, other, { dueAt: (await f.now()) + 1000 })
    await f.pass(1001)
    await f.engine.promote([named], 100)
    await f.engine.promote([], 100)
    expect((await f.live(id!))!.dueAt).not.toBeNull()
  })

  needs('transactions', 'a message is promoted once, also by two owners at the same time', async () => {
    const f = fixture()
    const queueId = await f.makeQueue('queue')
    const [delayed, high] = await put(f, queueId, { dueAt: (await f.now()) + 1000 }, { priority: 5 })
    await f.pass(1001)
    const first = await f.begin()
    await first.engine.promote([queueId], 100)
    const [behind] = await put(f, queueId, {})
    const second = f.engine.promote([queueId], 100)
    await first.awaited()
    await first.commit()
    await second
    expect(idsOf(await loadLane(f, queueId)).at(-1)).toBe(behind)
    expect(await loadLane(f, queueId)).toHaveLength(3)
    expect(
      idsOf(await loadLane(f, queueId))
        .slice(0, 2)
        .sort(),
    ).toEqual([delayed, high].sort())
  })
}

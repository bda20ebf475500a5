import { expect, test } from 'vitest'
import {
  FIRST_DUE,
  type Fixture,
  idsOf,
  type Laws,
  loadLane,
  own,
  put,
  retried,
  START,
  sorted,
} from './fixture.suite.ts'
import type { DuePlace, Head } from './port.ts'

const HOUR = 3_600_000

const loadDue = (f: Fixture, queueId: number, after: DuePlace = FIRST_DUE, limit = 1000): Promise<Head[]> =>
  f.engine.loadDue([{ queueId, slice: 0, after, limit }])

async function nextDue(f: Fixture, queueId: number, after: DuePlace = FIRST_DUE): Promise<number | null> {
  const [next] = await f.engine.nextDue([{ queueId, slice: 0, after, limit: 1 }])
  return next!
}

const duePlace = ({ dueAt, id }: Head): DuePlace => ({ dueAt: dueAt!, id })

async function workOf(f: Fixture, queueId: number) {
  const works = await f.engine.findWork([queueId % f.engine.shardCount])
  return works.find(work => work.queueId === queueId) ?? null
}

export function loadLaws({ fixture }: Laws): void {
  test('a cursor gives what is after it, up to its limit, and nothing else', async () => {
    const f = fixture()
    const queueId = await f.makeQueue()
    const ids = [...(await put(f, queueId, {}, {}, {})), ...(await put(f, queueId, {}, {}, {}))]
    const all = await loadLane(f, queueId)
    for (const [nth, head] of all.entries()) {
      expect(idsOf(await loadLane(f, queueId, head))).toEqual(ids.slice(nth + 1))
      expect(idsOf(await loadLane(f, queueId, head, 2))).toEqual(ids.slice(nth + 1, nth + 3))
    }
  })

  test('priorities are lanes of their own', async () => {
    const f = fixture()
    const queueId = await f.makeQueue()
    const [low, high, low2, high2] = await put(f, queueId, {}, { priority: 9 }, {}, { priority: 9 })
    expect(idsOf(await loadLane(f, queueId))).toEqual([low, low2])
    expect(idsOf(await loadLane(f, queueId, START, 10, 9))).toEqual([high, high2])
    expect(await loadLane(f, queueId, START, 10, 5)).toEqual([])
  })

  test('many lanes are loaded at once, each from its own cursor, to its own limit', async () => {
    const f = fixture()
    const [a, b, empty] = [await f.makeQueue(), await f.makeQueue(), await f.makeQueue()]
    const ofA = await put(f, a, {}, {}, {})
    const ofB = await put(f, b, {}, { priority: 3 }, {})
    const [head] = await loadLane(f, a, START, 1)
    const heads = await f.engine.loadLanes([
      { queueId: a, lane: 0, after: head!, limit: 10 },
      { queueId: empty, lane: 0, after: START, limit: 10 },
      { queueId: b, lane: 0, after: START, limit: 1 },
      { queueId: b, lane: 3, after: START, limit: 10 },
    ])
    const of = (queueId: number, lane: number) =>
      idsOf(heads.filter(found => found.queueId === queueId && found.lane === lane))
    expect(of(a, 0)).toEqual(ofA.slice(1))
    expect(of(b, 0)).toEqual([ofB[0]])
    expect(of(b, 3)).toEqual([ofB[1]])
    expect(heads).toHaveLength(4)
  })

  test('the messages of one key are loaded by themselves, in order', async () => {
    const f = fixture()
    const queueId = await f.makeQueue('key')
    const ids = await put(f, queueId, { key: 'a' }, { key: 'b' }, {}, { key: 'a' }, { key: '{"a"}' }, { key: 'a' })
    const of = (key: string, after = START, limit = 10) => f.engine.loadKeys([{ queueId, key, after, limit }])
    expect(idsOf(await of('a'))).toEqual([ids[0], ids[3], ids[5]])
    expect(idsOf(await of('a', (await of('a'))[0], 1))).toEqual([ids[3]])
    expect(idsOf(await of('{"a"}'))).toEqual([ids[4]])
    expect(await of('c')).toEqual([])
  })

  dueLaws(fixture)
  expiryLaws(fixture)
  workLaws(fixture)
}

function dueLaws(fixture: () => Fixture): void {
  test('a delayed message is in no lane, and is loaded when it is due', async () => {
    const f = fixture()
    const queueId = await f.makeQueue()
    const dueAt = (await f.now()) + 10_000
    const [id] = await put(f, queueId, { dueAt, priority: 2, body: 'later' })
    expect(await loadLane(f, queueId, START, 10, 2)).toEqual([])
    expect(await loadDue(f, queueId)).toEqual([])
    expect(await nextDue(f, queueId)).toBe(dueAt)
    await f.pass(10_001)
    expect(await loadDue(f, queueId)).toMatchObject([{ id, lane: 2, body: 'later' }])
    expect(await loadLane(f, queueId, START, 10, 2)).toEqual([])
  })

  test('due messages come in the order of their times, then of their ids, from the cursor on', async () => {
    const f = fixture()
    const queueId = await f.makeQueue()
    const now = await f.now()
    const times = [30, 10, 20, 10, HOUR, 20].map(ms => ({ dueAt: now + ms * 1000 }))
    const ids = await put(f, queueId, ...times)
    await f.pass(31_000)
    const due = await loadDue(f, queueId)
    expect(idsOf(due)).toEqual([ids[1], ids[3], ids[2], ids[5], ids[0]])
    for (const [nth, head] of due.entries())
      expect(idsOf(await loadDue(f, queueId, duePlace(head), 2))).toEqual(idsOf(due).slice(nth + 1, nth + 3))
  })

  test('the next due time is that of the first delayed message after the place', async () => {
    const f = fixture()
    const [queueId, empty] = [await f.makeQueue(), await f.makeQueue()]
    const now = await f.now()
    const [first, second] = [now + HOUR, now + 2 * HOUR]
    const [id, later] = await put(f, queueId, { dueAt: first }, { dueAt: second })
    expect(await nextDue(f, queueId)).toBe(first)
    expect(await nextDue(f, queueId, { dueAt: first, id: id! })).toBe(second)
    expect(await nextDue(f, queueId, { dueAt: second, id: later! })).toBeNull()
    expect(await nextDue(f, empty)).toBeNull()
  })

  test('what was loaded is not found again behind its own place', async () => {
    const f = fixture()
    const queueId = await f.makeQueue()
    const tenure = await own(f, queueId)
    await put(f, queueId, { dueAt: (await f.now()) + 1000.5 }, {})
    const [ready] = await loadLane(f, queueId)
    await f.engine.settle([retried(ready!, tenure, (await f.now()) + 1500.75)], false)
    await f.pass(2000)
    const due = await loadDue(f, queueId)
    expect(due).toHaveLength(2)
    expect(await loadDue(f, queueId, duePlace(due[0]!))).toEqual([due[1]])
    expect(await loadDue(f, queueId, duePlace(due[1]!))).toEqual([])
    expect(await nextDue(f, queueId, duePlace(due[1]!))).toBeNull()
  })
}

function expiryLaws(fixture: () => Fixture): void {
  test('messages past their expiry are found wherever they wait, the first to expire first, in the given shards only', async () => {
    const f = fixture()
    const queueId = await f.makeQueue()
    const shard = queueId % f.engine.shardCount
    const now = await f.now()
    const ids = await put(
      f,
      queueId,
      { expiresAt: now + 2000 },
      { expiresAt: now + 1000, dueAt: now + HOUR },
      { expiresAt: now + HOUR },
      {},
    )
    const expired = async (limit = 100) => {
      const heads = await f.engine.loadExpired([shard], limit)
      return heads.filter(head => head.queueId === queueId)
    }
    expect(await expired()).toEqual([])
    await f.pass(2001)
    expect(idsOf(await expired())).toEqual([ids[1], ids[0]])
    expect((await expired()).every(({ lost }) => !lost)).toBe(true)
    expect(await f.engine.loadExpired([shard], 1)).toHaveLength(1)
    const others = Array.from({ length: f.engine.shardCount }, (_, nth) => nth).filter(nth => nth !== shard)
    expect((await f.engine.loadExpired(others, 100)).filter(head => head.queueId === queueId)).toEqual([])
  })

  test('a message that a consumer holds does not expire under its hands', async () => {
    const f = fixture()
    const queueId = await f.makeQueue()
    const shard = queueId % f.engine.shardCount
    const [id] = await put(f, queueId, { expiresAt: (await f.now()) + 5000 })
    await f.engine.claim(queueId, 1, 60_000)
    await f.pass(10_000)
    const expired = async () => idsOf((await f.engine.loadExpired([shard], 100)).filter(h => h.queueId === queueId))
    expect(await expired()).toEqual([])
    await f.pass(60_000)
    expect(await expired()).toEqual([id])
  })
}

function workLaws(fixture: () => Fixture): void {
  test('work is found queue by queue: which lanes, the next due time, whether any is pinned', async () => {
    const f = fixture()
    const [busy, waiting, empty] = [await f.makeQueue(), await f.makeQueue(), await f.makeQueue()]
    const dueAt = (await f.now()) + HOUR
    const ids = await put(f, busy, {}, { priority: 7 }, {}, { priority: 2 }, { priority: 7 })
    await put(f, waiting, { dueAt: dueAt + 1 }, { dueAt })
    await f.engine.pin(f.orgId, busy, [ids[0]!], await own(f, busy))
    expect(sorted((await workOf(f, busy))!.lanes)).toEqual([0, 2, 7])
    expect(await workOf(f, busy)).toMatchObject({ nextDue: null, pinned: true })
    expect(await workOf(f, waiting)).toEqual({
      queueId: waiting,
      slice: 0,
      lanes: [],
      nextDue: dueAt,
      waitsSince: null,
      pinned: false,
    })
    expect(await workOf(f, empty)).toBeNull()
  })

  test('work tells since when the first message waits that could be sent', async () => {
    const f = fixture()
    const queueId = await f.makeQueue()
    const before = await f.now()
    await put(f, queueId, { priority: 5 })
    const since = (await workOf(f, queueId))!.waitsSince!
    expect(since).toBeGreaterThanOrEqual(Math.floor(before))
    expect(since).toBeLessThanOrEqual(await f.now())
    await put(f, queueId, {}, { dueAt: (await f.now()) + HOUR })
    expect((await workOf(f, queueId))!.waitsSince).toBe(since)
  })

  test('work of other shards is not told', async () => {
    const f = fixture()
    const queueId = await f.makeQueue()
    await put(f, queueId, {})
    const others = Array.from({ length: f.engine.shardCount }, (_, nth) => nth).filter(
      nth => nth !== queueId % f.engine.shardCount,
    )
    expect((await f.engine.findWork(others)).some(work => work.queueId === queueId)).toBe(false)
    expect(await f.engine.findWork([])).toEqual([])
  })
}

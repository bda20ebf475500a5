import { expect, test } from 'vitest'
import { type Fixture, idsOf, type Laws, loadLane, message, put } from './fixture.suite.ts'
import type { Found, Snapshot } from './port.ts'

const HOUR = 3_600_000

const everyShard = (f: Fixture): number[] => Array.from({ length: f.engine.shardCount }, (_, shard) => shard)

/** A node's sweeps: each asks from where the one before left off. */
async function sweeper(f: Fixture) {
  let since: Snapshot = (await f.engine.snapshot()).snapshot
  return async (shards = everyShard(f), except: readonly number[] = []) => {
    const sweep = await f.engine.sweep(since, shards, except)
    since = sweep.snapshot
    return sweep
  }
}

const ofQueue = (found: readonly Found[], queueId: number): Found[] => found.filter(one => one.queueId === queueId)

export function sweepLaws({ fixture, needs }: Laws): void {
  test('a sweep finds what was put since the last one, lane by lane, once', async () => {
    const f = fixture()
    const queueId = await f.makeQueue()
    await put(f, queueId, {})
    const sweep = await sweeper(f)
    expect(ofQueue((await sweep()).found, queueId)).toEqual([])
    const dueAt = (await f.now()) + HOUR
    const [first] = await f.engine.put([message(f, queueId), message(f, queueId, { priority: 3, dueAt: dueAt + 1 })])
    await f.engine.put([message(f, queueId), message(f, queueId, { priority: 3, dueAt })])
    const found = ofQueue((await sweep()).found, queueId).sort((a, b) => a.lane - b.lane)
    expect(found).toEqual([
      { queueId, lane: 0, fromXid: first!.kind === 'stored' && first!.xid, fromDue: null },
      { queueId, lane: 3, fromXid: null, fromDue: dueAt },
    ])
    expect((await sweep()).found).toEqual([])
  })

  test('a sweep that is asked again with the same snapshot finds the same again', async () => {
    const f = fixture()
    const queueId = await f.makeQueue()
    const { snapshot } = await f.engine.snapshot()
    await put(f, queueId, {})
    const once = await f.engine.sweep(snapshot, everyShard(f), [])
    const twice = await f.engine.sweep(snapshot, everyShard(f), [])
    expect(ofQueue(once.found, queueId)).toHaveLength(1)
    expect(twice.found).toEqual(once.found)
  })

  test('transactions in `except` and shards that were not asked for are left out', async () => {
    const f = fixture()
    const queueId = await f.makeQueue()
    const shard = queueId % f.engine.shardCount
    const sweep = await sweeper(f)
    const [own] = await f.engine.put([message(f, queueId)])
    expect((await sweep([shard], [own!.kind === 'stored' ? own!.xid : 0])).found).toEqual([])
    await f.engine.put([message(f, queueId)])
    expect((await sweep(everyShard(f).filter(other => other !== shard))).found).toEqual([])
    await f.engine.put([message(f, queueId)])
    expect((await sweep([shard])).found).toHaveLength(1)
  })

  test('the clock that a sweep tells is the one that messages are due by', async () => {
    const f = fixture()
    const before = await f.now()
    const { now } = await f.engine.snapshot()
    const swept = await (await sweeper(f))()
    expect(now).toBeGreaterThanOrEqual(Math.floor(before))
    expect(swept.now).toBeGreaterThanOrEqual(now)
    expect(swept.now).toBeLessThanOrEqual(Math.ceil(await f.now()))
  })

  test('a change is told once, to every node', async () => {
    const f = fixture()
    const queueId = await f.makeQueue()
    const [one, another] = [await sweeper(f), await sweeper(f)]
    const change = { kind: 'message', queueId, messageId: 5 } as const
    await f.note(change)
    await f.note({ kind: 'queue', queueId, messageId: null })
    expect((await one([])).changes).toEqual([change, { kind: 'queue', queueId, messageId: null }])
    expect((await another([])).changes).toHaveLength(2)
    expect((await one([])).changes).toEqual([])
  })

  lateLaws({ fixture, needs })
}

function lateLaws({ fixture, needs }: Laws): void {
  needs(
    'late commits',
    'what commits late, behind newer ones, is found by the sweep after its commit, once',
    async () => {
      const f = fixture()
      const queueId = await f.makeQueue()
      const sweep = await sweeper(f)
      const late = await f.putLate([message(f, queueId, { body: 'late' })])
      const [newer] = await put(f, queueId, { body: 'newer' })
      const seen = ofQueue((await sweep()).found, queueId)
      expect(seen).toHaveLength(1)
      expect((await sweep()).found).toEqual([])
      expect(idsOf(await loadLane(f, queueId))).toEqual([newer])

      const [stored] = await late.commit()
      const found = ofQueue((await sweep()).found, queueId)
      expect(found).toEqual([{ queueId, lane: 0, fromXid: stored!.kind === 'stored' && stored!.xid, fromDue: null }])
      expect(found[0]!.fromXid).toBeLessThan(seen[0]!.fromXid!)
      expect((await loadLane(f, queueId)).map(head => head.body)).toEqual(['late', 'newer'])
      expect((await sweep()).found).toEqual([])
    },
  )

  needs(
    'late commits',
    'transactions are under way until they end: no place above the oldest of them is fixed',
    async () => {
      const f = fixture()
      const queueId = await f.makeQueue()
      const sweep = await sweeper(f)
      const late = await f.putLate([message(f, queueId)])
      const [newer] = await f.engine.put([message(f, queueId)])
      const { snapshot } = await sweep()
      const xid = newer!.kind === 'stored' ? newer!.xid : 0
      expect(snapshot.xmin).toBeLessThan(xid)
      expect(snapshot.xip.every(running => running < snapshot.xmax && running >= snapshot.xmin)).toBe(true)
      await late.commit()
      // Other tests' transactions, on the same server, hold it back too.
      await expect.poll(async () => (await sweep()).snapshot.xmin, { timeout: 10_000 }).toBeGreaterThan(xid)
    },
  )

  needs('late commits', 'of many transactions that commit in any order, each is found exactly once', async () => {
    const f = fixture()
    const queues = await Promise.all(Array.from({ length: 12 }, () => f.makeQueue()))
    const sweep = await sweeper(f)
    const open = []
    for (const queueId of queues) open.push({ queueId, late: await f.putLate([message(f, queueId)]) })
    const found: number[] = []
    for (const nth of [7, 2, 11, 0, 5, 1, 9, 3, 10, 4, 8, 6]) {
      await open[nth]!.late.commit()
      found.push(...(await sweep()).found.map(one => one.queueId))
    }
    expect(found).toEqual([7, 2, 11, 0, 5, 1, 9, 3, 10, 4, 8, 6].map(nth => queues[nth]))
  })

  needs('transactions', 'what is rolled back is never found', async () => {
    const f = fixture()
    const queueId = await f.makeQueue()
    const sweep = await sweeper(f)
    const held = await f.begin()
    await held.engine.put([message(f, queueId)])
    expect((await sweep()).found).toEqual([])
    await held.rollback()
    expect((await sweep()).found).toEqual([])
  })
}

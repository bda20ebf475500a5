import { expect, test } from 'vitest'
import {
  attempt,
  dead,
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
  settlement,
  sorted,
} from './fixture.suite.ts'
import type { Head, Settlement, Tenure, Verdict } from './port.ts'

const HOUR = 3_600_000
const HELD = { fenced: [], deadLettered: [], dead: [] }

/** A queue with messages, its owner, and the messages as the owner loaded them. */
async function served(f: Fixture, count = 1, ordered: 'none' | 'queue' = 'none') {
  const queueId = await f.makeQueue(ordered)
  const tenure = await own(f, queueId)
  await put(f, queueId, ...Array.from({ length: count }, (_, nth) => ({ body: `${nth}`, headers: '{"a":"b"}' })))
  const heads = await loadLane(f, queueId)
  return { queueId, tenure, heads, head: heads[0]! }
}

export function settleLaws(laws: Laws): void {
  verdictLaws(laws)
  fenceLaws(laws)
  repeatLaws(laws)
  deadLetterLaws(laws)
  noticeLaws(laws)
}

function verdictLaws({ fixture }: Laws): void {
  test('delivered: it leaves the line for the history, its attempt is on record', async () => {
    const f = fixture()
    const { queueId, tenure, heads } = await served(f, 3)
    expect(await f.engine.settle([delivered(heads[0]!, tenure), delivered(heads[2]!, tenure)], false)).toEqual(HELD)
    expect(idsOf(await loadLane(f, queueId))).toEqual([heads[1]!.id])
    expect(await f.history(heads[0]!.id)).toEqual({ queueId, outcome: 'delivered', attempts: 1, reason: null })
    expect(await f.attempts(heads[2]!.id)).toEqual([
      { n: 1, outcome: 'delivered', status: 204, error: null, excerpt: null },
    ])
    expect(await f.history(heads[1]!.id)).toBeNull()
  })

  test('retried: it is due again at its time, with an attempt more, and out of the lane', async () => {
    const f = fixture()
    const { queueId, tenure, head } = await served(f)
    const at = Math.floor(await f.now()) + HOUR
    expect(await f.engine.settle([retried(head, tenure, at)], false)).toEqual(HELD)
    expect(await loadLane(f, queueId)).toEqual([])
    expect(await f.engine.nextDue([{ queueId, slice: 0, after: FIRST_DUE, limit: 1 }])).toEqual([at])
    expect(await f.live(head.id)).toMatchObject({ attempts: 1, dueAt: at, retryAt: null, scheduledAt: null })
    expect(await f.attempts(head.id)).toEqual([{ n: 1, outcome: 'retry', status: 500, error: 'no', excerpt: null }])
  })

  test('retried in place: it keeps its place in the lane and says until when it waits', async () => {
    const f = fixture()
    const { queueId, tenure, heads, head } = await served(f, 2, 'queue')
    const at = Math.floor(await f.now()) + HOUR
    await f.engine.settle([retried(head, tenure, at, true)], false)
    const lane = await loadLane(f, queueId)
    expect(idsOf(lane)).toEqual(idsOf(heads))
    expect(lane[0]).toMatchObject({ xid: head.xid, attempts: 1, retryAt: at, dueAt: null })
  })

  test('dead: on record with its reason and every attempt', async () => {
    const f = fixture()
    const { queueId, tenure, head } = await served(f)
    await f.engine.settle([retried(head, tenure, (await f.now()) - 1)], false)
    const [again] = await f.engine.loadDue([{ queueId, slice: 0, after: FIRST_DUE, limit: 1 }])
    expect(await f.engine.settle([dead(again!, tenure, null)], false)).toEqual({ ...HELD, dead: [head.id] })
    expect(await f.live(head.id)).toBeNull()
    expect(await f.history(head.id)).toEqual({ queueId, outcome: 'dead', attempts: 2, reason: 'used up' })
    expect((await f.attempts(head.id)).map(({ n, outcome }) => [n, outcome])).toEqual([
      [1, 'retry'],
      [2, 'dead'],
    ])
  })

  test.each(['expired', 'cancelled'] as const)(
    '%s without an attempt: on record with its reason, and with none',
    async kind => {
      const f = fixture()
      const { queueId, tenure, head } = await served(f)
      expect(await f.engine.settle([settlement(head, tenure, { kind, reason: 'why' }, null)], false)).toEqual(HELD)
      expect(await f.history(head.id)).toEqual({ queueId, outcome: kind, attempts: 0, reason: 'why' })
      expect(await f.attempts(head.id)).toEqual([])
    },
  )

  test('expired by an attempt: that one counts', async () => {
    const f = fixture()
    const { tenure, head } = await served(f)
    await f.engine.settle([settlement(head, tenure, { kind: 'expired', reason: 'why' }, attempt(1))], false)
    expect(await f.history(head.id)).toMatchObject({ outcome: 'expired', attempts: 1 })
    expect(await f.attempts(head.id)).toHaveLength(1)
  })

  test('texts of any kind are kept as they are', async () => {
    const f = fixture()
    const { tenure, head } = await served(f)
    const text = `{"a","b"} 'x' \\ NULL 🎺 \x01`
    const made = attempt(1, { error: text, errorCode: 'http_status', excerpt: text })
    const verdict = { kind: 'dead', reason: text, deadLetterQueueId: null } as const
    await f.engine.settle([settlement(head, tenure, verdict, made)], false)
    expect(await f.history(head.id)).toMatchObject({ reason: text })
    expect(await f.attempts(head.id)).toMatchObject([{ error: text, excerpt: text }])
  })

  test.each(['delivered', 'retry', 'dead'] as const)(
    '%s: what the receiver said is kept with a message that is there, and not of one that was taken away',
    async kind => {
      const f = fixture()
      const { tenure, heads } = await served(f, 2)
      const verdicts = {
        delivered: { kind },
        retry: { kind, at: 1, inPlace: false },
        dead: { kind, reason: 'r', deadLetterQueueId: null },
      }
      const made = attempt(1, { excerpt: 'Dear Anna' })
      const cancel = settlement(heads[1]!, tenure, { kind: 'cancelled', reason: 'r' }, null)
      await f.engine.settle([cancel], false)
      const batch = heads.map(head => settlement(head, tenure, verdicts[kind] as Verdict, made))
      await f.engine.settle(batch, false)
      expect(await f.attempts(heads[0]!.id)).toMatchObject([{ excerpt: 'Dear Anna' }])
      expect(await f.attempts(heads[1]!.id)).toMatchObject([{ n: 1, excerpt: null }])
    },
  )

  test('500 of every outcome are settled in one batch', async () => {
    const f = fixture()
    const { queueId, tenure, heads } = await served(f, 500)
    const at = (await f.now()) + HOUR
    const kinds: ((head: Head) => Settlement)[] = [
      head => delivered(head, tenure),
      head => retried(head, tenure, at),
      head => dead(head, tenure, null),
      head => retried(head, tenure, at, true),
      head => settlement(head, tenure, { kind: 'expired', reason: 'r' }, null),
    ]
    expect(
      await f.engine.settle(
        heads.map((head, nth) => kinds[nth % 5]!(head)),
        false,
      ),
    ).toEqual({ ...HELD, dead: heads.filter((_, nth) => nth % 5 === 2).map(({ id }) => id) })
    expect(await loadLane(f, queueId)).toHaveLength(100)
    const outcomes = await Promise.all(heads.slice(0, 5).map(async ({ id }) => (await f.history(id))?.outcome ?? null))
    expect(outcomes).toEqual(['delivered', null, 'dead', null, 'expired'])
    expect(await f.engine.settle([], false)).toEqual(HELD)
  })
}

function fenceLaws({ fixture, needs }: Laws): void {
  const expectUntouched = async (f: Fixture, head: Head, tried: number) => {
    expect(await f.live(head.id)).toMatchObject({ attempts: head.attempts, dueAt: null })
    expect(await f.history(head.id)).toBeNull()
    expect(await f.attempts(head.id)).toHaveLength(tried)
  }

  test('a void tenure records its attempts and leaves the messages alone', async () => {
    const f = fixture()
    const { tenure: old, heads } = await served(f, 4)
    await own(f, heads[0]!.queueId)
    const [a, b, c, d] = heads as [Head, Head, Head, Head]
    const expired = settlement(d, old, { kind: 'expired', reason: 'r' }, null)
    const batch = [delivered(a, old), retried(b, old, 1), dead(c, old, null), expired]
    expect(await f.engine.settle(batch, false)).toEqual({ fenced: [old], deadLettered: [], dead: [] })
    for (const head of [a, b, c]) await expectUntouched(f, head, 1)
    await expectUntouched(f, d, 0)
    expect((await f.engine.settle([delivered(a, nobody)], false)).fenced).toEqual([nobody])
  })

  test('two epochs of one shard in one batch: the void one is left alone, the other settled', async () => {
    const f = fixture()
    const { queueId, tenure: old, heads } = await served(f, 4)
    const current = await own(f, queueId)
    const [a, b, c, d] = heads as [Head, Head, Head, Head]
    const batch = [delivered(a, old), delivered(b, current), dead(c, old, null), dead(d, current, null)]
    expect(await f.engine.settle(batch, false)).toEqual({ fenced: [old], deadLettered: [], dead: [d.id] })
    expect(idsOf(await loadLane(f, queueId))).toEqual([a.id, c.id])
    expect(await f.history(b.id)).toMatchObject({ outcome: 'delivered' })
    expect(await f.history(d.id)).toMatchObject({ outcome: 'dead' })
  })

  test('a message that was changed meanwhile is left alone', async () => {
    const f = fixture()
    const { tenure, head } = await served(f)
    await f.engine.settle([retried(head, tenure, (await f.now()) + HOUR)], false)
    const before = await f.live(head.id)
    expect(await f.engine.settle([delivered(head, tenure), dead(head, tenure, null)], false)).toEqual(HELD)
    expect(await f.live(head.id)).toEqual(before)
    expect(await f.history(head.id)).toBeNull()
  })

  test('a message that is gone is passed over, its attempt is on record', async () => {
    const f = fixture()
    const { tenure, head } = await served(f)
    await f.engine.settle([settlement(head, tenure, { kind: 'cancelled', reason: 'by hand' }, null)], false)
    expect(await f.engine.settle([delivered(head, tenure)], false)).toEqual(HELD)
    expect(await f.history(head.id)).toMatchObject({ outcome: 'cancelled', attempts: 0 })
    expect(await f.attempts(head.id)).toHaveLength(1)
  })

  const takenMeanwhile = (law: string, settle: (head: Head, tenure: Tenure) => Settlement) =>
    needs('transactions', `${law} that waits for a takeover finds its tenure void at the commit`, async () => {
      const f = fixture()
      const { tenure, head } = await served(f)
      const takeover = await f.begin()
      await takeover.take(tenure.shard)
      const settled = f.engine.settle([settle(head, tenure)], false)
      await takeover.awaited()
      await takeover.commit()
      expect(await settled).toEqual({ fenced: [tenure], deadLettered: [], dead: [] })
      await expectUntouched(f, head, 1)
    })
  takenMeanwhile('a delivery', delivered)
  takenMeanwhile('a retry', (head, tenure) => retried(head, tenure, 1))

  needs('transactions', 'a takeover that is rolled back leaves the tenure as it was', async () => {
    const f = fixture()
    const { tenure, head } = await served(f)
    const takeover = await f.begin()
    await takeover.take(tenure.shard)
    const settled = f.engine.settle([delivered(head, tenure)], false)
    await takeover.awaited()
    await takeover.rollback()
    expect(await settled).toEqual(HELD)
    expect(await f.history(head.id)).toMatchObject({ outcome: 'delivered' })
  })

  needs('transactions', 'of two takeovers at once the later one follows from the earlier', async () => {
    const f = fixture()
    const queueId = await f.makeQueue()
    const { shard, epoch } = await own(f, queueId)
    const [first, hold] = [await f.begin(), await f.locks.open(60_000, () => {})]
    await first.take(shard)
    const second = hold.take([shard], 'second')
    await first.awaited()
    await first.commit()
    expect(await second).toEqual([{ shard, epoch: epoch + 2, previousEpoch: epoch + 1 }])
    await hold.close()
  })

  needs('transactions', 'a takeover waits for the settles under way, and then sees what they settled', async () => {
    const f = fixture()
    const { queueId, tenure, head } = await served(f)
    const settle = await f.begin()
    await settle.engine.settle([delivered(head, tenure)], false)
    const takeover = own(f, queueId)
    await settle.awaited()
    await settle.commit()
    expect((await takeover).epoch).toBe(tenure.epoch + 1)
    expect(await loadLane(f, queueId)).toEqual([])
  })
}

function repeatLaws({ fixture, needs }: Laws): void {
  test('a batch that is settled again records nothing twice', async () => {
    const f = fixture()
    const { queueId, tenure, heads } = await served(f, 4)
    const [a, b, c, d] = heads as [Head, Head, Head, Head]
    const letters = await f.makeQueue()
    const at = (await f.now()) + HOUR
    const batch = [delivered(a, tenure), retried(b, tenure, at), dead(c, tenure, letters), delivered(d, tenure)]
    await f.engine.settle(batch.slice(0, 3), false)
    expect(await f.engine.settle(batch, true)).toEqual(HELD)
    for (const { id } of heads) expect(await f.attempts(id)).toHaveLength(1)
    expect(await f.live(b.id)).toMatchObject({ attempts: 1 })
    expect(await loadLane(f, letters)).toHaveLength(1)
    expect(await loadLane(f, queueId)).toEqual([])
    expect(await f.history(d.id)).toMatchObject({ outcome: 'delivered' })
  })

  needs('transactions', 'also while the earlier try, given up for lost, is still under way', async () => {
    const f = fixture()
    const { tenure, heads } = await served(f, 2)
    const batch = [delivered(heads[0]!, tenure), dead(heads[1]!, tenure, null)]
    const lost = await f.begin()
    await lost.engine.settle(batch, false)
    const again = f.engine.settle(batch, true)
    await lost.awaited()
    await lost.commit()
    expect(await again).toEqual(HELD)
    for (const { id } of heads) expect(await f.attempts(id)).toHaveLength(1)
  })

  needs('transactions', 'and records everything if the earlier try is rolled back', async () => {
    const f = fixture()
    const { tenure, heads } = await served(f, 2)
    const batch = [delivered(heads[0]!, tenure), dead(heads[1]!, tenure, null)]
    const lost = await f.begin()
    await lost.engine.settle(batch, false)
    const again = f.engine.settle(batch, true)
    await lost.awaited()
    await lost.rollback()
    await again
    for (const { id } of heads) expect(await f.attempts(id)).toHaveLength(1)
    expect(await f.history(heads[0]!.id)).toMatchObject({ outcome: 'delivered' })
  })
}

function noticeLaws({ fixture }: Laws): void {
  const told = (one: Settlement, orgId: number, queueId: number): Settlement => ({
    ...one,
    notice: { orgId, queueId, body: `{"said":"\\"${one.id}\\""}` },
  })

  test('the notice of a death is put in the same commit, once, as a message of its own', async () => {
    const f = fixture()
    const { queueId, tenure, heads } = await served(f, 2)
    const [letters, notices] = [await f.makeQueue(), await f.makeQueue()]
    const { snapshot } = await f.engine.snapshot()
    const batch = [told(dead(heads[0]!, tenure, letters), f.orgId, notices), delivered(heads[1]!, tenure)]
    const settled = await f.engine.settle(batch, false)
    expect(settled).toMatchObject({ fenced: [], dead: [heads[0]!.id] })
    expect(sorted(settled.deadLettered)).toEqual(sorted([letters, notices]))
    const [notice, ...more] = await loadLane(f, notices)
    expect(more).toEqual([])
    const fresh = { attempts: 0, headers: null, key: null, dueAt: null, lost: false, lane: 0 }
    expect(notice).toMatchObject({ queueId: notices, body: batch[0]!.notice!.body, ...fresh })
    expect(await f.live(notice!.id)).toMatchObject({ originId: null })
    const { found } = await f.engine.sweep(snapshot, [notices % f.engine.shardCount], [])
    expect(found).toContainEqual({ queueId: notices, lane: 0, fromXid: notice!.xid, fromDue: null })
    expect(await f.engine.settle(batch, true)).toEqual(HELD)
    expect(await loadLane(f, notices)).toHaveLength(1)
    expect(await loadLane(f, queueId)).toEqual([])
  })

  test('no notice is put of what did not die here, nor on a queue that is deleted', async () => {
    const f = fixture()
    const { queueId, tenure: old, heads } = await served(f, 2)
    const [notices, deleted] = [await f.makeQueue(), await f.makeQueue()]
    await f.deleteQueue(deleted)
    const fenced = told(dead(heads[0]!, { ...old, epoch: old.epoch - 1 }, null), f.orgId, notices)
    const elsewhere = told(dead({ ...heads[1]!, attempts: 5 }, old, null), f.orgId, notices)
    expect(await f.engine.settle([fenced, elsewhere], false)).toMatchObject({ deadLettered: [], dead: [] })
    expect(await loadLane(f, notices)).toEqual([])
    const nowhere = told(dead(heads[0]!, old, null), f.orgId, deleted)
    expect(await f.engine.settle([nowhere], true)).toEqual({ ...HELD, dead: [heads[0]!.id] })
    expect(await loadLane(f, deleted)).toEqual([])
    expect(idsOf(await loadLane(f, queueId))).toEqual([heads[1]!.id])
  })
}

function deadLetterLaws({ fixture }: Laws): void {
  test('a dead letter is forwarded with its content, key and origin, as a new message that has not been tried', async () => {
    const f = fixture()
    const [queueId, letters] = [await f.makeQueue(), await f.makeQueue()]
    const tenure = await own(f, queueId)
    const given = { body: Buffer.from([0, 255]), headers: '{"a":"b"}', key: 'k', expiresAt: (await f.now()) + HOUR }
    const [id] = await put(f, queueId, given)
    const { snapshot } = await f.engine.snapshot()
    const [head] = await loadLane(f, queueId)
    expect((await f.engine.settle([dead(head!, tenure, letters)], false)).deadLettered).toEqual([letters])
    const [letter] = await loadLane(f, letters)
    const fresh = { attempts: 0, forgiven: 0, expiresAt: null, dueAt: null, lost: false }
    expect(letter).toMatchObject({ body: given.body, headers: given.headers, key: 'k', ...fresh })
    expect(letter!.id).not.toBe(id)
    expect(await f.live(letter!.id)).toMatchObject({ originId: id })
    expect(await f.history(id!)).toMatchObject({ outcome: 'dead' })
    const { found } = await f.engine.sweep(snapshot, [letters % f.engine.shardCount], [])
    expect(found).toEqual([{ queueId: letters, lane: 0, fromXid: letter!.xid, fromDue: null }])
  })

  test('a dead letter is not forwarded to a queue that is deleted', async () => {
    const f = fixture()
    const { tenure, head } = await served(f)
    const letters = await f.makeQueue()
    await f.deleteQueue(letters)
    expect(await f.engine.settle([dead(head, tenure, letters)], false)).toEqual({ ...HELD, dead: [head.id] })
    expect(await loadLane(f, letters)).toEqual([])
    expect(await f.history(head.id)).toMatchObject({ outcome: 'dead' })
  })

  test('nothing is forwarded by a void tenure, nor what did not die', async () => {
    const f = fixture()
    const { queueId, tenure: old, heads } = await served(f, 2)
    const tenure = await own(f, queueId)
    const letters = await f.makeQueue()
    const batch = [dead(heads[0]!, old, letters), delivered(heads[1]!, tenure)]
    expect((await f.engine.settle(batch, false)).deadLettered).toEqual([])
    expect(await loadLane(f, letters)).toEqual([])
  })
}

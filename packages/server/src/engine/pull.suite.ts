import { expect, test } from 'vitest'
import { type Fixture, idsOf, type Laws, loadLane, message, put, sorted } from './fixture.suite.ts'
import type { Claim } from './port.ts'

const MINUTE = 60_000
const STRANGER = '00000000-0000-4000-8000-000000000000'

const claimIds = async (f: Fixture, queueId: number, limit = 10, visibilityMs = MINUTE): Promise<number[]> =>
  idsOf(await f.engine.claim(queueId, limit, visibilityMs))

async function claimOne(f: Fixture, queueId: number): Promise<Claim> {
  const [claim] = await f.engine.claim(queueId, 1, MINUTE)
  return claim!
}

export function pullLaws(laws: Laws): void {
  claimLaws(laws)
  holderLaws(laws)
  lineLaws(laws)
}

function claimLaws({ fixture, needs }: Laws): void {
  test('a claim hands out the message for a time, in which nobody else gets it', async () => {
    const f = fixture()
    const queueId = await f.makeQueue()
    const [id] = await put(f, queueId, { body: Buffer.from([1]), headers: '{"a":"b"}', key: 'k' })
    const now = await f.now()
    const [claim] = await f.engine.claim(queueId, 10, MINUTE)
    expect(claim).toMatchObject({
      id,
      body: Buffer.from([1]),
      headers: '{"a":"b"}',
      key: 'k',
      attempts: 1,
      lost: false,
    })
    expect(claim!.until).toBeGreaterThanOrEqual(Math.floor(now) + MINUTE)
    expect(claim!.until).toBeLessThanOrEqual(Math.ceil(await f.now()) + MINUTE)
    expect(await claimIds(f, queueId)).toEqual([])
    expect(await loadLane(f, queueId)).toEqual([])
  })

  test('a claim that ran out is handed out anew, as a further attempt', async () => {
    const f = fixture()
    const queueId = await f.makeQueue()
    await put(f, queueId, {})
    const first = await claimOne(f, queueId)
    await f.pass(MINUTE + 1)
    const second = await claimOne(f, queueId)
    expect(second).toMatchObject({ id: first.id, attempts: 2 })
    expect(second.claim).not.toBe(first.claim)
    expect(await f.engine.acknowledge(queueId, [first])).toEqual([])
    expect(await f.engine.acknowledge(queueId, [second])).toEqual([first.id])
  })

  test('no more are handed out than asked for, in the order of the lane', async () => {
    const f = fixture()
    const queueId = await f.makeQueue()
    const ids = await put(f, queueId, {}, {}, {}, {}, {})
    expect(await claimIds(f, queueId, 2)).toEqual(ids.slice(0, 2))
    expect(await claimIds(f, queueId, 10)).toEqual(ids.slice(2))
  })

  test('higher priorities go first', async () => {
    const f = fixture()
    const queueId = await f.makeQueue()
    const [low, high, middle] = await put(f, queueId, {}, { priority: 9 }, { priority: 4 })
    expect([await claimIds(f, queueId, 1), await claimIds(f, queueId, 1), await claimIds(f, queueId, 1)]).toEqual([
      [high],
      [middle],
      [low],
    ])
  })

  test('what is delayed is handed out when it is due, and keeps its time', async () => {
    const f = fixture()
    const queueId = await f.makeQueue()
    const dueAt = Math.floor(await f.now()) + 10_000
    const [id] = await put(f, queueId, { dueAt })
    expect(await claimIds(f, queueId)).toEqual([])
    await f.pass(10_001)
    expect(await claimIds(f, queueId)).toEqual([id])
    expect(await f.live(id!)).toMatchObject({ scheduledAt: dueAt })
  })

  test('what is past its expiry is not handed out', async () => {
    const f = fixture()
    const queueId = await f.makeQueue()
    const now = await f.now()
    const ids = await put(f, queueId, { expiresAt: now + 1000 }, {}, { expiresAt: now + 1000, dueAt: now + 500 })
    await f.pass(1001)
    expect(await claimIds(f, queueId)).toEqual([ids[1]])
  })

  needs('transactions', 'consumers that claim at the same time get different messages, and none waits', async () => {
    const f = fixture()
    const queueId = await f.makeQueue()
    const ids = await put(f, queueId, {}, {}, {})
    const one = await f.begin()
    const first = await one.engine.claim(queueId, 2, MINUTE)
    const second = await f.engine.claim(queueId, 2, MINUTE)
    await one.commit()
    expect(idsOf(second)).toEqual([ids[2]])
    expect(sorted([...idsOf(first), ...idsOf(second)])).toEqual(ids)
  })
}

function holderLaws({ fixture }: Laws): void {
  test('only the holder can acknowledge, reject or extend', async () => {
    const f = fixture()
    const [queueId, other] = [await f.makeQueue(), await f.makeQueue()]
    await put(f, queueId, {})
    const { id, claim } = await claimOne(f, queueId)
    for (const false_ of [STRANGER, 'no uuid', 'NULL', '', `${claim}","${claim}`]) {
      const stranger = [{ id, claim: false_ }]
      expect(await f.engine.acknowledge(queueId, stranger)).toEqual([])
      expect(await f.engine.reject(queueId, stranger, { at: 0 })).toEqual([])
      expect(await f.engine.reject(queueId, stranger, { dead: 'x', deadLetterQueueId: null, notices: null })).toEqual(
        [],
      )
      expect(await f.engine.extend(queueId, stranger, MINUTE)).toEqual([])
    }
    expect(await f.engine.acknowledge(other, [{ id, claim }])).toEqual([])
    expect(await f.engine.acknowledge(queueId, [])).toEqual([])
    expect(await f.attempts(id)).toEqual([])
    expect(await f.engine.acknowledge(queueId, [{ id, claim }])).toEqual([id])
  })

  test('acknowledged: delivered, on record, once', async () => {
    const f = fixture()
    const queueId = await f.makeQueue()
    await put(f, queueId, {}, {})
    const claims = await f.engine.claim(queueId, 2, MINUTE)
    const held = [claims[0]!, { id: claims[1]!.id, claim: STRANGER }, claims[0]!]
    expect(await f.engine.acknowledge(queueId, held)).toEqual([claims[0]!.id])
    expect(await f.engine.acknowledge(queueId, [claims[0]!])).toEqual([])
    expect(await f.history(claims[0]!.id)).toEqual({ queueId, outcome: 'delivered', attempts: 1, reason: null })
    expect(await f.attempts(claims[0]!.id)).toMatchObject([{ n: 1, outcome: 'delivered' }])
    expect(await f.history(claims[1]!.id)).toBeNull()
  })

  test('rejected: due again at the given time, with the attempt on record', async () => {
    const f = fixture()
    const queueId = await f.makeQueue()
    await put(f, queueId, {})
    const claim = await claimOne(f, queueId)
    expect(await f.engine.reject(queueId, [claim], { at: (await f.now()) + 5000 })).toEqual([claim.id])
    expect(await f.engine.acknowledge(queueId, [claim])).toEqual([])
    expect(await claimIds(f, queueId)).toEqual([])
    await f.pass(5001)
    expect(await f.engine.claim(queueId, 1, MINUTE)).toMatchObject([{ id: claim.id, attempts: 2 }])
    expect(await f.attempts(claim.id)).toMatchObject([{ n: 1, outcome: 'retry' }])
  })

  test('dead by its consumer: on record with the reason, and forwarded', async () => {
    const f = fixture()
    const [queueId, letters, deleted] = [await f.makeQueue(), await f.makeQueue(), await f.makeQueue()]
    await f.deleteQueue(deleted)
    await put(f, queueId, { body: 'a' }, { body: 'b' })
    const [a, b] = await f.engine.claim(queueId, 2, MINUTE)
    expect(await f.engine.reject(queueId, [a!], { dead: 'bad', deadLetterQueueId: letters, notices: null })).toEqual([
      a!.id,
    ])
    expect(await f.engine.reject(queueId, [b!], { dead: 'bad', deadLetterQueueId: deleted, notices: null })).toEqual([
      b!.id,
    ])
    expect(await f.history(a!.id)).toEqual({ queueId, outcome: 'dead', attempts: 1, reason: 'bad' })
    expect(await f.attempts(a!.id)).toMatchObject([{ n: 1, outcome: 'dead', error: 'bad' }])
    const [letter] = await loadLane(f, letters)
    expect(letter).toMatchObject({ body: 'a', attempts: 0, lost: false })
    expect(await f.live(letter!.id)).toMatchObject({ originId: a!.id })
    expect(await loadLane(f, deleted)).toEqual([])
  })

  test('dead by its consumer: its death is told where it should be, in the same commit', async () => {
    const f = fixture()
    const [queueId, notices] = [await f.makeQueue(), await f.makeQueue()]
    await put(f, queueId, { body: 'a' }, { body: 'b' })
    const claims = await f.engine.claim(queueId, 2, MINUTE)
    const burial = {
      dead: 'bad',
      deadLetterQueueId: null,
      notices: [{ orgId: f.orgId, queueId: notices, body: 'a died' }, null],
    }
    const stranger = { id: claims[0]!.id, claim: 'no claim' }
    expect(await f.engine.reject(queueId, [stranger], burial)).toEqual([])
    expect(await loadLane(f, notices)).toEqual([])
    expect(sorted(await f.engine.reject(queueId, claims, burial))).toEqual(sorted(claims.map(({ id }) => id)))
    expect((await loadLane(f, notices)).map(({ body }) => body)).toEqual(['a died'])
  })

  test('extended: it stays out for the new time', async () => {
    const f = fixture()
    const queueId = await f.makeQueue()
    await put(f, queueId, {})
    const claim = await claimOne(f, queueId)
    await f.pass(MINUTE - 1000)
    expect(await f.engine.extend(queueId, [claim], 2 * MINUTE)).toEqual([claim.id])
    await f.pass(MINUTE)
    expect(await claimIds(f, queueId)).toEqual([])
    await f.pass(MINUTE + 1)
    expect(await claimIds(f, queueId)).toEqual([claim.id])
  })
}

function lineLaws({ fixture, needs }: Laws): void {
  test('an ordered queue gives one at a time, in order', async () => {
    const f = fixture()
    const queueId = await f.makeQueue('queue')
    const ids = await put(f, queueId, {}, {}, {})
    for (const id of ids) {
      const claim = await claimOne(f, queueId)
      expect(claim.id).toBe(id)
      expect(await claimIds(f, queueId)).toEqual([])
      await f.engine.acknowledge(queueId, [claim])
    }
    expect(await claimIds(f, queueId)).toEqual([])
  })

  test('a claim that ran out, and one that was rejected, keep their place', async () => {
    const f = fixture()
    const queueId = await f.makeQueue('queue')
    const [first, second] = await put(f, queueId, {}, {})
    await claimOne(f, queueId)
    await f.pass(MINUTE + 1)
    const again = await claimOne(f, queueId)
    expect(again).toMatchObject({ id: first, attempts: 2 })
    await f.engine.reject(queueId, [again], { at: (await f.now()) + 1000 })
    expect(await claimIds(f, queueId)).toEqual([])
    await f.pass(1001)
    const third = await claimOne(f, queueId)
    expect(third.id).toBe(first)
    expect(await f.engine.extend(queueId, [third], 2 * MINUTE)).toEqual([first])
    await f.pass(MINUTE + 1)
    expect(await claimIds(f, queueId)).toEqual([])
    await f.engine.acknowledge(queueId, [third])
    expect(await claimIds(f, queueId)).toEqual([second])
  })

  test('ordered by key: one at a time for each key, and every message without a key for itself', async () => {
    const f = fixture()
    const queueId = await f.makeQueue('key')
    const ids = await put(f, queueId, { key: 'a' }, { key: 'a' }, { key: 'b' }, {}, {}, { key: 'b' })
    const claims = await f.engine.claim(queueId, 10, MINUTE)
    expect(idsOf(claims)).toEqual([ids[0], ids[2], ids[3], ids[4]])
    expect(await claimIds(f, queueId)).toEqual([])
    await f.engine.acknowledge(queueId, [claims[1]!])
    expect(await claimIds(f, queueId)).toEqual([ids[5]])
    await f.engine.acknowledge(queueId, [claims[0]!])
    expect(await claimIds(f, queueId, 1)).toEqual([ids[1]])
  })

  test('nothing is handed out behind a message that is out, even if that one expires meanwhile', async () => {
    const f = fixture()
    const queueId = await f.makeQueue('key')
    const [first, second] = await put(f, queueId, { key: 'a', expiresAt: (await f.now()) + 1000 }, { key: 'a' })
    expect(await claimIds(f, queueId)).toEqual([first])
    await f.pass(2000)
    expect(await claimIds(f, queueId)).toEqual([])
    await f.pass(MINUTE)
    expect(await claimIds(f, queueId)).toEqual([second])
  })

  test('a delayed message takes its place when it is due', async () => {
    const f = fixture()
    const queueId = await f.makeQueue('queue')
    const [delayed] = await put(f, queueId, { dueAt: (await f.now()) + 1000 })
    const [ready] = await put(f, queueId, {})
    const first = await claimOne(f, queueId)
    expect(first.id).toBe(ready)
    await f.pass(1001)
    await f.engine.acknowledge(queueId, [first])
    expect(await claimIds(f, queueId)).toEqual([delayed])
  })

  needs('late commits', 'what commits late does not get before what is out', async () => {
    const f = fixture()
    const queueId = await f.makeQueue('queue')
    const late = await f.putLate([message(f, queueId, { body: 'late' })])
    const [newer] = await put(f, queueId, { body: 'newer' })
    const first = await claimOne(f, queueId)
    expect(first.id).toBe(newer)
    const [stored] = await late.commit()
    expect(await claimIds(f, queueId)).toEqual([])
    await f.engine.acknowledge(queueId, [first])
    expect(await claimIds(f, queueId)).toEqual([stored!.id])
  })

  needs('transactions', 'a holder who extends a claim that ran out, just before another claims, keeps it', async () => {
    const f = fixture()
    for (const ordered of ['queue', 'none'] as const) {
      const queueId = await f.makeQueue(ordered)
      await put(f, queueId, {})
      const claim = await claimOne(f, queueId)
      await f.pass(MINUTE + 1)
      const holder = await f.begin()
      expect(await holder.engine.extend(queueId, [claim], MINUTE)).toEqual([claim.id])
      const other = claimIds(f, queueId)
      if (ordered === 'queue') await holder.awaited()
      await holder.commit()
      expect(await other).toEqual([])
      expect(await f.engine.acknowledge(queueId, [claim])).toEqual([claim.id])
    }
  })

  needs('transactions', 'two consumers of an ordered queue get one message between them', async () => {
    const f = fixture()
    const queueId = await f.makeQueue('queue')
    const ids = await put(f, queueId, {}, {})
    const one = await f.begin()
    const first = await one.engine.claim(queueId, 1, MINUTE)
    const second = f.engine.claim(queueId, 1, MINUTE)
    await one.awaited()
    await one.commit()
    expect(idsOf(first)).toEqual([ids[0]])
    expect(await second).toEqual([])
  })

  needs(
    'transactions',
    'nor does a message that has just committed late go out beside one that is being claimed',
    async () => {
      const f = fixture()
      const queueId = await f.makeQueue('queue')
      const [late, one] = [await f.putLate([message(f, queueId)]), await f.begin()]
      const [newer] = await put(f, queueId, {})
      expect(idsOf(await one.engine.claim(queueId, 1, MINUTE))).toEqual([newer])
      await late.commit()
      const second = f.engine.claim(queueId, 1, MINUTE)
      await one.awaited()
      await one.commit()
      expect(await second).toEqual([])
    },
  )
}

/** Changing all that is found: bounded, in one commit, all of them or none; and creating many likewise. */
import { type Condition, Problem } from '@posthorn/contract'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { eachDatabase } from '../../test/databases.ts'
import { addOrg, asked, makeSpan, openRoom, type Room, settle } from '../../test/queue-room.ts'
import type { Database } from '../db/port.ts'
import { put } from '../engine/postgres/put.ts'
import type { Caller } from '../tenant/caller.ts'
import { createCrons } from './crons.ts'
import { findTogether, mostChanged } from './found.ts'
import { queueSource } from './queue-source.ts'

const is = (field: string, value: unknown) => [{ field, op: 'eq', value }] as Condition<never>[]
const among = (ids: readonly number[]) => [{ field: 'id', op: 'in', value: ids }] as Condition<never>[]
const found = (where: Condition<never>[], anyOf: Condition<never>[] = []) => ({ where, anyOf, fields: null })
const problem = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => Promise.reject(new Error('it succeeded')),
    error => (error instanceof Problem ? { code: error.code, ...error.details } : error),
  )

eachDatabase('what is found', (open, kind) => {
  let room: Room
  let caller: Caller
  let stranger: Caller
  let queueId: number
  let orgs = 0

  beforeAll(() => makeSpan(open()))
  beforeEach(async () => {
    room = openRoom(open())
    caller = { orgId: await addOrg(open(), `owner${++orgs}`) }
    stranger = { orgId: await addOrg(open(), `stranger${orgs}`) }
    queueId = await makeQueue()
  })

  const makeQueue = async (more: object = {}): Promise<number> =>
    (await room.queues.create(caller, { name: 'q', callbackUrl: 'http://127.0.0.1/hook', ...more })).id
  const putSome = async (count: number, more: object = {}): Promise<number[]> => {
    const messages = Array.from({ length: count }, (_, i) => ({ queueId, body: `b${i}`, ...more }))
    const { results } = await room.messages.putMany(caller, { messages, together: true })
    return results.map(({ id }) => id!)
  }
  const get = (id: number) => room.messages.get(caller, { id })
  const count = async (text: string, params: readonly unknown[] = []): Promise<number> => {
    const [row] = await open().query<{ n: number }>({ name: '', text }, params as never[])
    return row!.n
  }

  describe('of messages', () => {
    test('changes, in one commit, and what is left out keeps its value: no time moves', async () => {
      const [a, b, c] = await putSome(3, { when: '2099-01-01T00:00:00Z', headers: { 'x-a': '1' } })
      const heard = room.changes()
      const rows = await room.messages.updateMany(caller, { body: 'new', ...found(among([c!, a!])) })
      expect(rows).toEqual([await get(a!), await get(c!)])
      expect(rows).toMatchObject(
        Array(2).fill({ body: 'new', when: '2099-01-01T00:00:00.000Z', headers: { 'x-a': '1' }, status: 'pending' }),
      )
      expect(await get(b!)).toMatchObject({ body: 'b1' })
      expect(room.changes()).toBeGreaterThan(heard)
      const noted = `SELECT count(*) AS n FROM posthorn.change WHERE kind = 'message' AND message_id = ANY ($1::bigint[])`
      expect(await count(noted, [[a, b, c]])).toBe(2)
    })

    test('moves in time where that is asked for, and takes another place in the lane', async () => {
      const ids = await putSome(2, { when: '2099-01-01T00:00:00Z' })
      const rows = await room.messages.updateMany(caller, { when: '2098-01-01T00:00:00+02:00', ...found(among(ids)) })
      expect(rows.map(({ when }) => when)).toEqual(Array(2).fill('2097-12-31T22:00:00.000Z'))
      const xids = 'SELECT count(DISTINCT xid) AS n FROM posthorn.message WHERE id = ANY ($1::bigint[])'
      expect(await count(xids, [ids])).toBe(1)
    })

    test('gives every message a payload of its own', async () => {
      const ids = await putSome(3)
      await room.messages.updateMany(caller, { headers: { 'x-new': '1' }, ...found(among(ids)) })
      for (const [i, id] of ids.entries())
        expect(await get(id)).toMatchObject({ body: `b${i}`, headers: { 'x-new': '1' } })
      const payloads = 'SELECT count(DISTINCT payload_id) AS n FROM posthorn.message WHERE id = ANY ($1::bigint[])'
      expect(await count(payloads, [ids])).toBe(3)
      await room.messages.delete(caller, { id: ids[0]! })
      expect(await get(ids[1]!)).toMatchObject({ body: 'b1' })
    })

    test('is refused altogether if one of them is settled, unless it is to be sent again', async () => {
      const [a, b] = await putSome(2)
      await settle(open(), b!, 'x', 6)
      expect(await problem(room.messages.updateMany(caller, { body: 'new', ...found(among([a!, b!])) }))).toEqual({
        code: 'message_not_live',
        id: b,
        status: 'dead',
      })
      expect(await get(a!)).toMatchObject({ body: 'b0' })
      // As clients of pg-hooks send what failed once more.
      const again = await room.messages.updateMany(caller, {
        sentAt: null,
        failed: false,
        ...found(is('failed', true)),
      })
      expect(again).toMatchObject([{ id: b, status: 'pending', failed: false, sentAt: null, body: 'b1', attempts: 6 }])
    })

    test('none is sent again if one cannot be', async () => {
      const [a, b] = await putSome(2)
      for (const id of [a!, b!]) await settle(open(), id, 'x')
      await open().query({ name: '', text: 'DELETE FROM posthorn.payload WHERE id = $1::bigint' }, [b!])
      const resent = room.messages.updateMany(caller, { sentAt: null, ...found(among([a!, b!])) })
      expect(await problem(resent)).toEqual({ code: 'message_body_gone', id: b })
      expect(await get(a!)).toMatchObject({ status: 'dead' })
    })

    test('takes no priority on an ordered queue, for none of them', async () => {
      const ordered = await makeQueue({ ordered: 'queue' })
      const [plain] = await putSome(1)
      const [other] = await putSome(1, { queueId: ordered })
      const changed = room.messages.updateMany(caller, { priority: 3, ...found(among([plain!, other!])) })
      expect(await problem(changed)).toEqual({ code: 'queue_is_ordered', id: ordered })
      expect(await get(plain!)).toMatchObject({ priority: 0 })
    })

    test(`is ${1000} at most, and above that nothing is changed`, async () => {
      const ids = [...(await putSome(1000)), ...(await putSome(1))]
      const all = (patch: object) => room.messages.updateMany(caller, { ...patch, ...found(is('queueId', queueId)) })
      expect(await problem(all({ priority: 1 }))).toEqual({ code: 'too_many_found', limit: 1000 })
      expect(
        await count('SELECT count(*) AS n FROM posthorn.message WHERE lane = 1 AND queue_id = $1::int', [queueId]),
      ).toBe(0)
      await room.messages.delete(caller, { id: ids[1000]! })
      const rows = await all({ priority: 1, body: 'x' })
      expect(rows.map(({ id }) => id)).toEqual(ids.slice(0, 1000))
      expect(new Set(rows.map(({ body, priority }) => `${body}${priority}`))).toEqual(new Set(['x1']))
    })

    test('is fewer, the larger the body that each of them gets', async () => {
      expect(mostChanged({ priority: 1 } as object)).toBe(1000)
      expect(mostChanged({ body: 'x'.repeat(1024 * 1024) })).toBe(63)
      expect(mostChanged({ bodyBase64: 'x'.repeat(200 * 1024 * 1024) })).toBe(1)
      const ids = await putSome(70)
      const body = 'x'.repeat(1024 * 1024)
      const changed = room.messages.updateMany(caller, { body, ...found(among(ids)) })
      expect(await problem(changed)).toEqual({ code: 'too_many_found', limit: 63 })
    })

    test('is only the caller’s own', async () => {
      const ids = await putSome(1)
      expect(await room.messages.updateMany(stranger, { body: 'mine', ...found(among(ids)) })).toEqual([])
      expect(await get(ids[0]!)).toMatchObject({ body: 'b0' })
    })

    test('leaves out what does not hold the conditions any more once it is held', async () => {
      const [a, b] = await putSome(2)
      const others = open()
      // While the first try looks, b is settled by somebody who has not committed yet.
      let tries = 0
      const db: Database = Object.assign(Object.create(others), {
        transaction: async (work: Parameters<Database['transaction']>[0]) => {
          tries += 1
          if (tries === 2) await settle(others, b!, 'd')
          return others.transaction(work)
        },
        query: others.query.bind(others),
      })
      const own = openRoom(db)
      const rows = await own.messages.updateMany(caller, {
        body: 'new',
        ...found([...is('status', 'pending'), ...is('queueId', queueId)], is('priority', 0)),
      })
      expect(tries).toBe(2)
      expect(rows.map(({ id }) => id)).toEqual([a])
      expect(await get(b!)).toMatchObject({ body: 'b1', status: 'delivered' })
    })

    // The embedded database has one session: nobody else can hold anything.
    test.runIf(kind === 'postgres')(
      'waits for who is just changing one of them, holding none, but not for ever',
      async () => {
        const ids = await putSome(3)
        const whileHeld = (work: () => Promise<unknown>) =>
          open().transaction(async tx => {
            const text = 'SELECT id FROM posthorn.message WHERE id = $1::bigint FOR UPDATE'
            await tx.query({ name: '', text }, [ids[1]!])
            return work()
          })
        const change = () => room.messages.updateMany(caller, { priority: 2, ...found(among(ids)) })
        expect(await whileHeld(() => problem(change()))).toEqual({ code: 'message_busy' })
        expect(await get(ids[0]!)).toMatchObject({ priority: 0 })
        let changing: Promise<unknown> = Promise.resolve()
        await whileHeld(async () => {
          changing = change()
          // The others are free while it waits.
          await room.messages.update(caller, { id: ids[2]!, body: 'meanwhile' })
        })
        await changing
        expect(await get(ids[1]!)).toMatchObject({ priority: 2 })
        expect(await get(ids[2]!)).toMatchObject({ priority: 2, body: 'meanwhile' })
      },
    )
  })

  describe('of queues', () => {
    test('changes in one commit, and everybody hears of each', async () => {
      const other = await makeQueue({ name: 'other' })
      const third = await makeQueue({ name: 'third' })
      const rows = await room.queues.updateMany(caller, {
        maxRetries: 7,
        concurrency: 3,
        ...found([], [...is('name', 'other'), ...is('name', 'third')]),
      })
      expect(rows).toEqual([await room.queues.get(caller, { id: other }), await room.queues.get(caller, { id: third })])
      expect(rows).toMatchObject(Array(2).fill({ maxRetries: 7, concurrency: 3, version: 2 }))
      expect(await room.queues.get(caller, { id: queueId })).toMatchObject({ version: 1 })
      const noted = `SELECT count(*) AS n FROM posthorn.change WHERE kind = 'queue' AND queue_id = ANY ($1::int[])`
      expect(await count(noted, [[other, third]])).toBe(4)
    })

    test('sends no dead letters in a circle, also not among those that are changed together', async () => {
      const other = await makeQueue()
      const change = room.queues.updateMany(caller, { deadLetterQueueId: other, ...found(among([queueId, other])) })
      expect(await problem(change)).toEqual({ code: 'dead_letter_circle', id: other })
      expect(await room.queues.get(caller, { id: queueId })).toMatchObject({ deadLetterQueueId: null })
      await room.queues.updateMany(caller, { deadLetterQueueId: other, ...found(among([queueId])) })
      const back = room.queues.updateMany(caller, { deadLetterQueueId: queueId, ...found(is('id', other)) })
      expect(await problem(back)).toMatchObject({ code: 'dead_letter_circle' })
    })

    test('is not without a condition', async () => {
      const everything = findTogether(open(), queueSource(caller.orgId), { where: [], anyOf: [] }, 1000)
      expect(await problem(everything)).toEqual({ code: 'where_missing' })
    })

    test('that are created together are all there or none, and what is wrong is said of the one that is meant', async () => {
      const all = { name: 'x', callbackUrl: null }
      const { results } = await room.queues.createMany(caller, {
        queues: [all, { ...all, deadLetterQueueId: queueId }],
      })
      expect(results).toMatchObject([{ result: 'stored' }, { result: 'stored' }])
      expect(await room.queues.get(caller, { id: results[1]!.id })).toMatchObject({ deadLetterQueueId: queueId })
      const before = await room.queues.list(caller, asked())
      const unknown = room.queues.createMany(caller, { queues: [all, { ...all, deadLetterQueueId: 2_000_000_000 }] })
      expect(await problem(unknown)).toEqual({ code: 'dead_letter_queue_unknown', id: 2_000_000_000 })
      const wrong = room.queues.createMany(caller, { queues: [all, { ...all, headers: { 'webhook-id': '1' } }] })
      expect(await problem(wrong)).toMatchObject({ problem: expect.stringMatching(/^body\/queues\/1\/headers/) })
      expect(await room.queues.list(caller, asked())).toEqual(before)
    })
  })

  describe('of crons', () => {
    const YEARLY = '0 0 1 1 *'
    const makeCrons = async (crons: object[]): Promise<number[]> => {
      const whole = crons.map(cron => ({ queueId, schedule: YEARLY, ...cron }))
      return (await room.crons.createMany(caller, { crons: whole })).results.map(({ id }) => id)
    }
    const ticksOf = async (cronId: number) =>
      (await room.messages.list(caller, asked({ where: is('cronId', cronId) }))).items

    test('that are created together have their first ticks in the same commit', async () => {
      const [a, b] = await makeCrons([{ body: 'a' }, { schedule: '@hourly', timeZone: 'Europe/Berlin', body: null }])
      expect(await ticksOf(a!)).toMatchObject([{ body: 'a', when: (await room.crons.get(caller, { id: a! })).nextAt }])
      expect(await ticksOf(b!)).toMatchObject([{ body: null, status: 'pending' }])
      const xids = 'SELECT count(DISTINCT xid) AS n FROM posthorn.message WHERE cron_id = ANY ($1::int[])'
      expect(await count(xids, [[a, b]])).toBe(1)
    })

    test('that are created together are all there or none, ticks too', async () => {
      const wrong = room.crons.createMany(caller, {
        crons: [
          { queueId, schedule: YEARLY },
          { queueId, schedule: 'hello world' },
        ],
      })
      expect(await problem(wrong)).toMatchObject({ field: 'body/crons/1/schedule', code: 'validation_failed' })
      const nowhere = room.crons.createMany(stranger, { crons: [{ queueId, schedule: YEARLY }] })
      expect(await problem(nowhere)).toEqual({ code: 'queue_not_found', id: queueId })
      expect((await room.crons.list(caller, asked())).items).toEqual([])
      expect((await room.messages.list(caller, asked())).items).toEqual([])
    })

    test('change in one commit, each with its next tick anew and no second chain', async () => {
      const [a, b, c] = await makeCrons([{ body: 'a' }, { body: 'b' }, { body: 'c' }])
      await room.crons.pause(caller, { id: b! })
      const before = await ticksOf(c!)
      const rows = await room.crons.updateMany(caller, { schedule: '30 2 3 4 *', ...found(among([a!, b!])) })
      expect(rows).toEqual([await room.crons.get(caller, { id: a! }), await room.crons.get(caller, { id: b! })])
      expect(await ticksOf(a!)).toMatchObject([{ body: 'a', when: expect.stringMatching(/-04-03T02:30:00/) }])
      expect(await ticksOf(b!)).toEqual([])
      expect(await ticksOf(c!)).toEqual(before)
    })

    test('keep a tick that is near, and are refused altogether for a schedule that one cannot have', async () => {
      const [a, b] = await makeCrons([{ schedule: '* * * * * *', body: 'old' }, { body: 'old' }])
      const wrong = room.crons.updateMany(caller, { schedule: '0 0 31 2 *', ...found(among([a!, b!])) })
      expect(await problem(wrong)).toMatchObject({ code: 'validation_failed' })
      expect(await ticksOf(b!)).toMatchObject([{ body: 'old' }])
      await open().query(
        {
          name: '',
          text: `UPDATE posthorn.cron SET next_at = clock_timestamp() + interval '50 ms' WHERE id = $1::int`,
        },
        [a!],
      )
      const near = await ticksOf(a!)
      await room.crons.updateMany(caller, { body: 'new', ...found(among([a!, b!])) })
      expect(await ticksOf(a!)).toEqual(near)
      expect(await ticksOf(b!)).toMatchObject([{ body: 'new' }])
      await room.crons.delete(caller, { id: a! })
    })

    test('are done again, all of them, if the tick of one came near meanwhile', async () => {
      const [a, b] = await makeCrons([{ body: 'old' }, { body: 'old' }])
      const set = (ms: number): Promise<unknown> => {
        const text = `UPDATE posthorn.cron SET next_at = clock_timestamp() + $2::int * interval '1 ms' WHERE id = $1::int`
        return open().query({ name: '', text }, [a!, ms])
      }
      await set(900)
      let puts = 0
      const slow = createCrons({
        db: open(),
        ids: { webhookId: String },
        checkHeaders: () => null,
        put: () => Promise.reject(new Error('nothing is put beside the chain')),
        changed: () => {},
        listLimitMs: 10_000,
        putWithin: async (tx, messages) => {
          puts += 1
          if (puts === 1) await tx.exec('SELECT pg_sleep(0.9)')
          return put(tx, messages)
        },
      })
      await slow.updateMany(caller, { body: 'new', ...found(among([a!, b!])) })
      expect(puts).toBe(2)
      expect(await ticksOf(a!)).toMatchObject([{ body: 'old' }])
      expect(await ticksOf(b!)).toMatchObject([{ body: 'new' }])
    })

    test('go to another queue together, if that one is there and takes their priority', async () => {
      const ids = await makeCrons([{}, { priority: 2 }])
      const ordered = await makeQueue({ ordered: 'queue' })
      const move = (patch: object) => room.crons.updateMany(caller, { ...patch, ...found(among(ids)) })
      expect(await problem(move({ queueId: 2_000_000_000 }))).toEqual({ code: 'queue_not_found', id: 2_000_000_000 })
      expect(await problem(move({ queueId: ordered, priority: 2 }))).toEqual({ code: 'queue_is_ordered', id: ordered })
      const rows = await move({ queueId: ordered })
      expect(rows).toMatchObject(Array(2).fill({ queueId: ordered, priority: 0 }))
      for (const id of ids) expect(await ticksOf(id)).toMatchObject([{ queueId: ordered }])
    })
  })
})

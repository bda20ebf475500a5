import type { CronCreate, Message } from '@posthorn/contract'
import { beforeAll, describe, expect, test } from 'vitest'
import { eachDatabase } from '../../test/databases.ts'
import { addOrg, asked, makeSpan, openRoom, type Room, settle } from '../../test/queue-room.ts'
import { put } from '../engine/postgres/put.ts'
import type { Caller } from '../tenant/caller.ts'
import { createCrons } from './crons.ts'

const YEARLY = '0 0 1 1 *'

eachDatabase('crons', open => {
  let room: Room
  let caller: Caller
  let stranger: Caller
  let queueId: number

  beforeAll(async () => {
    await makeSpan(open())
    room = openRoom(open())
    caller = { orgId: await addOrg(open(), 'owner') }
    stranger = { orgId: await addOrg(open(), 'stranger') }
    queueId = await makeQueue()
  })

  const makeQueue = async (more: object = {}): Promise<number> =>
    (await room.queues.create(caller, { name: 'q', callbackUrl: 'http://127.0.0.1/hook', ...more })).id
  const make = (more: Partial<CronCreate> = {}) => room.crons.create(caller, { queueId, schedule: YEARLY, ...more })
  const messagesOf = async (cronId: number): Promise<readonly Message[]> =>
    (await room.messages.list(caller, asked({ where: [{ field: 'cronId', op: 'eq', value: cronId }] }))).items
  const run = (text: string, params: readonly number[] = []) => open().query<{ n: number }>({ name: '', text }, params)
  /** Makes the pending tick of a cron due some time ago, as if nobody had been there. */
  const letPass = async (cronId: number, seconds: number): Promise<void> => {
    await run(
      `WITH c AS (
         UPDATE posthorn.cron SET next_at = date_trunc('second', now()) - $2::int * interval '1 second'
         WHERE id = $1::int RETURNING message_id, next_at
       )
       UPDATE posthorn.message AS m SET due_at = c.next_at, scheduled_at = c.next_at FROM c WHERE m.id = c.message_id`,
      [cronId, seconds],
    )
  }
  const slowParts = () => ({
    db: open(),
    ids: { webhookId: String },
    checkHeaders: () => null,
    put: () => Promise.reject(new Error('nothing is put beside the chain')),
    changed: () => {},
    listLimitMs: 10_000,
  })
  const nextYear = `${new Date().getUTCFullYear() + 1}-01-01T00:00:00.000Z`

  describe('a new cron', () => {
    test('has what pg-hooks gives and more, and the message of its next tick', async () => {
      const heard = room.changes()
      const cron = await make({ body: 'h', headers: { 'x-a': '1' } })
      expect(cron).toEqual({
        id: expect.any(Number),
        queueId,
        schedule: YEARLY,
        createdAt: expect.any(String),
        updatedAt: expect.any(String),
        body: 'h',
        headers: { 'x-a': '1' },
        timeZone: 'UTC',
        misfire: 'one',
        priority: 0,
        pausedAt: null,
        nextAt: nextYear,
        next: [0, 1, 2, 3, 4].map(n => `${new Date().getUTCFullYear() + 1 + n}-01-01T00:00:00.000Z`),
      })
      expect(room.changes()).toBeGreaterThan(heard)
      const [message, ...others] = await messagesOf(cron.id)
      expect(others).toEqual([])
      const content = { body: 'h', headers: { 'x-a': '1' }, priority: 0 }
      expect(message).toMatchObject({ queueId, cronId: cron.id, when: nextYear, status: 'pending', ...content })
    })

    test('is in the time zone that it names', async () => {
      const cron = await make({ schedule: '0 0 1 1 *', timeZone: 'Asia/Kolkata' })
      expect(cron.nextAt).toMatch(/-12-31T18:30:00.000Z$/)
    })

    test('is refused whole where its schedule is wrong or never fires', async () => {
      const before = (await run('SELECT count(*) AS n FROM posthorn.message'))[0]!.n
      for (const schedule of ['* * * *', '60 * * * *', '0 0 31 2 *', 'hello world']) {
        await expect(make({ schedule })).rejects.toMatchObject({ code: 'validation_failed', status: 400 })
      }
      await expect(make({ timeZone: 'Nowhere' })).rejects.toThrow('body/timeZone')
      await expect(make({ body: 'a\0b' })).rejects.toThrow('body/body must not contain NUL')
      await expect(make({ headers: { 'webhook-id': 'x' } })).rejects.toThrow('webhook-id')
      expect((await run('SELECT count(*) AS n FROM posthorn.message'))[0]!.n).toBe(before)
    })

    test('needs a queue of its org that is there, and one without order for a priority', async () => {
      await expect(make({ queueId: 99_999 })).rejects.toMatchObject({ code: 'queue_not_found' })
      await expect(room.crons.create(stranger, { queueId, schedule: YEARLY })).rejects.toMatchObject({
        code: 'queue_not_found',
      })
      const ordered = await makeQueue({ ordered: 'queue' })
      await expect(make({ queueId: ordered, priority: 1 })).rejects.toMatchObject({ code: 'queue_is_ordered' })
      const cron = await make({ priority: 7 })
      expect((await messagesOf(cron.id))[0]).toMatchObject({ priority: 7 })
    })

    test('is seen, changed and deleted by its own org only', async () => {
      const { id } = await make()
      for (const act of ['get', 'delete', 'run', 'pause', 'resume', 'previewDelete'] as const) {
        await expect(room.crons[act](stranger, { id }), act).rejects.toMatchObject({ code: 'cron_not_found' })
      }
      await expect(room.crons.update(stranger, { id, body: 'x' })).rejects.toMatchObject({ code: 'cron_not_found' })
      expect((await room.crons.list(stranger, asked())).items).toEqual([])
      const where = [{ field: 'id', op: 'eq', value: id }]
      expect((await room.crons.list(caller, asked({ where }))).items).toEqual([await room.crons.get(caller, { id })])
    })
  })

  describe('a change', () => {
    test.each([
      ['schedule', { schedule: '0 0 1 7 *' }, { when: expect.stringMatching(/-07-01T00:00/) }],
      ['time zone', { timeZone: 'Asia/Kolkata' }, { when: expect.stringMatching(/-12-31T18:30/) }],
      ['body', { body: 'new' }, { body: 'new', headers: { a: '1' } }],
      ['body to none', { body: null }, { body: null, headers: { a: '1' } }],
      ['headers', { headers: { b: '2' } }, { body: 'old', headers: { b: '2' } }],
      ['priority', { priority: 3 }, { priority: 3, body: 'old' }],
    ])('of the %s replaces the pending message, and leaves no second chain', async (_, patch, expected) => {
      const { id } = await make({ body: 'old', headers: { a: '1' } })
      const changed = await room.crons.update(caller, { id, ...patch })
      expect(changed).toMatchObject(patch)
      const messages = await messagesOf(id)
      expect(messages).toHaveLength(1)
      expect(messages[0]).toMatchObject(expected)
      expect(messages[0]!.when).toBe(changed.nextAt)
    })

    test('of the queue takes the pending message there', async () => {
      const { id } = await make()
      const other = await makeQueue()
      await room.crons.update(caller, { id, queueId: other })
      expect(await messagesOf(id)).toMatchObject([{ queueId: other }])
      await expect(room.crons.update(caller, { id, queueId: 99_999 })).rejects.toMatchObject({
        code: 'queue_not_found',
      })
    })

    test('that changes nothing of the ticks leaves the message as it is', async () => {
      const { id } = await make({ body: 'same' })
      const [before] = await messagesOf(id)
      const given = { queueId, schedule: YEARLY, body: 'same', misfire: 'all' as const }
      expect(await room.crons.update(caller, { id, ...given })).toMatchObject({ misfire: 'all' })
      expect(await messagesOf(id)).toEqual([before])
    })

    test('that is refused changes nothing', async () => {
      const cron = await make({ body: 'same' })
      const before = await messagesOf(cron.id)
      await expect(room.crons.update(caller, { id: cron.id, body: 'x', schedule: '* * * *' })).rejects.toThrow('4')
      await expect(room.crons.update(caller, { id: cron.id, timeZone: 'No/Where' })).rejects.toThrow('body/timeZone')
      expect(await room.crons.get(caller, { id: cron.id })).toEqual(cron)
      expect(await messagesOf(cron.id)).toEqual(before)
    })

    test('leaves a tick alone that is due or about to be, and goes on behind it', async () => {
      const { id } = await make({ schedule: '@secondly', body: 'old' })
      await letPass(id, 1)
      const changed = await room.crons.update(caller, { id, body: 'new' })
      expect(changed).toMatchObject({ body: 'new' })
      const before = await messagesOf(id)
      expect(before).toMatchObject([{ body: 'old', when: changed.nextAt }])
      await room.chain.advance()
      const [old, next] = await messagesOf(id)
      expect(old).toEqual(before[0])
      expect(next).toMatchObject({ body: 'new' })
      expect(Date.parse(next!.when) - Date.parse(old!.when)).toBe(1000)
    })

    test('that takes until its tick is near is done again, and leaves the tick alone', async () => {
      let cron = await make({ schedule: '*/2 * * * * *', body: 'old' })
      while (Date.parse(cron.nextAt!) - Date.now() < 700) {
        await room.chain.advance()
        cron = await room.crons.get(caller, { id: cron.id })
      }
      const [pending] = (await messagesOf(cron.id)).slice(-1)
      let puts = 0
      const slow = createCrons({
        ...slowParts(),
        putWithin: async (tx, messages) => {
          puts += 1
          await tx.exec(`SELECT pg_sleep(${(Date.parse(cron.nextAt!) - Date.now()) / 1000})`)
          return put(tx, messages)
        },
      })
      await slow.update(caller, { id: cron.id, body: 'new' })
      expect(puts).toBe(1)
      expect((await messagesOf(cron.id)).at(-1)).toEqual(pending)
      expect(await room.crons.get(caller, { id: cron.id })).toMatchObject({ body: 'new', nextAt: cron.nextAt })
      await room.crons.delete(caller, { id: cron.id })
    })

    test('keeps the pending message of a tick that its user has cancelled cancelled, and the chain going', async () => {
      const { id } = await make()
      const [message] = await messagesOf(id)
      await room.messages.cancel(caller, { id: message!.id })
      await room.crons.update(caller, { id, body: 'new' })
      expect(await messagesOf(id)).toMatchObject([{ status: 'cancelled' }, { status: 'pending', body: 'new' }])
    })
  })

  describe('a deleted cron', () => {
    test('is gone with its pending message; what was sent stays, and so does what is due', async () => {
      const { id } = await make({ schedule: '@secondly' })
      const [first] = await messagesOf(id)
      await letPass(id, 2)
      await room.chain.advance()
      await settle(open(), first!.id, 'd')
      expect(await room.crons.previewDelete(caller, { id })).toEqual({
        removed: expect.any(Number),
        pending: expect.any(Number),
        kept: 1,
      })
      await room.crons.update(caller, { id, schedule: YEARLY })
      const { removed, pending } = await room.crons.previewDelete(caller, { id })
      expect(removed).toBe(1)
      const last = await room.crons.get(caller, { id })
      expect(await room.crons.delete(caller, { id })).toEqual(last)
      await expect(room.crons.get(caller, { id })).rejects.toMatchObject({ code: 'cron_not_found' })
      const left = await messagesOf(id)
      expect(left.filter(({ status }) => status === 'delivered')).toMatchObject([{ id: first!.id }])
      expect(left.filter(({ status }) => status === 'pending')).toHaveLength(pending)
      expect(left.some(({ when }) => when === last.nextAt)).toBe(false)
      await room.chain.advance()
      expect(await messagesOf(id)).toHaveLength(left.length)
    })

    test('leaves no payload of the tick that never came', async () => {
      const { id } = await make({ body: 'personal' })
      const [message] = await messagesOf(id)
      await room.crons.delete(caller, { id })
      const payloads = await run('SELECT count(*) AS n FROM posthorn.payload WHERE id = $1::bigint', [message!.id])
      expect(payloads[0]!.n).toBe(0)
    })

    test('goes with its queue, of which a dry run tells', async () => {
      const own = await makeQueue()
      const { id } = await make({ queueId: own })
      await makeQueue({ deadLetterQueueId: own })
      expect(await room.queues.previewDelete(caller, { id: own })).toEqual({ cancelled: 1, crons: 1, orphaned: 1 })
      expect(await messagesOf(id)).toMatchObject([{ status: 'pending' }])
      await room.queues.delete(caller, { id: own })
      await expect(room.crons.get(caller, { id })).rejects.toMatchObject({ code: 'cron_not_found' })
      expect(await messagesOf(id)).toMatchObject([{ status: 'cancelled', reason: 'queue deleted' }])
    })
  })

  test('run puts one message now, and the chain stays', async () => {
    const cron = await make({ body: 'b', headers: { a: '1' }, priority: 2 })
    const message = await room.crons.run(caller, { id: cron.id })
    expect(message).toMatchObject({ queueId, cronId: cron.id, body: 'b', headers: { a: '1' }, priority: 2 })
    expect(Date.parse(message.when)).toBeLessThanOrEqual(Date.now())
    expect(await messagesOf(cron.id)).toHaveLength(2)
    expect(await room.crons.get(caller, { id: cron.id })).toEqual(cron)
  })

  test('a paused cron has no tick until it is resumed, and makes up for none', async () => {
    const { id } = await make({ schedule: '@hourly', misfire: 'all' })
    expect(await room.crons.pause(caller, { id })).toMatchObject({
      pausedAt: expect.any(String),
      nextAt: null,
      next: [],
    })
    expect(await messagesOf(id)).toEqual([])
    const paused = await room.crons.pause(caller, { id })
    expect(await room.crons.update(caller, { id, schedule: '@secondly', body: 'new' })).toMatchObject({
      pausedAt: paused.pausedAt,
      nextAt: null,
    })
    await room.chain.advance()
    expect(await messagesOf(id)).toEqual([])
    await room.crons.update(caller, { id, schedule: YEARLY })
    expect(await room.crons.resume(caller, { id })).toMatchObject({ pausedAt: null, nextAt: nextYear })
    await room.crons.resume(caller, { id })
    expect(await messagesOf(id)).toMatchObject([{ when: nextYear, body: 'new' }])
  })
})

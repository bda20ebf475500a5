import type { CronCreate, Message, MisfireRule } from '@posthorn/contract'
import { beforeAll, describe, expect, test } from 'vitest'
import { eachDatabase } from '../../test/databases.ts'
import { addOrg, asked, makeSpan, openRoom, type Room, settle } from '../../test/queue-room.ts'
import { put } from '../engine/postgres/put.ts'
import { type Log, silentLog } from '../log.ts'
import type { Caller } from '../tenant/caller.ts'
import { createCronChain, type PutWithin, type Ticked } from './cron-chain.ts'

const HOUR_S = 3600

eachDatabase('the chain of a cron', open => {
  let room: Room
  let caller: Caller
  let queueId: number

  beforeAll(async () => {
    await makeSpan(open())
    room = openRoom(open())
    caller = { orgId: await addOrg(open(), 'owner') }
    queueId = (await room.queues.create(caller, { name: 'q', callbackUrl: 'http://127.0.0.1/hook' })).id
  })

  const run = <Row>(text: string, params: readonly (number | readonly number[])[] = []) =>
    open().query<Row>({ name: '', text }, params)
  const make = async (more: Partial<CronCreate> = {}): Promise<number> =>
    (await room.crons.create(caller, { queueId, schedule: '@secondly', ...more })).id
  /** Makes the pending ticks of crons due some time ago, as if nobody had been there. Gives that time. */
  const letPass = async (cronIds: readonly number[], seconds: number): Promise<number> => {
    const rows = await run<{ next_at: Date }>(
      `WITH c AS (
         UPDATE posthorn.cron SET next_at = date_trunc('second', now()) - $2::int * interval '1 second'
         WHERE id = ANY ($1::int[]) RETURNING message_id, next_at
       ), m AS (
         UPDATE posthorn.message AS m SET due_at = c.next_at, scheduled_at = c.next_at FROM c WHERE m.id = c.message_id
       )
       SELECT next_at FROM c`,
      [cronIds, seconds],
    )
    return rows[0]!.next_at.getTime()
  }
  const pageOf = (cronId: number, offset: number) =>
    room.messages.list(
      caller,
      asked({ where: [{ field: 'cronId', op: 'eq', value: cronId }], offset, totalCount: true }),
    )
  const messagesOf = async (cronId: number): Promise<readonly Message[]> => (await pageOf(cronId, 0)).items
  /** When the live ticks of a cron are due, in seconds from `start` on. */
  const ticksOf = async (cronId: number, start: number): Promise<number[]> => {
    const rows = await run<{ at: Date }>(
      'SELECT scheduled_at AS at FROM posthorn.message WHERE cron_id = $1::int ORDER BY scheduled_at',
      [cronId],
    )
    return rows.map(({ at }) => (at.getTime() - start) / 1000)
  }
  const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i)
  const stop = (id: number) => room.crons.delete(caller, { id })

  test('stores the next tick when one is due, once, and nothing when none is', async () => {
    const id = await make({ schedule: '0 0 1 1 *' })
    await room.chain.advance()
    expect(await messagesOf(id)).toHaveLength(1)
    const start = await letPass([id], 1)
    const { now, nextAt } = await room.chain.look()
    expect(nextAt).toBe(start)
    expect(now).toBeGreaterThan(start)
    expect(await room.chain.advance()).toBe(1)
    expect(await room.chain.advance()).toBe(0)
    const [, next, ...more] = await messagesOf(id)
    expect(more).toEqual([])
    expect(next!.when).toBe((await room.crons.get(caller, { id })).nextAt)
    await stop(id)
  })

  test('tells of the messages that it stored, once they are', async () => {
    const id = await make({ schedule: '0 0 1 1 *' })
    await letPass([id], 1)
    const told: unknown[] = []
    const chain = createCronChain({
      db: open(),
      putWithin: put,
      log: silentLog,
      ticked() {},
      told: (orgId, messageId) => told.push([orgId, messageId]),
    })
    await chain.advance()
    expect(told).toEqual([[caller.orgId, (await messagesOf(id)).at(-1)!.id]])
    await stop(id)
  })

  test('tells how many ticks are due by now, how many of them it stored late, and by which rule the missed ones went', async () => {
    const tickedBy = async (misfire: MisfireRule, seconds: number): Promise<Ticked> => {
      const id = await make({ misfire })
      const before = (await messagesOf(id)).length
      await letPass([id], seconds)
      const from = room.ticks.length
      expect(await room.chain.advance()).toBe(1)
      expect(await messagesOf(id).then(messages => messages.length)).toBeGreaterThan(before)
      await stop(id)
      expect(room.ticks).toHaveLength(from + 1)
      return room.ticks[from]!
    }
    const late = await tickedBy('skip', 5)
    expect(late.late).toBeGreaterThanOrEqual(5)
    expect(late).toEqual({ fired: late.late + 1, late: late.late, missed: null })
    expect(await tickedBy('skip', HOUR_S)).toEqual({ fired: 0, late: 0, missed: 'skip' })
    expect(await tickedBy('one', HOUR_S)).toEqual({ fired: 1, late: 0, missed: 'one' })
    const all = await tickedBy('all', 120)
    expect(all.late).toBeGreaterThanOrEqual(120)
    expect(all).toEqual({ fired: all.late + 1, late: all.late, missed: 'all' })
  })

  test('a failing tick is one message with its retries, and starts no second chain', async () => {
    const id = await make({ schedule: '0 0 1 1 *' })
    const [first] = await messagesOf(id)
    await letPass([id], 1)
    await room.chain.advance()
    await run(`UPDATE posthorn.message SET attempts = 3, due_at = now() + interval '1 hour' WHERE id = $1::bigint`, [
      first!.id,
    ])
    await room.chain.advance()
    expect(await messagesOf(id)).toHaveLength(2)
    await settle(open(), first!.id, 'x', 6)
    await room.messages.redrive(caller, { id: first!.id })
    await room.chain.advance()
    expect(await messagesOf(id)).toHaveLength(2)
    await stop(id)
  })

  test('the messages of later ticks say what the cron says then', async () => {
    const id = await make({ schedule: '0 0 1 1 *', body: 'old' })
    await run(`UPDATE posthorn.cron SET body = 'new', headers = '{"a":"1"}' WHERE id = $1::int`, [id])
    await letPass([id], 1)
    await room.chain.advance()
    expect(await messagesOf(id)).toMatchObject([{ body: 'old' }, { body: 'new', headers: { a: '1' } }])
    await stop(id)
  })

  test('ticks that are late by a change of leaders all come, whatever the rule', async () => {
    for (const misfire of ['skip', 'one', 'all'] as const) {
      const id = await make({ misfire })
      const start = await letPass([id], 5)
      expect(await room.chain.advance()).toBe(1)
      const ticks = await ticksOf(id, start)
      expect(ticks).toEqual(upTo(ticks.length))
      expect(ticks.length).toBeGreaterThanOrEqual(7)
      await stop(id)
    }
  })

  test('twenty crons and four schedulers: every tick has one message', async () => {
    const ids = await Promise.all(upTo(20).map(n => make(n % 2 === 0 ? {} : { schedule: '*/5 * * * * *' })))
    const chains = upTo(4).map(() => openRoom(open()).chain)
    const start = await letPass(ids, 20)
    await Promise.all(chains.map(chain => chain.advance()))
    await Promise.all(chains.map(chain => chain.advance()))
    for (const [n, id] of ids.entries()) {
      const ticks = await ticksOf(id, start)
      const from = n % 2 === 0 ? ticks : ticks.slice(1)
      expect(from.length).toBeGreaterThanOrEqual(4)
      for (const [i, tick] of from.entries()) expect(tick - from[0]!).toBe(i * (n % 2 === 0 ? 1 : 5))
    }
    for (const id of ids) await stop(id)
  })

  test('one that cannot be moved on does not keep the others, and is complained of once', async () => {
    const complaints: object[] = []
    const ticked: Ticked[] = []
    const log: Log = { ...silentLog, error: fields => complaints.push(fields) }
    const unreadable = await make()
    const refused = await make()
    const well = await make({ schedule: '0 0 1 1 *' })
    await run(`UPDATE posthorn.cron SET time_zone = 'No/Where' WHERE id = $1::int`, [unreadable])
    await letPass([unreadable, refused, well], 5)
    const putWithin: PutWithin = async (tx, messages) => {
      if (messages.some(({ cronId }) => cronId === refused)) await tx.exec('SELECT 1 / 0')
      return put(tx, messages)
    }
    const chain = createCronChain({ db: open(), putWithin, log, ticked: noted => void ticked.push(noted) })
    expect(await chain.advance()).toBe(1)
    expect(await chain.advance()).toBe(0)
    expect(await messagesOf(well)).not.toHaveLength(1)
    expect(await messagesOf(refused)).toHaveLength(1)
    expect(ticked, 'told of the one that moved').toHaveLength(1)
    expect(complaints.map(fields => (fields as { cronId: number }).cronId)).toEqual([unreadable, refused])
    for (const id of [unreadable, refused, well]) await run('DELETE FROM posthorn.cron WHERE id = $1::int', [id])
  })

  describe('after an hour in which nothing ran', () => {
    const afterAnHour = async (misfire: MisfireRule, firstSent: boolean) => {
      const id = await make({ misfire })
      const [first] = await messagesOf(id)
      const start = await letPass([id], HOUR_S)
      if (firstSent) await settle(open(), first!.id, 'd')
      expect(await room.chain.advance()).toBe(1)
      const { now } = await room.chain.look()
      const nextAt = Date.parse((await room.crons.get(caller, { id })).nextAt!)
      expect(nextAt - now).toBeLessThanOrEqual(1000)
      expect(nextAt - now).toBeGreaterThan(-1000)
      const ticks = await ticksOf(id, start)
      const missed = ticks.slice(0, -1)
      expect(ticks.at(-1)).toBe((nextAt - start) / 1000)
      const all = (await pageOf(id, 0)).items
      await stop(id)
      return { missed, first: all.find(message => message.id === first!.id)! }
    }

    test('skip sends none of the ticks, and the one that waited is on record as missed', async () => {
      const { missed, first } = await afterAnHour('skip', false)
      expect(missed).toEqual([])
      expect(first).toMatchObject({ status: 'cancelled', reason: 'missed' })
      expect((await afterAnHour('skip', true)).missed).toEqual([])
    })

    test('one sends the one that waited, or one in its stead', async () => {
      expect((await afterAnHour('one', false)).missed).toEqual([0])
      expect((await afterAnHour('one', true)).missed).toEqual([1])
    })

    test('all sends every one', async () => {
      const { missed } = await afterAnHour('all', false)
      expect(missed.length).toBeGreaterThanOrEqual(HOUR_S)
      expect(missed).toEqual(upTo(missed.length))
    })
  })

  test('changes that race with the scheduler leave one chain', async () => {
    const ids = await Promise.all(upTo(6).map(() => make()))
    const other = openRoom(open())
    for (let round = 0; round < 8; round++) {
      await letPass(ids, round % 3)
      const changes = ids.map(async (id, n) => {
        if (n === 0) return room.crons.update(caller, { id, body: `round ${round}` })
        if (n === 1) return room.crons.update(caller, { id, schedule: round % 2 ? '@secondly' : '*/2 * * * * *' })
        if (n === 2) return round === 4 && room.crons.delete(caller, { id })
        if (n === 3) return room.crons.pause(caller, { id }).then(() => room.crons.resume(caller, { id }))
        return n === 4 && room.crons.run(caller, { id })
      })
      const settled = await Promise.allSettled([...changes, room.chain.advance(), other.chain.advance()])
      for (const each of settled) expect(each.status === 'rejected' ? each.reason : null).toBeNull()
    }
    await room.chain.advance()
    for (const [n, id] of ids.entries()) {
      const rows = await run<{ id: number; at: Date | null }>(
        'SELECT id, scheduled_at AS at FROM posthorn.message WHERE cron_id = $1::int',
        [id],
      )
      const times = rows.flatMap(({ at }) => (at === null ? [] : [at.getTime()]))
      const [cron] = await run<{ message_id: number; next_at: Date }>(
        'SELECT message_id, next_at FROM posthorn.cron WHERE id = $1::int',
        [id],
      )
      if (n === 2) {
        expect(cron).toBeUndefined()
        continue
      }
      expect(rows.find(row => row.id === cron!.message_id)?.at).toEqual(cron!.next_at)
      expect(Math.max(...times)).toBe(cron!.next_at.getTime())
      await stop(id)
    }
  })
})

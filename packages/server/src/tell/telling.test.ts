import { beforeAll, expect, test } from 'vitest'
import { eachDatabase } from '../../test/databases.ts'
import { makeSpan, openRoom } from '../../test/queue-room.ts'
import { eventsOn, openTellRoom, type TellRoom } from '../../test/tell-room.ts'
import type { TellingOptions } from './telling.ts'

const GONE = 'the receiver answered 410: it is gone for good'

eachDatabase('telling the operator', open => {
  beforeAll(() => makeSpan(open()))

  async function start(more: Partial<TellingOptions> = {}) {
    const room = await openTellRoom(open(), more)
    const { orgId } = room
    const { queues } = openRoom(open())
    const events = await queues.create({ orgId }, { name: 'events' })
    const queue = await queues.create({ orgId }, { name: 'orders', callbackUrl: 'http://receiver.test/' })
    await room.telling.start()
    room.log.lines.length = 0
    return { ...room, queues, events, queue }
  }
  const typesOn = async (queueId: number) => (await eventsOn(open(), queueId)).map(({ type }) => type)
  /** Another node on the same database. */
  const beside = async (room: TellRoom, more: Partial<TellingOptions> = {}) => {
    const other = await openTellRoom(open(), { instanceOrgId: room.orgId, node: 'node b', ...more })
    await other.telling.start()
    return other
  }
  const stopped = async (...rooms: TellRoom[]) => {
    for (const { telling } of rooms) await telling.stop()
  }

  test('a queue is paused once for all the attempts that are answered 410, and that is told once', async () => {
    const room = await start()
    const { orgId, queue, events } = room
    const other = await beside(room)
    await Promise.all([
      room.telling.pauseGone(queue.id, GONE),
      room.telling.pauseGone(queue.id, 'another attempt'),
      other.telling.pauseGone(queue.id, 'another node'),
    ])
    const paused = await room.queues.get({ orgId }, { id: queue.id })
    expect(paused.version).toBe(queue.version + 1)
    const data = { orgId, queueId: queue.id, queueName: 'orders', reason: paused.pauseReason }
    expect(await eventsOn(open(), events.id)).toEqual([{ type: 'queue.paused', timestamp: paused.pausedAt, data }])
    const lines = [...room.log.lines, ...other.log.lines].filter(({ fields }) => fields.event)
    expect(lines).toMatchObject([{ level: 'warn', fields: { event: 'queue.paused', ...data } }])
    expect((room.counts.get('queue.paused') ?? 0) + (other.counts.get('queue.paused') ?? 0)).toBe(1)
    expect(room.state.changes).toBeGreaterThanOrEqual(2)
  })

  test('a queue that its owner has paused stays as he left it, and nothing is told', async () => {
    const { orgId, queues, queue, events, telling } = await start()
    await queues.pause({ orgId }, { id: queue.id, reason: 'by hand' })
    await telling.pauseGone(queue.id, GONE)
    expect(await queues.get({ orgId }, { id: queue.id })).toMatchObject({ pauseReason: 'by hand' })
    expect(await eventsOn(open(), events.id)).toEqual([])
  })

  test('without a queue for them, events are logged and counted all the same', async () => {
    const { queue, events, telling, log, counts } = await start({ queue: null })
    await telling.pauseGone(queue.id, GONE)
    expect(await eventsOn(open(), events.id)).toEqual([])
    expect(log.lines).toMatchObject([{ fields: { event: 'queue.paused' } }])
    expect(counts.get('queue.paused')).toBe(1)
  })

  test('a type that is not wanted there is not put on the queue', async () => {
    const { orgId, queue, events, telling, counts } = await start({ types: ['breaker.opened'] })
    await telling.pauseGone(queue.id, GONE)
    const death = { orgId, queueId: queue.id, messageId: 1, attempts: 1, reason: 'x', deadLetterQueueId: null }
    expect(telling.happenings.noticeOf(death)).toBeNull()
    expect(await eventsOn(open(), events.id)).toEqual([])
    expect(counts.get('queue.paused')).toBe(1)
  })

  test('what befalls the queue of events, or one that its dead letters go to, is not put on it', async () => {
    const { orgId, queues, events, queue, telling, counts } = await start()
    await queues.update({ orgId }, { id: events.id, deadLetterQueueId: queue.id })
    await telling.start()
    for (const { id } of [events, queue]) {
      await telling.pauseGone(id, GONE)
      const death = { orgId, queueId: id, messageId: 1, attempts: 1, reason: 'x', deadLetterQueueId: null }
      expect(telling.happenings.noticeOf(death)).toBeNull()
    }
    expect(await eventsOn(open(), events.id)).toEqual([])
    expect(counts.get('queue.paused')).toBe(2)
  })

  test('the notice of a death says all of it; the deaths of a queue that are committed together are one line', async () => {
    const { orgId, queue, events, telling, ids, log, counts, clock } = await start()
    const death = (messageId: number) => ({
      orgId,
      queueId: queue.id,
      messageId,
      attempts: 3,
      reason: `failed "${messageId}"`,
      deadLetterQueueId: 7,
    })
    const notice = telling.happenings.noticeOf(death(5))
    expect(notice).toMatchObject({ orgId, queueId: events.id })
    expect(JSON.parse(notice!.body)).toEqual({
      type: 'message.dead',
      timestamp: new Date(clock.now()).toISOString(),
      data: { ...death(5), queueName: 'its name', webhookId: ids.webhookId(5) },
    })
    expect([log.lines.length, counts.size]).toEqual([0, 0])
    telling.happenings.died([death(5), { ...death(6), queueId: events.id }, death(7)])
    expect(counts.get('message.dead')).toBe(3)
    const said = log.lines.map(({ fields }) => [fields.queueId, fields.messages, fields.messageIds, fields.reason])
    expect(said).toEqual([
      [queue.id, 2, [5, 7], 'failed "7"'],
      [events.id, 1, [6], 'failed "6"'],
    ])
  })

  test('a breaker is told to be open once, by however many nodes and however often, and closed once', async () => {
    const room = await start()
    const { queue, events, telling, counts } = room
    const other = await beside(room)
    telling.happenings.breakerOpened(queue.id, 'five failures in a row')
    telling.happenings.breakerOpened(queue.id, 'five failures in a row')
    await expect.poll(() => typesOn(events.id)).toEqual(['breaker.opened'])
    other.telling.happenings.breakerOpened(queue.id, 'opened by the next owner')
    await other.telling.stop()
    telling.happenings.breakerClosed(queue.id)
    await expect.poll(() => typesOn(events.id)).toEqual(['breaker.opened', 'breaker.closed'])
    telling.happenings.breakerClosed(queue.id)
    telling.happenings.breakerOpened(queue.id, 'once more')
    await expect.poll(() => typesOn(events.id)).toEqual(['breaker.opened', 'breaker.closed', 'breaker.opened'])
    const [opened, closed] = await eventsOn(open(), events.id)
    expect(opened!.data).toMatchObject({ queueId: queue.id, queueName: 'orders', reason: 'five failures in a row' })
    expect(closed!.data).toMatchObject({ since: opened!.timestamp })
    expect([counts.get('breaker.opened'), other.counts.get('breaker.opened')]).toEqual([2, undefined])
    telling.happenings.breakerClosed(queue.id)
    await stopped(room)
  })

  test('what a breaker is said to be while the database is away is told when it is back: only how it is then', async () => {
    let isAway = true
    const db = open()
    const transaction: typeof db.transaction = (work, options) =>
      isAway ? Promise.reject(new Error('away')) : db.transaction(work, options)
    const room = await start({
      db: { ...db, kind: db.kind, query: (statement, params) => db.query(statement, params), transaction },
    })
    const { queue, events, telling, clock, log } = room
    telling.happenings.breakerOpened(queue.id, 'first')
    telling.happenings.breakerOpened(events.id, 'never told there')
    await clock.pass(0)
    expect(log.lines).toMatchObject([{ fields: { queueId: queue.id }, words: expect.stringContaining('trying again') }])
    telling.happenings.breakerClosed(queue.id)
    telling.happenings.breakerOpened(queue.id, 'second')
    isAway = false
    await clock.pass(1000)
    await expect.poll(async () => (await eventsOn(db, events.id)).map(({ data }) => data.reason)).toEqual(['second'])
    for (const id of [queue.id, events.id]) telling.happenings.breakerClosed(id)
    await expect.poll(() => room.counts.get('breaker.closed')).toBe(2)
  })

  test('the alarm of an owner that is gone ends if the next one does not raise it again; that of a deleted queue in silence', async () => {
    const room = await start()
    const { orgId, queues, queue, events, telling, chore } = room
    const deleted = await queues.create({ orgId }, { name: 'deleted' })
    const own = async (node: string, ago: string) =>
      open().query({
        name: '',
        text: `INSERT INTO posthorn.shard (id, owner, taken_at) VALUES (0, '${node}', now() - interval '${ago}')
               ON CONFLICT (id) DO UPDATE SET owner = excluded.owner, taken_at = excluded.taken_at`,
      })
    await own('node a', '1 hour')
    for (const { id } of [queue, deleted]) telling.happenings.breakerOpened(id, 'failures')
    await expect.poll(() => typesOn(events.id)).toEqual(['breaker.opened', 'breaker.opened'])
    await queues.delete({ orgId }, { id: deleted.id })
    await own('node b', '59 seconds')
    await chore('orphaned breakers')
    expect(await typesOn(events.id)).toHaveLength(2)
    const other = await beside(room)
    await own('node b', '61 seconds')
    other.telling.happenings.breakerOpened(queue.id, 'here too')
    await stopped(other)
    await chore('orphaned breakers')
    expect(await typesOn(events.id)).toHaveLength(2)
    await own('node c', '61 seconds')
    await chore('orphaned breakers')
    await chore('orphaned breakers')
    const told = await eventsOn(open(), events.id)
    expect(told.slice(2)).toMatchObject([{ type: 'breaker.closed', data: { queueId: queue.id } }])
  })

  test('the alarm of a queue that is spread ends when its node serves no slice of it any more', async () => {
    const room = await start()
    const { orgId, queues, events, telling, chore } = room
    const db = open()
    const more = { callbackUrl: 'http://receiver.test/', spread: 2 }
    const { id } = await queues.create({ orgId }, { name: 'spread', ...more })
    telling.happenings.breakerOpened(id, 'failures')
    await expect.poll(() => typesOn(events.id)).toEqual(['breaker.opened'])
    const [alarm] = await db.query<{ node: string }>({ name: '', text: 'SELECT node FROM posthorn.alarm' })
    const text = `UPDATE posthorn.shard SET owner = $1, taken_at = now() - interval '1 hour'`
    await db.query({ name: '', text }, [alarm!.node])
    await chore('orphaned breakers')
    expect(await typesOn(events.id)).toHaveLength(1)
    await db.query({ name: '', text }, ['another'])
    await chore('orphaned breakers')
    await expect.poll(() => typesOn(events.id)).toEqual(['breaker.opened', 'breaker.closed'])
  })

  test('that no worker runs is told after a while, once by all nodes, and that there is one again likewise', async () => {
    const room = await start()
    const other = await beside(room)
    const { events, clock } = room
    const look = async (seconds: number): Promise<void> => {
      for (let second = 0; second < seconds; second++) {
        for (const one of [room, other]) {
          await one.clock.pass(1000)
          await one.chore('workers')
        }
      }
    }
    const workers = (count: number): void => {
      for (const { state } of [room, other]) state.workers = count
    }
    await look(15)
    workers(0)
    await look(9)
    expect(await typesOn(events.id)).toEqual([])
    workers(1)
    await look(1)
    workers(0)
    await look(9)
    expect(await typesOn(events.id)).toEqual([])
    await look(3)
    expect(await typesOn(events.id)).toEqual(['workers.gone'])
    await clock.pass(60_000)
    await look(20)
    expect(await typesOn(events.id)).toEqual(['workers.gone'])
    workers(2)
    await look(9)
    expect(await typesOn(events.id)).toEqual(['workers.gone'])
    await look(5)
    const [gone, available] = await eventsOn(open(), events.id)
    expect(gone!.data).toEqual({ goneMs: 9000 })
    expect(available).toMatchObject({ type: 'workers.available', data: { since: gone!.timestamp, workers: 2 } })
    await look(20)
    expect(await typesOn(events.id)).toHaveLength(2)
    const sum = (type: 'workers.gone' | 'workers.available') =>
      (room.counts.get(type) ?? 0) + (other.counts.get(type) ?? 0)
    expect([sum('workers.gone'), sum('workers.available')]).toEqual([1, 1])
  })

  test('a database that was away, or a node that slept, is no sign that workers are gone', async () => {
    const { events, clock, chore, state } = await start()
    state.workers = 0
    await chore('workers')
    await clock.pass(60_000)
    await chore('workers')
    Object.defineProperty(state, 'workers', {
      configurable: true,
      get: () => {
        throw new Error('away')
      },
    })
    await clock.pass(8000)
    await expect(chore('workers')).rejects.toThrow('away')
    Object.defineProperty(state, 'workers', { value: 0, writable: true })
    await clock.pass(2000)
    await chore('workers')
    expect(await typesOn(events.id)).toEqual([])
  })
})

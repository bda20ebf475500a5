import { beforeAll, expect, test } from 'vitest'
import { eachDatabase } from '../../test/databases.ts'
import { makeSpan, openRoom, settle } from '../../test/queue-room.ts'
import { eventsOn, MINUTE, openTellRoom } from '../../test/tell-room.ts'
import type { TellingOptions } from './telling.ts'

eachDatabase('old backlogs', open => {
  beforeAll(() => makeSpan(open()))

  async function start(more: Partial<TellingOptions> = {}) {
    const room = await openTellRoom(open(), more)
    const { orgId } = room
    const { queues, messages } = openRoom(open())
    const caller = { orgId }
    const events = await queues.create(caller, { name: 'events' })
    const queue = await queues.create(caller, { name: 'orders', callbackUrl: 'http://receiver.test/' })
    await room.telling.start()
    const put = async (queueId: number, minutesAgo = 0, input: object = {}): Promise<number> => {
      const { id } = await messages.put(caller, { queueId, body: 'x', ...input })
      await older(id, minutesAgo)
      return id
    }
    const told = async () => {
      await room.chore('backlogs')
      const said = await eventsOn(open(), events.id)
      const here = said.filter(({ data }) => data.orgId === orgId)
      return here.map(({ type, data }) => `${type} ${data.queueId === queue.id ? 'orders' : data.queueId}`)
    }
    return { ...room, caller, queues, messages, events, queue, put, told }
  }

  /** As if it had been put earlier, or this much time had passed for it since. */
  const older = (id: number, minutes: number) =>
    open().query({
      name: '',
      text: `UPDATE posthorn.message
             SET created_at = created_at - ${minutes} * interval '1 min', due_at = due_at - ${minutes} * interval '1 min',
                 scheduled_at = scheduled_at - ${minutes} * interval '1 min'
             WHERE id = ${id}`,
    })

  test('is told once when its oldest message has waited for longer than the bound, and once when it is half of it', async () => {
    const { queue, events, put, told, log, counts } = await start()
    const first = await put(queue.id, 9)
    const second = await put(queue.id, 1)
    expect(await told()).toEqual([])
    await older(first, 2)
    expect(await told()).toEqual(['backlog.old orders'])
    expect(await told()).toHaveLength(1)
    await settle(open(), first, 'd')
    await older(second, 5)
    expect(await told(), 'between half and whole nothing changes').toHaveLength(1)
    await settle(open(), second, 'd')
    expect(await told()).toEqual(['backlog.old orders', 'backlog.recovered orders'])
    expect(await told()).toHaveLength(2)
    const [old, recovered] = await eventsOn(open(), events.id)
    expect(old!.data).toMatchObject({ queueName: 'orders', limitMs: 10 * MINUTE, pausedAt: null })
    expect(old!.data.ageMs).toBeGreaterThanOrEqual(11 * MINUTE)
    expect(old!.data.ageMs).toBeLessThan(12 * MINUTE)
    expect(recovered!.data).toMatchObject({ since: old!.timestamp, limitMs: 10 * MINUTE })
    expect([counts.get('backlog.old'), counts.get('backlog.recovered')]).toEqual([1, 1])
    expect(log.lines.map(({ fields }) => fields.event).filter(Boolean)).toEqual(['backlog.old', 'backlog.recovered'])
  })

  test('a message of any priority counts, and one that is overdue; one that waits for its time does not', async () => {
    const { queue, put, told } = await start()
    const inAnHour = new Date(Date.now() + 60 * MINUTE).toISOString()
    const delayed = await put(queue.id, 50, { when: inAnHour })
    await put(queue.id, 0, { priority: 9 })
    expect(await told()).toEqual([])
    await older(delayed, 21)
    expect(await told()).toEqual(['backlog.old orders'])
    await settle(open(), delayed, 'd')
    const low = await put(queue.id, 11, { priority: 0 })
    expect(await told()).toHaveLength(1)
    await settle(open(), low, 'd')
    expect(await told()).toHaveLength(2)
  })

  test('a message sent again waits since then, not since it was put', async () => {
    const { caller, messages, queue, put, told } = await start()
    const id = await put(queue.id, 60)
    await settle(open(), id, 'x')
    await messages.redrive(caller, { id })
    expect(await told()).toEqual([])
    await older(id, 9)
    expect(await told()).toEqual([])
    await older(id, 2)
    expect(await told()).toEqual(['backlog.old orders'])
    await settle(open(), id, 'x', 2)
    await messages.redrive(caller, { id })
    expect(await told()).toEqual(['backlog.old orders', 'backlog.recovered orders'])
  })

  test('a queue that is paused grows old too, and it is said that it is paused', async () => {
    const { caller, queues, queue, events, put, told } = await start()
    const { pausedAt } = await queues.pause(caller, { id: queue.id })
    await put(queue.id, 11)
    expect(await told()).toEqual(['backlog.old orders'])
    expect((await eventsOn(open(), events.id))[0]!.data.pausedAt).toBe(pausedAt)
  })

  test('that of the queue of events is not told on it', async () => {
    const { events, put, told, counts } = await start()
    await put(events.id, 11, { body: '{"data":{}}' })
    expect(await told()).toEqual([])
    expect(counts.get('backlog.old')).toBe(1)
  })

  test('the bound of the queue itself comes first: younger, older, or none', async () => {
    const { caller, queues, queue, put, told } = await start()
    await put(queue.id, 11)
    const bind = (backlogAgeLimitMs: number | null) => queues.update(caller, { id: queue.id, backlogAgeLimitMs })
    for (const bound of [12 * MINUTE, 0, 14 * 24 * 60 * MINUTE]) {
      expect(await bind(bound)).toMatchObject({ backlogAgeLimitMs: bound })
      expect(await told()).toEqual([])
    }
    await bind(null)
    expect(await told()).toEqual(['backlog.old orders'])
    await bind(0)
    expect(await told(), 'nothing has recovered').toEqual(['backlog.old orders'])
    const other = await queues.create(caller, { name: 'other', backlogAgeLimitMs: 1000 })
    await put(other.id, 1)
    expect(await told()).toEqual(['backlog.old orders', `backlog.old ${other.id}`])
  })

  test('nobody is told of a deleted queue, nor where there is no bound, nor that it recovered when the bound is gone', async () => {
    const { caller, queues, queue, put, told } = await start()
    await put(queue.id, 11)
    expect(await told()).toHaveLength(1)
    await queues.delete(caller, { id: queue.id })
    expect(await told()).toHaveLength(1)
    const without = await start({ backlogAgeLimitMs: 0 })
    await without.put(without.queue.id, 11)
    expect(await without.told()).toEqual([])
  })

  test('two that look at the same time tell once', async () => {
    const room = await start()
    const other = await openTellRoom(open(), { instanceOrgId: room.orgId, node: 'node b' })
    await other.telling.start()
    await room.put(room.queue.id, 11)
    await Promise.all([room.chore('backlogs'), other.chore('backlogs')])
    expect(await room.told()).toEqual(['backlog.old orders'])
  })
})

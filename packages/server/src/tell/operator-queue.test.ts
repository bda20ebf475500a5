import { beforeAll, expect, test } from 'vitest'
import { eachDatabase } from '../../test/databases.ts'
import { makeSpan, openRoom } from '../../test/queue-room.ts'
import { keepLog, openTellRoom } from '../../test/tell-room.ts'
import { OperatorQueue } from './operator-queue.ts'

eachDatabase('the queue of the operator', open => {
  beforeAll(() => makeSpan(open()))

  async function rooms(named: string | null = 'events') {
    const db = open()
    const { orgId } = await openTellRoom(db)
    const log = keepLog()
    return { db, orgId, log, queues: openRoom(db).queues, found: new OperatorQueue({ db, log, orgId, named }) }
  }

  test('is found by its name, and by its id before a name that looks like one', async () => {
    const { db, orgId, queues, log } = await rooms()
    const first = await queues.create({ orgId }, { name: 'events' })
    const second = await queues.create({ orgId }, { name: `${first.id}` })
    await queues.create({ orgId }, { name: 'events' })
    const find = async (named: string) => {
      const queue = new OperatorQueue({ db, log, orgId, named })
      await queue.look()
      return queue.target?.queueId
    }
    expect(await find('events')).toBe(first.id)
    expect(await find(`${first.id}`)).toBe(first.id)
    expect(await find(`${second.id}`)).toBe(second.id)
    expect(await find('99999999999999')).toBeUndefined()
  })

  test('is no queue of another org', async () => {
    const { queues, found } = await rooms()
    const { orgId: other } = await openTellRoom(open())
    await queues.create({ orgId: other }, { name: 'events' })
    await found.look()
    expect(found.target).toBeNull()
  })

  test('that is missing is said once, and found as soon as it is made; deleted, it is said once more', async () => {
    const { orgId, queues, found, log } = await rooms()
    await found.look()
    await found.look()
    expect(log.lines).toMatchObject([{ level: 'error', fields: { operationalEventsQueue: 'events' } }])
    const { id } = await queues.create({ orgId }, { name: 'events' })
    found.changed(id)
    await found.look()
    expect(found.target).toEqual({ orgId, queueId: id, line: new Set([id]) })
    await queues.delete({ orgId }, { id })
    found.changed(id)
    await found.look()
    expect(found.target).toBeNull()
    expect(log.lines.map(({ level }) => level)).toEqual(['error', 'info', 'error'])
  })

  test('has a line: itself, and all that its dead letters come to', async () => {
    const { orgId, queues, found } = await rooms()
    const last = await queues.create({ orgId }, { name: 'last' })
    const letters = await queues.create({ orgId }, { name: 'letters', deadLetterQueueId: last.id })
    const { id } = await queues.create({ orgId }, { name: 'events', deadLetterQueueId: letters.id })
    await queues.create({ orgId }, { name: 'beside', deadLetterQueueId: last.id })
    await found.look()
    expect(found.target?.line).toEqual(new Set([id, letters.id, last.id]))
    await queues.update({ orgId }, { id: letters.id, deadLetterQueueId: null })
    found.changed(letters.id)
    await found.look()
    expect(found.target?.line).toEqual(new Set([id, letters.id]))
  })

  test('that is not wanted is not looked for', async () => {
    const { found, log } = await rooms(null)
    found.changed(1)
    await found.look()
    expect([found.target, log.lines]).toEqual([null, []])
  })

  test('a change of another queue is no reason to look', async () => {
    const { orgId, queues, found } = await rooms()
    const { id } = await queues.create({ orgId }, { name: 'events' })
    await found.look()
    await queues.delete({ orgId }, { id })
    found.changed(id + 1000)
    await new Promise(resolve => setImmediate(resolve))
    expect(found.target?.queueId).toBe(id)
  })
})

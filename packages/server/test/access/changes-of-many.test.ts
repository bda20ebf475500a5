/** What rules bound of a change of all that is found: through the whole server, on both databases. */
import type { AuthorizationRule } from '@posthorn/contract'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { eachDatabase } from '../databases.ts'
import type { Room } from '../queue-room.ts'
import { type BoundRoom, serveRoom } from './serve-room.ts'

const MINE = { checks: { queueId: { in: 'X-QUEUES' } } }
const rules: AuthorizationRule[] = [
  { role: 'tenant', entity: 'message', find: MINE, save: MINE },
  { role: 'tenant', entity: 'cron', find: MINE, save: MINE },
  { role: 'tenant', entity: 'queue', find: true },
  { role: 'clerk', entity: 'message', find: true, save: MINE },
  { role: 'blind', entity: 'message', save: true },
  { role: 'reader', entity: 'message', find: { fields: ['id', 'priority'] }, save: { fields: ['priority'] } },
  { role: 'filler', entity: 'message', find: true, save: true, defaults: { priority: 'X-PRIORITY' } },
]

eachDatabase('rules bound a change of all that is found', open => {
  let served: BoundRoom
  let room: Room
  let orgId: number
  let mine: number
  let others: number

  beforeAll(async () => {
    served = await serveRoom(open(), rules)
    ;({ room, orgId, mine, others } = served)
  })
  afterAll(() => served.close())

  const putBoth = async (): Promise<[number, number]> => [await served.put(mine), await served.put(others)]
  const stored: BoundRoom['stored'] = id => served.stored(id)
  const as = (role: string, metadata: object = { 'x-queues': mine }) => served.as(role, { ...metadata })

  test('to the records in reach: conditions of the caller cannot widen them', async () => {
    for (const role of ['tenant', 'clerk']) {
      const [own, other] = await putBoth()
      const { status, json } = await as(role).put(`/messages/?where.id.in=${own},${other}`, { body: role })
      expect([status, json.map(({ id }: { id: number }) => id)]).toEqual([200, [own]])
      const wide = await as(role).put(`/messages/?where.or=(id.eq=${other}|queueId.eq=${others})`, { body: role })
      expect(wide.json).toEqual([])
      expect((await stored(own)).body).toBe(role)
      expect((await stored(other)).body).toBe('secret')
    }
  })

  test('the same over GraphQL', async () => {
    const [own, other] = await putBoth()
    const query = `mutation { updateMessages(input: {body: "new"}, where: {id: {in: [${own}, ${other}]}}) { id body } }`
    expect(await as('tenant').ask(query)).toEqual({ data: { updateMessages: [{ id: String(own), body: 'new' }] } })
    expect((await stored(other)).body).toBe('secret')
    const { data, errors } = await as('tenant').ask(
      'mutation { updateQueues(input: {name: "x"}, where: {id: {gt: 0}}) { id } }',
    )
    expect([data, errors[0].message]).toEqual([{ updateQueues: null }, 'operation not allowed'])
  })

  test('nothing is found by what may not be read, and without the right to find by its id alone', async () => {
    const [own] = await putBoth()
    for (const role of ['blind', 'reader']) {
      for (const where of ['where.body.like=sec%25', `where.id.eq=${own}&where.or=(body.eq=secret)`]) {
        const { status, json } = await as(role).put(`/messages/?${where}&fields=id`, {})
        expect([status, json.message]).toEqual([401, 'field not allowed: body'])
      }
    }
    const blind = await as('blind').put(`/messages/?where.id.eq=${own}`, { priority: 3 })
    expect(blind.json).toEqual([{ id: own, priority: 3 }])
    const reader = await as('reader').put(`/messages/?where.priority.eq=3&where.id.eq=${own}`, { priority: 4 })
    expect(reader.json).toEqual([{ id: own, priority: 4 }])
  })

  test('only the fields that may be set are, and defaults win', async () => {
    const [own, other] = await putBoth()
    const refused = await as('reader').put(`/messages/?where.id.in=${own},${other}`, { priority: 1, body: 'x' })
    expect([refused.status, refused.json.message]).toEqual([401, 'field not allowed: body'])
    await as('filler', { 'x-priority': 7 }).put(`/messages/?where.id.in=${own},${other}`, { priority: 1, body: 'x' })
    expect([await stored(own), await stored(other)]).toMatchObject(Array(2).fill({ priority: 7, body: 'x' }))
    expect((await as('filler', {}).put(`/messages/?where.id.eq=${own}`, { body: 'y' })).status).toBe(401)
  })

  test('nobody changes a record into another’s', async () => {
    const { id } = await room.crons.create({ orgId }, { queueId: mine, schedule: '0 0 1 1 *' })
    const { status } = await as('tenant').put(`/crons/?where.id.eq=${id}`, { queueId: others })
    expect(status).toBe(401)
    expect(await room.crons.get({ orgId }, { id })).toMatchObject({ queueId: mine })
    expect((await as('tenant').put(`/crons/?where.id.eq=${id}`, { queueId: mine, body: 'b' })).json).toMatchObject([
      { body: 'b' },
    ])
  })

  test('the conditions that rules add are none of the caller’s: without one of its own, nothing is changed', async () => {
    const [own] = await putBoth()
    expect((await as('tenant').put('/messages/', { body: 'x' })).json.message).toBe('Missing where clause')
    expect((await stored(own)).body).toBe('secret')
  })
})

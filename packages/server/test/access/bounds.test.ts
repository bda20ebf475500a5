/** What rules bound: which records are in reach, and which fields of them. Through the whole server, on both databases. */
import { type AuthorizationRule, type Condition, message, type Resource } from '@posthorn/contract'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { holdsAll } from '../../src/api/access/checks.ts'
import { type Answered, call } from '../api/serve.ts'
import { eachDatabase } from '../databases.ts'
import { asked, type Room, settle } from '../queue-room.ts'
import { ADMIN_SECRET } from './roles.ts'
import { type BoundRoom, serveRoom } from './serve-room.ts'

const MINE = { checks: { queueId: { in: 'X-QUEUES' } } }
const NAMED = { checks: { name: 'X-TENANT' } }
const rules: AuthorizationRule[] = [
  { role: 'tenant', entity: 'message', find: MINE, save: MINE, delete: MINE },
  { role: 'tenant', entity: 'queue', find: { checks: { id: { in: 'X-QUEUES' } } }, save: NAMED, delete: NAMED },
  { role: 'late', entity: 'message', find: { checks: { key: 'X-TENANT' } }, save: { checks: { key: 'X-TENANT' } } },
  { role: 'reader', entity: 'message', find: { fields: ['id', 'body', 'priority'] } },
  { role: 'reader', entity: 'queue', find: true },
  { role: 'writer', entity: 'message', find: false, save: { fields: ['queueId', 'body'] } },
  { role: 'producer', entity: 'message', save: true },
  { role: 'filler', entity: 'message', find: true, save: true, defaults: { queueId: 'X-QUEUE', key: 'X-TENANT' } },
]

eachDatabase('rules bound', open => {
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

  const put: BoundRoom['put'] = (...args) => served.put(...args)
  const stored: BoundRoom['stored'] = id => served.stored(id)
  const as: BoundRoom['as'] = (...args) => served.as(...args)
  const tenant = () => as('tenant', { 'x-queues': mine, 'x-tenant': 'mine' })
  const ids = ({ json }: Answered): number[] => json.map(({ id }: { id: number }) => id)

  describe('the records in reach', () => {
    test('of lists, totals and counts: conditions of the caller cannot widen them', async () => {
      const own = await put(mine)
      const other = await put(others)
      const list = await tenant().get('/messages/?totalCount=true&limit=100')
      expect(ids(list)).toContain(own)
      expect(ids(list)).not.toContain(other)
      expect(Number(list.headers.get('x-total-count'))).toBe(list.json.length)
      for (const wide of [
        `where.queueId.eq=${others}`,
        `where.or=(queueId.eq=${others}|id.eq=${other})`,
        `where.id.in=${own},${other}&where.queueId.neq=${mine}`,
        `where.id.eq=${other}`,
      ]) {
        expect((await tenant().get(`/messages/?${wide}`)).json, wide).toEqual([])
      }
      const counted = `{ all: countMessages { total } other: countMessages(where: { queueId: { eq: "${others}" } }) { total } }`
      const { data } = await tenant().ask(counted)
      expect(data).toEqual({ all: { total: list.json.length }, other: { total: 0 } })
    })

    test('of what a message was forwarded from, when it is expunged', async () => {
      const text = `INSERT INTO posthorn.message (org_id, queue_id, id, payload_id, origin_id)
        SELECT org_id, $2, nextval('posthorn.message_id'), payload_id, id FROM posthorn.message WHERE id = $1 RETURNING id`
      const forward = async (id: number, to: number): Promise<number> =>
        (await open().query<{ id: number }>({ name: '', text }, [id, to]))[0]!.id
      const expunge = (id: number) => tenant().post(`/messages/${id}/expunge`)
      const foreign = await forward(await put(others), mine)
      expect((await expunge(foreign)).status).toBe(401)
      expect(await stored(foreign)).toMatchObject({ status: 'pending', body: 'secret' })
      const own = await put(mine)
      const letter = await forward(own, mine)
      expect((await expunge(letter)).json).toMatchObject({ id: letter, status: 'cancelled', body: null })
      expect(await stored(own)).toMatchObject({ status: 'cancelled', body: null })
      const orphan = await forward(await put(others), mine)
      await room.messages.delete({ orgId }, { id: (await stored(orphan)).originId! })
      expect((await expunge(orphan)).json).toMatchObject({ id: orphan, body: null })
      expect((await expunge(await put(others))).status).toBe(404)
    })

    test('of pages by cursor', async () => {
      for (let i = 0; i < 3; i++) {
        await put(others)
        await put(mine)
      }
      const seen: number[] = []
      let after = ''
      for (;;) {
        const page = await tenant().get(`/messages/?cursor=true&orderby.id=asc&limit=2${after}`)
        if (page.json.length === 0) break
        seen.push(...ids(page))
        after = `&startAfter=${encodeURIComponent(page.headers.get('x-start-after')!)}`
      }
      const all = await room.messages.list({ orgId }, asked({ where: [{ field: 'queueId', op: 'eq', value: mine }] }))
      expect(seen).toEqual(all.items.map(({ id }) => id).sort((a, b) => a - b))
    })

    test('any other is answered as one that does not exist, and stays as it is', async () => {
      const other = await put(others)
      const gone = 9_007_199_254_740_991
      const acts: [string, string, object?][] = [
        ['GET', ''],
        ['PUT', '', { body: 'changed' }],
        ['POST', '/cancel'],
        ['POST', '/redrive'],
        ['POST', '/resend'],
        ['GET', '/attempts'],
        ['GET', '/queue'],
        ['DELETE', ''],
      ]
      for (const [verb, path, body] of acts) {
        const call = (id: number) => {
          const { get, put, post, delete: remove } = tenant()
          const at = `/messages/${id}${path}`
          return verb === 'GET' ? get(at) : verb === 'PUT' ? put(at, body) : verb === 'POST' ? post(at) : remove(at)
        }
        const [hidden, unknown] = [await call(other), await call(gone)]
        expect(hidden.status, `${verb} ${path}`).toBe(404)
        expect(hidden.text.replaceAll(String(other), '')).toBe(unknown.text.replaceAll(String(gone), ''))
      }
      expect(await stored(other)).toMatchObject({ body: 'secret', status: 'pending' })
      const { data } = await tenant().ask(`{ getMessageById(id: ${other}) { id } queues { messages { id } } }`)
      expect(data.getMessageById).toBeNull()
      expect(data.queues).toHaveLength(1)
    })

    test('may be changed, stopped and deleted', async () => {
      const id = await put(mine)
      expect((await tenant().put(`/messages/${id}`, { body: 'changed' })).json).toMatchObject({ id, body: 'changed' })
      expect((await tenant().get(`/messages/${id}/queue`)).json).toMatchObject({ id: mine })
      expect((await tenant().post(`/messages/${id}/cancel`)).json).toMatchObject({ status: 'cancelled' })
      expect((await tenant().get(`/messages/${id}/attempts`)).json).toEqual([])
      expect((await tenant().delete(`/messages/${id}`)).json).toMatchObject({ id })
      const again = await put(mine)
      const deleted = await tenant().ask(
        `mutation { deleteMessages(where: { id: { in: ["${again}", "${await put(others)}"] } }) { id } }`,
      )
      expect(deleted.data.deleteMessages).toEqual([{ id: String(again) }])
    })

    test('are those of one’s own queues, for acts on all messages of a queue', async () => {
      await settle(open(), await put(others), 'x')
      for (const act of ['redrive', 'claim']) {
        expect((await tenant().post(`/queues/${others}/${act}`)).status, act).toBe(404)
        expect((await tenant().post(`/queues/${mine}/${act}`)).status, act).toBe(200)
      }
      expect((await tenant().get(`/queues/${others}/attempts`)).status).toBe(404)
      expect((await tenant().get(`/queues/${mine}/attempts`)).status).toBe(200)
      // A check of each message says nothing of them all.
      expect((await as('late', { 'x-tenant': 'a' }).post(`/queues/${mine}/redrive`)).status).toBe(401)
      expect((await as('late', { 'x-tenant': 'a' }).get(`/queues/${mine}/attempts`)).status).toBe(401)
      // What is handed out is read.
      expect((await as('producer').post(`/queues/${mine}/claim`)).status).toBe(401)
    })

    test('cannot be left: neither created outside nor changed into another’s', async () => {
      expect((await tenant().post('/messages/', { queueId: others })).status).toBe(401)
      expect((await tenant().post(`/queues/${others}/messages`, 'raw', { 'content-type': 'text/plain' })).status).toBe(
        401,
      )
      expect((await tenant().post('/messages/', { queueId: mine })).status).toBe(200)
      const { json } = await tenant().post('/messages/bulk', { messages: [{ queueId: others }, { queueId: mine }] })
      expect(json.results).toMatchObject([{ result: 'error', error: { status: 401 } }, { result: 'stored' }])
      const together = { messages: [{ queueId: mine, body: 'together' }, { queueId: others }], together: true }
      expect((await tenant().post('/messages/bulk', together)).status).toBe(401)
      const found = await call(served.url, 'GET', '/messages/?where.body.eq=together', undefined, {
        authorization: `Bearer ${ADMIN_SECRET}`,
      })
      expect(found.json).toEqual([])

      expect((await tenant().post('/queues/', { name: 'theirs' })).status).toBe(401)
      expect((await tenant().post('/queues/', { name: 'mine' })).status).toBe(200)
      expect((await tenant().put(`/queues/${mine}`, { name: 'theirs' })).status).toBe(401)
      expect((await tenant().put(`/queues/${mine}`, { name: 'mine', maxRetries: 3 })).json).toMatchObject({
        maxRetries: 3,
      })
      expect((await tenant().post('/queues/', { id: others, name: 'mine' })).status).toBe(404)
    })

    test('are none for who lacks the metadata that a rule compares', async () => {
      await put(mine)
      const nobody = as('tenant')
      expect((await nobody.get('/messages/?totalCount=true')).json).toEqual([])
      expect((await nobody.get(`/messages/${await put(mine)}`)).status).toBe(404)
      expect((await nobody.post('/messages/', { queueId: mine })).status).toBe(401)
      expect((await nobody.ask('{ countMessages { total } }')).data).toEqual({ countMessages: { total: 0 } })
    })
  })

  describe('the fields', () => {
    const field = (name: string) => ({
      statusCode: 401,
      code: 'PLT_DB_AUTH_FIELD_UNAUTHORIZED',
      error: 'Unauthorized',
      message: `field not allowed: ${name}`,
      details: { field: name },
    })

    test('that may be read are all that is given; others can be neither asked for nor compared', async () => {
      const id = await put(mine, { priority: 2, key: 'hidden' })
      expect((await as('reader').get(`/messages/${id}`)).json).toEqual({ id, body: 'secret', priority: 2 })
      expect((await as('reader').get(`/messages/?where.id.eq=${id}`)).json).toEqual([
        { id, body: 'secret', priority: 2 },
      ])
      expect((await as('reader').get(`/messages/?where.id.eq=${id}&fields=body`)).json).toEqual([{ body: 'secret' }])
      for (const asks of [
        'fields=id,key',
        'where.key.eq=hidden',
        'where.or=(id.eq=1|key.eq=hidden)',
        'orderby.key=asc',
      ]) {
        expect((await as('reader').get(`/messages/?${asks}`)).json, asks).toEqual(field('key'))
      }
      expect((await as('reader').get(`/messages/${id}?fields=key`)).json).toEqual(field('key'))
      expect((await as('reader').get(`/messages/${id}/queue`)).json).toEqual(field('queueId'))
      expect((await as('reader').get(`/queues/${mine}/messages`)).json).toEqual(field('queueId'))
      expect((await as('reader').get(`/messages/${id}/attempts`)).status).toBe(401)
    })

    test('are the same over GraphQL', async () => {
      const id = await put(mine, { key: 'hidden' })
      expect((await as('reader').ask(`{ getMessageById(id: ${id}) { id body } }`)).data.getMessageById).toEqual({
        id: String(id),
        body: 'secret',
      })
      for (const query of [
        `{ getMessageById(id: ${id}) { key } }`,
        '{ messages { key } }',
        '{ messages(where: { key: { eq: "hidden" } }) { id } }',
        '{ countMessages(where: { key: { eq: "hidden" } }) { total } }',
      ]) {
        const { errors } = await as('reader').ask(query)
        expect(errors[0].message, query).toBe('field not allowed: key')
      }
    })

    test('that may be written are all that is taken, and acts on a whole record are not covered', async () => {
      const { json } = await as('writer').post('/messages/', { queueId: mine, body: 'b' })
      expect(json).toEqual({ id: json.id, queueId: mine, body: 'b' })
      expect((await as('writer').post('/messages/', { queueId: mine, priority: 1 })).json).toEqual(field('priority'))
      expect((await as('writer').put(`/messages/${json.id}`, { key: 'k', body: 'c' })).status).toBe(200) // Its key is fixed, and dropped.
      expect((await as('writer').put(`/messages/${json.id}`, { expiresAt: null })).json).toEqual(field('expiresAt'))
      expect((await as('writer').post(`/messages/${json.id}/cancel`)).status).toBe(401)
      expect(await stored(json.id)).toMatchObject({ body: 'c', status: 'pending' })
    })

    test('of a record that was changed are told only to who may read it', async () => {
      const id = await put(mine, { key: 'hidden' })
      expect((await as('producer').put(`/messages/${id}`, { priority: 0 })).json).toEqual({ id, priority: 0 })
      expect((await as('producer').post(`/messages/${id}/cancel`)).json).toEqual({ id })
      const created = await as('producer').post('/messages/', { queueId: mine, body: 'b' })
      expect(created.json).toMatchObject({ queueId: mine, body: 'b', status: 'pending' })
    })
  })

  describe('what rules fill in', () => {
    const filler = (queue: number) => as('filler', { 'x-queue': queue, 'x-tenant': 'me' })

    test('need not be given, and cannot be given otherwise', async () => {
      const filled = { queueId: mine, key: 'me' }
      expect((await filler(mine).post('/messages/', { body: 'b' })).json).toMatchObject(filled)
      expect((await filler(mine).post('/messages/', { body: 'b', queueId: others, key: 'you' })).json).toMatchObject(
        filled,
      )
      const { json } = await filler(mine).post('/messages/bulk', { messages: [{ body: '1' }, { queueId: others }] })
      for (const { id } of json.results) expect(await stored(id)).toMatchObject(filled)
      const { data } = await filler(mine).ask('mutation { saveMessage(input: { body: "b" }) { id key } }')
      expect(data.saveMessage.key).toBe('me')
      expect(await stored(Number(data.saveMessage.id))).toMatchObject(filled)
    })

    test('agree with the path, or nothing is stored', async () => {
      const raw = (queue: number) =>
        filler(mine).post(`/queues/${queue}/messages`, 'raw', { 'content-type': 'text/plain' })
      expect((await raw(mine)).json).toMatchObject({ queueId: mine, key: 'me', body: 'raw' })
      expect((await raw(others)).status).toBe(401)
    })

    test('are checked like any input, and must be there', async () => {
      const long = await as('filler', { 'x-queue': mine, 'x-tenant': 'k'.repeat(256) }).post('/messages/', {
        body: 'b',
      })
      expect(long.json).toMatchObject({ statusCode: 400, details: { field: 'body/key', limit: 255 } })
      expect((await as('filler', { 'x-queue': mine }).post('/messages/', { body: 'b' })).status).toBe(401)
    })
  })

  describe('a check', () => {
    const cases: readonly Condition[] = [
      { field: 'queueId', op: 'eq', value: 1 },
      { field: 'queueId', op: 'neq', value: 1 },
      { field: 'queueId', op: 'in', value: [1, 2] },
      { field: 'queueId', op: 'nin', value: [1] },
      { field: 'queueId', op: 'in', value: [] },
      { field: 'priority', op: 'gt', value: 1 },
      { field: 'priority', op: 'lte', value: 1 },
      { field: 'key', op: 'eq', value: 'me' },
      { field: 'key', op: 'neq', value: 'me' },
      { field: 'key', op: 'nin', value: ['me', 'you'] },
      { field: 'key', op: 'in', value: ['me', 'you'] },
      { field: 'body', op: 'eq', value: 'b' },
      { field: 'status', op: 'eq', value: 'dead' },
      { field: 'status', op: 'neq', value: 'pending' },
      { field: 'failed', op: 'eq', value: true },
      { field: 'when', op: 'lt', value: '2030-01-01T00:00:00.000Z' },
      { field: 'when', op: 'gte', value: '2030-01-01T00:00:00.000Z' },
      { field: 'expiresAt', op: 'gt', value: '2030-01-01T00:00:00.000Z' },
      { field: 'sentAt', op: 'neq', value: '2030-01-01T00:00:00.000Z' },
    ]

    test('means the same to the database and to a record at hand', async () => {
      await put(mine, { key: 'you', priority: 3, when: '2030-01-01T00:00:00Z' })
      await put(mine, { expiresAt: '2031-01-01T00:00:00Z', body: 'b' })
      const everything = await room.messages.list({ orgId }, asked())
      expect(everything.items.length).toBeGreaterThan(20)
      for (const condition of cases) {
        const { items } = await room.messages.list({ orgId }, asked({ where: [condition] }))
        const held = everything.items.filter(row => holdsAll(message as Resource, row, [condition]))
        expect(
          items.map(({ id }) => id),
          JSON.stringify(condition),
        ).toEqual(held.map(({ id }) => id))
      }
    })
  })
})

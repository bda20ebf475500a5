import { beforeEach, describe, expect, test } from 'vitest'
import { NodeChanges } from '../../src/api/changes.ts'
import { MAX_DELETED } from '../../src/api/graphql/writes.ts'
import { systemClock } from '../../src/clock.ts'
import { channelOf, notify } from '../../src/db/announce.ts'
import type { Database } from '../../src/db/port.ts'
import { silentLog } from '../../src/log.ts'
import { queueOperations } from '../../src/queue/operations.ts'
import { bareApi } from '../api/bare-api.ts'
import { createFakeHandlers } from '../api/fake-handlers.ts'
import { call } from '../api/serve.ts'
import { eachDatabase } from '../databases.ts'
import { addOrg, makeSpan, openRoom, openTenantRoom, settle } from '../queue-room.ts'
import { ask, data } from './ask.ts'
import { subscribe } from './subscribe.ts'

/** A node's API over the real queue room, with changes that go through the database. */
async function serve(db: Database, orgId: number, nodeId = 'a') {
  const send = db.kind === 'postgres' ? (payload: string) => notify(db, channelOf(db), payload) : null
  const changes = new NodeChanges({ clock: systemClock, log: silentLog, send, nodeId })
  const listening = await db.listen(
    channelOf(db),
    payload => void changes.heard(payload),
    () => {},
  )
  const tenants = openTenantRoom(db, orgId)
  const api = bareApi({
    tenants: tenants.tenants,
    handlers: { ...createFakeHandlers().handlers, ...queueOperations(openRoom(db)), ...tenants.handlers },
    changes,
  })
  const { url } = await api.listen()
  const stop = async (): Promise<void> => {
    await api.close(1000)
    changes.stop()
    await listening.stop()
  }
  return { url, stop, changes, call: (...args: [string, string, unknown?]) => call(url, ...args) }
}

type Node = Awaited<ReturnType<typeof serve>>

eachDatabase('GraphQL over the queue room', open => {
  let orgId: number
  let node: Node
  let orgs = 0
  beforeEach(async () => {
    if (orgs === 0) await makeSpan(open())
    orgId = await addOrg(open(), `org${++orgs}`)
    node = await serve(open(), orgId)
    return () => node.stop()
  })

  const makeQueue = async (more = ''): Promise<string> => {
    const query = `mutation { saveQueue(input: {name: "q", callbackUrl: "http://127.0.0.1:9/", method: "post" ${more}}) { id } }`
    return (await data(node, query)).saveQueue.id
  }
  const count = async (sql: string): Promise<number> => {
    const [row] = await open().query<{ n: number }>({ name: '', text: sql }, [orgId])
    return row!.n
  }

  test('a queue is saved, changed, found, led from and deleted', async () => {
    const dead = await makeQueue()
    const queue = await makeQueue(`, deadLetterQueueId: ${dead}, headers: {a: "1"}`)
    const fields = '{ id name method maxRetries headers backoff deadLetterQueue { id } queues { id } }'
    expect(await data(node, `{ getQueueById(id: ${queue}) ${fields} }`)).toEqual({
      getQueueById: {
        id: queue,
        name: 'q',
        method: 'POST',
        maxRetries: 5,
        headers: { a: '1' },
        backoff: { startMs: 100, factor: 2, maxMs: expect.any(Number), jitter: 0 },
        deadLetterQueue: { id: dead },
        queues: [],
      },
    })
    await data(node, `mutation { saveQueue(input: {id: ${queue}, name: "other"}) { id } }`)
    expect(await data(node, `{ queues(where: {name: {like: "oth%"}}) { id headers } countQueues { total } }`)).toEqual({
      queues: [{ id: queue, headers: { a: '1' } }],
      countQueues: { total: 2 },
    })
    expect(await data(node, `{ getQueueById(id: ${dead}) { queues { id } } }`)).toEqual({
      getQueueById: { queues: [{ id: queue }] },
    })
    const circle = await ask(node, `mutation { saveQueue(input: {id: ${dead}, deadLetterQueueId: ${queue}}) { id } }`)
    expect(circle.errors).toMatchObject([{ path: ['saveQueue'], extensions: { code: 'dead_letter_circle' } }])
    expect(await data(node, `mutation { deleteQueues(where: {id: {eq: ${queue}}}) { name } }`)).toEqual({
      deleteQueues: [{ name: 'other' }],
    })
    expect(await data(node, '{ queues { id } }')).toEqual({ queues: [{ id: dead }] })
  })

  test.each([
    ['{id: {eq: $2}}', [2]],
    ['{id: {neq: $2}}', [1, 3]],
    ['{id: {gt: $1}}', [2, 3]],
    ['{id: {gte: "$2", lt: $3}}', [2]],
    ['{id: {lte: $2}}', [1, 2]],
    ['{id: {in: [$1, "$3"]}}', [1, 3]],
    ['{id: {nin: [$1]}}', [2, 3]],
    ['{id: {like: "$1"}}', [1]],
    ['{body: {like: "b%"}}', [2]],
    ['{body: {eq: null}}', [3]],
    ['{body: {neq: null}}', [1, 2]],
    ['{sentAt: {eq: null}}', [1, 2, 3]],
    ['{failed: {eq: true}}', []],
    ['{when: {gt: "2030-01-01T00:30:00+01:00"}}', [2]],
    ['{queueId: {eq: $queue}, body: {in: ["a", "b"]}}', [1, 2]],
    ['{body: {neq: "b"}, or: [{body: {eq: "a"}}, {id: {eq: $2}}]}', [1]],
    ['{or: [{body: {eq: "a"}}, {body: {eq: null}}]}', [1, 3]],
    ['{retries: {lt: 1}, createdAt: {gt: "2020-01-01T00:00:00Z"}}', [1, 2, 3]],
    ['{cronId: {eq: null}}', [1, 2, 3]],
  ])('where: %s', async (where, expected) => {
    const queue = await makeQueue()
    const inputs = `[{queueId: ${queue}, body: "a"}, {queueId: ${queue}, body: "b", when: "2030-01-01T00:00:00Z"}, {queueId: ${queue}}]`
    const { insertMessages } = await data(node, `mutation { insertMessages(inputs: ${inputs}) { id } }`)
    const ids: string[] = insertMessages.map(({ id }: { id: string }) => id)
    const filled = where.replaceAll('$queue', queue).replace(/\$(\d)/g, (_, nth: string) => ids[Number(nth) - 1]!)
    const { messages, countMessages } = await data(
      node,
      `{ messages(where: ${filled}) { id } countMessages(where: ${filled}) { total } }`,
    )
    expect(messages.map(({ id }: { id: string }) => ids.indexOf(id) + 1)).toEqual(expected)
    expect(countMessages).toEqual({ total: expected.length })
  })

  describe('insertMessages', () => {
    test('is one commit, keeps every time, and answers in order', async () => {
      const queue = await makeQueue()
      const inputs = Array.from({ length: 150 }, (_, i) => ({
        queueId: queue,
        body: `m${i}`,
        when: `2031-01-01T00:${String(i % 60).padStart(2, '0')}:00.000Z`,
      }))
      const query = 'mutation ($inputs: [MessageInput]!) { insertMessages(inputs: $inputs) { body when queue { id } } }'
      const { insertMessages } = await data(node, query, { inputs })
      expect(insertMessages).toEqual(inputs.map(({ body, when }) => ({ body, when, queue: { id: queue } })))
      expect(await count('SELECT count(DISTINCT xid) AS n FROM posthorn.message WHERE org_id = $1::int')).toBe(1)
    })

    test('is all of them or none', async () => {
      const queue = await makeQueue()
      const inputs = `[{queueId: ${queue}, body: "a"}, {queueId: 999999, body: "b"}]`
      const answer = await ask(node, `mutation { insertMessages(inputs: ${inputs}) { id } }`)
      expect(answer).toMatchObject({
        data: { insertMessages: null },
        errors: [{ extensions: { code: 'queue_not_found' } }],
      })
      const keyed = await ask(
        node,
        `mutation { insertMessages(inputs: [{queueId: ${queue}, idempotencyKey: "k"}, {queueId: ${queue}}]) { id } }`,
      )
      expect(keyed.errors).toMatchObject([{ message: expect.stringContaining('idempotencyKey must not be given') }])
      expect(await count('SELECT count(*) AS n FROM posthorn.message WHERE org_id = $1::int')).toBe(0)
    })
  })

  test('a message that failed for good is sent again by its sentAt', async () => {
    const queue = await makeQueue()
    const { saveMessage } = await data(node, `mutation { saveMessage(input: {queueId: ${queue}, body: "a"}) { id } }`)
    await settle(open(), Number(saveMessage.id), 'x', 6)
    const fields = '{ failed sentAt retries status attempts { n status message { id } } }'
    expect(await data(node, `{ getMessageById(id: ${saveMessage.id}) ${fields} }`)).toMatchObject({
      getMessageById: {
        failed: true,
        sentAt: expect.any(String),
        retries: 5,
        status: 'dead',
        attempts: Array(6).fill({ message: { id: saveMessage.id } }),
      },
    })
    await data(node, `mutation { saveMessage(input: {id: ${saveMessage.id}, sentAt: null}) { id } }`)
    expect(await data(node, `{ getMessageById(id: ${saveMessage.id}) { failed sentAt status } }`)).toEqual({
      getMessageById: { failed: false, sentAt: null, status: 'pending' },
    })
  })

  test('crons that are inserted are checked, and each has its next tick pending', async () => {
    const queue = await makeQueue()
    const wrong = await ask(
      node,
      `mutation { insertCrons(inputs: [{queueId: ${queue}, schedule: "hello world"}]) { id } }`,
    )
    expect(wrong.errors).toMatchObject([{ path: ['insertCrons'], extensions: { code: 'validation_failed' } }])
    const inputs = `[{queueId: ${queue}, schedule: "@hourly", body: "h"}, {queueId: ${queue}, schedule: "0 0 1 1 *"}]`
    await data(node, `mutation { insertCrons(inputs: ${inputs}) { schedule } }`)
    const { crons } = await data(
      node,
      '{ crons { schedule queue { id } messages { body when cron { schedule } } next } }',
    )
    expect(crons).toMatchObject([
      { schedule: '@hourly', queue: { id: queue }, messages: [{ body: 'h', cron: { schedule: '@hourly' } }] },
      { schedule: '0 0 1 1 *', messages: [{ body: null }] },
    ])
    expect(crons[0].messages[0].when).toMatch(/:00:00\.000Z$/)
    expect((await data(node, 'mutation { deleteCrons { schedule } }')).deleteCrons).toHaveLength(2)
    expect(await data(node, '{ countMessages { total } countCrons { total } }')).toEqual({
      countMessages: { total: 0 },
      countCrons: { total: 0 },
    })
  })

  test(`what is deleted without a condition is all of it, ${MAX_DELETED} in a call`, async () => {
    const queue = await makeQueue()
    const insert = 'mutation ($inputs: [MessageInput]!) { insertMessages(inputs: $inputs) { id } }'
    for (const length of [1000, 2])
      await data(node, insert, { inputs: Array(length).fill({ queueId: queue, body: 'a' }) })
    const remove = async () => (await data(node, 'mutation { deleteMessages { id body } }')).deleteMessages
    const first = await remove()
    expect(first).toHaveLength(MAX_DELETED)
    expect(first[0]).toEqual({ id: expect.any(String), body: 'a' })
    expect(await remove()).toHaveLength(2)
    expect(await remove()).toEqual([])
  })

  test('another org’s records are not there', async () => {
    const queue = await makeQueue()
    const other = await serve(open(), await addOrg(open(), `stranger${orgs}`), 'b')
    expect(await data(other, `{ getQueueById(id: ${queue}) { id } queues { id } countQueues { total } }`)).toEqual({
      getQueueById: null,
      queues: [],
      countQueues: { total: 0 },
    })
    expect(await data(other, 'mutation { deleteQueues { id } }')).toEqual({ deleteQueues: [] })
    const refused = await ask(other, `mutation { insertMessages(inputs: [{queueId: ${queue}}]) { id } }`)
    expect(refused.errors).toMatchObject([{ extensions: { code: 'queue_not_found' } }])
    await other.stop()
  })

  test('a subscriber hears of its org’s records, whichever node writes them', async () => {
    const others = open().kind === 'postgres' ? await serve(open(), orgId, 'b') : node
    const strangers = await serve(open(), await addOrg(open(), `far${orgs}`), 'c')
    const subscriber = await subscribe(node.url, 'subscription { messageSaved { id body queue { name } } }')
    await expect.poll(() => node.changes.subscribers).toBe(1)
    const queue = await makeQueue()
    // The other node is told that somebody listens; that takes a moment, and what comes before it is missed.
    await expect
      .poll(async () => {
        await data(others, `mutation { saveMessage(input: {queueId: ${queue}, body: "a"}) { id } }`)
        return subscriber.heard.length
      })
      .toBeGreaterThan(0)
    await data(strangers, 'mutation { saveQueue(input: {name: "theirs"}) { id } }')
    expect(subscriber.heard[0]).toEqual({ messageSaved: { id: expect.any(String), body: 'a', queue: { name: 'q' } } })
    await subscriber.stop()
    await strangers.stop()
    if (others !== node) await others.stop()
  })
})

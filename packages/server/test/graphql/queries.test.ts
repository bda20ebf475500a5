import { beforeEach, expect, test } from 'vitest'
import { type Served, serve } from '../api/serve.ts'
import { ask, data } from './ask.ts'

let served: Served
beforeEach(async () => {
  served = await serve()
  await data(
    served,
    'mutation { saveQueue(input: {name: "q", callbackUrl: "http://localhost/", method: "POST"}) { id } }',
  )
})

const asked = (operation: string) =>
  served.state.calls.filter(call => call.operation === operation).map(({ input }) => input)

test('a list takes limit, offset, order and conditions to its handler, and only the fields that are selected', async () => {
  await data(
    served,
    `{ queues(limit: 3, offset: 2, orderBy: [{field: name, direction: DESC}, {field: id, direction: ASC}],
        where: {id: {neq: 9, in: [1, "2"]}, name: {like: "a%"}, createdAt: {gt: "2026-01-01T02:00:00+02:00"},
                deadLetterQueueId: {eq: null}, or: [{id: {eq: 1}}, {name: {eq: "b"}}]}) { name } }`,
  )
  expect(asked('queues.list')).toEqual([
    {
      limit: 3,
      offset: 2,
      orderBy: [
        { field: 'name', direction: 'desc' },
        { field: 'id', direction: 'asc' },
      ],
      where: [
        { field: 'id', op: 'neq', value: 9 },
        { field: 'id', op: 'in', value: [1, 2] },
        { field: 'name', op: 'like', value: 'a%' },
        { field: 'deadLetterQueueId', op: 'eq', value: null },
        { field: 'createdAt', op: 'gt', value: '2026-01-01T00:00:00.000Z' },
      ],
      anyOf: [
        { field: 'id', op: 'eq', value: 1 },
        { field: 'name', op: 'eq', value: 'b' },
      ],
      startAfter: null,
      endBefore: null,
      fields: ['name'],
      totalCount: false,
    },
  ])
})

test('a list has ten rows at most where nothing is said', async () => {
  await data(served, '{ queues { id } }')
  expect(asked('queues.list')).toMatchObject([{ limit: 10, offset: 0, where: [], orderBy: [] }])
})

test.each([
  ['{ queues(limit: 101) { id } }', 400, /limit must be an integer from 0 to 100/],
  ['{ queues(limit: -1) { id } }', 400, /limit must be an integer from 0 to 100/],
  ['{ queues(offset: -1) { id } }', 200, /^offset must be >= 0$/],
  ['{ queues(where: {id: {eq: "abc"}}) { id } }', 200, /^where\/id\/eq must be integer$/],
  ['{ queues(where: {id: {in: [1, "x"]}}) { id } }', 200, /^where\/id\/in\/1 must be integer$/],
  [
    '{ queues(where: {headers: {eq: {a: 1}}}) { id } }',
    200,
    /^where\/headers\/eq cannot be served: lists do not filter by headers$/,
  ],
  ['{ queues(orderBy: [{field: headers, direction: ASC}]) { id } }', 200, /lists do not sort by headers/],
  ['{ queues(where: {or: [{id: {gt: 1, lt: 5}}]}) { id } }', 200, /^where\/or\/0 must have one condition/],
  ['{ queues(where: {name: {like: null}}) { id } }', 200, /^where\/name\/like must not be null$/],
  ['{ queues(where: {createdAt: {gt: "2026-01-01"}}) { id } }', 400, /must be a date with time and offset/],
  ['{ getQueueById(id: "abc") { id } }', 200, /^getQueueById\/id must be integer$/],
])('%s is refused, and the field and the rule named', async (query, status, message) => {
  const answer = await ask(served, query)
  expect(answer.status).toBe(status)
  expect(answer.errors).toMatchObject([
    { message: expect.stringMatching(message), extensions: { code: 'validation_failed' } },
  ])
  expect(served.state.calls.filter(({ operation }) => /list|get/.test(operation))).toEqual([])
})

test('ids are strings out, and numbers or their text in', async () => {
  expect(await data(served, '{ getQueueById(id: 1) { id } }')).toEqual({ getQueueById: { id: '1' } })
  expect(await data(served, '{ getQueueById(id: "1") { id } }')).toEqual({ getQueueById: { id: '1' } })
  expect(await data(served, 'query ($id: ID!) { getQueueById(id: $id) { id } }', { id: 1 })).toEqual({
    getQueueById: { id: '1' },
  })
})

test('what is not there is null', async () => {
  expect(await data(served, '{ getQueueById(id: 99) { id } getMessageById(id: 98) { id } }')).toEqual({
    getQueueById: null,
    getMessageById: null,
  })
})

test('a count reads no rows', async () => {
  expect(await data(served, '{ countQueues(where: {name: {eq: "q"}}) { total } }')).toEqual({
    countQueues: { total: 1 },
  })
  expect(asked('queues.list')).toMatchObject([
    { limit: 0, totalCount: true, where: [{ field: 'name', op: 'eq', value: 'q' }] },
  ])
})

test('rows that many lead to are read together, each once', async () => {
  await data(served, 'mutation { insertMessages(inputs: [{queueId: 1}, {queueId: 1}, {queueId: 1}]) { id } }')
  served.state.calls.length = 0
  const { messages } = await data(served, '{ messages { id queue { name } } }')
  expect(messages).toHaveLength(3)
  expect(messages[2]).toEqual({ id: '3', queue: { name: 'q' } })
  expect(asked('queues.list')).toMatchObject([{ where: [{ field: 'id', op: 'in', value: [1] }] }])
  expect(served.state.calls).toHaveLength(2)
})

test('a list below a row is asked for by that row, without asking for the row again', async () => {
  await data(served, 'mutation { saveMessage(input: {queueId: 1}) { id } }')
  served.state.calls.length = 0
  const { queues } = await data(served, '{ queues { id messages(limit: 2, where: {failed: {eq: false}}) { id } } }')
  expect(queues).toEqual([{ id: '1', messages: [{ id: '1' }] }])
  expect(served.state.calls.map(({ operation }) => operation)).toEqual(['queues.list', 'messages.list'])
  expect(asked('messages.list')).toMatchObject([
    {
      limit: 2,
      where: [
        { field: 'failed', op: 'eq', value: false },
        { field: 'queueId', op: 'eq', value: 1 },
      ],
      fields: ['id'],
    },
  ])
})

test('the attempts of a message are a list below it', async () => {
  await data(served, 'mutation { saveMessage(input: {queueId: 1}) { id } }')
  expect(await data(served, '{ messages { attempts { n status outcome } } }')).toMatchObject({ messages: [{}] })
})

test('fragments select as their fields do', async () => {
  await data(
    served,
    '{ queues { ...some ... on Queue { method } } } fragment some on Queue { name ...more } fragment more on Queue { maxRetries }',
  )
  expect(asked('queues.list')).toMatchObject([{ fields: ['name', 'maxRetries', 'method'] }])
})

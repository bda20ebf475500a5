import { beforeEach, describe, expect, test } from 'vitest'
import { type Served, serve } from '../api/serve.ts'
import { ask, data } from './ask.ts'

let served: Served
beforeEach(async () => {
  served = await serve()
})

const asked = (operation: string) =>
  served.state.calls.filter(call => call.operation === operation).map(({ input }) => input)
const QUEUE = 'name: "q", callbackUrl: "http://localhost/", method: "POST"'
const makeQueue = () => data(served, `mutation { saveQueue(input: {${QUEUE}}) { id } }`)

describe('save', () => {
  test('without an id makes a record, with the retries that pg-hooks gives', async () => {
    expect(await data(served, `mutation { saveQueue(input: {${QUEUE}}) { id name maxRetries } }`)).toEqual({
      saveQueue: { id: '1', name: 'q', maxRetries: 5 },
    })
    expect(asked('queues.create')).toEqual([
      { name: 'q', callbackUrl: 'http://localhost/', method: 'POST', maxRetries: 5 },
    ])
  })

  test('a backoff of one’s own decides how many retries there are', async () => {
    await data(served, `mutation { saveQueue(input: {${QUEUE}, backoff: "standard"}) { id } }`)
    await data(served, `mutation { saveQueue(input: {${QUEUE}, backoff: {delaysMs: [1, 2]}}) { id } }`)
    expect(asked('queues.create')).toMatchObject([{ backoff: 'standard' }, { backoff: { delaysMs: [1, 2] } }])
    expect(asked('queues.create').some(input => 'maxRetries' in (input as object))).toBe(false)
  })

  test('with an id changes only the fields that are given', async () => {
    await makeQueue()
    const answer = await data(served, 'mutation { saveQueue(input: {id: 1, name: "new"}) { id name method } }')
    expect(answer).toEqual({ saveQueue: { id: '1', name: 'new', method: 'POST' } })
    expect(asked('queues.update')).toEqual([{ id: 1, name: 'new' }])
  })

  test('an id that is not there is said to be unknown, and nothing is made', async () => {
    const answer = await ask(served, 'mutation { saveQueue(input: {id: 7, name: "x"}) { id } }')
    expect(answer).toMatchObject({
      status: 200,
      data: { saveQueue: null },
      errors: [{ message: 'Queue 7 not found', path: ['saveQueue'], extensions: { code: 'queue_not_found' } }],
    })
    expect(served.state.queues.size).toBe(0)
  })

  test('null is no value where there must be one, and a value where there may be none', async () => {
    await data(served, 'mutation { saveQueue(input: {name: "q", callbackUrl: null, maxRetries: null}) { id } }')
    expect(asked('queues.create')).toEqual([{ name: 'q', callbackUrl: null, maxRetries: 5 }])
  })

  test('a write need not ask for the id back', async () => {
    expect(await data(served, `mutation { saveQueue(input: {${QUEUE}}) { name } }`)).toEqual({
      saveQueue: { name: 'q' },
    })
    await data(served, 'mutation { insertMessages(inputs: [{queueId: 1, body: "a"}]) { body } }')
    expect(await data(served, 'mutation { deleteMessages { body } }')).toEqual({ deleteMessages: [{ body: 'a' }] })
  })

  test.each([
    ['JSON text', '"{ \\"a\\": \\"1\\" }"', undefined],
    ['an object literal', '{a: "1"}', undefined],
    ['a variable', '$headers', { headers: { a: '1' } }],
    ['a variable of text', '$headers', { headers: '{"a":"1"}' }],
    ['a literal with a variable in it', '{a: $one}', { one: '1' }],
  ])('headers are taken as %s', async (_, value, variables) => {
    await makeQueue()
    const signature =
      variables === undefined ? '' : 'headers' in variables ? '($headers: JSONObject)' : '($one: String)'
    const query = `mutation ${signature} { saveMessage(input: {queueId: 1, headers: ${value}}) { headers } }`
    expect(await data(served, query, variables)).toEqual({ saveMessage: { headers: { a: '1' } } })
  })

  test('a time keeps its offset, and what pg-hooks lets clients set is accepted without effect', async () => {
    await makeQueue()
    const input =
      '{queueId: "1", when: "2030-01-01T00:00:00+02:00", retries: 3, cronId: 4, failed: false, sentAt: null}'
    await data(served, `mutation { saveMessage(input: ${input}) { id } }`)
    expect(asked('messages.put')).toEqual([
      { queueId: 1, when: '2029-12-31T22:00:00.000Z', failed: false, sentAt: null },
    ])
  })

  test.each([
    ['saveQueue(input: {name: ""})', 200, 'input/name must NOT have fewer than 1 characters'],
    ['saveQueue(input: {})', 200, "input must have required property 'name'"],
    [
      'saveQueue(input: {name: "a", callbackUrl: "nonsense"})',
      200,
      'input/callbackUrl must be an http or https URL without user and password',
    ],
    ['saveQueue(input: {name: "a", maxRetries: -1})', 200, 'input/maxRetries must be >= 0'],
    ['saveMessage(input: {queueId: "abc"})', 200, 'input/queueId must be integer'],
    ['saveMessage(input: {queueId: 1, headers: {a: "b\\n"}})', 200, 'input/headers'],
    ['insertMessages(inputs: [{queueId: 1}, {body: "x"}])', 200, "inputs/1 must have required property 'queueId'"],
    ['insertQueues(inputs: [{name: "a"}, {name: ""}])', 200, 'inputs/1/name must NOT have fewer than 1 characters'],
    ['insertQueues(inputs: [{id: 3, name: "a"}])', 200, 'inputs/0/id must not be given'],
    ['insertQueues(inputs: [null])', 200, 'inputs/0 must not be null'],
    ['saveMessage(input: {queueId: 1, headers: "nonsense"})', 400, 'must be a JSON object, or the text of one'],
    ['saveMessage(input: {queueId: 1, headers: [1]})', 400, 'must be a JSON object, or the text of one'],
    ['saveMessage(input: {queueId: 1, when: "2030-01-01"})', 400, 'must be a date with time and offset'],
    ['saveMessage(input: {queueId: 1, whenever: 1})', 400, 'Field "whenever" is not defined by type "MessageInput"'],
  ])('%s is refused, naming the field and the rule, and nothing is stored', async (mutation, status, message) => {
    const answer = await ask(served, `mutation { ${mutation} { id } }`)
    expect(answer.status).toBe(status)
    expect(answer.errors).toMatchObject([
      { message: expect.stringContaining(message), extensions: { code: 'validation_failed' } },
    ])
    expect(served.state.calls).toEqual([])
  })

  test('a body may have the bytes that are allowed, and no more', async () => {
    const small = await serve({ maxBodyBytes: 1000 })
    const save = 'mutation ($body: String) { saveMessage(input: {queueId: 1, body: $body}) { id } }'
    expect(await ask(small, save, { body: 'ä'.repeat(501) })).toMatchObject({
      status: 200,
      errors: [{ message: 'Body must not be larger than 1000 bytes', extensions: { code: 'body_too_large' } }],
    })
    const { errors } = await ask(small, save, { body: 'ä'.repeat(500) })
    expect(errors).toMatchObject([{ extensions: { code: 'queue_not_found' } }])
  })
})

describe('insert', () => {
  test('messages go in together, and keep their time', async () => {
    await makeQueue()
    const inputs = '[{queueId: 1, body: "a", when: "2030-01-01T00:00:00Z"}, {queueId: 1, body: "b"}]'
    expect(await data(served, `mutation { insertMessages(inputs: ${inputs}) { id } }`)).toEqual({
      insertMessages: [{ id: '1' }, { id: '2' }],
    })
    expect(asked('messages.putMany')).toEqual([
      {
        messages: [
          { queueId: 1, body: 'a', when: '2030-01-01T00:00:00.000Z' },
          { queueId: 1, body: 'b' },
        ],
        together: true,
      },
    ])
    expect(served.state.calls.map(({ operation }) => operation)).not.toContain('messages.list')
  })

  test('more than their ids is read back, in the order in which they were given', async () => {
    await makeQueue()
    const inputs = Array.from({ length: 90 }, (_, i) => ({ queueId: 1, body: `m${i}` }))
    const query = 'mutation ($inputs: [MessageInput]!) { insertMessages(inputs: $inputs) { body queue { name } } }'
    const { insertMessages } = await data(served, query, { inputs })
    expect(insertMessages.map(({ body }: { body: string }) => body)).toEqual(inputs.map(({ body }) => body))
    expect(insertMessages[89].queue).toEqual({ name: 'q' })
  })

  test('crons go in together', async () => {
    await makeQueue()
    const inputs = '[{queueId: 1, schedule: "@hourly"}, {queueId: 1, schedule: "* * * * *", body: "b"}]'
    const { insertCrons } = await data(
      served,
      `mutation { insertCrons(inputs: ${inputs}) { id schedule queue { id } } }`,
    )
    expect(insertCrons).toMatchObject([{ schedule: '@hourly', queue: { id: '1' } }, { schedule: '* * * * *' }])
    expect(asked('crons.createMany')).toMatchObject([
      { crons: [{ schedule: '@hourly' }, { schedule: '* * * * *', body: 'b' }] },
    ])
  })

  test('nothing gives nothing', async () => {
    expect(
      await data(
        served,
        'mutation { insertQueues(inputs: []) { id } insertMessages(inputs: []) { id } insertCrons(inputs: []) { id } }',
      ),
    ).toEqual({ insertQueues: [], insertMessages: [], insertCrons: [] })
  })

  test.each([
    ['Messages', 1000, { queueId: 1 }, 'Message'],
    ['Queues', 1000, { name: 'a' }, 'Queue'],
    ['Crons', 1000, { queueId: 1, schedule: '@hourly' }, 'Cron'],
  ])('of %s up to %d', async (plural, most, input, type) => {
    const query = `mutation ($inputs: [${type}Input]!) { insert${plural}(inputs: $inputs) { id } }`
    const { errors } = await ask(served, query, { inputs: Array(most + 1).fill(input) })
    expect(errors).toMatchObject([{ message: `inputs must not have more than ${most} items` }])
    expect(served.state.calls).toEqual([])
  })
})

describe('delete', () => {
  const list = () => asked('messages.list') as { where: unknown; startAfter: unknown; limit: number }[]

  test('gives the rows that are gone, and nothing where there are none', async () => {
    await makeQueue()
    await data(served, 'mutation { insertMessages(inputs: [{queueId: 1, body: "a"}, {queueId: 1, body: "b"}]) { id } }')
    expect(await data(served, 'mutation { deleteMessages(where: {queueId: {eq: 1}}) { id body } }')).toEqual({
      deleteMessages: [
        { id: '1', body: 'a' },
        { id: '2', body: 'b' },
      ],
    })
    expect(list()[0]).toMatchObject({ where: [{ field: 'queueId', op: 'eq', value: 1 }], limit: 100 })
    expect(await data(served, 'mutation { deleteMessages { id } }')).toEqual({ deleteMessages: [] })
    expect(served.state.messages.size).toBe(0)
  })
})

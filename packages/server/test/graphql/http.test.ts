import { beforeEach, describe, expect, test } from 'vitest'
import { DatabaseError } from '../../src/db/port.ts'
import { type Served, serve, serveAlone } from '../api/serve.ts'
import { secretWord } from '../leaks/marked.ts'
import { ask, data } from './ask.ts'

let served: Served
beforeEach(async () => {
  served = await serve()
})
const get = (query: object) => served.call('GET', `/graphql?${new URLSearchParams(query as Record<string, string>)}`)

describe('a request', () => {
  test('is a query with variables and the name of an operation', async () => {
    const query = 'query a($n: LimitInt) { queues(limit: $n) { id } } query b { messages { id } }'
    const { json } = await served.call('POST', '/graphql', { query, variables: { n: 1 }, operationName: 'a' })
    expect(json).toEqual({ data: { queues: [] } })
  })

  test('may be the text of a query', async () => {
    const { status, json } = await served.call('POST', '/graphql', '{ queues { id } }', {
      'content-type': 'application/graphql',
    })
    expect({ status, json }).toEqual({ status: 200, json: { data: { queues: [] } } })
  })

  test('may be a GET where it changes nothing', async () => {
    const query = 'query ($n: LimitInt) { queues(limit: $n) { id } }'
    expect((await get({ query, variables: '{"n": 1}' })).json).toEqual({ data: { queues: [] } })
    const mutation = await get({ query: 'mutation { deleteQueues { id } }' })
    expect(mutation.status).toBe(405)
    expect(mutation.json).toMatchObject({
      data: null,
      errors: [
        { message: 'Operation cannot be performed via a GET request', extensions: { code: 'method_not_allowed' } },
      ],
    })
    expect(served.state.calls.map(({ operation }) => operation)).not.toContain('queues.delete')
  })

  test.each([
    ['no query', {}, 'Unknown query'],
    ['a batch', [{ query: '{ queues { id } }' }], 'body must be object'],
    ['a syntax error', { query: '{ queues {' }, 'Syntax Error: Expected Name, found <EOF>.'],
    ['an unknown field', { query: '{ queues { nonsense } }' }, 'Cannot query field "nonsense" on type "Queue".'],
    ['a scalar that is none', { query: '{ queues(offset: "a") { id } }' }, 'Int cannot represent non-integer value'],
    [
      'a variable of another kind',
      { query: 'query ($n: Int) { queues(offset: $n) { id } }', variables: { n: 'a' } },
      'Variable "$n" got invalid value; Int cannot represent non-integer value',
    ],
    [
      'an operation that is not there',
      { query: 'query a { queues { id } }', operationName: 'b' },
      'Unknown operation named "b".',
    ],
    ['versions', { query: '{ versions { version } }' }, 'Cannot query field "versions" on type "Query".'],
  ])('%s is 400 with null data', async (_, body, message) => {
    const { status, json } = await served.call('POST', '/graphql', body)
    expect(status).toBe(400)
    expect(json).toMatchObject({ data: null, errors: [{ extensions: { code: 'validation_failed' } }] })
    expect(json.errors[0].message).toContain(message)
  })

  test('a body that is no JSON is said to be none', async () => {
    const { status, json } = await served.call('POST', '/graphql', '{', { 'content-type': 'application/json' })
    expect({ status, code: json.errors[0].extensions.code }).toEqual({ status: 400, code: 'invalid_json' })
  })
})

describe('a failure', () => {
  test('of one field leaves the others their data', async () => {
    const answer = await ask(served, '{ queues { id } bad: messages(where: {id: {eq: "x"}}) { id } }')
    expect(answer).toMatchObject({
      status: 200,
      data: { queues: [], bad: null },
      errors: [{ path: ['bad'], extensions: { code: 'validation_failed' } }],
    })
  })

  test('that nobody expected is logged, and told by its request alone', async () => {
    served.state.failure = new Error('secret of the house')
    const answer = await ask(served, '{ queues { id } }')
    expect(answer.errors).toMatchObject([
      { message: expect.stringMatching(/^Internal error; .* request req-/), extensions: { code: 'internal' } },
    ])
    expect(JSON.stringify(answer)).not.toContain('secret')
    expect(served.logged).toMatchObject([{ level: 'error', fields: { err: { message: 'secret of the house' } } }])
  })

  test('of another room is told in the catalogue’s words', async () => {
    const { Problem } = await import('@posthorn/contract')
    const translate = (error: unknown) => (error instanceof DatabaseError ? new Problem('outcome_unknown', {}) : null)
    const own = await serveAlone({}, { translate })
    own.state.failure = new DatabaseError('lost', 'unknown')
    expect(await ask(own, '{ queues { id } }')).toMatchObject({
      status: 200,
      errors: [{ extensions: { code: 'outcome_unknown' } }],
    })
  })
})

describe('who may call', () => {
  const SECRET = secretWord()

  test('a stranger is told so field by field, and no handler is reached', async () => {
    const closed = await serve({ adminSecret: SECRET })
    const answer = await ask(
      closed,
      '{ queues { id } countMessages(where: {id: {gt: 1}}) { total } getCronById(id: 1) { id } }',
    )
    expect(answer.status).toBe(200)
    expect(answer.data).toEqual({ queues: null, countMessages: null, getCronById: null })
    expect(answer.errors.map(({ path, message }) => `${path}: ${message}`).sort()).toEqual([
      'countMessages: operation not allowed',
      'getCronById: operation not allowed',
      'queues: operation not allowed',
    ])
    const writes = 'mutation { saveQueue(input: {}) { id } insertMessages(inputs: []) { id } deleteQueues { id } }'
    const refused = await ask(closed, writes)
    expect(refused.errors.map(({ message }) => message)).toEqual(Array(3).fill('operation not allowed'))
    expect(closed.state.calls).toEqual([])
  })

  test('whoever has the secret may, and the schema is open to all', async () => {
    const closed = await serve({ adminSecret: SECRET })
    const headers = { 'X-PLATFORMATIC-ADMIN-SECRET': SECRET }
    expect(await ask(closed, '{ queues { id } }', {}, headers)).toMatchObject({ data: { queues: [] } })
    expect(await data(closed, '{ __schema { queryType { name } } }')).toEqual({
      __schema: { queryType: { name: 'Query' } },
    })
  })

  test('a page of another site is refused while there is no secret', async () => {
    const { status, json } = await served.call(
      'POST',
      '/graphql',
      { query: '{ queues { id } }' },
      { origin: 'https://evil.example' },
    )
    expect({ status, code: json.errors[0].extensions.code }).toEqual({ status: 403, code: 'host_not_local' })
  })
})

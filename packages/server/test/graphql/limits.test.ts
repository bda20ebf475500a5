import { getIntrospectionQuery } from 'graphql'
import { beforeEach, expect, test } from 'vitest'
import { MAX_ALIASES, MAX_COST, MAX_DEPTH } from '../../src/api/graphql/limits.ts'
import { type Served, serve } from '../api/serve.ts'
import { ask, data } from './ask.ts'

let served: Served
beforeEach(async () => {
  served = await serve()
})

/** So many levels of fields, each a single row. */
function deep(levels: number): string {
  const single = levels - 2
  return `{ getQueueById(id: 1) { ${'deadLetterQueue { '.repeat(single)} id ${'} '.repeat(single)} } }`
}

test(`a query has ${MAX_DEPTH} levels at most`, async () => {
  expect(await data(served, deep(MAX_DEPTH))).toEqual({ getQueueById: null })
  expect(await ask(served, deep(MAX_DEPTH + 1))).toMatchObject({
    status: 400,
    data: null,
    errors: [
      {
        message: 'The depth of a query must not be over 10: it is 11',
        extensions: { code: 'query_too_large', details: { limit: 10, found: 11 } },
      },
    ],
  })
})

test('fragments hide no depth', async () => {
  const inner = 'deadLetterQueue { '.repeat(7)
  const hidden = `{ getQueueById(id: 1) { ...a } } fragment a on Queue { ${inner} ...b ${'}'.repeat(7)} } fragment b on Queue { deadLetterQueue { deadLetterQueue { id } } }`
  expect((await ask(served, hidden)).errors).toMatchObject([
    { message: 'The depth of a query must not be over 10: it is 11' },
  ])
})

test.each([
  ['100 rows with 100 each', '{ queues(limit: 100) { messages(limit: 100) { id } } }', undefined, true],
  [
    '100 rows with 100 each with 100 each',
    '{ queues(limit: 100) { queues(limit: 100) { messages(limit: 100) { id } } } }',
    undefined,
    false,
  ],
  ['four lists of ten', '{ queues { queues { queues { messages { id } } } } }', undefined, true],
  ['five lists of ten', '{ queues { queues { queues { queues { messages { id } } } } } }', undefined, false],
  [
    'a limit in a variable',
    'query ($n: LimitInt) { queues(limit: $n) { queues(limit: $n) { messages(limit: $n) { id } } } }',
    { n: 10 },
    true,
  ],
  [
    'a large one',
    'query ($n: LimitInt) { queues(limit: $n) { queues(limit: $n) { messages(limit: $n) { id } } } }',
    { n: 100 },
    false,
  ],
  [
    'one that is not said',
    'query ($n: LimitInt) { queues(limit: $n) { queues(limit: $n) { messages(limit: $n) { id } } } }',
    {},
    false,
  ],
  [
    'the same in a fragment',
    '{ queues(limit: 100) { ...a } } fragment a on Queue { queues(limit: 100) { ... { messages(limit: 100) { id } } } }',
    undefined,
    false,
  ],
  [
    'lists below what is deleted',
    'mutation { deleteQueues { queues(limit: 100) { messages(limit: 10) { id } } } }',
    undefined,
    false,
  ],
])('%s: %s', async (_, query, variables, allowed) => {
  const answer = await ask(served, query, variables)
  if (allowed) expect(answer).toMatchObject({ status: 200, errors: [] })
  else
    expect(answer).toMatchObject({
      status: 400,
      errors: [
        { message: expect.stringContaining(`must not be over ${MAX_COST}`), extensions: { code: 'query_too_large' } },
      ],
    })
  if (!allowed) expect(served.state.calls).toEqual([])
})

test(`a query gives ${MAX_ALIASES} other names at most`, async () => {
  const aliased = (count: number) =>
    `{ ${Array.from({ length: count }, (_, i) => `a${i}: getQueueById(id: 1) { id }`).join(' ')} }`
  expect((await ask(served, aliased(MAX_ALIASES))).errors).toEqual([])
  expect((await ask(served, aliased(MAX_ALIASES + 1))).errors).toMatchObject([
    { message: 'The number of aliases must not be over 100: it is 101' },
  ])
})

test('fragments in a circle are refused, and end', async () => {
  const { status } = await ask(served, '{ queues { ...a } } fragment a on Queue { queues { ...a } }')
  expect(status).toBe(400)
})

test('a text of endless tokens is not read to its end', async () => {
  const { status, errors } = await ask(served, `{ ${'queues { id } '.repeat(40_000)} }`)
  expect(status).toBe(400)
  expect(errors).toMatchObject([{ message: expect.stringContaining('100000 tokens') }])
})

test('the schema can be asked for, as tools do', async () => {
  const { __schema } = await data(served, getIntrospectionQuery({ inputValueDeprecation: true, specifiedByUrl: true }))
  expect(__schema.types.length).toBeGreaterThan(50)
})

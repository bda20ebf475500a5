import { buildSchema } from 'graphql'
import { expect, test } from 'vitest'
import { KnownQueries } from './known-queries.ts'

const schema = buildSchema(`
  type Row { id: ID, rows(limit: Int): [Row] }
  type Query { rows(limit: Int): [Row] }
  type Mutation { save(id: ID): Row }
  type Subscription { saved: Row }
`)
const open = () => new KnownQueries(schema)

test('a query that is sound is read once', () => {
  const queries = open()
  for (const text of ['{ rows { id } }', 'mutation ($id: ID) { save(id: $id) { id } }']) {
    const first = queries.find(text)
    expect(first?.kind).toBe('Document')
    expect(queries.find(text)).toBe(first)
  }
  expect(queries.size).toBe(2)
})

test('what has to be looked at each time is not kept: faults, subscriptions, costs that a variable decides, long texts', () => {
  const queries = open()
  const nested = 'query ($n: Int) { rows(limit: $n) { rows(limit: $n) { rows(limit: $n) { id } } } }'
  const long = `{ rows { id } } # ${'x'.repeat(4000)}`
  for (const text of ['', '{ nothing }', '{ rows {', 'subscription { saved { id } }', nested, long]) {
    expect(queries.find(text), text.slice(0, 50)).toBeNull()
  }
  expect(queries.size).toBe(0)
})

test('texts are kept up to a length altogether, those that were used last', () => {
  const queries = open()
  const textOf = (nth: number) => `{ rows { id } } # ${nth} ${'x'.repeat(1000)}`
  const first = queries.find(textOf(0))
  for (let nth = 1; nth < 300; nth++) {
    queries.find(textOf(nth))
    queries.find(textOf(0))
  }
  expect(queries.size).toBeLessThan(100)
  expect(queries.size).toBeGreaterThan(90)
  expect(queries.find(textOf(0))).toBe(first)
})

import { buildSchema, graphqlSync } from 'graphql'
import { describe, expect, test } from 'vitest'
import WebSocket from 'ws'
import { serve, serveAlone } from '../api/serve.ts'
import { secretWord } from '../leaks/marked.ts'

const FOLDER = new URL('../../src/api/graphql/graphiql/', import.meta.url)

/** The page's own modules, which are not TypeScript. */
const load = <M>(name: string): Promise<M> => import(new URL(name, FOLDER).href) as Promise<M>

interface Words {
  readonly INTROSPECTION: string
  readSchema(data: unknown): unknown
  wordsAt(schema: unknown, text: string, position: number): { from: number; words: { name: string; type: string }[] }
}

describe('the page', () => {
  test('is served with all that it loads, and loads nothing from elsewhere', async () => {
    const { call } = await serve({ adminSecret: secretWord() })
    const open = new Set(['/graphiql'])
    for (const path of open) {
      const { status, headers, text } = await call('GET', path)
      expect({ path, status }).toEqual({ path, status: 200 })
      expect(headers.get('content-security-policy')).toContain("default-src 'none'; script-src 'self'")
      expect(text).not.toMatch(/(?:https?:)?\/\/[a-z0-9-]+\.[a-z]/i)
      for (const [, found] of text.matchAll(/(?:src|href)="([^"]+)"|from '\.\/([^']+)'/g)) open.add(found ?? '')
      for (const [, found] of text.matchAll(/from '\.\/([^']+)'/g)) open.add(`/graphiql/${found}`)
      open.delete('')
    }
    expect([...open]).toHaveLength(5)
  })
})

describe('the words that fit', () => {
  const schema = buildSchema(`
    enum Way { UP DOWN }
    input Where { name: String way: Way deep: Where }
    type Dog { name: String owner(way: Way): Person }
    type Person { age: Int dogs(where: Where, limit: Int): [Dog] }
    type Query { dog: Dog person(id: ID!): Person }
    type Mutation { save(input: Where!): Dog }`)

  test.each([
    ['', ['query', 'mutation', 'subscription', 'fragment']],
    ['{ ', ['dog', 'person']],
    ['query a($x: Int) { do', ['dog']],
    ['mutation { ', ['save']],
    ['{ dog { ', ['name', 'owner']],
    ['{ dog { name ', ['name', 'owner']],
    ['{ other: dog { ', ['name', 'owner']],
    ['{ dog { name } ', ['dog', 'person']],
    ['{ person(', ['id']],
    ['{ person(id: 1) { dogs(where: {', ['name', 'way', 'deep']],
    ['{ person(id: 1) { dogs(where: {deep: {', ['name', 'way', 'deep']],
    ['{ person(id: 1) { dogs(where: {way: ', ['UP', 'DOWN']],
    ['{ person(id: 1) { dogs(where: {way: UP}, ', ['where', 'limit']],
    ['{ person(id: 1) { dogs { owner { ', ['age', 'dogs']],
    ['{ dog { ... on Dog { ', ['name', 'owner']],
    ['fragment a on Person { ', ['age', 'dogs']],
    ['{ dog { name } } # {\nmutation { ', ['save']],
    ['{ person(id: "{ dog {") { ', ['age', 'dogs']],
    ['{ person(id: $', []],
    ['{ nonsense { ', []],
  ])('after %s', async (text, words) => {
    const { INTROSPECTION, readSchema, wordsAt } = await load<Words>('schema-words.js')
    const { data } = graphqlSync({ schema, source: INTROSPECTION })
    expect(wordsAt(readSchema(data), text, text.length).words.map(({ name }) => name)).toEqual(words)
  })
})

describe('the page’s subscriptions', () => {
  interface Subscriber {
    subscribe(
      url: string,
      payload: object,
      params: object,
      told: { heard(answer: unknown): void; ended(reason: unknown): void },
      Socket: unknown,
    ): () => void
  }

  async function listen(secret: string, query: string) {
    const served = await serveAlone({ adminSecret: secretWord() })
    const { subscribe } = await load<Subscriber>('subscriber.js')
    const heard: unknown[] = []
    const ends: unknown[] = []
    const told = { heard: (answer: unknown) => heard.push(answer), ended: (reason: unknown) => ends.push(reason) }
    const params = { 'x-platformatic-admin-secret': secret }
    const stop = subscribe(`${served.url.replace('http', 'ws')}/graphql`, { query }, params, told, WebSocket)
    return { served, heard, ends, stop, params }
  }

  test('hear, and end when they are stopped', async () => {
    const { served, heard, ends, stop, params } = await listen(secretWord(), 'subscription { queueSaved { name } }')
    await expect.poll(served.subscribers).toBe(1)
    await served.call('POST', '/queues/', { name: 'a' }, params)
    await expect.poll(() => heard).toEqual([{ data: { queueSaved: { name: 'a' } } }])
    stop()
    expect(ends).toEqual(['stopped'])
    await expect.poll(served.subscribers).toBe(0)
  })

  test('tell why they were refused', async () => {
    const { ends } = await listen(secretWord(), 'subscription { nonsense }')
    await expect.poll(() => ends).toMatchObject([{ errors: [{ message: expect.stringContaining('nonsense') }] }])
  })
})

import { expect } from 'vitest'
import { ask } from '../graphql/ask.ts'
import type { Installation, Json } from './installations.ts'
import { graphqlNames, isMigrations } from './items.ts'
import { suite } from './laws.ts'
import { fitting, OPERATORS, type Op, probe } from './operators.ts'
import { sampleOf } from './samples.ts'

const UNKNOWN = 2_000_000_000
const KINDS = [
  { plural: 'queues', type: 'Queue' },
  { plural: 'messages', type: 'Message' },
  { plural: 'crons', type: 'Cron' },
] as const
const KEYS = ['id', 'queueId', 'cronId', 'deadLetterQueueId']
const UNSORTED = new Set(['headers', 'body'])

const idsOf = (rows: readonly Json[]): number[] => rows.map(({ id }) => Number(id))
const namesWith = (pattern: RegExp): string[] => graphqlNames.filter(name => pattern.test(name))
const fieldsOf = (type: string): string[] => namesWith(new RegExp(`^${type}\\.`)).map(name => name.split('.')[1]!)

/** A value as it stands in a query. */
function literal(field: string, value: Json): string {
  if (value === null || typeof value !== 'string' || KEYS.includes(field)) return String(value)
  return JSON.stringify(value)
}

const messages = async (on: Installation, query: string, variables?: object): Promise<string[]> =>
  (await ask(on, query, variables)).errors.map(({ message }) => message)

export const graphqlSuite = suite('GraphQL', law => {
  law('the migration table is not there', graphqlNames.filter(isMigrations), async on => {
    const { __schema } = await on.data('{ __schema { types { name fields { name } } } }')
    expect(JSON.stringify(__schema)).not.toMatch(/"(versions|countVersions|getVersionByVersion|Version\w*)"/)
    expect(await messages(on, '{ versions { version } }')).toEqual([expect.stringContaining('"versions"')])
    expect(await messages(on, 'mutation { deleteVersions { version } }')).toEqual([
      expect.stringContaining('"deleteVersions"'),
    ])
  })

  for (const { plural, type } of KINDS) {
    const many = `${plural[0]!.toUpperCase()}${plural.slice(1)}`
    const where = `${type}WhereArguments`
    for (const field of fieldsOf(where).filter(name => name !== 'or')) {
      const covers = [`${where}.${field}`, `${where}Or.${field}`, 'graphql.where']
      if (field === 'headers') {
        law(`${plural} cannot be found by headers, and that is said`, covers, async on => {
          const found = await messages(on, `{ ${plural}(where: {headers: {eq: "{}"}}) { id } }`)
          expect(found).toEqual([expect.stringContaining('headers')])
        })
        continue
      }
      law(`${plural} are found by ${field} with every operator, alone and as one of several`, covers, async on => {
        const { rows, or } = await sampleOf(on, plural)
        const { text, nullable } = probe(rows, field)
        const ops = OPERATORS.filter(op => op !== 'ilike')
        // What is no text is compared as a whole by like, since nothing else is a value of its type.
        const isWhole = /At$|^(when|failed|maxRetries|retries)$/.test(field)
        const textOf = (op: Op): string => text(op === 'like' && isWhole ? 'eq' : op)
        const parts = ops.map(op => [op, textOf(op), filterOf(field, op, textOf(op), rows)] as const)
        const nulls = nullable ? [['eq', 'null', 'eq: null'] as const, ['neq', 'null', 'neq: null'] as const] : []
        const asked = [...parts, ...nulls]
        const lines = asked.map(
          ([, , filter], i) => `a${i}: ${plural}(limit: 100, where: {${field}: {${filter}}, or: [${or}]}) { id }`,
        )
        const scopes = rows.map(({ id }) => id).join(',')
        const eq = literal(field, rows.find(row => row[field] !== null)?.[field] ?? null)
        lines.push(`any: ${plural}(limit: 100, where: {id: {in: [${scopes}]}, or: [{${field}: {eq: ${eq}}}]}) { id }`)
        const data = await on.data(`{ ${lines.join('\n')} }`)
        for (const [i, [op, value]] of asked.entries()) {
          const expected = rows.filter(row => fitting(row[field], op, value))
          expect([op, value, idsOf(data[`a${i}`])]).toEqual([op, value, idsOf(expected)])
        }
        const same = rows.filter(row => literal(field, row[field]) === eq)
        expect(idsOf(data.any)).toEqual(idsOf(same))
      })
    }

    const order = namesWith(new RegExp(`^${type}OrderBy`))
    law(
      `${plural} come in pages and in every order`,
      [
        `Query.${plural}`,
        ...namesWith(new RegExp(`^Query.${plural}\\(`)),
        `${where}.or`,
        ...order,
        'OrderByDirection.ASC',
        'OrderByDirection.DESC',
        'scalar LimitInt',
        'graphql.queries',
      ],
      async on => {
        const { rows, or } = await sampleOf(on, plural)
        const ids = idsOf(rows)
        const page = (more: string): string => `${plural}(where: {or: [${or}]}, ${more}) { id }`
        const data = await on.data(
          `{ a: ${page('limit: 2, offset: 1')} b: ${page('limit: 0')} c: ${page('limit: 100')} }`,
        )
        expect([idsOf(data.a), data.b, idsOf(data.c)]).toEqual([ids.slice(1, 3), [], ids])
        expect(await messages(on, `{ ${plural}(limit: 101) { id } }`)).toEqual([expect.stringContaining('100')])
        for (const field of order.filter(name => name.includes('Field.')).map(name => name.split('.')[1]!)) {
          const sorted = (direction: string): string =>
            page(
              `limit: 100, orderBy: [{field: ${field}, direction: ${direction}}, {field: id, direction: ${direction}}]`,
            )
          if (UNSORTED.has(field)) {
            expect(await messages(on, `{ ${sorted('ASC')} }`)).toEqual([expect.stringContaining(field)])
            continue
          }
          const both = await on.data(`{ up: ${sorted('ASC')} down: ${sorted('DESC')} }`)
          expect([field, idsOf(both.up)]).toEqual([field, idsOf(sort(rows, field))])
          expect(idsOf(both.down)).toEqual(idsOf(both.up).reverse())
        }
      },
    )

    law(
      `a row of ${plural} is found by its id, and counted`,
      [
        `Query.get${type}ById`,
        `Query.get${type}ById(id)`,
        `Query.count${many}`,
        `Query.count${many}(where)`,
        `${plural}Count.total`,
        'graphql.queries',
      ],
      async on => {
        const { rows, or } = await sampleOf(on, plural)
        const data = await on.data(`{
        a: get${type}ById(id: ${rows[1].id}) { id } b: get${type}ById(id: "${rows[1].id}") { id } none: get${type}ById(id: ${UNKNOWN}) { id }
        some: count${many}(where: {or: [${or}]}) { total } all: count${many} { total }
      }`)
        expect(data).toMatchObject({
          a: { id: `${rows[1].id}` },
          b: { id: `${rows[1].id}` },
          none: null,
          some: { total: rows.length },
        })
        expect(data.all.total).toBeGreaterThanOrEqual(rows.length)
      },
    )
  }

  law(
    'every field of a row comes out with its value, and rows lead to each other',
    [
      ...namesWith(/^(Queue|Message|Cron)\./),
      'graphql.nested',
      'graphql.hidden-keys',
      'scalar DateTime',
      'scalar JSONObject',
    ],
    async on => {
      const dead = await on.queue()
      const queue = await on.queue({ deadLetterQueueId: dead.id, headers: { 'x-a': '1' } })
      const cron = await on.well('POST', '/crons/', {
        queueId: queue.id,
        schedule: '0 0 1 1 *',
        body: 'b',
        headers: { 'x-a': '1' },
      })
      const [tick] = await on.get(`/crons/${cron.id}/messages`)
      const page = (field: string): string =>
        `(limit: 5, offset: 0, orderBy: [{field: ${field}, direction: DESC}], where: {id: {gt: 0}})`
      const data = await on.data(`{
      queue: getQueueById(id: ${queue.id}) {
        id name callbackUrl method headers maxRetries createdAt updatedAt deadLetterQueue { id queues${page('name')} { id } }
        crons${page('schedule')} { id } messages${page('when')} { id }
      }
      cron: getCronById(id: ${cron.id}) { id schedule createdAt updatedAt body headers queue { id } messages${page('id')} { id } }
      message: getMessageById(id: ${tick.id}) { id when body failed headers sentAt retries createdAt updatedAt queue { id } cron { id } }
    }`)
      const [q, c, m] = [queue, cron, tick].map(({ id }) => ({ id: `${id}` }))
      const chosen = (row: Json, keys: string[]): Json => Object.fromEntries(keys.map(key => [key, row[key]]))
      expect(data.queue).toEqual({
        ...chosen(queue, ['name', 'callbackUrl', 'method', 'headers', 'maxRetries', 'createdAt', 'updatedAt']),
        ...q,
        deadLetterQueue: { id: `${dead.id}`, queues: [q] },
        crons: [c],
        messages: [m],
      })
      expect(data.cron).toEqual({
        ...chosen(cron, ['schedule', 'createdAt', 'updatedAt', 'body', 'headers']),
        ...c,
        queue: q,
        messages: [m],
      })
      const plain = ['when', 'body', 'failed', 'headers', 'sentAt', 'retries', 'createdAt', 'updatedAt']
      expect(data.message).toEqual({ ...chosen(tick, plain), ...m, queue: q, cron: c })
      expect(await messages(on, '{ messages { queueId } }')).toEqual([expect.stringContaining('"queueId"')])
    },
  )

  law(
    'queries come by POST, by GET and as text; what is none is 400',
    ['graphql.post', 'graphql.get', 'graphql.refused', 'graphql.status'],
    async on => {
      const query = 'query a($n: LimitInt) { queues(limit: $n) { id } } query b { crons(limit: 0) { id } }'
      const post = await on.call('POST', '/graphql', { query, variables: { n: 0 }, operationName: 'a' })
      expect(post.json).toEqual({ data: { queues: [] } })
      const text = await on.call('POST', '/graphql', '{ queues(limit: 0) { id } }', {
        'content-type': 'application/graphql',
      })
      expect(text.json).toEqual({ data: { queues: [] } })
      const get = (query: string) => on.call('GET', `/graphql?query=${encodeURIComponent(query)}`)
      expect((await get('{ queues(limit: 0) { id } }')).json).toEqual({ data: { queues: [] } })
      const mutation = await get('mutation { deleteQueues(where: {id: {eq: 0}}) { id } }')
      expect([mutation.status, mutation.json.errors[0].message]).toEqual([
        405,
        'Operation cannot be performed via a GET request',
      ])
      expect((await on.call('POST', '/graphql', [{ query }])).status).toBe(400)
      const empty = await on.call('POST', '/graphql', {})
      expect([empty.status, empty.json.errors[0].message]).toEqual([400, 'Unknown query'])
      for (const bad of ['{ queues {', '{ nonsense }', '{ queues(offset: "a") { id } }']) {
        expect(await on.call('POST', '/graphql', { query: bad })).toMatchObject({ status: 400, json: { data: null } })
      }
      const failed = await ask(on, '{ bad: getQueueById(id: "abc") { id } queues(limit: 0) { id } }')
      expect(failed).toMatchObject({ status: 200, data: { bad: null, queues: [] }, errors: [{ path: ['bad'] }] })
    },
  )

  law(
    'ids are text and go in as numbers too; headers go in as text, literal and variable; times keep their offset',
    ['graphql.ids', 'graphql.headers', 'graphql.bad-headers', 'graphql.times'],
    async on => {
      const { id } = await on.queue()
      const save = async (headers: string, variables?: object): Promise<Json> => {
        const head = variables ? 'mutation ($h: JSONObject)' : 'mutation'
        const query = `${head} { saveQueue(input: {id: "${id}", headers: ${headers}}) { id headers } }`
        return (await on.data(query, variables)).saveQueue
      }
      expect(await save('"{ \\"x-a\\": \\"1\\" }"')).toEqual({ id: `${id}`, headers: { 'x-a': '1' } })
      expect((await save('{x: "2"}')).headers).toEqual({ x: '2' })
      expect((await save('$h', { h: { 'x-c': '3' } })).headers).toEqual({ 'x-c': '3' })
      expect((await save('null')).headers).toBe(null)
      for (const bad of ['"text"', '["a"]']) {
        expect(await messages(on, `mutation { saveQueue(input: {id: ${id}, headers: ${bad}}) { id } }`)).toHaveLength(1)
      }
      expect(await messages(on, '{ getQueueById(id: "abc") { id } }')).toHaveLength(1)
      const put = (when: string): string =>
        `mutation { saveMessage(input: {queueId: ${id}, when: "${when}"}) { when queue { id } } }`
      expect(await on.data(put('2034-01-01T00:00:00+02:00'))).toEqual({
        saveMessage: { when: '2033-12-31T22:00:00.000Z', queue: { id: `${id}` } },
      })
      expect((await ask(on, put('2034-01-01'))).status).toBe(400)
    },
  )
})

function filterOf(field: string, op: Op, value: string, rows: readonly Json[]): string {
  const isText = rows.some(row => typeof row[field] === 'string')
  const quote = (part: string): string => (isText ? JSON.stringify(part) : part)
  if (op === 'in' || op === 'nin') return `${op}: [${value.split(',').map(quote).join(', ')}]`
  return `${op}: ${op === 'like' && KEYS.includes(field) ? JSON.stringify(value) : quote(value)}`
}

function sort(rows: readonly Json[], field: string): Json[] {
  return [...rows].sort((a, b) => {
    const [x, y] = [a[field], b[field]]
    if (x === y) return a.id - b.id
    if (x === null || y === null) return x === null ? 1 : -1
    return x < y ? -1 : 1
  })
}

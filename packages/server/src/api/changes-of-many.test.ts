import { describe, expect, test } from 'vitest'
import { type Served, serve } from '../../test/api/serve.ts'

const QUEUE = { name: 'q', callbackUrl: 'http://h/hook', method: 'POST', maxRetries: 1 }
const withQueues = async ({ call }: Served, names: string[]): Promise<void> => {
  for (const name of names) await call('POST', '/queues/', { ...QUEUE, name })
}
const asked = ({ state }: Served, operation: string): unknown[] =>
  state.calls.filter(call => call.operation === operation).map(({ input }) => input)

describe('a PUT of all that is found', () => {
  test.each(['/queues/', '/queues'])('as pg-hooks’ clients send it to %s answers with the rows', async path => {
    const served = await serve()
    await withQueues(served, ['a', 'b'])
    const { status, json, headers } = await served.call('PUT', `${path}?where.id.eq=2`, { ...QUEUE, name: 'new' })
    expect(status).toBe(200)
    expect(headers.has('location')).toBe(false)
    expect(json).toMatchObject([{ id: 2, name: 'new', callbackUrl: 'http://h/hook', maxRetries: 1 }])
    expect(asked(served, 'queues.updateMany')).toEqual([
      { ...QUEUE, name: 'new', where: [{ field: 'id', op: 'eq', value: 2 }], anyOf: [], fields: null },
    ])
  })

  test('gives the fields that are asked for, and an empty list where nothing is found', async () => {
    const served = await serve()
    await withQueues(served, ['a', 'b'])
    const some = await served.call('PUT', '/queues/?where.id.gt=0&where.id.lte=2&fields=name,id', { name: 'x' })
    expect(some.json).toEqual([])
    const one = await served.call('PUT', '/queues/?where.id.eq=1&fields=name', { name: 'x' })
    expect(one.json).toEqual([{ name: 'x' }])
  })

  test('takes every condition of lists, and those that are alternatives', async () => {
    const served = await serve()
    const where = 'where.queueId.in=1,2&where.when.lt=2030-01-01T00:00:00%2B02:00&where.sentAt.eq=null'
    await served.call('PUT', `/messages/?${where}&where.or=(body.like=a%25|id.gte=3)`, { queueId: 1, body: 'x' })
    expect(asked(served, 'messages.updateMany')).toEqual([
      {
        body: 'x',
        where: [
          { field: 'queueId', op: 'in', value: [1, 2] },
          { field: 'when', op: 'lt', value: '2029-12-31T22:00:00.000Z' },
          { field: 'sentAt', op: 'eq', value: null },
        ],
        anyOf: [
          { field: 'body', op: 'like', value: 'a%' },
          { field: 'id', op: 'gte', value: 3 },
        ],
        fields: null,
      },
    ])
  })

  test.each(['', '?', '?fields=id'])('without a condition (%s) is refused as pg-hooks does', async query => {
    for (const plural of ['queues', 'messages', 'crons']) {
      const served = await serve()
      const { status, json } = await served.call('PUT', `/${plural}/${query}`, QUEUE)
      expect(status).toBe(400)
      expect(json).toEqual({
        statusCode: 400,
        code: 'PLT_SQL_MAPPER_MISSING_WHERE_CLAUSE',
        error: 'Bad Request',
        message: 'Missing where clause',
      })
      expect(served.state.calls).toEqual([])
    }
  })

  test.each([
    ['where.nmae.eq=a', 'where.nmae.eq is not known here'],
    ['where.id.eq=1&where.name.equals=a', 'where.name.equals is not known here'],
    ['where.id.eq.x=1', 'where.id.eq.x is not known here'],
    ['where.id.eq=1&limit=1', 'limit is not known here'],
    ['where.id.eq=1&Where.name.eq=a', 'Where.name.eq is not known here'],
    ['where.id.eq=1&where.id.eq=2', 'where.id.eq must be given once'],
    ['where.id.eq=one', 'where.id.eq must be integer'],
    ['where.headers.eq=a', 'where.headers.eq cannot be asked for'],
    ['where.or=()', 'where.or must have the form'],
    ['where.or=(id.eq=1)&where.or=(id.eq=2)', 'where.or must be given once'],
    ['where.secrets.eq=a', 'where.secrets.eq is not known here'],
  ])('with %s changes nothing: what a list would overlook is an error here', async (query, message) => {
    const served = await serve()
    const { status, json } = await served.call('PUT', `/queues/?${query}`, { name: 'new' })
    expect([status, json.code]).toEqual([400, 'FST_ERR_VALIDATION'])
    expect(json.message).toContain(`querystring/${message}`)
    expect(served.state.calls).toEqual([])
  })

  test.each([
    ['/queues/', { name: '' }, 'body/name must NOT have fewer than 1 characters'],
    ['/queues/', { callbackUrl: 'nonsense' }, 'body/callbackUrl must be an http or https URL'],
    ['/messages/', { when: 'garbage' }, 'body/when must be a date'],
    ['/messages/', { headers: { 'a b': '1' } }, 'body/headers must not have the name'],
    ['/crons/', { misfire: 'never' }, 'body/misfire must be equal to one of'],
  ])('is checked as that of one record is: %s %o', async (path, body, message) => {
    const { call } = await serve()
    for (const url of [`${path}?where.id.eq=1`, `${path}1`]) {
      const { status, json } = await call('PUT', url, body)
      expect([status, json.code]).toEqual([400, 'FST_ERR_VALIDATION'])
      expect(json.message).toContain(message)
    }
  })

  test('changes no time unless `when` is given', async () => {
    const served = await serve()
    await served.call('PUT', '/messages/?where.id.eq=1', { queueId: 1, body: 'x' })
    expect(asked(served, 'messages.updateMany')[0]).not.toHaveProperty('when')
  })
})

describe('a POST of many', () => {
  test('of queues and crons is one call, and answers in order', async () => {
    const served = await serve()
    const made = await served.call('POST', '/queues/bulk', { queues: [QUEUE, { ...QUEUE, name: 'b' }] })
    expect([made.status, made.json]).toEqual([
      200,
      {
        results: [
          { result: 'stored', id: 1 },
          { result: 'stored', id: 2 },
        ],
      },
    ])
    const crons = [{ queueId: 1, schedule: '@hourly' }]
    expect((await served.call('POST', '/crons/bulk', { crons })).json).toEqual({
      results: [{ result: 'stored', id: 1 }],
    })
    expect(asked(served, 'crons.createMany')).toMatchObject([{ crons }])
  })

  test.each([
    ['/queues/bulk', { queues: [] }, 'body/queues must NOT have fewer than 1 items'],
    ['/queues/bulk', { queues: Array(1001).fill(QUEUE) }, 'body/queues must NOT have more than 1000 items'],
    ['/queues/bulk', { queues: [QUEUE, { name: '' }] }, 'body/queues/1/name must NOT have fewer than 1 characters'],
    [
      '/crons/bulk',
      { crons: [{ queueId: 1, schedule: '@daily' }, { queueId: 1 }] },
      "body/crons/1 must have required property 'schedule'",
    ],
    ['/crons/bulk', {}, "body must have required property 'crons'"],
  ])('%s refuses all of them if one is wrong: %o', async (path, body, message) => {
    const served = await serve()
    const { status, json } = await served.call('POST', path, body)
    expect([status, json.message]).toEqual([400, message])
    expect(served.state.calls).toEqual([])
  })
})

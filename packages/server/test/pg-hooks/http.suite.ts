import { expect } from 'vitest'
import { ADMIN, type Installation, LATER, SECRET } from './installations.ts'
import { suite } from './laws.ts'
import { routeNames } from './routes.ts'

const OPEN = ['/', '/documentation/', '/documentation/json', '/documentation/yaml', '/graphiql']
const UNKNOWN = 2_000_000_000

export const httpSuite = suite('HTTP', law => {
  law(
    'the root welcomes, the documentation and GraphiQL are pages',
    ['http.welcome', 'http.documentation', 'http.graphiql'],
    async on => {
      expect(await on.get('/')).toMatchObject({ message: expect.stringContaining('Welcome') })
      const moved = await on.call('GET', '/documentation')
      expect([moved.status, moved.headers.get('location')]).toEqual([302, '/documentation/'])
      expect((await on.call('GET', '/documentation/')).headers.get('content-type')).toContain('text/html')
      expect((await on.get('/documentation/json')).openapi).toMatch(/^3\./)
      expect((await on.call('GET', '/documentation/yaml')).text).toMatch(/^openapi: /)
      expect((await on.call('GET', '/graphiql')).headers.get('content-type')).toContain('text/html')
    },
  )

  law('the welcome, the documentation and GraphiQL need no secret', ['http.open'], async on => {
    const guarded = await on.guarded()
    for (const path of OPEN) expect([path, (await guarded.call('GET', path)).status]).toEqual([path, 200])
  })

  law(
    'health and metrics are there, status and PATCH are not, and OPTIONS says nothing',
    ['http.status-routes', 'http.no-cors', 'http.no-patch'],
    async on => {
      for (const path of ['/health', '/metrics']) expect((await on.call('GET', path)).status).toBe(200)
      expect((await on.call('GET', '/status')).status).toBe(404)
      const { id } = await on.queue()
      expect((await on.call('PATCH', `/queues/${id}`, { name: 'x' })).status).toBe(404)
      const preflight = await on.call('OPTIONS', '/queues/', undefined, { 'access-control-request-method': 'GET' })
      expect(preflight.status).toBe(404)
      expect([...preflight.headers.keys()].filter(name => name.startsWith('access-control'))).toEqual([])
    },
  )

  law('lists answer HEAD, and with and without the slash', ['http.head', 'http.slash'], async on => {
    for (const plural of ['queues', 'messages', 'crons']) {
      const head = await on.call('HEAD', `/${plural}/?limit=0`)
      expect([head.status, head.text]).toEqual([200, ''])
      for (const slash of ['', '/']) expect(await on.get(`/${plural}${slash}?limit=0`)).toEqual([])
    }
    const bare = { name: 'no slash', callbackUrl: 'http://127.0.0.1:9/', method: 'POST', maxRetries: 1 }
    expect((await on.call('POST', '/queues', bare)).status).toBe(200)
  })

  law(
    'an error is JSON with its status, a code, the reason phrase and a message',
    ['http.error-shape', 'http.not-found'],
    async on => {
      const route = await on.call('GET', '/nowhere?a=1')
      expect(route.status).toBe(404)
      expect(route.json).toMatchObject({
        statusCode: 404,
        error: 'Not Found',
        message: 'Route GET:/nowhere?a=1 not found',
      })
      for (const [plural, name] of [
        ['queues', 'Queue'],
        ['messages', 'Message'],
        ['crons', 'Cron'],
      ]) {
        const row = await on.call('GET', `/${plural}/${UNKNOWN}`)
        expect(row.json).toMatchObject({ statusCode: 404, error: 'Not Found', message: `${name} ${UNKNOWN} not found` })
        expect(row.json.code).toBe(`${name!.toLowerCase()}_not_found`)
      }
    },
  )

  law('what fails its schema is 400, and the message names the place', ['http.validation'], async on => {
    const failing = async (method: string, path: string, body?: unknown): Promise<string> => {
      const { status, json } = await on.call(method, path, body)
      expect(json).toMatchObject({ statusCode: 400, code: 'FST_ERR_VALIDATION', error: 'Bad Request' })
      expect(status).toBe(400)
      return json.message
    }
    expect(await failing('POST', '/queues/', {})).toBe("body must have required property 'name'")
    expect(await failing('POST', '/queues/', [])).toContain('body must be object')
    expect(await failing('POST', '/queues/', { name: 'a', headers: 'x' })).toContain('body/headers must be object')
    expect(await failing('GET', '/queues/abc')).toContain('params/id must be integer')
    expect(await failing('GET', '/queues/?where.id.eq=abc')).toContain('querystring/where.id.eq must be integer')
    expect(await failing('GET', '/queues/?fields=nonsense')).toContain(
      'querystring/fields/0 must be equal to one of the allowed values',
    )
  })

  law('values are coerced, and unknown properties dropped', ['http.coercion'], async on => {
    const queue = await on.queue({ maxRetries: '3', nonsense: true })
    expect(queue.maxRetries).toBe(3)
    expect(queue).not.toHaveProperty('nonsense')
    expect(await on.put(queue.id, { body: 7, when: LATER })).toMatchObject({ body: '7' })
  })

  law(
    'a body that is no JSON, or too large, is refused in so many words',
    ['http.invalid-json', 'http.too-large'],
    async on => {
      const broken = await on.call('POST', '/queues/', '{"name":', { 'content-type': 'application/json' })
      expect(broken.json).toMatchObject({
        statusCode: 400,
        code: 'FST_ERR_CTP_INVALID_JSON_BODY',
        error: 'Bad Request',
      })
      const { id } = await on.queue()
      const large = await on.call('POST', '/messages/', { queueId: id, body: 'x'.repeat(1_048_577) })
      expect(large.json).toMatchObject({ statusCode: 413, code: 'FST_ERR_CTP_BODY_TOO_LARGE' })
      expect(await on.get(`/queues/${id}/messages`)).toEqual([])
    },
  )

  law('no mistake of a caller is 5xx, and no answer has the database’s words', ['http.database-errors'], async on => {
    const { id } = await on.queue()
    const mistakes: [string, string, unknown?][] = [
      ['GET', '/queues/99999999999999999999'],
      ['POST', '/queues/', { name: 'a\u0000b', callbackUrl: 'http://127.0.0.1/', method: 'POST', maxRetries: 1 }],
      ['POST', '/queues/', { name: 'a', callbackUrl: 'http://127.0.0.1/', method: 'x'.repeat(11), maxRetries: 1 }],
      ['POST', '/messages/', { queueId: UNKNOWN, body: 'x' }],
      ['POST', '/messages/', { queueId: id, when: 'garbage' }],
      ['POST', '/messages/', { queueId: id, when: '99999-01-01' }],
      ['POST', '/crons/', { queueId: UNKNOWN, schedule: '@hourly' }],
      ['GET', '/queues/?where.createdAt.gt=yesterday'],
      ['GET', '/queues/?where.id.in=a,b'],
      ['GET', '/queues/?where.headers.eq=x'],
      ['GET', `/queues/?where.id.gt=${'9'.repeat(30)}`],
      ['GET', '/queues/?limit=101'],
    ]
    for (const [method, path, body] of mistakes) {
      const { status, text } = await on.call(method, path, body)
      expect([path, status >= 400 && status < 500]).toEqual([path, true])
      expect(text).not.toMatch(/constraint|syntax|relation "|posthorn\.|"\d{5}"|22P02|23503/)
    }
  })

  law('nodes listen where they are told to', ['http.hostname'], async on => {
    expect(new URL(on.url).hostname).toBe('127.0.0.1')
  })

  law(
    'nothing shows the migration table',
    ['access.migrations', ...routeNames().filter(id => id.includes('/versions/'))],
    async on => {
      for (const path of ['/versions/', '/versions', '/versions/1']) {
        for (const method of ['GET', 'POST', 'PUT', 'DELETE']) {
          const { status, json } = await on.call(method, path, method === 'GET' || method === 'DELETE' ? undefined : {})
          expect([method, path, status, json.code]).toEqual([method, path, 404, 'route_not_found'])
        }
      }
      expect(JSON.stringify(await on.get('/documentation/json'))).not.toContain('/versions')
    },
  )
})

export const accessSuite = suite('access', law => {
  law('the admin secret opens everything, however its header is written', ['access.secret'], async open => {
    const on = await open.guarded()
    for (const name of [...Object.keys(ADMIN), 'x-platformatic-admin-secret', 'X-Platformatic-Admin-Secret']) {
      expect((await on.call('GET', '/queues/', undefined, { [name]: SECRET })).status).toBe(200)
    }
    const queue = { name: 'guarded', callbackUrl: 'http://127.0.0.1:9/', method: 'POST', maxRetries: 0 }
    const { json } = await on.call('POST', '/queues/', queue, ADMIN)
    expect((await on.call('PUT', `/queues/${json.id}`, { name: 'changed' }, ADMIN)).json.name).toBe('changed')
    expect((await on.call('DELETE', `/queues/${json.id}`, undefined, ADMIN)).status).toBe(200)
  })

  law(
    'a stranger is refused everything over REST, also what does not exist and what is not valid',
    ['access.rest', 'access.order'],
    async open => {
      const on = await open.guarded()
      const body = { name: 'x' }
      for (const plural of ['queues', 'messages', 'crons']) {
        const calls: [string, string, unknown?][] = [
          ['GET', `/${plural}/`],
          ['POST', `/${plural}/`, body],
          ['GET', `/${plural}/${UNKNOWN}`],
          ['PUT', `/${plural}/${UNKNOWN}`, body],
          ['DELETE', `/${plural}/${UNKNOWN}`],
          ['GET', `/${plural}/abc`],
        ]
        const strangers: Record<string, string>[] = [{}, { 'X-PLATFORMATIC-ADMIN-SECRET': 'wrong' }]
        for (const headers of strangers) {
          for (const [method, path, given] of calls) {
            const { status, json } = await on.call(method, path, given, headers)
            expect([method, path, status]).toEqual([method, path, 401])
            expect(json).toEqual({
              statusCode: 401,
              code: 'PLT_DB_AUTH_UNAUTHORIZED',
              error: 'Unauthorized',
              message: 'operation not allowed',
            })
          }
        }
      }
    },
  )

  law(
    'a stranger is refused each field over GraphQL, counts with their filters too',
    ['access.graphql', 'access.counts'],
    async open => {
      const on = await open.guarded()
      const query = `{ queues { id } countQueues { total } countMessages(where: {id: {gt: 0}}) { total } countCrons { total } }`
      const { status, json } = await on.call('POST', '/graphql', { query })
      expect(status).toBe(200)
      expect(json.data).toEqual({ queues: null, countQueues: null, countMessages: null, countCrons: null })
      expect(json.errors).toHaveLength(4)
      for (const error of json.errors) {
        expect(error).toMatchObject({ message: 'operation not allowed', path: [expect.any(String)], locations: [{}] })
      }
      const admitted = await on.call('POST', '/graphql', { query }, ADMIN)
      expect(admitted.json.data.countQueues.total).toBeTypeOf('number')
    },
  )

  law(
    'saving under an unknown id is 404, with and without a secret',
    ['access.unknown-ids', 'access.upsert'],
    async open => {
      const guarded = await open.guarded()
      const callers: [Installation, Record<string, string>][] = [
        [open, {}],
        [guarded, ADMIN],
      ]
      for (const [on, headers] of callers) {
        const queue = { name: 'x', callbackUrl: 'http://127.0.0.1:9/', method: 'POST', maxRetries: 1 }
        expect((await on.call('PUT', `/queues/${UNKNOWN}`, queue, headers)).status).toBe(404)
        expect((await on.call('POST', '/queues/', { id: UNKNOWN, ...queue }, headers)).status).toBe(404)
        expect((await on.call('GET', `/queues/${UNKNOWN}`, undefined, headers)).status).toBe(404)
        const query = `mutation { saveQueue(input: {id: ${UNKNOWN}, name: "x"}) { id } }`
        const saved = await on.call('POST', '/graphql', { query }, headers)
        expect(saved.json.errors[0].message).toBe(`Queue ${UNKNOWN} not found`)
      }
    },
  )
})

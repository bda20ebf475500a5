import { expect } from 'vitest'
import { type Installation, type Json, LATER } from './installations.ts'
import { suite } from './laws.ts'
import { entities } from './routes.ts'

const UNKNOWN = 2_000_000_000
const TIME = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)

/** A row of each kind, none of which moves by itself. */
async function make(on: Installation, plural: string): Promise<Json> {
  const queue = await on.queue({ headers: { 'x-a': '1' } })
  if (plural === 'queues') return queue
  if (plural === 'messages') return on.put(queue.id, { when: LATER, headers: { 'x-a': '1' } })
  return on.well('POST', '/crons/', { queueId: queue.id, schedule: '0 0 1 1 *', body: 'h', headers: { 'x-a': '1' } })
}

const CHANGES = { queues: { name: 'changed' }, messages: { body: 'changed' }, crons: { body: 'changed' } }
const idsOf = (rows: readonly Json[]): number[] => rows.map(({ id }) => id)
const PLURALS = ['queues', 'messages', 'crons'] as const

export const restSuite = suite('rows over REST', law => {
  law(
    'a new queue is shown as pg-hooks shows it',
    ['rest.create', 'rows.queue', 'rows.ids', 'rows.times', 'rows.migrations'],
    async on => {
      const body = {
        name: 'my test',
        callbackUrl: 'http://127.0.0.1:9/hook',
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        maxRetries: 1,
      }
      const { status, headers, json } = await on.call('POST', '/queues/', body)
      expect([status, headers.get('location')]).toEqual([200, `/queues/${json.id}`])
      expect(json).toMatchObject({ ...body, deadLetterQueueId: null, createdAt: TIME, updatedAt: TIME })
      expect(json.id).toBeTypeOf('number')
      const next = await on.queue()
      expect(next.id).toBeGreaterThan(json.id)
      expect(Math.abs(Date.parse(json.createdAt) - Date.now())).toBeLessThan(60_000)
    },
  )

  law('a new message is shown as pg-hooks shows it', ['rows.message'], async on => {
    const { id: queueId } = await on.queue()
    const before = Date.now()
    const body = '{ "hello": "world" }'
    const { status, headers, json } = await on.call('POST', '/messages/', { queueId, body })
    expect([status, headers.get('location')]).toEqual([200, `/messages/${json.id}`])
    const fresh = {
      id: json.id,
      queueId,
      when: TIME,
      body,
      failed: false,
      headers: null,
      sentAt: null,
      retries: 0,
      cronId: null,
    }
    expect(json).toMatchObject({ ...fresh, createdAt: TIME, updatedAt: TIME })
    expect(Math.abs(Date.parse(json.when) - before)).toBeLessThan(60_000)
  })

  law('a new cron is shown as pg-hooks shows it', ['rows.cron'], async on => {
    const { id: queueId } = await on.queue()
    const body = { queueId, schedule: '@hourly', body: 'h', headers: { 'x-a': '1' } }
    const { status, headers, json } = await on.call('POST', '/crons/', body)
    expect([status, headers.get('location')]).toEqual([200, `/crons/${json.id}`])
    expect(json).toMatchObject({ id: expect.any(Number), ...body, createdAt: TIME, updatedAt: TIME })
  })

  for (const plural of PLURALS) {
    const one = `/${plural}/{id}`
    law(
      `of ${plural}, rows are made, read, changed and deleted`,
      [`POST /${plural}/`, `GET ${one}`, `PUT ${one}`, `DELETE ${one}`, 'rest.delete'],
      async on => {
        const row = await make(on, plural)
        const path = `/${plural}/${row.id}`
        expect(await on.get(path)).toEqual(row)
        const required = plural === 'crons' ? { queueId: row.queueId, schedule: row.schedule } : {}
        const changed = await on.call('PUT', path, { ...required, ...CHANGES[plural] })
        expect([changed.status, changed.headers.get('location')]).toEqual([200, path])
        expect(changed.json).toMatchObject(CHANGES[plural])
        const { updatedAt: _, ...kept } = await on.get(path)
        const expected = { ...row, ...CHANGES[plural], ...(plural === 'queues' && { version: row.version + 1 }) }
        expect(expected).toMatchObject(kept)
        const gone = await on.call('DELETE', path)
        expect([gone.status, gone.json.id]).toEqual([200, row.id])
        for (const method of ['GET', 'DELETE']) expect((await on.call(method, path)).status).toBe(404)
      },
    )

    law(
      `of ${plural}, fields choose what comes out of each call; the write happens once`,
      [
        `POST /${plural}/ ?fields`,
        `GET ${one} ?fields`,
        `PUT ${one} ?fields`,
        `DELETE ${one} ?fields`,
        'rest.fields-without-id',
      ],
      async on => {
        const row = await make(on, plural)
        const path = `/${plural}/${row.id}?fields=headers,createdAt`
        const chosen = { headers: { 'x-a': '1' }, createdAt: row.createdAt }
        expect(await on.get(path)).toEqual(chosen)
        const required = plural === 'crons' ? { queueId: row.queueId, schedule: row.schedule } : {}
        expect(await on.well('PUT', path, { ...required, ...CHANGES[plural] })).toEqual(chosen)
        expect(await on.get(`/${plural}/${row.id}`)).toMatchObject(CHANGES[plural])
        const { id: _, createdAt, updatedAt, ...again } = row
        const writable = entities[plural].fields.filter(field => field in again && again[field] !== null)
        const body = Object.fromEntries(writable.map(field => [field, again[field]]))
        if (plural === 'messages') for (const state of ['failed', 'sentAt', 'retries', 'cronId']) delete body[state]
        expect(await on.well('POST', `/${plural}/?fields=headers`, body)).toEqual({ headers: { 'x-a': '1' } })
        expect(await on.well('DELETE', path)).toEqual(chosen)
        expect((await on.call('GET', `/${plural}/${row.id}`)).status).toBe(404)
      },
    )
  }

  for (const plural of PLURALS) {
    const route = `PUT /${plural}/`
    const filters = entities[plural].fields.filter(field => field !== 'headers')
    law(
      `all ${plural} that a filter finds are changed together, whatever it goes by`,
      [
        route,
        `${route} ?fields`,
        `${route} ?where.or`,
        ...filters.map(field => `${route} ?where.${field}`),
        'rest.bulk',
      ],
      async on => {
        const rows = [await make(on, plural), await make(on, plural)]
        const [first, second] = rows
        const either = `where.or=${encodeURIComponent(`(id.eq=${first.id}|id.eq=${second.id})`)}`
        const required = { queues: [], messages: ['queueId'], crons: ['queueId', 'schedule'] }[plural]
        const body = { ...Object.fromEntries(required.map(name => [name, first[name]])), ...CHANGES[plural] }
        if (plural !== 'queues') delete (body as Json).queueId
        expect((await on.call('PUT', `/${plural}/`, body)).json).toMatchObject({ message: 'Missing where clause' })
        const reread = () => Promise.all(rows.map(({ id }) => on.get(`/${plural}/${id}`)))
        for (const field of filters) {
          const now = await reread()
          const value = now[0][field]
          const query = `${either}&where.${field}.eq=${encodeURIComponent(String(value))}&fields=id`
          const found: Json[] = await on.well('PUT', `/${plural}/?${query}`, {})
          expect([field, idsOf(found)]).toEqual([field, idsOf(now.filter(row => row[field] === value))])
        }
        const changed: Json[] = await on.well('PUT', `/${plural}/?${either}`, body)
        expect(idsOf(changed)).toEqual(idsOf(rows))
        for (const { id } of rows) expect(await on.get(`/${plural}/${id}`)).toMatchObject(CHANGES[plural])
      },
    )
    law(`${plural} to be changed are not found by headers, and that is said`, [`${route} ?where.headers`], async on => {
      const { status, json } = await on.call('PUT', `/${plural}/?where.headers.eq=x`, CHANGES[plural])
      expect([status, json.message]).toEqual([400, expect.stringContaining('where.headers')])
    })
  }

  law('POST with an id that exists changes that row', ['rest.save'], async on => {
    const queue = await on.queue()
    const { name, callbackUrl, method } = queue
    const saved = await on.well('POST', '/queues/', {
      id: queue.id,
      name: `${name}!`,
      callbackUrl,
      method,
      maxRetries: 9,
    })
    expect(saved).toMatchObject({ id: queue.id, name: `${name}!`, maxRetries: 9, createdAt: queue.createdAt })
  })

  law('PUT keeps what it is not given, and the id of the path wins', ['rest.put', 'rest.put-required'], async on => {
    const [queue, other] = [await on.queue({ headers: { 'x-a': '1' } }), await on.queue()]
    const changed = await on.well('PUT', `/queues/${queue.id}`, { id: other.id, maxRetries: 2 })
    expect(changed).toMatchObject({ id: queue.id, name: queue.name, headers: { 'x-a': '1' }, maxRetries: 2 })
    expect(await on.get(`/queues/${other.id}`)).toEqual(other)
  })

  law(
    'a queue with messages and crons can be deleted, and tells beforehand what goes',
    ['rest.delete-queue'],
    async on => {
      const queue = await on.queue()
      const delivered = await on.put(queue.id)
      await on.until(delivered.id, ({ sentAt }) => sentAt !== null)
      const pending = await on.put(queue.id, { when: LATER })
      const cron = await on.well('POST', '/crons/', { queueId: queue.id, schedule: '0 0 1 1 *' })
      expect(await on.get(`/queues/${queue.id}/deletion`)).toEqual({ cancelled: 2, crons: 1, orphaned: 0 })
      expect((await on.call('DELETE', `/queues/${queue.id}`)).status).toBe(200)
      for (const path of [`/queues/${queue.id}`, `/crons/${cron.id}`])
        expect((await on.call('GET', path)).status).toBe(404)
      expect(await on.until(pending.id, ({ status }) => status !== 'pending')).toMatchObject({ status: 'cancelled' })
      expect(await on.get(`/messages/${delivered.id}`)).toMatchObject({ status: 'delivered' })
    },
  )

  law('when a dead letter queue is deleted, those that named it have none', ['rows.dead-letter-null'], async on => {
    const dead = await on.queue()
    const queue = await on.queue({ deadLetterQueueId: dead.id })
    await on.well('DELETE', `/queues/${dead.id}`)
    expect(await on.get(`/queues/${queue.id}`)).toMatchObject({ deadLetterQueueId: null })
  })

  law(
    'rows lead to each other by both names',
    [
      'rest.nested',
      'GET /queues/{id}/dead_letter_queue',
      'GET /crons/{id}/queue',
      'GET /messages/{id}/queue',
      'GET /messages/{id}/cron',
      ...['queues/{id}/dead_letter_queue', 'crons/{id}/queue', 'messages/{id}/queue', 'messages/{id}/cron'].map(
        path => `GET /${path} ?fields`,
      ),
    ],
    async on => {
      const dead = await on.queue()
      const queue = await on.queue({ deadLetterQueueId: dead.id })
      const cron = await on.well('POST', '/crons/', { queueId: queue.id, schedule: '0 0 1 1 *' })
      const [tick] = await on.get(`/crons/${cron.id}/messageCronId`)
      expect(await on.get(`/crons/${cron.id}/messages`)).toEqual([tick])
      expect(await on.get(`/queues/${queue.id}/messages`)).toEqual(await on.get(`/queues/${queue.id}/messageQueueId`))
      const paths: [string, Json][] = [
        [`/queues/${queue.id}/dead_letter_queue`, dead],
        [`/crons/${cron.id}/queue`, queue],
        [`/messages/${tick.id}/queue`, queue],
        [`/messages/${tick.id}/cron`, cron],
      ]
      for (const [path, row] of paths) {
        expect(await on.get(path)).toEqual(row)
        expect(await on.get(`${path}?fields=id`)).toEqual({ id: row.id })
      }
    },
  )

  law('a row to which nothing leads is 404, and so is one below an unknown parent', ['rest.nested-empty'], async on => {
    const queue = await on.queue()
    const message = await on.put(queue.id, { when: LATER })
    const paths = [`queues/${queue.id}/dead_letter_queue`, `messages/${message.id}/cron`]
    const below = [
      'queues/%/dead_letter_queue',
      'queues/%/messageQueueId',
      'queues/%/queues',
      'queues/%/crons',
      'crons/%/messageCronId',
      'crons/%/queue',
      'messages/%/queue',
      'messages/%/cron',
    ]
    for (const path of [...paths, ...below.map(path => path.replace('%', `${UNKNOWN}`))]) {
      expect([path, (await on.call('GET', `/${path}`)).status]).toEqual([path, 404])
    }
  })

  law('POST /cron/ of the README works', ['rest.readme-cron'], async on => {
    const { id: queueId } = await on.queue()
    const { status, json } = await on.call('POST', '/cron/', { queueId, schedule: '0 0 1 1 *' })
    expect(status).toBe(200)
    expect(await on.get(`/crons/${json.id}`)).toMatchObject({ queueId, schedule: '0 0 1 1 *' })
  })

  law('what is required is asked for by name', ['rest.required'], async on => {
    const missing = async (path: string, body: object): Promise<string> => {
      const { status, json } = await on.call('POST', path, body)
      expect(status).toBe(400)
      return json.message
    }
    expect(await missing('/queues/', { callbackUrl: 'http://127.0.0.1:9/', method: 'POST', maxRetries: 1 })).toContain(
      "'name'",
    )
    expect(await missing('/messages/', { body: 'x' })).toContain("'queueId'")
    const { id } = await on.queue()
    expect(await missing('/crons/', { schedule: '@hourly' })).toContain("'queueId'")
    expect(await missing('/crons/', { queueId: id })).toContain("'schedule'")
    const bare = await on.well('POST', '/queues/', { name: 'bare', callbackUrl: on.target().url })
    expect(bare).toMatchObject({ method: 'POST' })
  })

  law(
    'a client cannot make up the times of a row, nor what became of a message',
    ['rest.own-times', 'rest.state'],
    async on => {
      const past = '2001-01-01T00:00:00.000Z'
      const queue = await on.queue({ createdAt: past, updatedAt: past })
      expect(queue.createdAt).not.toBe(past)
      expect(queue.updatedAt).not.toBe(past)
      const message = await on.put(queue.id, { when: LATER, failed: false, sentAt: null, retries: 3, cronId: 1 })
      expect(message).toMatchObject({ failed: false, sentAt: null, retries: 0, cronId: null })
      for (const state of [{ failed: true }, { sentAt: past }]) {
        const { status, json } = await on.call('POST', '/messages/', { queueId: queue.id, ...state })
        expect(status).toBe(400)
        expect(json.message).toContain(`body/${Object.keys(state)[0]}`)
      }
    },
  )

  law('headers are an object or null, in and out', ['rest.headers'], async on => {
    for (const headers of [null, {}, { 'x-a': '1', 'X-B': 'two' }]) {
      const queue = await on.queue({ headers })
      expect(queue.headers).toEqual(headers)
      expect((await on.put(queue.id, { headers, when: LATER })).headers).toEqual(headers)
    }
    const { status, json } = await on.call('POST', '/queues/', {
      name: 'x',
      callbackUrl: 'http://127.0.0.1:9/',
      headers: '{}',
    })
    expect([status, json.message]).toEqual([400, 'body/headers must be object,null'])
  })

  law(
    'URLs, methods, retries and lengths are checked, and what is wrong is named with its bound',
    ['rest.unchecked', 'rows.lengths'],
    async on => {
      const refused = async (fields: object): Promise<void> => {
        const whole = { name: 'x', callbackUrl: 'http://127.0.0.1:9/', method: 'POST', maxRetries: 1, ...fields }
        const { status, json } = await on.call('POST', '/queues/', whole)
        expect([status, json.message.startsWith(`body/${Object.keys(fields)[0]} `)]).toEqual([400, true])
      }
      const long = `http://127.0.0.1:9/${'x'.repeat(2048)}`
      for (const fields of [
        { callbackUrl: 'not a url' },
        { method: 'WEIRD' },
        { method: 'x'.repeat(11) },
        { maxRetries: -1 },
        { name: 'x'.repeat(256) },
        { callbackUrl: long },
      ]) {
        await refused(fields)
      }
      const longest = { name: 'n'.repeat(255), callbackUrl: long.slice(0, 2048) }
      expect(await on.queue(longest)).toMatchObject(longest)
      const { id: queueId } = await on.queue()
      const { status, json } = await on.call('POST', '/crons/', { queueId, schedule: '0'.repeat(256) })
      expect([status, json.message]).toEqual([400, expect.stringContaining('body/schedule')])
    },
  )

  law('an unknown reference is 4xx and named', ['rest.references'], async on => {
    const { id } = await on.queue()
    const bodies: [string, string, object, string][] = [
      ['POST', '/messages/', { queueId: UNKNOWN }, `Queue ${UNKNOWN} not found`],
      ['POST', '/crons/', { queueId: UNKNOWN, schedule: '@hourly' }, `Queue ${UNKNOWN} not found`],
      [
        'PUT',
        `/queues/${id}`,
        { deadLetterQueueId: UNKNOWN },
        `body/deadLetterQueueId: queue ${UNKNOWN} does not exist`,
      ],
    ]
    for (const [method, path, body, message] of bodies) {
      const { status, json } = await on.call(method, path, body)
      expect([path, status >= 400 && status < 500, json.message]).toEqual([path, true, message])
    }
  })

  law(
    'when is a time or a date, with its offset; null is now; what is no time is refused',
    ['rest.when', 'rest.when-garbage', 'rest.when-offset'],
    async on => {
      const { id: queueId } = await on.queue()
      const whens: [string, string][] = [
        ['2034-01-01T00:00:00+02:00', '2033-12-31T22:00:00.000Z'],
        ['2034-01-01T00:00:00-05:30', '2034-01-01T05:30:00.000Z'],
        ['2034-01-01T00:00:00.123Z', '2034-01-01T00:00:00.123Z'],
        ['2034-01-01', '2034-01-01T00:00:00.000Z'],
      ]
      for (const [when, stored] of whens) {
        const message = await on.put(queueId, { when })
        expect([when, message.when]).toEqual([when, stored])
        expect((await on.get(`/messages/${message.id}`)).when).toBe(stored)
      }
      const now = await on.put(queueId, { when: null })
      expect(Math.abs(Date.parse(now.when) - Date.now())).toBeLessThan(60_000)
      for (const when of ['garbage', 1_900_000_000_000, '2034-02-30']) {
        const { status, json } = await on.call('POST', '/messages/', { queueId, when })
        expect([when, status, json.message.startsWith('body/when ')]).toEqual([when, 400, true])
      }
    },
  )

  law('a change of a message without when leaves its time alone', ['rest.put-when'], async on => {
    const target = on.target()
    const { id: queueId } = await on.queue({ callbackUrl: target.url })
    const message = await on.put(queueId, { when: LATER })
    expect(await on.well('PUT', `/messages/${message.id}`, { queueId, body: 'changed' })).toMatchObject({ when: LATER })
    const marker = await on.put(queueId)
    await on.until(marker.id, ({ sentAt }) => sentAt !== null)
    expect(target.arrivals()).toHaveLength(1)
    expect(await on.get(`/messages/${message.id}`)).toMatchObject({ when: LATER, sentAt: null, body: 'changed' })
  })
})

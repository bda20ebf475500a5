import { type Operation, operationEntries, pathAliases } from '@posthorn/contract'
import { describe, expect, test } from 'vitest'
import { type Served, serve } from '../../test/api/serve.ts'

const pgHooksQueue = {
  name: 'my test',
  callbackUrl: 'http://h/hook',
  method: 'POST',
  headers: { 'Content-Type': 'application/json' },
  maxRetries: 1,
}
const withQueue = async (served: Served, changes: object = {}) =>
  (await served.call('POST', '/queues/', { ...pgHooksQueue, ...changes })).json

describe('routes', () => {
  const routes = [
    ...operationEntries.map(([, operation]) => operation as Operation),
    ...pathAliases.map(({ path }) => ({ verb: 'GET', path })),
  ].map(({ verb, path }) => [verb, path] as const)

  test.each(routes)('%s %s is served with and without a trailing slash', async (verb, path) => {
    const { call } = await serve()
    const bare = path.replaceAll(/\{\w+\}/g, '7').replace(/\/$/, '')
    for (const url of [bare, `${bare}/`]) {
      const { json, status } = await call(verb, url, verb === 'GET' || verb === 'DELETE' ? undefined : {})
      expect(status).toBeLessThan(500)
      expect(json.message ?? '').not.toMatch(/^Route /)
    }
  })

  test('answer 404 in one form where there is none', async () => {
    const { call } = await serve()
    for (const [verb, path] of [
      ['GET', '/nothing?a=1'],
      ['PATCH', '/queues/1'],
      ['OPTIONS', '/queues'],
    ] as const) {
      const { status, json } = await call(verb, path)
      expect(status).toBe(404)
      expect(json).toMatchObject({ statusCode: 404, error: 'Not Found', message: `Route ${verb}:${path} not found` })
    }
  })

  test('answer HEAD for lists', async () => {
    const { call } = await serve()
    expect(await call('HEAD', '/queues/')).toMatchObject({ status: 200, text: '' })
  })
})

describe('a pg-hooks client', () => {
  test('creates a queue and reads the fields that it knows', async () => {
    const served = await serve()
    const { status, headers, json } = await served.call('POST', '/queues/', pgHooksQueue)
    expect(status).toBe(200)
    expect(headers.get('location')).toBe('/queues/1')
    expect(json).toMatchObject({ ...pgHooksQueue, id: 1, deadLetterQueueId: null })
    expect(json.createdAt).toMatch(/^\d{4}-.*Z$/)
    expect((await served.call('GET', '/queues/1')).json).toEqual(json)
  })

  test('puts a message and reads the fields that it knows', async () => {
    const served = await serve()
    await withQueue(served)
    const { headers, json } = await served.call('POST', '/messages/', { queueId: 1, body: '{ "hello": "world" }' })
    expect(headers.get('location')).toBe('/messages/1')
    expect(json).toMatchObject({
      id: 1,
      queueId: 1,
      body: '{ "hello": "world" }',
      failed: false,
      headers: null,
      sentAt: null,
      retries: 0,
      cronId: null,
    })
  })

  test('has its values coerced and its unknown properties dropped', async () => {
    const served = await serve()
    await withQueue(served)
    await served.call('POST', '/messages/', { queueId: '1', body: 5, extra: 1, createdAt: 'never' })
    expect(served.state.calls.at(-1)).toEqual({ operation: 'messages.put', input: { queueId: 1, body: '5' } })
  })

  test('updates by creating with an id, and an unknown id is 404', async () => {
    const served = await serve()
    await withQueue(served)
    const { json, headers } = await served.call('POST', '/queues/', { ...pgHooksQueue, id: 1, name: 'other' })
    expect(json).toMatchObject({ id: 1, name: 'other' })
    expect(headers.get('location')).toBe('/queues/1')
    expect(served.state.calls.at(-1)).toMatchObject({ operation: 'queues.update', input: { id: 1, name: 'other' } })
    expect((await served.call('POST', '/queues/', { ...pgHooksQueue, id: 9 })).status).toBe(404)
  })

  test('writes back what it read', async () => {
    const served = await serve()
    const queue = await withQueue(served)
    expect((await served.call('PUT', '/queues/1', queue)).status).toBe(200)
    const { json } = await served.call('POST', '/messages/', { queueId: 1, body: 'x', when: '2030-01-01' })
    expect((await served.call('PUT', '/messages/1', json)).status).toBe(200)
    expect(served.state.calls.at(-1)?.input).not.toHaveProperty('queueId')
  })

  test('finds the messages of a queue under the older name too', async () => {
    const served = await serve()
    await withQueue(served)
    await served.call('POST', '/messages/', { queueId: 1, body: 'x' })
    const found = await served.call('GET', '/queues/1/messageQueueId')
    expect(found.json).toHaveLength(1)
    expect((await served.call('GET', '/queues/1/messages')).json).toEqual(found.json)
  })
})

describe('an input', () => {
  test('is not filled with defaults when it updates', async () => {
    const served = await serve()
    await withQueue(served)
    await served.call('PUT', '/queues/1', { name: 'n' })
    expect(served.state.calls.at(-1)?.input).toEqual({ id: 1, name: 'n' })
  })

  test('takes the id from the path, whatever the body says', async () => {
    const served = await serve()
    await withQueue(served)
    await served.call('PUT', '/queues/1', { id: 5, name: 'n' })
    expect(served.state.calls.at(-1)?.input).toMatchObject({ id: 1 })
    await served.call('POST', '/queues/1/messages', { queueId: 5, body: 'x' })
    expect(served.state.calls.at(-1)?.input).toMatchObject({ queueId: 1 })
  })

  test('takes null for not given where a field cannot be null', async () => {
    const served = await serve()
    await withQueue(served, { maxRetries: null, timeoutMs: null, callbackUrl: null })
    expect(served.state.calls.at(-1)?.input).not.toHaveProperty('maxRetries')
    expect(served.state.calls.at(-1)?.input).toMatchObject({ callbackUrl: null })
    const { json } = await served.call('POST', '/queues/', { ...pgHooksQueue, name: null })
    expect(json.message).toBe("body must have required property 'name'")
  })

  test('may have no body where nothing is required', async () => {
    const served = await serve()
    await withQueue(served)
    expect((await served.call('POST', '/queues/1/pause')).status).toBe(200)
    const empty = { 'content-type': 'application/json' }
    expect((await served.call('POST', '/queues/1/resume', '', empty)).status).toBe(200)
    expect((await served.call('POST', '/queues/1/purge', { reason: 'r' })).json).toEqual({ cancelled: 0, more: false })
    expect(served.state.calls.at(-1)?.input).toEqual({ id: 1, reason: 'r' })
  })

  test('carries the idempotency key of the header, or of the body', async () => {
    const served = await serve()
    await withQueue(served)
    await served.call('POST', '/messages/', { queueId: 1, idempotencyKey: 'body' }, { 'idempotency-key': 'head' })
    expect(served.state.calls.at(-1)?.input).toMatchObject({ idempotencyKey: 'head' })
    await served.call('POST', '/messages/', { queueId: 1, idempotencyKey: 'body' })
    expect(served.state.calls.at(-1)?.input).toMatchObject({ idempotencyKey: 'body' })
    const { json } = await served.call('POST', '/messages/', { queueId: 1 }, { 'idempotency-key': 'k'.repeat(256) })
    expect(json).toMatchObject({ details: { field: 'headers/idempotency-key', limit: 255 } })
  })

  test.each([
    [{ name: '' }, 'body/name must NOT have fewer than 1 characters'],
    [{ name: 'n'.repeat(256) }, 'body/name must NOT have more than 255 characters'],
    [{ name: 'a\0b' }, 'body/name must be text without NUL and lone surrogates'],
    [{ callbackUrl: 'not a url' }, 'body/callbackUrl must be an http or https URL without user and password'],
    [{ callbackUrl: 'ftp://h/' }, 'body/callbackUrl must be an http or https URL without user and password'],
    [{ callbackUrl: 'http://me:secret@h/' }, 'body/callbackUrl must be an http or https URL without user and password'],
    [{ callbackUrl: `http://h/${'p'.repeat(2048)}` }, 'body/callbackUrl must NOT have more than 2048 characters'],
    [{ method: 'BREW' }, 'body/method must be: One of POST, PUT, PATCH, GET, DELETE, HEAD, OPTIONS, in any case.'],
    [{ headers: 'text' }, 'body/headers must be object,null'],
    [{ headers: { 'a b': 'c' } }, 'body/headers must not have the name "a b"'],
    [{ headers: { a: 'b\r\nc: d' } }, /^body\/headers\/a must match pattern/],
    [{ headers: { Host: 'h' } }, 'body/headers must not have Host: Posthorn sets it'],
    [{ headers: { a: '1', A: '2' } }, 'body/headers must not have A twice: names differ by more than case'],
    [{ maxRetries: 101 }, 'body/maxRetries must be <= 100'],
    [{ maxRetries: -1 }, 'body/maxRetries must be >= 0'],
    [{ timeoutMs: 99 }, 'body/timeoutMs must be >= 100'],
    [{ concurrency: 1001 }, 'body/concurrency must be <= 1000'],
    [{ rateLimit: '100/1s' }, 'body/rateLimit must be object,null'],
    [{ rateLimit: { count: 5 } }, "body/rateLimit must have required property 'intervalMs'"],
    [{ rateLimit: { count: 0, intervalMs: 1000 } }, 'body/rateLimit/count must be >= 1'],
    [{ rateLimit: { count: 1, intervalMs: 99 } }, 'body/rateLimit/intervalMs must be >= 100'],
    [{ rateLimit: { count: 1, intervalMs: 86_400_001 } }, 'body/rateLimit/intervalMs must be <= 86400000'],
    [{ rateLimit: { count: 1, intervalMs: 1000, burst: 0 } }, 'body/rateLimit/burst must be >= 1'],
    [{ circuitBreaker: { failures: 0 } }, 'body/circuitBreaker/failures must be >= 1'],
    [{ circuitBreaker: { probeMs: 10 } }, 'body/circuitBreaker/probeMs must be >= 100'],
    [{ weight: 101 }, 'body/weight must be <= 100'],
    [{ ordered: 'yes' }, 'body/ordered must be equal to one of the allowed values (none, queue, key)'],
    [{ backoff: 'often' }, /^body\/backoff must be: 'standard', 'pg-hooks', \{startMs/],
    [{ backoff: { delaysMs: [1, -1] } }, 'body/backoff/delaysMs/1 must be >= 0'],
    [{ secrets: ['short'] }, /^body\/secrets\/0 must match pattern/],
    [{ deadLetterQueueId: 2 ** 31 }, 'body/deadLetterQueueId must be <= 2147483647'],
  ])('that is a mistake (%j) is told with its field and bound', async (changes, message) => {
    const { call } = await serve()
    const { status, json } = await call('POST', '/queues/', { ...pgHooksQueue, ...changes })
    expect(json).toMatchObject({ statusCode: 400, code: 'FST_ERR_VALIDATION', error: 'Bad Request' })
    expect(status).toBe(400)
    if (typeof message === 'string') expect(json.message).toBe(message)
    else expect(json.message).toMatch(message)
    expect(json.details.field).toMatch(/^body/)
  })

  test.each([
    ['2030-01-01T00:00:00+02:00', 200],
    ['2030-01-01', 200],
    ['garbage', 400],
    ['2030-02-30T00:00:00Z', 400],
  ])('has times that exist: %s is %d', async (when, status) => {
    const served = await serve()
    await withQueue(served)
    expect((await served.call('POST', '/messages/', { queueId: 1, when })).status).toBe(status)
  })

  test('takes every method in any case', async () => {
    const served = await serve()
    await withQueue(served, { method: 'patch' })
    expect(served.state.calls.at(-1)?.input).toMatchObject({ method: 'patch' })
  })
})

describe('an answer', () => {
  test('never holds a secret', async () => {
    const served = await serve()
    const secret = `whsec_${'A'.repeat(32)}`
    const { text, json } = await served.call('POST', '/queues/', { ...pgHooksQueue, secrets: [secret] })
    expect(json.signed).toBe(true)
    expect(text).not.toContain(secret)
  })

  test('has only the fields that were asked for', async () => {
    const served = await serve()
    await withQueue(served)
    expect((await served.call('GET', '/queues/1?fields=id,name')).json).toEqual({ id: 1, name: 'my test' })
    expect((await served.call('GET', '/queues/?fields=id&fields=method')).json).toEqual([{ id: 1, method: 'POST' }])
    expect((await served.call('PUT', '/queues/1?fields=name', { name: 'x' })).json).toEqual({ name: 'x' })
    const { status, json } = await served.call('GET', '/queues/?fields=id,secrets')
    expect(status).toBe(400)
    expect(json.message).toMatch(/^querystring\/fields\/1 must be equal to one of the allowed values/)
  })

  test('of an empty relation is 404', async () => {
    const served = await serve()
    await withQueue(served)
    const none = await served.call('GET', '/queues/1/dead_letter_queue')
    expect(none).toMatchObject({
      status: 404,
      json: { code: 'relation_empty', message: 'queue 1 has no deadLetterQueue' },
    })
    await served.call('PUT', '/queues/1', { deadLetterQueueId: 1 })
    expect((await served.call('GET', '/queues/1/dead_letter_queue')).json).toMatchObject({ id: 1 })
    expect((await served.call('GET', '/queues/9/messages')).json).toMatchObject({ code: 'queue_not_found' })
    await served.call('POST', '/messages/', { queueId: 1 })
    expect((await served.call('GET', '/messages/1/queue')).json).toMatchObject({ id: 1 })
  })
})

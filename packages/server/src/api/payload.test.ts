import { describe, expect, test } from 'vitest'
import { type Served, serve } from '../../test/api/serve.ts'

const MAX = 1_048_576
/** Every byte in turn. A megabyte of random ones looks, in base64url, like a key of ours once in fifty times. */
const bytesOf = (size: number): Buffer =>
  Buffer.alloc(
    size,
    Uint8Array.from({ length: 256 }, (_, nth) => nth),
  )
const stored = (served: Served) =>
  served.state.calls.at(-1)?.input as { body?: string; bodyBase64?: string; headers?: object }

async function withQueue(config: Parameters<typeof serve>[0] = {}): Promise<Served> {
  const served = await serve(config)
  await served.call('POST', '/queues/', { name: 'q' })
  return served
}

describe('a body of the largest size passes, and one byte more is refused with the limit', () => {
  const shapes: [string, (size: number) => object][] = [
    ['plain text', size => ({ body: 'a'.repeat(size) })],
    ['text of three bytes a character', size => ({ body: '€'.repeat(Math.floor(size / 3)) + 'a'.repeat(size % 3) })],
    ['text that JSON writes in six bytes a character', size => ({ body: '\u0001'.repeat(size) })],
    ['bytes in base64', size => ({ bodyBase64: bytesOf(size).toString('base64') })],
    ['bytes in unpadded base64url', size => ({ bodyBase64: bytesOf(size).toString('base64url') })],
  ]
  test.each(shapes)('%s', async (_, body) => {
    const served = await withQueue()
    expect((await served.call('POST', '/messages/', { queueId: 1, ...body(MAX) })).status).toBe(200)
    const refused = await served.call('POST', '/messages/', { queueId: 1, ...body(MAX + 1) })
    expect(refused.json).toEqual({
      statusCode: 413,
      code: 'FST_ERR_CTP_BODY_TOO_LARGE',
      error: 'Payload Too Large',
      message: `Body must not be larger than ${MAX} bytes`,
      details: { limit: MAX },
    })
    expect(served.state.calls).toHaveLength(2)
  })

  test('bytes put as they are', async () => {
    const served = await withQueue()
    const headers = { 'content-type': 'application/octet-stream' }
    expect((await served.call('POST', '/queues/1/messages', bytesOf(MAX), headers)).status).toBe(200)
    const refused = await served.call('POST', '/queues/1/messages', bytesOf(MAX + 1), headers)
    expect(refused.json).toMatchObject({ statusCode: 413, details: { limit: MAX } })
  })

  test('as configured', async () => {
    const served = await withQueue({ maxBodyBytes: 10 })
    expect((await served.call('POST', '/messages/', { queueId: 1, body: '0123456789' })).status).toBe(200)
    expect((await served.call('POST', '/messages/', { queueId: 1, body: '0123456789a' })).status).toBe(413)
  })

  test('an update too', async () => {
    const served = await withQueue({ maxBodyBytes: 10 })
    await served.call('POST', '/messages/', { queueId: 1, body: 'x' })
    expect((await served.call('PUT', '/messages/1', { body: '0123456789a' })).status).toBe(413)
  })
})

test('a request that cannot be a message is refused before it is read whole', async () => {
  const served = await withQueue()
  const { json } = await served.call('POST', '/messages/', { queueId: 1, body: '\u0001'.repeat(2 * MAX) })
  expect(json).toMatchObject({ statusCode: 413, details: { limit: 6 * MAX + 131_072 } })
})

describe('bytes', () => {
  test('that are text are stored as text, with their content type', async () => {
    const served = await withQueue()
    await served.call('POST', '/queues/1/messages', 'grüße\n', { 'content-type': 'text/csv; charset=utf-8' })
    expect(stored(served)).toEqual({
      queueId: 1,
      body: 'grüße\n',
      headers: { 'content-type': 'text/csv; charset=utf-8' },
    })
  })

  test('that are no text come through as they are', async () => {
    const served = await withQueue()
    const bytes = Buffer.from([0xff, 0x00, 0xfe])
    await served.call('POST', '/queues/1/messages', bytes, { 'content-type': 'image/png', 'idempotency-key': 'k' })
    expect(stored(served)).toMatchObject({ bodyBase64: bytes.toString('base64'), idempotencyKey: 'k' })
  })

  test('are no message anywhere else', async () => {
    const served = await withQueue()
    const { json } = await served.call('POST', '/messages/', 'x', { 'content-type': 'text/plain' })
    expect(json).toMatchObject({ statusCode: 415, details: { type: 'text/plain' } })
  })
})

describe('a payload', () => {
  test.each([
    [{ body: 'a', bodyBase64: 'YQ==' }, 'body/bodyBase64 must not be given together with body'],
    [{ bodyBase64: 'YQ=' + 'Y' }, /^body\/bodyBase64 must be: /],
    [{ bodyBase64: 'YQYQY' }, 'body/bodyBase64 must be base64'],
    [{ body: { a: 1 } }, 'body/body must be string,null: JSON goes in as text, such as "{\\"a\\":1}"'],
    [{ body: 'a\ud800b' }, 'body/body must be well-formed Unicode; send bytes as bodyBase64'],
    [{ body: 'a', headers: { 'content-length': '1' } }, 'body/headers must not have content-length: Posthorn sets it'],
    [
      { headers: Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`h${i}`, ''])) },
      'body/headers must NOT have more than 64 properties',
    ],
    [
      { headers: { a: 'x'.repeat(16_384) } },
      'body/headers must not have more than 16384 characters in all, they have 16385',
    ],
    [{ priority: 10 }, 'body/priority must be <= 9'],
    [{ key: 'k'.repeat(256) }, 'body/key must NOT have more than 255 characters'],
    [{ sentAt: '2026-01-01T00:00:00Z' }, 'body/sentAt must be null'],
    [{ failed: true }, 'body/failed must be false'],
  ])('that is a mistake (%#) is told with its field', async (payload, message) => {
    const served = await withQueue()
    const { status, json } = await served.call('POST', '/messages/', { queueId: 1, ...payload })
    expect(status).toBe(400)
    expect(json.message).toEqual(typeof message === 'string' ? message : expect.stringMatching(message))
  })

  test('may hold NUL, quotes and line ends', async () => {
    const served = await withQueue()
    await served.call('POST', '/messages/', { queueId: 1, body: '\0"\\\r\n\u2028' })
    expect(stored(served).body).toBe('\0"\\\r\n\u2028')
  })

  test('that is not UTF-8 is refused, as its bytes would be lost', async () => {
    const served = await withQueue()
    const bytes = Buffer.concat([Buffer.from('{"queueId":1,"body":"'), Buffer.from([0xff]), Buffer.from('"}')])
    const { json } = await served.call('POST', '/messages/', bytes, { 'content-type': 'application/json' })
    expect(json).toMatchObject({ statusCode: 400, code: 'FST_ERR_CTP_INVALID_JSON_BODY' })
  })

  test.each(['{', '{"a":1,}', '{"__proto__":{"x":1}}'])('that is %s is refused', async text => {
    const served = await withQueue()
    const { json } = await served.call('POST', '/messages/', text, { 'content-type': 'application/json' })
    expect(json).toMatchObject({ statusCode: 400, code: 'FST_ERR_CTP_INVALID_JSON_BODY' })
  })
})

describe('many messages at once', () => {
  test('are stored but for those that are refused, and told in their order', async () => {
    const served = await withQueue({ maxBodyBytes: 5 })
    const messages = [
      { queueId: 1, body: 'a' },
      { body: 'no queue' },
      { queueId: '1', body: 2, extra: 3, idempotencyKey: 'k' },
      { queueId: 1, body: '123456' },
      'no message',
      { queueId: 1, priority: 99 },
    ]
    const { status, json } = await served.call('POST', '/messages/bulk', { messages })
    expect(status).toBe(200)
    expect(json.results).toMatchObject([
      { result: 'stored', id: 1 },
      {
        result: 'error',
        id: null,
        error: { code: 'validation_failed', details: { field: 'body/messages/1/queueId' } },
      },
      { result: 'stored', id: 2 },
      { result: 'error', error: { code: 'body_too_large', status: 413, details: { limit: 5 } } },
      { result: 'error', error: { message: 'body/messages/4 must be object' } },
      { result: 'error', error: { details: { field: 'body/messages/5/priority', limit: 9 } } },
    ])
    expect(served.state.calls.at(-1)?.input).toEqual({
      messages: [
        { queueId: 1, body: 'a' },
        { queueId: 1, body: '2', idempotencyKey: 'k' },
      ],
    })
  })

  test('that go together are refused together, and the first that is wrong is named', async () => {
    const wrong = { messages: [{ queueId: 1 }, { body: 'a' }, { queueId: 'b' }], together: true }
    const served = await withQueue()
    const { status, json } = await served.call('POST', '/messages/bulk', wrong)
    expect(status).toBe(400)
    expect(json.details).toMatchObject({ field: 'body/messages/1/queueId' })
    expect(served.state.calls.filter(({ operation }) => operation === 'messages.putMany')).toEqual([])
    const sound = { messages: [{ queueId: 1, body: 'a' }], together: true }
    expect((await served.call('POST', '/messages/bulk', sound)).json.results).toMatchObject([{ result: 'stored' }])
    expect(served.state.calls.at(-1)?.input).toEqual(sound)
  })

  test('are 1 to 1000', async () => {
    const served = await withQueue()
    const of = (length: number) => ({ messages: Array.from({ length }, () => ({ queueId: 1 })) })
    expect((await served.call('POST', '/messages/bulk', of(1000))).json.results).toHaveLength(1000)
    expect((await served.call('POST', '/messages/bulk', of(1001))).json.details).toMatchObject({ limit: 1000 })
    expect((await served.call('POST', '/messages/bulk', of(0))).status).toBe(400)
    expect((await served.call('POST', '/messages/bulk', {})).json.message).toBe(
      "body must have required property 'messages'",
    )
  })
})

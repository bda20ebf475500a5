import { operationEntries } from '@posthorn/contract'
import { describe, expect, expectTypeOf, test } from 'vitest'
import { serve } from '../../server/test/api/serve.ts'
import { type ClientOptions, createClient, type Page, PosthornError, type Queue } from '../src/index.ts'

const connect = async (options: Partial<ClientOptions> = {}, config: Parameters<typeof serve>[0] = {}) => {
  const served = await serve(config)
  const waited: number[] = []
  const wait = async (ms: number) => void waited.push(ms)
  return { ...served, waited, client: createClient({ url: `${served.url}/`, wait, ...options }) }
}
const errorOf = (promise: Promise<unknown>): Promise<PosthornError> =>
  promise.then(
    () => Promise.reject(new Error('it succeeded')),
    error => error,
  )

describe('the client', () => {
  test('has a method for every operation, and each is understood by the server', async () => {
    const { client, state } = await connect()
    const queue = await client.queues.create({ name: 'q' })
    await client.messages.put({ queueId: queue.id, body: 'x' })
    const groups = client as unknown as Record<string, Record<string, (input: object) => Promise<unknown>>>
    for (const [name, operation] of operationEntries) {
      if (operation.alike) continue
      const [group, method] = name.split('.') as [string, string]
      expect(typeof groups[group]?.[method], name).toBe('function')
      if (operation.verb !== 'GET' || operation.streamed) continue
      // There is one queue and one message, and nothing else: that is the server's own answer, not a route that is not there.
      const absent = !['queues', 'messages'].includes(group) ? `${group.slice(0, -1)}_not_found` : 'relation_empty'
      await groups[group]![method]!({ id: 1 }).catch(({ code }) =>
        expect([absent, 'relation_empty'], name).toContain(code),
      )
    }
    expect(state.calls.length).toBeGreaterThan(8)
  })

  test('gives a download as it comes, however long that takes', async () => {
    const { client, state } = await connect({ timeoutMs: 200 })
    async function* slowly() {
      yield Buffer.from('a')
      await new Promise(resolve => setTimeout(resolve, 400))
      yield Buffer.from('b')
    }
    state.backend.file = () => ({ contentType: 'image/png', bytes: 2, stream: slowly() })
    const { contentType, bytes, stream } = await client.files.download({ path: 'photos/a b.png' })
    expect([contentType, bytes]).toEqual(['image/png', 2])
    expect(await new Response(stream).text()).toBe('ab')
    expect(state.calls.at(-1)?.input).toEqual({ path: 'photos/a b.png' })
    expect((await errorOf(client.files.download({ path: '' }))).code).toBe('validation_failed')
  })

  test('puts, lists, pages and deletes', async () => {
    const { client, state } = await connect()
    for (const name of ['a', 'b', 'c']) await client.queues.create({ name, backoff: 'pg-hooks' })
    const page = await client.queues.list({
      limit: 2,
      totalCount: true,
      cursor: true,
      orderBy: [
        ['name', 'desc'],
        ['id', 'asc'],
      ],
      where: { id: { in: [1, 2, 3], neq: 9 }, deadLetterQueueId: { eq: null }, name: { like: 'a&b=%' } },
    })
    expectTypeOf(page).toEqualTypeOf<Page<Queue>>()
    expect(page).toMatchObject({ items: [{ name: 'a' }, { name: 'b' }], totalCount: 3 })
    expect(state.calls.at(-1)?.input).toMatchObject({
      where: [
        { field: 'id', op: 'in', value: [1, 2, 3] },
        { field: 'id', op: 'neq', value: 9 },
        { field: 'deadLetterQueueId', op: 'eq', value: null },
        { field: 'name', op: 'like', value: 'a&b=%' },
      ],
      orderBy: [
        { field: 'name', direction: 'desc' },
        { field: 'id', direction: 'asc' },
      ],
    })
    await client.queues.list({
      startAfter: page.startAfter!,
      orderBy: [
        ['name', 'desc'],
        ['id', 'asc'],
      ],
    })
    expect(state.calls.at(-1)?.input).toMatchObject({ startAfter: { name: 'b', id: 2 } })
    expect(await client.queues.list()).toMatchObject({ totalCount: null, startAfter: null })
    expect(await client.queues.delete({ id: 2 })).toMatchObject({ name: 'b' })
    const { results } = await client.messages.putMany({ messages: [{ queueId: 1, body: 'é\0' }, { queueId: 3 }] })
    expect(results).toEqual([
      { result: 'stored', id: 1 },
      { result: 'stored', id: 2 },
    ])
    expect((await client.messages.get({ id: 1 })).body).toBe('é\0')
    expect(await client.queues.pause({ id: 1, reason: 'r' })).toMatchObject({ pauseReason: 'r' })
  })

  test('throws an error with the code and details of the catalogue', async () => {
    const { client } = await connect()
    const error = await errorOf(client.queues.get({ id: 9 }))
    expect(error).toBeInstanceOf(PosthornError)
    expect(error).toMatchObject({
      code: 'queue_not_found',
      status: 404,
      message: 'Queue 9 not found',
      details: { id: 9 },
    })
    expect(await errorOf(client.queues.create({ name: '' }))).toMatchObject({
      code: 'validation_failed',
      details: { field: 'body/name', limit: 1 },
    })
    await expect(client.queues.get({} as { id: number })).rejects.toThrow('id is missing')
  })

  test('shows its secret, be it called admin secret or API key', async () => {
    const config = { adminSecret: 'tell' }
    expect(await errorOf((await connect({}, config)).client.queues.list())).toMatchObject({ code: 'unauthorized' })
    expect((await (await connect(config, config)).client.queues.list()).items).toEqual([])
    expect((await (await connect({ apiKey: 'tell' }, config)).client.queues.list()).items).toEqual([])
  })
})

describe('a call without an answer', () => {
  const failing = (failures: number, status?: number, code?: string) => {
    let calls = 0
    const answer: typeof fetch = async (url, init) => {
      calls += 1
      if (calls > failures) return fetch(url, init)
      if (status === undefined) throw new TypeError('fetch failed', { cause: new Error('ECONNRESET') })
      return new Response(JSON.stringify({ code, title: 't', status }), { status })
    }
    return { fetch: answer, calls: () => calls }
  }

  test('is repeated while that is safe, with longer and longer waits', async () => {
    const { fetch, calls } = failing(2)
    const { client, waited } = await connect({ fetch })
    expect((await client.queues.list()).items).toEqual([])
    expect(calls()).toBe(3)
    expect(waited[0]).toBeGreaterThanOrEqual(100)
    expect(waited[1]).toBeGreaterThan(waited[0]!)
  })

  test('is given up after its retries', async () => {
    const { fetch, calls } = failing(9)
    const { client, url } = await connect({ fetch, retries: 1 })
    expect(await errorOf(client.queues.list())).toMatchObject({
      code: 'unreachable',
      status: 0,
      message: `${url}/ did not answer: ECONNRESET`,
    })
    expect(calls()).toBe(2)
  })

  test.each([
    ['a put without a key', undefined, undefined, {}, 1],
    ['a put with a key', undefined, undefined, { idempotencyKey: 'k' }, 2],
    ['a put of unknown outcome without a key', 503, 'outcome_unknown', {}, 1],
    ['a put of unknown outcome with a key', 503, 'outcome_unknown', { idempotencyKey: 'k' }, 2],
    ['a put that was not stored', 503, 'database_unavailable', {}, 2],
    ['a put that is refused', 409, 'idempotency_conflict', { idempotencyKey: 'k' }, 1],
  ])('%s is tried %#', async (_, status, code, key, tries) => {
    const { fetch, calls } = failing(1, status, code)
    const { client } = await connect({ fetch })
    await client.messages.put({ queueId: 1, ...key }).catch(() => undefined)
    expect(calls()).toBe(tries)
  })

  test('ends with its signal, or in time', async () => {
    const hang: typeof fetch = (_, init) =>
      new Promise((_, reject) => init!.signal!.addEventListener('abort', () => reject(init!.signal!.reason)))
    const { client } = await connect({ fetch: hang, timeoutMs: 5, retries: 0 })
    expect(await errorOf(client.queues.list())).toMatchObject({ code: 'unreachable' })
    const stopped = new AbortController()
    const patient = createClient({ url: 'http://localhost', fetch: hang })
    const call = patient.queues.list({}, { signal: stopped.signal })
    stopped.abort(new Error('enough'))
    await expect(call).rejects.toThrow('enough')
  })

  test('from something else than Posthorn is told apart', async () => {
    const page: typeof fetch = async () => new Response('<html>', { status: 502 })
    const { client } = await connect({ fetch: page, retries: 0 })
    expect(await errorOf(client.queues.list())).toMatchObject({ code: 'unknown_answer', status: 502 })
  })
})

import { PosthornError } from '@posthorn/client'
import { inputParts, neededRights, type Operation, type OperationName } from '@posthorn/contract'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { seed } from '../../test/access/rest-acts.ts'
import {
  clientEntries,
  inDoubt,
  leastInput,
  methodOf,
  openTwoWays,
  outcomeOf,
  type TwoWays,
} from '../../test/direct/two-ways.ts'
import type { Change } from '../api/changes.ts'

let ways: TwoWays
beforeAll(async () => {
  ways = await openTwoWays()
})
beforeEach(() => seed(ways.state))
afterAll(() => ways.close())

const errorOf = (promise: Promise<unknown>): Promise<PosthornError> =>
  promise.then(
    () => Promise.reject(new Error('it succeeded')),
    error => error,
  )

/** Both ways in, one after the other. */
const bothOf = async (name: OperationName, input: object) => {
  const [there, here] = [ways.remote, ways.direct].map(client => () => methodOf(client, name)(input))
  return { there: await outcomeOf(ways.state, there!), here: await outcomeOf(ways.state, here!) }
}

describe('every operation of the contract', () => {
  test.each(clientEntries)('%s is called in process as over HTTP, and answers the same', async (name, operation) => {
    const { there, here } = await bothOf(name, leastInput(operation))
    expect(here).toStrictEqual(there)
    expect(here.answer).toBeDefined()
  })

  test.each(clientEntries)('%s is refused as over HTTP, in the same words', async (name, operation) => {
    for (const input of oddInputs(operation)) {
      const { there, here } = await bothOf(name, input)
      // What the fake handlers make of odd values that are allowed is not the matter.
      const told = ({ calls, ...rest }: typeof here) => (calls.length > 0 ? calls : rest)
      expect(told(here), JSON.stringify(input)).toStrictEqual(told(there))
    }
  })

  test.each(clientEntries)('%s takes the scopes that it takes over HTTP', async (name, operation) => {
    const needed = neededRights(operation)
    for (const scopes of [needed, ...needed.map(missing => needed.filter(scope => scope !== missing))]) {
      const key = ways.addKey(`phk_${name}_${scopes.length}_${scopes.join()}`, scopes)
      const clients = [ways.remoteAs(key), ways.calls.client({ apiKey: key })]
      const [there, here] = clients.map(client => () => methodOf(client, name)(leastInput(operation)))
      const found = await outcomeOf(ways.state, here!)
      expect(found, scopes.join()).toStrictEqual(await outcomeOf(ways.state, there!))
      if (scopes.length < needed.length) expect(found.error?.code, scopes.join()).toBe('scope_missing')
    }
  })
})

/** Values that fit few fields. */
const ODD = [null, true, -1, 1.5, '', 'x', 'x\0', '\ud800', 'y'.repeat(5000), [], {}, ['a']]
const QUESTIONS = [
  { limit: 101 },
  { limit: 'x' },
  { offset: -1 },
  { limit: 1, offset: 0, totalCount: true, cursor: true, orderBy: [['id', 'desc']] },
  { cursor: true },
  { startAfter: 'nonsense', orderBy: [['id', 'asc']] },
  { orderBy: [['id', 'sideways']] },
  { orderBy: [['nothing', 'asc']] },
  { where: { id: { eq: 'x' } } },
  { where: { id: { in: [1, 2] }, createdAt: { gte: '2026-01-01', lt: 'soon' } } },
  { where: { id: { eq: 1, contains: 2 } } },
  { where: { nothing: { eq: 1 } } },
  { where: {} },
  { where: { id: { neq: null, gt: undefined } } },
]

/** Fields that many operations have are tried with everything once. */
const tried = new Set<string>()

/** Inputs with something odd in one place each. */
function oddInputs(operation: Operation): object[] {
  const least = leastInput(operation)
  const { path, query } = inputParts(operation)
  const inPath = path.map(({ input }) => input)
  const inUrl = new Set([...inPath, ...query.map(({ input }) => input)])
  const odd = Object.entries(operation.input.properties).flatMap(([name, schema]) => {
    const place = JSON.stringify([name, inUrl.has(name), { ...schema, default: undefined }])
    const all = tried.has(place) ? [null, 'x\0', {}] : ODD
    tried.add(place)
    // What no URL can be built from, the client over HTTP has another word for; what it cannot carry, it changes.
    const values = inUrl.has(name) ? all.filter(value => (inPath.includes(name) ? isWord(value) : isShort(value))) : all
    return values.map(value => ({ ...least, [name]: value }))
  })
  const asked = operation.list || operation.each ? QUESTIONS.map(question => ({ ...least, ...question })) : []
  const missing = Object.keys(least).filter(name => !inPath.includes(name))
  return [...odd, ...asked, ...missing.map(name => ({ ...least, [name]: undefined })), { ...least, unheardOf: 1 }]
}

const isWord = (value: unknown): boolean => value !== null && /^[\w.-]+$/.test(String(value)) && isShort(value)
const isShort = (value: unknown): boolean => value !== '\ud800' && String(value).length < 99

describe('what is given and got', () => {
  test('belongs to the program: neither is changed by, nor changes, what the node has', async () => {
    const input = { queueId: '1', body: 'x', headers: { a: 1 }, unheardOf: { b: 2 } }
    const message = await ways.direct.messages.put(input as never)
    expect(input).toStrictEqual({ queueId: '1', body: 'x', headers: { a: 1 }, unheardOf: { b: 2 } })
    expect(message).toMatchObject({ queueId: 1, headers: { a: '1' } })
    message.headers!.a = 'changed'
    expect((await ways.direct.messages.get({ id: message.id })).headers).toEqual({ a: '1' })
    const page = await ways.direct.messages.list()
    page.items[1]!.headers!.a = 'changed'
    expect((await ways.direct.messages.get({ id: message.id })).headers).toEqual({ a: '1' })
  })

  test('reads dates as JSON has them, and leaves out what is undefined', async () => {
    const when = new Date('2030-01-31T12:00:00Z')
    await ways.direct.messages.put({ queueId: 1, when, body: undefined, key: null } as never)
    expect(ways.state.calls.at(-1)?.input).toStrictEqual({ queueId: 1, when: when.toISOString(), key: null })
  })

  const circle: Record<string, unknown> = { queueId: 1 }
  circle.headers = circle
  test.each([
    [null, 'body must be object'],
    ['text', 'body must be object'],
    [[], 'body must be object'],
    [circle, 'body must not be more than 200 deep, nor contain itself'],
    [JSON.parse('{"queueId":1,"__proto__":{"body":"x"}}'), 'body must not have a property __proto__'],
    [{ queueId: 1n }, 'body must not contain a bigint: JSON has none'],
    [
      { queueId: 1, body: Buffer.from('x') },
      'body/body must be string,null: bytes go in as text, base64, where a field is for them',
    ],
  ])('that no JSON can say is refused: %o', async (input, message) => {
    expect(await errorOf(ways.direct.messages.put(input as never))).toMatchObject({
      code: 'validation_failed',
      message,
    })
    expect(ways.state.calls).toEqual([])
  })

  test.each(['name', 5, { name: 'asc' }, [5]])(
    'is refused as an order where it is no list of pairs: %o',
    async orderBy => {
      expect(await errorOf(ways.direct.queues.list({ orderBy } as never))).toMatchObject({
        code: 'validation_failed',
        message: 'orderBy must be a list of [field, direction]',
      })
    },
  )

  test('has the bounds of a request', async () => {
    const { direct, state } = ways
    const long = 'x'.repeat(1_048_577)
    expect(await errorOf(direct.queues.pause({ id: 1, reason: long }))).toMatchObject({
      code: 'body_too_large',
      status: 413,
      details: { limit: 1_048_576 },
    })
    expect(await errorOf(direct.messages.put({ queueId: 1, body: long }))).toMatchObject({ code: 'body_too_large' })
    const { results } = await direct.messages.putMany({ messages: [{ queueId: 1, body: long }, { queueId: 1 }] })
    expect(results).toMatchObject([{ result: 'error', error: { code: 'body_too_large' } }, { result: 'stored' }])
    const many = Array.from({ length: 30 }, () => ({ queueId: 1, body: 'x'.repeat(1_000_000) }))
    expect(await errorOf(direct.messages.putMany({ messages: many }))).toMatchObject({ code: 'body_too_large' })
    expect(state.calls.map(({ operation }) => operation)).toEqual(['messages.putMany'])
  })

  test('comes as a stream where it is one, whose breaking off is an error', async () => {
    async function* breaking() {
      yield Buffer.from('a')
      throw new Error('told by a socket')
    }
    ways.state.backend.file = () => ({ contentType: 'image/png', bytes: 2, stream: breaking() })
    const { contentType, bytes, stream } = await ways.direct.files.download({ path: 'a b.png' })
    expect([contentType, bytes]).toEqual(['image/png', 2])
    const broken = await errorOf(new Response(stream as never).text())
    expect(broken).toMatchObject({ code: 'service_failed', message: 'storage: the file broke off' })
    ways.state.backend.file = undefined as never
  })
})

describe('a call that fails', () => {
  test('rejects with the error that a remote caller has, and nothing of its cause', async () => {
    ways.state.failure = inDoubt
    const error = await errorOf(ways.direct.messages.put({ queueId: 1 }))
    ways.state.failure = null
    expect(error).toBeInstanceOf(PosthornError)
    expect(error).toMatchObject({ code: 'outcome_unknown', status: 503 })
    expect(error.cause).toBeUndefined()
  })

  test('for no reason that is known is logged, and tells nothing', async () => {
    ways.state.failure = new TypeError('what nobody should read')
    const error = await errorOf(ways.direct.queues.get({ id: 1 }))
    ways.state.failure = null
    const { requestId } = error.details
    expect(error).toMatchObject({ code: 'internal', status: 500 })
    expect(JSON.stringify([error, error.message, error.cause])).not.toContain('what nobody')
    expect(ways.logged.at(-1)).toMatchObject({
      fields: { requestId },
      message: 'a call in process failed unexpectedly',
    })
  })

  test('never throws before it is awaited', () => {
    const call = ways.direct.messages.put(null as never)
    expect(call).toBeInstanceOf(Promise)
    call.catch(() => undefined)
  })

  test('ends with its signal', async () => {
    const stopped = new AbortController()
    const call = ways.direct.queues.get({ id: 1 }, { signal: stopped.signal })
    stopped.abort(new Error('enough'))
    await expect(call).rejects.toThrow('enough')
    const { length } = ways.state.calls
    await expect(ways.direct.queues.get({ id: 1 }, { signal: stopped.signal })).rejects.toThrow('enough')
    expect(ways.state.calls).toHaveLength(length)
    const patient = new AbortController()
    expect(await ways.direct.queues.get({ id: 1 }, { signal: patient.signal })).toMatchObject({ id: 1 })
  })
})

describe('who calls', () => {
  test('is the operator, of the instance’s org or of one that is named', async () => {
    expect((await ways.calls.client({ org: 'instance' }).queues.list()).items).toHaveLength(1)
    expect(await errorOf(ways.calls.client({ org: 'nobody' }).queues.list())).toMatchObject({
      code: 'org_not_found',
      message: 'Org nobody not found',
    })
  })

  test('is a key’s holder as long as the key is good', async () => {
    const client = ways.calls.client({ apiKey: ways.addKey('phk_good', ['queue:find']) })
    expect((await client.queues.list()).items).toHaveLength(1)
    const abroad = ways.calls.client({ apiKey: 'phk_good', org: 'another' })
    expect(await errorOf(abroad.queues.list())).toMatchObject({ code: 'org_not_found' })
    ways.removeKey('phk_good')
    expect(await errorOf(client.queues.list())).toMatchObject({ code: 'unauthorized', status: 401 })
    expect(await errorOf(ways.calls.client({ apiKey: 'no key at all' }).queues.list())).toMatchObject({
      code: 'unauthorized',
    })
  })

  test.each([{ apiKey: undefined }, { apiKey: '' }, { org: undefined }, { org: '' }, { org: null }, { org: 'a\0' }])(
    'is nobody where %o is asked for: not the operator',
    as => {
      expect(() => ways.calls.client(as as never)).toThrow(
        /must be a text without NUL that is not empty, or be left out/,
      )
    },
  )
})

test('subscribers hear of what is written in process', async () => {
  const heard: Change[] = []
  const stop = ways.changes.subscribe(change => heard.push(change))
  const { id } = await ways.direct.queues.create({ name: 'q' })
  await ways.direct.queues.get({ id })
  await ways.direct.queues.delete({ id })
  stop()
  expect(heard).toEqual([
    { orgId: 1, resource: 'queue', act: 'saved', id },
    { orgId: 1, resource: 'queue', act: 'deleted', id },
  ])
})

describe('closing', () => {
  const hanging = async () => {
    const own = await openTwoWays()
    let answer = (): void => {}
    own.hold(
      new Promise(resolve => {
        answer = resolve
      }),
    )
    return { own, answer: () => answer() }
  }

  test('refuses what comes, and waits for what is under way', async () => {
    const { own, answer } = await hanging()
    const call = own.direct.messages.put({ queueId: 1 })
    let isClosed = false
    const closed = own.calls.close(60_000).then(() => {
      isClosed = true
    })
    expect(await errorOf(own.direct.queues.list())).toMatchObject({ code: 'shutting_down', status: 503 })
    expect(isClosed).toBe(false)
    answer()
    expect(await call).toMatchObject({ queueId: 1 })
    await closed
    expect(await errorOf(own.direct.queues.list())).toMatchObject({ code: 'shutting_down' })
    await own.close()
  })

  test('waits no longer than it may', async () => {
    const { own, answer } = await hanging()
    const call = own.direct.messages.put({ queueId: 1 })
    await own.calls.close(1)
    answer()
    await call
    await own.close()
  })
})

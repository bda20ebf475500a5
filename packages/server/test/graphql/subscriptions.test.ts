import { afterEach, describe, expect, test } from 'vitest'
import WebSocket from 'ws'
import { MAX_STREAMS } from '../../src/api/graphql/subscriptions.ts'
import { type Served, serveAlone } from '../api/serve.ts'
import { secretWord } from '../leaks/marked.ts'
import { ask, data } from './ask.ts'
import { type Subscriber, subscribe } from './subscribe.ts'

const SECRET = secretWord()
const ADMIN = { 'x-platformatic-admin-secret': SECRET }
const open: Subscriber[] = []
afterEach(() => Promise.all(open.splice(0).map(subscriber => subscriber.stop())))

/** Subscribes, and waits until the server really listens: the acknowledgement of the connection comes before. */
async function listen(served: Served, query: string, options = {}): Promise<Subscriber> {
  const before = served.subscribers()
  const subscriber = await subscribe(served.url, query, options)
  open.push(subscriber)
  await expect.poll(() => served.subscribers()).toBeGreaterThan(before)
  return subscriber
}
const makeQueue = (served: Served, name: string) =>
  ask(served, `mutation { saveQueue(input: {name: "${name}"}) { id } }`, undefined, ADMIN)

describe('a subscriber', () => {
  test('hears of every save, over GraphQL and REST, in order, with what it selected', async () => {
    const served = await serveAlone()
    const { until } = await listen(served, 'subscription { queueSaved { id name queues { id } } }')
    await makeQueue(served, 'a')
    await served.call('POST', '/queues/', { name: 'b' })
    await data(served, 'mutation { insertQueues(inputs: [{name: "c"}, {name: "d"}]) { id } }')
    await served.call('PUT', '/queues/2', { name: 'e' })
    const names = (await until(5)).map(answer => (answer as { queueSaved: { name: string } }).queueSaved.name)
    // A row is read when it is sent: the second may be seen as it is by now.
    expect([names[0], names[2], names[3], names[4]]).toEqual(['a', 'c', 'd', 'e'])
    expect(['b', 'e']).toContain(names[1])
  })

  test('hears of messages that were put together, and of rows that lead to others', async () => {
    const served = await serveAlone()
    await makeQueue(served, 'a')
    const { until } = await listen(served, 'subscription { messageSaved { id body queue { name } } }')
    await data(served, 'mutation { insertMessages(inputs: [{queueId: 1, body: "x"}, {queueId: 1, body: "y"}]) { id } }')
    await served.call('POST', '/messages/bulk', { messages: [{ queueId: 1, body: 'z' }] })
    expect(await until(3)).toEqual(
      ['x', 'y', 'z'].map((body, i) => ({ messageSaved: { id: `${i + 1}`, body, queue: { name: 'a' } } })),
    )
  })

  test('hears the ids of what is deleted', async () => {
    const served = await serveAlone()
    await makeQueue(served, 'a')
    await makeQueue(served, 'b')
    const { until } = await listen(served, 'subscription { queueDeleted { id } }')
    await served.call('DELETE', '/queues/1')
    await data(served, 'mutation { deleteQueues { name } }')
    expect(await until(2)).toEqual([{ queueDeleted: { id: '1' } }, { queueDeleted: { id: '2' } }])
  })

  test('hears nothing of what failed', async () => {
    const served = await serveAlone()
    const { until } = await listen(served, 'subscription { queueSaved { name } }')
    await ask(served, 'mutation { saveQueue(input: {id: 7, name: "x"}) { id } }')
    await served.call('POST', '/queues/', { name: '' })
    await makeQueue(served, 'sound')
    expect(await until(1)).toEqual([{ queueSaved: { name: 'sound' } }])
  })

  test('is forgotten when it leaves, and when its connection is cut', async () => {
    const served = await serveAlone()
    const first = await listen(served, 'subscription { queueSaved { id } }')
    await listen(served, 'subscription { queueSaved { id } }')
    await first.stop()
    await expect.poll(served.subscribers).toBe(1)
    await open.pop()!.stop()
    await expect.poll(served.subscribers).toBe(0)
  })

  test('does not keep the server from stopping', async () => {
    const served = await serveAlone()
    const { ended } = await listen(served, 'subscription { queueSaved { id } }')
    const start = performance.now()
    await served.close(5000)
    expect(performance.now() - start).toBeLessThan(3000)
    expect(await ended).toMatchObject({ code: 1001 })
  })
})

describe('who may hear', () => {
  test.each([
    ['the header', { headers: ADMIN }],
    ['the connection’s parameters', { connectionParams: { 'X-PLATFORMATIC-ADMIN-SECRET': SECRET } }],
    [
      'headers among the connection’s parameters',
      { connectionParams: { headers: { authorization: `Bearer ${SECRET}` } } },
    ],
  ])('whoever has the secret, said by %s', async (_, options) => {
    const served = await serveAlone({ adminSecret: SECRET })
    const { until } = await listen(served, 'subscription { queueSaved { name } }', options)
    await makeQueue(served, 'a')
    expect(await until(1)).toEqual([{ queueSaved: { name: 'a' } }])
  })

  test('what consumers do to messages is told of each that they reached', async () => {
    const served = await serveAlone()
    await makeQueue(served, 'a')
    for (let n = 0; n < 2; n++) await served.call('POST', '/messages/', { queueId: 1 })
    const { until, heard } = await listen(served, 'subscription { messageSaved { id } }')
    const claims = [1, 2, 3].map(id => ({ id, claim: '00000000-0000-4000-8000-000000000000' }))
    await served.call('POST', '/queues/1/acknowledge', { claims })
    expect(await until(2)).toEqual([{ messageSaved: { id: '1' } }, { messageSaved: { id: '2' } }])
    expect(heard).toHaveLength(2)
  })

  test('a stranger hears nothing, and is not turned away', async () => {
    const served = await serveAlone({ adminSecret: SECRET })
    const strangers = await Promise.all(
      [{}, { headers: { 'x-platformatic-admin-secret': 'wrong' } }].map(async options => {
        const subscriber = await subscribe(served.url, 'subscription { queueSaved { name } }', options)
        open.push(subscriber)
        return subscriber
      }),
    )
    const admitted = await listen(served, 'subscription { queueSaved { name } }', { headers: ADMIN })
    await makeQueue(served, 'a')
    await admitted.until(1)
    await makeQueue(served, 'b')
    await admitted.until(2)
    expect(strangers.map(({ heard }) => heard)).toEqual([[], []])
    expect(served.subscribers()).toBe(1)
  })

  test('a page of another site is refused while there is no secret', async () => {
    const { port } = await serveAlone()
    const socket = new WebSocket(`ws://127.0.0.1:${port}/graphql`, 'graphql-transport-ws', {
      origin: 'https://evil.example',
    })
    const status = await new Promise(resolve => {
      socket.on('unexpected-response', (_, response) => resolve(response.statusCode))
      socket.on('error', () => {})
    })
    expect(status).toBe(403)
  })
})

describe('what is refused', () => {
  test.each([
    ['subscription { nonsense { id } }', 'Cannot query field "nonsense" on type "Subscription"'],
    ['subscription { queueSaved { nonsense } }', 'Cannot query field "nonsense" on type "Queue"'],
    [
      'subscription { queueSaved { messages(limit: 100) { queue { messages(limit: 100) { queue { messages(limit: 100) { id } } } } } } }',
      'The cost of a query',
    ],
    ['{ queues { id } }', 'Invalid operation: query'],
  ])('%s', async (query, message) => {
    const { url } = await serveAlone()
    const subscriber = await subscribe(url, query)
    open.push(subscriber)
    expect(await subscriber.ended).toMatchObject([{ message: expect.stringContaining(message) }])
  })

  test(`more than ${MAX_STREAMS} subscriptions on one connection`, async () => {
    const served = await serveAlone()
    const socket = new WebSocket(`${served.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws')
    const errors: string[] = []
    socket.on('message', text => {
      const { type, payload } = JSON.parse(String(text))
      if (type === 'error') errors.push(payload[0].message)
    })
    await new Promise(resolve => socket.once('open', resolve))
    const send = (word: object): void => socket.send(JSON.stringify(word))
    send({ type: 'connection_init' })
    // The same id again and again leaves none behind that nobody could end.
    for (let i = 0; i <= MAX_STREAMS; i++) {
      send({ id: 'one', type: 'subscribe', payload: { query: 'subscription { queueSaved { id } }' } })
    }
    await expect.poll(() => errors).toMatchObject([expect.stringContaining('must not be over 100: it is 101')])
    expect(served.subscribers()).toBe(MAX_STREAMS)
    socket.terminate()
    await expect.poll(served.subscribers).toBe(0)
  })
})

import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { verifyWebhook } from '../../../client/src/verify-webhook.ts'
import { describePostgres } from '../databases.ts'
import { pause } from '../harness/load.ts'
import { type NodeProcess, startNode, startNodes, stopAll } from '../harness/nodes.ts'
import { eachPlace, openPostgres, type Place } from '../harness/places.ts'
import { type Arrival, Receiver, status } from '../harness/receiver.ts'
import { signingSecret } from '../leaks/marked.ts'

interface Event {
  readonly type: string
  readonly timestamp: string
  readonly data: Readonly<Record<string, unknown>>
}

const SECRET = signingSecret()
const TELLING = { POSTHORN_OPERATIONAL_EVENTS_QUEUE: 'operator', POSTHORN_BACKLOG_AGE_LIMIT: '2s' }
/** Longer than a node looks for anything again. */
const QUIET_MS = 3000

let place: Place
let receiver: Receiver

beforeEach(async () => {
  receiver = await Receiver.start()
})
afterEach(async () => {
  await stopAll()
  await receiver.stop()
  await place.close()
})

const operatorQueue = ({ api }: NodeProcess, more: object = {}) =>
  api.createQueue({
    name: 'operator',
    callbackUrl: `${receiver.url}/operator`,
    secrets: [SECRET],
    ordered: 'queue',
    ...more,
  })

/** What the operator was told, each checked for its signature. */
async function told(): Promise<Event[]> {
  return Promise.all(receiver.at('/operator').map(read))
}

async function read({ rawHeaders, body, repeats }: Arrival): Promise<Event> {
  expect(repeats).toBe(0)
  const headers = Object.fromEntries(
    rawHeaders.flatMap((name, i) => (i % 2 === 0 ? [[name.toLowerCase(), rawHeaders[i + 1]!]] : [])),
  )
  await verifyWebhook(SECRET, headers, body)
  expect(headers['content-type']).toBe('application/json')
  return JSON.parse(body.toString())
}

/** Waits until something was told, of this queue if of any, and gives the first that was. */
async function untilTold(type: string, queueId?: number): Promise<Event> {
  const isIt = (event: Event): boolean => event.type === type && event.data.queueId === queueId
  const heard = (): boolean => receiver.at('/operator').some(({ body }) => isIt(JSON.parse(body.toString())))
  await receiver.waitFor(heard, `${type} of queue ${queueId}`, 30_000)
  return (await told()).find(isIt)!
}

/** What the nodes have counted, together. */
async function counted(nodes: readonly NodeProcess[], type: string): Promise<number> {
  const pages = await Promise.all(nodes.map(async ({ url }) => (await fetch(`${url}/metrics`)).text()))
  return pages.reduce((sum, page) => {
    const line = page.split('\n').find(text => text.startsWith(`posthorn_operational_events_total{type="${type}"}`))
    return sum + Number(line?.split(' ')[1] ?? Number.NaN)
  }, 0)
}

const logged = (nodes: readonly NodeProcess[], words: string): number =>
  nodes.reduce((sum, { log }) => sum + log.split(words).length - 1, 0)

describePostgres('two nodes tell their operator', () => {
  test('each thing once: a receiver that is gone, a dead message, a breaker, an old backlog, no workers', {
    timeout: 120_000,
  }, async () => {
    place = await openPostgres()
    const env = { ...place.env, ...TELLING, POSTHORN_OWNERSHIP_TIMEOUT: '1s' }
    const workers = await startNodes(2, env)
    const [{ api }] = workers
    expect(logged(workers, 'operational events are only logged')).toBe(2)
    await operatorQueue(workers[0])

    const leaving = receiver.on('/gone', status(410))
    const gone = await api.createQueue({ callbackUrl: leaving, onGone: 'pause' })
    await api.putMany(Array.from({ length: 50 }, (_, nth) => ({ queueId: gone.id, body: `${nth}` })))
    expect(await untilTold('queue.paused', gone.id)).toMatchObject({ data: { queueName: gone.name } })
    const dying = await api.createQueue({ callbackUrl: receiver.on('/dying', status(500)), maxRetries: 1 })
    const { id: messageId, webhookId } = await api.put(dying.id, 'in vain')
    expect((await untilTold('message.dead', dying.id)).data).toMatchObject({ messageId, webhookId, attempts: 2 })
    const circuitBreaker = { failures: 3, probeMs: 500, maxProbeMs: 500 }
    const failing = receiver.on('/failing', status(500))
    const broken = await api.createQueue({ callbackUrl: failing, circuitBreaker })
    await api.putMany(Array.from({ length: 5 }, (_, nth) => ({ queueId: broken.id, body: `${nth}` })))
    await untilTold('breaker.opened', broken.id)
    receiver.on('/failing', status(200))
    await untilTold('breaker.closed', broken.id)
    const slow = await api.createQueue({ callbackUrl: `${receiver.url}/slow` })
    await api.post(`/queues/${slow.id}/pause`, {})
    await api.put(slow.id, 'waits')
    await untilTold('backlog.old', slow.id)
    await api.post(`/queues/${slow.id}/resume`, {})
    await untilTold('backlog.recovered', slow.id)
    // That of the queue that was paused for its receiver grows old too.
    await untilTold('backlog.old', gone.id)

    const silent = await startNode({ ...env, POSTHORN_ROLES: 'api' })
    for (const node of workers) await node.stop()
    await expect.poll(() => counted([silent], 'workers.gone'), { timeout: 30_000 }).toBe(1)
    const late = await startNode(env)
    await untilTold('workers.available')
    await pause(QUIET_MS)
    const events = await told()
    const names = events.map(({ type, data }) => `${type} ${data.queueId ?? ''}`).sort()
    expect(names).toEqual(
      [
        `queue.paused ${gone.id}`,
        `message.dead ${dying.id}`,
        `breaker.opened ${broken.id}`,
        `breaker.closed ${broken.id}`,
        `backlog.old ${gone.id}`,
        `backlog.old ${slow.id}`,
        `backlog.recovered ${slow.id}`,
        'workers.gone ',
        'workers.available ',
      ].sort(),
    )
    expect(await counted([silent, late], 'workers.available')).toBe(1)
    expect(logged([...workers, silent, late], 'a queue was paused by an answer of its receiver')).toBe(1)
    expect(logged([...workers, silent, late], '"messages are dead"')).toBe(1)
    expect(logged([silent, late], 'no worker node runs')).toBe(1)
  })
})

describe('events that cannot be delivered', () => {
  eachPlace(open => {
    test('make no others: their deaths, and those of their dead letters, are only logged and counted', {
      timeout: 60_000,
    }, async () => {
      place = await open()
      const node = await startNode({ ...place.env, ...TELLING })
      const { api } = node
      receiver.on('/operator', status(500))
      receiver.on('/letters', status(410))
      const letters = await api.createQueue({ callbackUrl: `${receiver.url}/letters`, maxRetries: 0 })
      const operator = await operatorQueue(node, { maxRetries: 0, deadLetterQueueId: letters.id })
      const dying = await api.createQueue({ callbackUrl: receiver.on('/dying', status(500)), maxRetries: 0 })
      await api.put(dying.id, 'in vain')
      await expect.poll(() => counted([node], 'message.dead'), { timeout: 10_000 }).toBe(3)
      await pause(QUIET_MS)
      expect(await counted([node], 'message.dead')).toBe(3)
      expect((await told()).map(({ type, data }) => [type, data.queueId])).toEqual([['message.dead', dying.id]])
      for (const { id } of [operator, letters, dying]) {
        expect(await api.count(`where.queueId.eq=${id}`), `messages on queue ${id}`).toBe(1)
      }
    })
  })
})

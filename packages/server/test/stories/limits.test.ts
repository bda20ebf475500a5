import { expect, test } from 'vitest'
import type { Api } from '../harness/api.ts'
import { pause } from '../harness/load.ts'
import { startNodes } from '../harness/nodes.ts'
import { eachPlace, type Place } from '../harness/places.ts'
import { type Arrival, type Behaviour, ok, type Receiver, slow, status } from '../harness/receiver.ts'
import { openStage } from '../harness/stage.ts'

/** What the wire and a busy receiver may shift an arrival by. */
const SLACK_MS = 250

let place: Place
let receiver: Receiver

/** The most arrivals that began within any window of so many milliseconds. */
function mostWithin(arrivals: readonly Arrival[], ms: number): number {
  let first = 0
  return arrivals.reduce((most, { at }, i) => {
    while (at - arrivals[first]!.at >= ms) first += 1
    return Math.max(most, i - first + 1)
  }, 0)
}

/** The most requests that the receiver had at once. */
function mostAtOnce(arrivals: readonly Arrival[]): number {
  const began = arrivals.map(({ at }) => ({ at, by: 1 }))
  const ended = arrivals.flatMap(({ answeredAt }) => (answeredAt === undefined ? [] : [{ at: answeredAt, by: -1 }]))
  let now = 0
  let most = 0
  for (const { by } of [...ended, ...began].sort((a, b) => a.at - b.at || a.by - b.by)) {
    now += by
    most = Math.max(most, now)
  }
  return most
}

async function fill(api: Api, queueId: number, count: number): Promise<void> {
  await api.putMany(Array.from({ length: count }, (_, i) => ({ queueId, body: `${i}` })))
}

eachPlace(open => {
  test('a receiver gets no more at once, no more in a second, and while it is down no more than probes', {
    timeout: 120_000,
  }, async () => {
    ;({ place, receiver } = await openStage(open))
    const nodes = await startNodes(place.nodes, place.env)
    // Told at one node, kept by whichever serves the queue.
    const { api } = nodes.at(-1)!
    await keepsConcurrency(api)
    await keepsRate(api)
    await sparesTheSick(api)
  })
})

async function keepsConcurrency(api: Api): Promise<void> {
  const { id } = await api.createQueue({ callbackUrl: receiver.on('/narrow', slow(20)), concurrency: 3 })
  await fill(api, id, 60)
  await receiver.waitFor(() => receiver.at('/narrow').length >= 60, 'all of the narrow queue', 30_000)
  expect(mostAtOnce(receiver.at('/narrow'))).toBe(3)
}

async function keepsRate(api: Api): Promise<void> {
  const rateLimit = { count: 20, intervalMs: 1000, burst: 2 }
  const everyThird: Behaviour = arrival => (arrival.order % 3 === 0 ? status(500)(arrival) : ok(arrival))
  const { id } = await api.createQueue({ callbackUrl: receiver.on('/rated', everyThird), rateLimit })
  await fill(api, id, 100)
  await pause(3000)
  const early = [...receiver.at('/rated')]
  expect(mostWithin(early, 1000 - SLACK_MS)).toBeLessThanOrEqual(20 + 2)
  expect(early.length, 'it goes on at its rate').toBeGreaterThan(20)
  await api.change(`/queues/${id}`, { rateLimit: null })
  await receiver.waitFor(
    () => receiver.at('/rated').filter(({ status: answer }) => answer === 200).length >= 100,
    'the rest',
  )
}

async function sparesTheSick(api: Api): Promise<void> {
  let isWell = false
  const sick: Behaviour = arrival => (isWell ? ok(arrival) : status(503)(arrival))
  const { id } = await api.createQueue({
    callbackUrl: receiver.on('/sick', sick),
    circuitBreaker: { failures: 3, probeMs: 300, maxProbeMs: 600 },
  })
  await fill(api, id, 200)
  await receiver.waitFor(() => receiver.at('/sick').length >= 3, 'what opens the circuit')
  await pause(3000)
  // Without a breaker, each of two hundred would be back every 50 ms.
  const probes = receiver.at('/sick').length
  expect(probes).toBeGreaterThan(4)
  expect(probes).toBeLessThan(20)
  expect(mostAtOnce(receiver.at('/sick'))).toBe(1)
  const waiting = await api.list(`where.queueId.eq=${id}&where.status.eq=pending`)
  expect(waiting).toHaveLength(200)
  expect(waiting.filter(({ attempts }) => attempts === 0).length, 'keep their retries').toBeGreaterThan(180)
  isWell = true
  const delivered = (): number => receiver.at('/sick').filter(({ status: answer }) => answer === 200).length
  await receiver.waitFor(() => delivered() >= 200, 'everything, after the probe', 30_000)
  expect(delivered()).toBe(200)
}

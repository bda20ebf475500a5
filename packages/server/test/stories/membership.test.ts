import { beforeEach, expect, test } from 'vitest'
import { describePostgres } from '../databases.ts'
import { demandAll, Ledger } from '../harness/ledger.ts'
import { Load, pause } from '../harness/load.ts'
import { type NodeProcess, startNode, startNodes } from '../harness/nodes.ts'
import { openPostgres, type Place } from '../harness/places.ts'
import { type Receiver, slow } from '../harness/receiver.ts'
import { measured, scale } from '../harness/scale.ts'
import { openStage } from '../harness/stage.ts'

const QUEUES = 10
const SLOW_MS = 400
const BURSTS = scale('BURSTS', 2)

let place: Place
let receiver: Receiver

beforeEach(async () => {
  ;({ place, receiver } = await openStage(openPostgres))
})

async function makeQueues(node: NodeProcess, count: number, path: (i: number) => string): Promise<number[]> {
  const ids: number[] = []
  for (let i = 0; i < count; i++)
    ids.push((await node.api.createQueue({ callbackUrl: receiver.url + path(i), concurrency: 5 })).id)
  return ids
}

describePostgres('nodes come and go in peace', () => {
  test('a node that joins and one that leaves by SIGTERM, under slow receivers, double nothing', {
    timeout: 90_000,
  }, async () => {
    const ledger = new Ledger()
    const [first, second] = await startNodes(2, place.env)
    for (let i = 0; i < QUEUES; i++) receiver.on(`/${i}`, slow(SLOW_MS))
    const ids = await makeQueues(first, QUEUES, i => `/${i}`)
    const up = new Set([first, second])
    const load = new Load(
      () => [...up].map(node => node.api),
      ledger,
      ids.map(queueId => ({ queueId, name: null })),
      60,
    )
    await receiver.waitForArrivals(QUEUES * 3)
    const third = await startNode(place.env)
    up.add(third)
    await pause(4 * SLOW_MS)
    up.delete(first)
    await pause(100)
    expect((await first.stop()).code).toBe(0)
    await pause(4 * SLOW_MS)
    await load.stop()
    const verdict = await demandAll(ledger, receiver)
    expect(load.failed).toBe(0)
    measured('a node joins, one leaves by SIGTERM', {
      acknowledged: verdict.acknowledged,
      requests: verdict.arrived,
      doubled: 0,
    })
  })

  test('a burst of 1,000 messages through one of two nodes makes exactly 1,000 requests', {
    timeout: 60_000 * BURSTS,
  }, async () => {
    const nodes = await startNodes(2, place.env)
    const ids = await makeQueues(nodes[0], 4, i => `/${i}`)
    for (let burst = 0; burst < BURSTS; burst++) {
      const { api } = nodes[burst % 2]!
      const puts = Array.from({ length: 1000 }, (_, i) => api.put(ids[i % ids.length]!, `${burst} ${i}`))
      await Promise.all(puts)
      await receiver.waitForArrivals((burst + 1) * 1000)
    }
    await expect.poll(() => nodes[1].api.count('where.status.eq=pending'), { timeout: 10_000 }).toBe(0)
    await pause(1500)
    expect(receiver.arrivals).toHaveLength(BURSTS * 1000)
    expect(new Set(receiver.arrivals.map(({ body }) => `${body}`)).size).toBe(BURSTS * 1000)
    measured('bursts of 1,000 with two nodes', { bursts: BURSTS, requests: receiver.arrivals.length })
  })
})

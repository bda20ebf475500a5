import pg from 'pg'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { describePostgres } from '../databases.ts'
import { pause } from '../harness/load.ts'
import { type NodeProcess, startNode, startNodes, stopAll } from '../harness/nodes.ts'
import { eachPlace, openPostgres, type Place } from '../harness/places.ts'
import { Receiver } from '../harness/receiver.ts'
import { measured, scale } from '../harness/scale.ts'

interface Tick {
  readonly id: number
  readonly when: string
  readonly status: string
  readonly reason: string | null
  readonly webhookId: string
}
interface CronRow {
  readonly id: number
  readonly schedule: string
  readonly nextAt: string
}

const FAULTS = scale('ROUNDS', 1) * 2
const SECOND = 1000

let place: Place
let receiver: Receiver
let nodes: NodeProcess[]

beforeEach(async () => {
  receiver = await Receiver.start()
  nodes = []
})
afterEach(async () => {
  await stopAll()
  await receiver.stop()
  await place.close()
})

const makeQueue = async (node: NodeProcess) => (await node.api.createQueue({ callbackUrl: `${receiver.url}/tick` })).id
const makeCron = (node: NodeProcess, cron: object) => node.api.post<CronRow>('/crons/', cron)
const ticksOf = async (node: NodeProcess, cronId: number): Promise<Tick[]> =>
  (await node.api.list(`where.cronId.eq=${cronId}`)) as unknown as Tick[]

async function leaderOf(living: readonly NodeProcess[]): Promise<NodeProcess> {
  for (;;) {
    for (const node of living) {
      const health = await fetch(`${node.url}/health`).then(answer => answer.text())
      if (health.includes('leader')) return node
    }
    await pause(50)
  }
}

describePostgres('with three nodes, whose leader is killed or frozen again and again', () => {
  test('every tick of twenty crons has one message, and each is delivered', { timeout: 60_000 * FAULTS }, async () => {
    place = await openPostgres()
    nodes = await startNodes(3, place.env)
    const queueId = await makeQueue(nodes[0]!)
    const schedules = ['* * * * * *', '*/2 * * * * *', '@secondly', '@hourly']
    const crons: CronRow[] = []
    for (let n = 0; n < 20; n++) {
      crons.push(await makeCron(nodes[n % 3]!, { queueId, schedule: schedules[n % 4], body: `${n}` }))
    }
    for (let fault = 0; fault < FAULTS; fault++) {
      await pause(1500 + Math.random() * SECOND)
      const leader = await leaderOf(nodes)
      const others = nodes.filter(node => node !== leader)
      if (fault % 2 === 0) await leader.kill()
      else leader.freeze()
      const since = performance.now()
      await leaderOf(others)
      measured(`crons: the leader is ${fault % 2 === 0 ? 'killed' : 'frozen'}`, {
        'another leads after (ms)': Math.round(performance.now() - since),
      })
      await pause(2 * SECOND)
      if (fault % 2 === 0) nodes = [...others, await startNode(place.env)]
      else leader.thaw()
    }
    await pause(4 * SECOND)
    for (const [n, { id, nextAt }] of crons.entries()) {
      const stepMs = [1, 2, 1, 0][n % 4]! * SECOND
      const ticks = await ticksOf(nodes[0]!, id)
      const whens = ticks.map(({ when }) => Date.parse(when)).sort((a, b) => a - b)
      expect(whens, `cron ${n}`).toEqual(whens.map((_, i) => Date.parse(nextAt) + i * stepMs))
      const late = ticks.filter(
        ({ when, status }) => status !== 'delivered' && Date.parse(when) < Date.now() - 3 * SECOND,
      )
      expect(late, `ticks of cron ${n} that were not delivered`).toEqual([])
      if (stepMs > 0) expect(whens.length).toBeGreaterThan((FAULTS * 3 * SECOND) / stepMs)
    }
  })

  test('after an hour without any node, each cron makes up for it by its own rule', { timeout: 60_000 }, async () => {
    place = await openPostgres()
    const first = await startNode(place.env)
    const queueId = await makeQueue(first)
    const rules = ['skip', 'one', 'all'] as const
    const crons = []
    for (const misfire of rules) {
      crons.push(await makeCron(first, { queueId, schedule: '0 0 1 1 *', misfire, body: misfire }))
    }
    await first.stop()
    await turnBack(place, "date_trunc('minute', now()) - interval '1 hour'", '*/10 * * * *')
    const again = await startNode(place.env)
    await pause(2 * SECOND)
    const bodies = receiver.arrivals.map(({ body }) => body.toString())
    const sent = (rule: string): number => bodies.filter(body => body === rule).length
    expect([sent('skip'), sent('one')]).toEqual([0, 1])
    expect(sent('all')).toBeGreaterThanOrEqual(6)
    expect(sent('all')).toBeLessThanOrEqual(8)
    for (const [n, { id }] of crons.entries()) {
      const ticks = await ticksOf(again, id)
      expect(ticks.filter(({ status }) => status === 'pending')).toHaveLength(1)
      expect(ticks.filter(({ status, reason }) => status === 'cancelled' && reason === 'missed')).toHaveLength(
        rules[n] === 'skip' ? 1 : 0,
      )
    }
  })
})

describe('a cron of every second', () => {
  eachPlace(open => {
    test('is on time, ends at once when it is deleted, and its failing ticks start no other', {
      timeout: 60_000,
    }, async () => {
      place = await open()
      const node = await startNode(place.env)
      const queueId = await makeQueue(node)
      const cron = await makeCron(node, { queueId, schedule: '*/1 * * * * *', body: 'on time' })
      await receiver.waitForArrivals(8)
      const late = receiver.arrivals.map(({ at }) => (performance.timeOrigin + at) % SECOND)
      expect(Math.max(...late), `milliseconds after the second: ${late.map(Math.round).join(', ')}`).toBeLessThan(250)
      measured('a cron of every second', { 'latest after the second (ms)': Math.round(Math.max(...late)) })
      receiver.on('/tick', () => ({ kind: 'answer', status: 500 }))
      await pause(3 * SECOND)
      const whens = (await ticksOf(node, cron.id)).map(({ when }) => when)
      expect(whens.length).toBeLessThanOrEqual(13)
      await fetch(`${node.url}/crons/${cron.id}`, { method: 'DELETE' })
      receiver.on('/tick', () => ({ kind: 'answer', status: 200 }))
      await pause(1500)
      const before = (await ticksOf(node, cron.id)).length
      await pause(2 * SECOND)
      const after = await ticksOf(node, cron.id)
      expect(after).toHaveLength(before)
      expect(after.every(({ status }) => status === 'delivered')).toBe(true)
    })
  })
})

/** Makes all crons look as if their pending tick had been due at `since`, and ticks of `schedule` missed from then on. */
async function turnBack({ env }: Place, since: string, schedule: string): Promise<void> {
  const client = new pg.Client({ connectionString: env.POSTHORN_DATABASE_URL })
  await client.connect()
  try {
    await client.query(`UPDATE posthorn.cron SET next_at = ${since}, schedule = '${schedule}'`)
    await client.query(`UPDATE posthorn.message SET due_at = ${since}, scheduled_at = ${since}`)
  } finally {
    await client.end()
  }
}

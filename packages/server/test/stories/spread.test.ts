import { afterEach, beforeEach, expect, test } from 'vitest'
import { describePostgres } from '../databases.ts'
import { demandAll, Ledger } from '../harness/ledger.ts'
import { Load, pause } from '../harness/load.ts'
import { type NodeProcess, startNode, startNodes, stopAll } from '../harness/nodes.ts'
import { openPostgres, type Place } from '../harness/places.ts'
import { Receiver, slow } from '../harness/receiver.ts'
import { measured } from '../harness/scale.ts'

const SPREAD = 16
const SLOW_MS = 100

let place: Place
let receiver: Receiver

beforeEach(async () => {
  place = await openPostgres()
  receiver = await Receiver.start()
})

afterEach(async () => {
  await stopAll()
  await receiver.stop()
  await place.close()
})

const attemptsOf = async ({ url }: NodeProcess): Promise<number> => {
  const text = await (await fetch(`${url}/metrics`)).text()
  return Number(text.match(/^posthorn_attempts_total\{outcome="delivered"\} (\d+)/m)?.[1] ?? 0)
}

describePostgres('one queue over several nodes', () => {
  test('nodes share it, and come and go, and its spread changes: nothing is lost, nothing doubled', {
    timeout: 90_000,
  }, async () => {
    const ledger = new Ledger()
    const [first, second] = await startNodes(2, place.env)
    receiver.on('/busy', slow(SLOW_MS))
    const settings = { callbackUrl: `${receiver.url}/busy`, concurrency: 64, spread: SPREAD }
    const { id } = await first.api.createQueue(settings)
    const up = new Set([first, second])
    const load = new Load(() => [...up].map(node => node.api), ledger, [{ queueId: id, name: null }], 60)
    await receiver.waitForArrivals(200)
    const shared = [await attemptsOf(first), await attemptsOf(second)]
    expect(Math.min(...shared), `${shared}`).toBeGreaterThan(0)
    up.add(await startNode(place.env))
    await pause(5 * SLOW_MS)
    up.delete(first)
    await pause(100)
    expect((await first.stop()).code).toBe(0)
    for (const spread of [2, 1, SPREAD, 3]) {
      await second.api.change(`/queues/${id}`, { spread })
      await pause(5 * SLOW_MS)
    }
    await load.stop()
    const verdict = await demandAll(ledger, receiver)
    expect(load.failed).toBe(0)
    measured('a queue over several nodes that come and go', {
      acknowledged: verdict.acknowledged,
      requests: verdict.arrived,
      'of the first 200, by node': shared.join(' and '),
      doubled: 0,
    })
  })
})

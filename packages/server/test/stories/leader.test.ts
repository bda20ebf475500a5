import { beforeEach, expect, test } from 'vitest'
import { describePostgres } from '../databases.ts'
import { pause } from '../harness/load.ts'
import { type NodeProcess, startNodes } from '../harness/nodes.ts'
import { openPostgres, type Place } from '../harness/places.ts'
import type { Receiver } from '../harness/receiver.ts'
import { measured } from '../harness/scale.ts'
import { openStage } from '../harness/stage.ts'

/** What is said of a takeover, and what a loaded machine may add to it. */
const TAKEOVER_MS = 2000
const MARGIN_MS = 500

let place: Place
let receiver: Receiver
let nodes: NodeProcess[]

beforeEach(async () => {
  ;({ place, receiver } = await openStage(openPostgres))
  nodes = await startNodes(2, place.env)
})
const leads = async (node: NodeProcess): Promise<boolean> =>
  (await fetch(`${node.url}/health`).then(answer => answer.text())).includes('leader')

async function leaderOf(living: readonly NodeProcess[]): Promise<NodeProcess> {
  for (;;) {
    for (const node of living) if (await leads(node)) return node
    await pause(20)
  }
}

/** It has a lock session, and owns what it holds. */
async function untilReady(node: NodeProcess): Promise<void> {
  while ((await fetch(`${node.url}/health/ready`)).status !== 200) await pause(20)
}

describePostgres('of two nodes one leads, as users of pg-hooks see it', () => {
  const ends: readonly [string, (node: NodeProcess) => unknown][] = [
    ['is stopped', node => void node.stop()],
    ['is killed', node => node.kill()],
    ['freezes', node => node.freeze()],
  ]

  test.each(ends)(
    'when the leader %s, the other one leads and delivers within 2 s [pg-hooks: leader.one, leader.takeover]',
    async (what, end) => {
      const leader = await leaderOf(nodes)
      const [other] = nodes.filter(node => node !== leader)
      expect(await leads(other!)).toBe(false)
      const queues = []
      for (let n = 0; n < 8; n++) queues.push(await other!.api.createQueue({ callbackUrl: `${receiver.url}/${n}` }))
      const since = performance.now()
      await end(leader)
      for (const { id } of queues) await other!.api.put(id, 'after')
      await leaderOf([other!])
      const ledAfterMs = performance.now() - since
      await receiver.waitForArrivals(queues.length)
      const deliveredAfterMs = performance.now() - since
      measured(`the leader ${what}`, { 'led after (ms)': Math.round(ledAfterMs) })
      expect(ledAfterMs).toBeLessThan(TAKEOVER_MS + MARGIN_MS)
      expect(deliveredAfterMs).toBeLessThan(TAKEOVER_MS + 2 * MARGIN_MS)
    },
  )

  test('a leader whose lock connection is cut delivers again by itself [pg-hooks: leader.cut]', async () => {
    const { id } = await nodes[0]!.api.createQueue({ callbackUrl: receiver.url })
    for (let round = 1; round <= 2; round++) {
      await Promise.all(nodes.map(untilReady))
      expect(await place.terminate('posthorn locks')).toBe(2)
      await nodes[round % 2]!.api.put(id, `round ${round}`)
      await receiver.waitForArrivals(round, 10_000)
    }
    expect(await leaderOf(nodes)).toBeDefined()
    expect(receiver.arrivals.map(({ body }) => body.toString())).toEqual(['round 1', 'round 2'])
  })
})

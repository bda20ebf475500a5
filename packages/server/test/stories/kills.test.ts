import { expect, test } from 'vitest'
import { demandLawful, everyArrived, Ledger } from '../harness/ledger.ts'
import { Load, pause } from '../harness/load.ts'
import { type NodeProcess, startNode, startNodes } from '../harness/nodes.ts'
import { eachPlace, type Place } from '../harness/places.ts'
import { failFirst, seededRandom, status } from '../harness/receiver.ts'
import { measured, scale } from '../harness/scale.ts'
import { openStage } from '../harness/stage.ts'

const KILLS = scale('KILLS', 3)
const LANES = 4
/** Between two puts of a lane whose messages fail at first: a receiver that does nothing but fail is tried 200 times a second, whatever waits. */
const PAUSE_MS = 20
const PUTS_BETWEEN_KILLS = 20
const SEED = 20
const DRAIN_MS = 60_000

eachPlace((open, kind) => {
  test(`${KILLS} SIGKILLs under load lose no acknowledged message and double none that was not in flight`, {
    timeout: 120_000 + KILLS * 10_000,
  }, async () => {
    const { place, receiver } = await openStage(open)
    const random = seededRandom(SEED)
    const ledger = new Ledger()
    const nodes = await startNodes(place.nodes, place.env)
    const api = () => nodes.find(node => node.alive)?.api ?? nodes[0]!.api
    const queues = {
      plain: await api().createQueue({ callbackUrl: receiver.on('/plain', failFirst(0)) }),
      failing: await api().createQueue({ callbackUrl: receiver.on('/failing', failFirst(1)) }),
      ordered: await api().createQueue({ callbackUrl: receiver.on('/ordered', failFirst(0)), ordered: 'queue' }),
      refused: await api().createQueue({ callbackUrl: receiver.on('/refused', status(400)), maxRetries: 1 }),
    }
    const alive = () => nodes.filter(node => node.alive).map(node => node.api)
    const lanes = ({ id }: { id: number }, count: number) =>
      Array.from({ length: count }, () => ({ queueId: id, name: null }))
    const load = new Load(alive, ledger, [
      ...lanes(queues.plain, LANES),
      { queueId: queues.ordered.id, name: 'ordered' },
    ])
    const failing = new Load(alive, ledger, lanes(queues.failing, 2), PAUSE_MS)
    const refused = new Ledger()
    const hopeless = new Load(alive, refused, lanes(queues.refused, 1), PAUSE_MS)
    for (let i = 0; i < KILLS; i++) {
      await load.more(PUTS_BETWEEN_KILLS)
      await pause(random() * 300)
      await killAndReplace(place, nodes, i % nodes.length, ledger)
    }
    for (const each of [load, failing, hopeless]) await each.stop()
    await everyArrived(ledger, receiver, DRAIN_MS)
    const ours = receiver.arrivals.filter(({ path }) => path !== '/refused')
    const verdict = ledger.judge(ours)
    demandLawful(verdict)
    expect(verdict.acknowledged, 'the load went on between the kills').toBeGreaterThanOrEqual(
      KILLS * PUTS_BETWEEN_KILLS,
    )
    await everyMessageIsSettled(nodes, Object.values(queues), queues.refused.id, refused.acknowledged.length)
    measured('kills under load', {
      database: kind,
      kills: KILLS,
      acknowledged: verdict.acknowledged,
      lost: 0,
      doubled: verdict.excused,
    })
  })
})

async function killAndReplace(place: Place, nodes: NodeProcess[], index: number, ledger: Ledger): Promise<void> {
  const victim = nodes[index]!
  ledger.fault()
  await victim.kill()
  ledger.fault()
  nodes[index] = await startNode(place.env)
}

async function everyMessageIsSettled(
  nodes: readonly NodeProcess[],
  queues: readonly { id: number }[],
  refusedId: number,
  refusedCount: number,
): Promise<void> {
  const { api } = nodes[0]!
  await expect.poll(() => api.count('where.status.eq=pending'), { timeout: DRAIN_MS, interval: 100 }).toBe(0)
  for (const { id } of queues) {
    const [message] = await api.list(`where.queueId.eq=${id}`)
    if (!message) continue
    const attempts = await api.get<{ n: number; outcome: string }[]>(`/messages/${message.id}/attempts?limit=100`)
    expect(attempts.length, `attempts of message ${message.id}`).toBe(message.attempts)
    expect(message.status).toBe(id === refusedId ? 'dead' : 'delivered')
  }
  expect(await api.count(`where.queueId.eq=${refusedId}&where.status.eq=dead`)).toBeGreaterThanOrEqual(refusedCount)
}

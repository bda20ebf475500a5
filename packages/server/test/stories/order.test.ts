import { expect, test } from 'vitest'
import { demandAll, Ledger } from '../harness/ledger.ts'
import { Load, pause } from '../harness/load.ts'
import { type NodeProcess, startNode } from '../harness/nodes.ts'
import { eachPlace } from '../harness/places.ts'
import { mix, ok, slow, status } from '../harness/receiver.ts'
import { openStage } from '../harness/stage.ts'

const SEED = 11
const KEYS = 6

eachPlace(open => {
  test('order holds as a whole and by key, across failing receivers, a pause and a restart', {
    timeout: 90_000,
  }, async () => {
    const { place, receiver } = await openStage(open)
    const ledger = new Ledger()
    const moody = mix(SEED, [
      { weight: 6, behaviour: ok },
      { weight: 2, behaviour: status(500) },
      { weight: 1, behaviour: slow(30) },
    ])
    const nodes: NodeProcess[] = [await startNode(place.env)]
    const { api } = nodes[0]!
    const whole = await api.createQueue({ callbackUrl: receiver.on('/whole', moody), ordered: 'queue' })
    const keyed = await api.createQueue({ callbackUrl: receiver.on('/keyed', moody), ordered: 'key' })
    const lanes = Array.from({ length: KEYS }, (_, i) => ({ queueId: keyed.id, key: `key${i}`, name: `key${i}` }))
    const load = new Load(
      () => nodes.filter(node => node.alive).map(node => node.api),
      ledger,
      [{ queueId: whole.id, name: 'whole' }, ...lanes],
      5,
    )
    await receiver.waitForArrivals(100)
    await api.post(`/queues/${whole.id}/pause`, {})
    await pause(1000)
    const paused = receiver.at('/whole').length
    await pause(500)
    expect(receiver.at('/whole'), 'nothing is sent while paused').toHaveLength(paused)
    await api.post(`/queues/${whole.id}/resume`, {})
    await receiver.waitFor(() => receiver.at('/whole').length > paused, 'a delivery after the pause')
    expect((await nodes[0]!.stop()).code).toBe(0)
    nodes[0] = await startNode(place.env)
    await pause(1000)
    await load.stop()
    const verdict = await demandAll(ledger, receiver)
    expect(verdict.arrived, 'there were retries').toBeGreaterThan(verdict.acknowledged)
  })
})

import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Subscriber, subscribe } from '../graphql/subscribe.ts'
import { pause } from '../harness/load.ts'
import { type NodeProcess, startNodes, stopAll } from '../harness/nodes.ts'
import { eachPlace, type Place } from '../harness/places.ts'
import { ok, Receiver, status } from '../harness/receiver.ts'

interface Heard {
  readonly messageSaved: {
    readonly id: string
    readonly status: string
    readonly retries: number
    readonly sentAt: string | null
  }
}

eachPlace(open => {
  let place: Place
  let receiver: Receiver
  let nodes: NodeProcess[]
  let subscriber: Subscriber | undefined

  beforeEach(async () => {
    place = await open()
    receiver = await Receiver.start()
    nodes = await startNodes(place.nodes, place.env)
    subscriber = await subscribe(nodes[0]!.url, 'subscription { messageSaved { id status retries sentAt } }')
  })
  afterEach(async () => {
    await subscriber?.stop()
    await stopAll()
    await receiver.stop()
    await place.close()
  })

  const heardOf = (id: number) =>
    (subscriber!.heard as Heard[]).map(({ messageSaved }) => messageSaved).filter(message => message.id === String(id))

  test('who listens hears what delivery makes of a message, whichever node delivers it', async () => {
    const last = nodes.at(-1)!
    const queue = await last.api.createQueue({ callbackUrl: receiver.on('/fails', status(500)) })
    const other = await last.api.createQueue({ callbackUrl: receiver.on('/takes', ok) })
    // That somebody listens reaches the other node in a moment; what was before is missed.
    let heard: readonly Heard['messageSaved'][] = []
    for (let tries = 0; heard.every(({ status }) => status !== 'delivered') && tries < 10; tries++) {
      const { id } = await last.api.put(other.id, 'delivered')
      await receiver.waitFor(() => receiver.at('/takes').length > tries, 'its delivery')
      await pause(500)
      heard = heardOf(id)
    }
    expect(heard.at(-1)).toMatchObject({ status: 'delivered', sentAt: expect.any(String), retries: 0 })
    const { id } = await nodes[0]!.api.put(queue.id, 'fails at first')
    await expect
      .poll(() => heardOf(id).some(({ status, retries }) => status === 'pending' && retries > 0), { timeout: 20_000 })
      .toBe(true)
    receiver.on('/fails', ok)
    await expect.poll(() => heardOf(id).at(-1)?.status, { timeout: 20_000 }).toBe('delivered')
  })
})

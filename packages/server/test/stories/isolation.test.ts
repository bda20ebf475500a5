import { expect, test } from 'vitest'
import type { Api } from '../harness/api.ts'
import { pause } from '../harness/load.ts'
import { startNode } from '../harness/nodes.ts'
import { eachPlace } from '../harness/places.ts'
import { hang, type Receiver } from '../harness/receiver.ts'
import { measured, scale } from '../harness/scale.ts'
import { openStage } from '../harness/stage.ts'

const HANGING = 20
const BACKLOG = scale('BACKLOG', 1000)
const PROBES = 300
const BATCH = 1000
/** Below this a doubling is the machine's noise, not the queue's neighbours. */
const NOISE_MS = 15

let receiver: Receiver

eachPlace((open, kind) => {
  test(`${HANGING} receivers that hang, with ${BACKLOG} messages waiting each, leave another queue's p99 within 2x`, {
    timeout: 120_000 + BACKLOG * 30,
  }, async () => {
    const stage = await openStage(open)
    receiver = stage.receiver
    const { api } = await startNode(stage.place.env)
    const healthy = await api.createQueue({ callbackUrl: `${receiver.url}/healthy` })
    await latency(api, healthy.id, 50)
    const alone = await latency(api, healthy.id, PROBES)
    for (let i = 0; i < HANGING; i++) {
      const callbackUrl = receiver.on(`/hang${i}`, hang)
      const { id } = await api.createQueue({ callbackUrl, timeoutMs: 1000, concurrency: 50 })
      await fill(api, id, BACKLOG)
    }
    // Storing so many leaves vacuum and checkpoints behind, which an embedded database has time for only in between.
    await pause(1500 + BACKLOG)
    const beside = await latency(api, healthy.id, PROBES)
    const hung = receiver.arrivals.filter(({ path }) => path.startsWith('/hang')).length
    expect(hung, 'requests that hang or hung').toBeGreaterThanOrEqual(HANGING)
    measured('20 hanging receivers', {
      database: kind,
      backlog: BACKLOG,
      'p99 alone (ms)': alone,
      'p99 beside (ms)': beside,
    })
    expect(beside, `p99 in milliseconds; alone it is ${alone}`).toBeLessThan(2 * Math.max(alone, NOISE_MS))
  })
})

async function fill(api: Api, queueId: number, count: number): Promise<void> {
  for (let done = 0; done < count; done += BATCH) {
    const messages = Array.from({ length: Math.min(BATCH, count - done) }, () => ({ queueId, body: 'waiting' }))
    await api.putMany(messages)
  }
}

/** The 99th percentile of the time from a put's call to its arrival, in milliseconds, one probe after the other. */
async function latency(api: Api, queueId: number, probes: number): Promise<number> {
  const times: number[] = []
  for (let i = 0; i < probes; i++) {
    const before = receiver.at('/healthy').length
    const start = performance.now()
    await api.put(queueId, 'probe')
    await receiver.waitFor(
      ({ arrivals }) => arrivals.length > 0 && receiver.at('/healthy').length > before,
      'the probe',
    )
    times.push(receiver.at('/healthy')[before]!.at - start)
    await pause(5)
  }
  return Math.round(times.sort((a, b) => a - b)[Math.floor(probes * 0.99)]! * 10) / 10
}

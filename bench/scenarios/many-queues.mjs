/** A hundred thousand queues of which one in a hundred has messages, beside a thousand that all have: what the others cost. */
import pg from 'pg'
import { inPieces } from '../contenders/load.mjs'
import { withFleet } from '../fleet.mjs'

const PATIENCE_MS = 600_000

export const manyQueues = {
  name: 'many-queues',
  contenders: ['posthorn'],
  once: true,
  run: ({ place, scale, contender, row }) =>
    withFleet(place, async fleet => {
      const start = performance.now()
      await fleet.add()
      const firstStartMs = performance.now() - start
      const active = await fleet.addQueues(scale.active, i => `${place.sink.urlOf(i % 100)}/`)
      await fleet.drain(active, scale.warmUp)
      row(contender, `${scale.active} active queues`, {
        ...(await look(place, fleet, active, scale)),
        startMs: firstStartMs,
      })
      await addIdle(place, fleet, scale.active * 99)
      await tidy(fleet)
      const startMs = await restart(fleet)
      await fleet.drain(active, scale.warmUp)
      row(contender, `of ${scale.active * 100} queues`, { ...(await look(place, fleet, active, scale)), startMs })
    }),
}

/** A drain, then a while in which nothing is to be done. */
async function look(place, fleet, active, scale) {
  const drained = await fleet.drain(active, scale.backlog)
  const idle = await place.measure(fleet.pids, () => new Promise(resolve => setTimeout(resolve, scale.restMs)))
  const perMinute = 60_000 / scale.restMs
  return { ...drained, idleNode: idle.cpuNode * perMinute, idleStore: idle.cpuStore * perMinute }
}

/** Each of them has had a message, so that whatever remembers a queue that it has seen remembers these. */
async function addIdle(place, fleet, count) {
  const ids = []
  const callbackUrl = `${place.sink.urlOf(1)}/`
  await inPieces({ count, size: 500, width: 2 }, async (from, to) => {
    const queues = Array.from({ length: to - from }, (_, i) => ({
      name: `idle ${from + i}`,
      callbackUrl,
      method: 'POST',
    }))
    const { results } = await fleet.nodes[0].call('POST', '/queues/bulk', { queues })
    ids.push(...results.map(({ id }) => id))
  })
  await place.sink.reset(count)
  await fleet.fill(ids, count)
  await place.sink.all(PATIENCE_MS)
}

/** What making them left to be done is not what having them costs. */
async function tidy({ database }) {
  const client = new pg.Client(database.connection)
  await client.connect()
  await client.query('VACUUM ANALYZE')
  await client.end()
}

async function restart(fleet) {
  const [node] = fleet.nodes
  await fleet.remove(node)
  const start = performance.now()
  await fleet.add()
  return performance.now() - start
}

/** One node and two on the same database: with a near receiver, with one that takes 20 ms, and while nodes come and go. */
import { withFleet } from '../fleet.mjs'

const QUEUES = 64
const SLOW_MS = 20
/**
 * So few that a node waits for its receivers, and not for a processor; but more than there are queues, because each of those
 * may always have one under way, however many that makes.
 */
const FEW_IN_FLIGHT = { POSTHORN_MAX_IN_FLIGHT: '100' }

export const nodes = {
  name: 'nodes',
  contenders: ['posthorn'],
  async run({ place, scale, contender, row }) {
    for (const count of [1, 2]) {
      const what = `near receiver, ${count} node${count > 1 ? 's' : ''}`
      row(contender, what, await drained(place, scale, { count, path: '/', messages: scale.backlog }))
    }
    for (const count of [1, 2]) {
      const what = `receiver of ${SLOW_MS} ms, ${count} node${count > 1 ? 's' : ''}`
      const slow = { count, path: `/after/${SLOW_MS}/`, messages: scale.slow, settings: FEW_IN_FLIGHT }
      row(contender, what, await drained(place, scale, slow))
    }
    row(contender, 'nodes come and go', await comeAndGo(place, scale))
  },
}

function drained(place, scale, { count, path, messages, settings }) {
  return withFleet(place, async fleet => {
    for (let i = 0; i < count; i++) await fleet.add(settings)
    const queues = await fleet.addQueues(QUEUES, () => place.sink.url + path)
    await fleet.drain(queues, scale.warmUp)
    return fleet.drain(queues, messages)
  })
}

/** A second joins, the first leaves, a third joins, the second leaves: in peace, so nothing may be lost or come twice. */
function comeAndGo(place, scale) {
  return withFleet(place, async fleet => {
    const first = await fleet.add(FEW_IN_FLIGHT)
    const queues = await fleet.addQueues(QUEUES, () => `${place.sink.url}/after/${SLOW_MS}/`)
    return fleet.drainWhile(queues, scale.slow, async () => {
      const second = await fleet.add(FEW_IN_FLIGHT)
      await arrived(place.sink, scale.slow * 0.3)
      await fleet.remove(first)
      await arrived(place.sink, scale.slow * 0.5)
      await fleet.add(FEW_IN_FLIGHT)
      await arrived(place.sink, scale.slow * 0.7)
      await fleet.remove(second)
    })
  })
}

async function arrived(sink, messages) {
  while ((await sink.report()).distinct < messages) await new Promise(resolve => setTimeout(resolve, 50))
}

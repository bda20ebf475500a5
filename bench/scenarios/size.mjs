/** Backlogs from a thousand up, on one queue and one database, so that the history grows with them: what a message costs. */
import { withFleet } from '../fleet.mjs'

const FACTOR = 10

export const size = {
  name: 'size',
  contenders: ['posthorn'],
  once: true,
  run: ({ place, scale, contender, row }) =>
    withFleet(place, async fleet => {
      await fleet.add()
      const queues = await fleet.addQueues(1, () => `${place.sink.url}/`)
      await fleet.drain(queues, scale.warmUp)
      for (let pending = 1000; pending <= scale.largest; pending *= FACTOR)
        row(contender, `${pending.toLocaleString('en')} pending`, await fleet.drain(queues, pending))
    }),
}

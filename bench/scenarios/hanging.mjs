/** A thousand queues whose receivers never answer, and a hundred healthy ones beside them: what the healthy ones notice. */
import { makeBody, nowUs } from '../body.mjs'
import { openLoop } from '../contenders/load.mjs'
import { withFleet } from '../fleet.mjs'

const HEALTHY = 100
const RATE = 500
const EACH = 20
const SETTLE_MS = 60_000

export const hanging = {
  name: 'hanging',
  contenders: ['posthorn'],
  run: ({ place, scale, contender, row }) =>
    withFleet(place, async fleet => {
      await fleet.add()
      const healthy = await fleet.addQueues(HEALTHY, i => `${place.sink.urlOf(i)}/`)
      await fleet.drain(healthy, scale.warmUp)
      row(contender, 'healthy alone', await both(place, fleet, healthy, scale))
      const hung = await fleet.addQueues(scale.hanging, i => `${place.sink.urlOf(1000 + i)}/hang`)
      await fleet.fill(hung, hung.length * EACH)
      await fleet.each(hung, 'resume')
      row(contender, `beside ${scale.hanging} that hang`, await both(place, fleet, healthy, scale))
    }),
}

async function both(place, fleet, healthy, scale) {
  const drained = await fleet.drain(healthy, scale.backlog)
  const { p50, p99, lost } = await onSchedule(place.sink, fleet, healthy, scale.healthyMs)
  return { ...drained, p50, p99, lost: drained.lost + lost }
}

async function onSchedule(sink, fleet, healthy, ms) {
  await sink.reset(1_000_000)
  const { count } = await openLoop({ rate: RATE, ms }, (id, at) =>
    fleet.nodes[0].call('POST', '/messages/', { queueId: healthy[id % healthy.length], body: makeBody(id, at) }),
  )
  let report = await sink.report()
  for (const deadline = nowUs() + SETTLE_MS * 1000; report.distinct < count && nowUs() < deadline; ) {
    await new Promise(resolve => setTimeout(resolve, 50))
    report = await sink.report()
  }
  return { p50: report.p50 / 1000, p99: report.p99 / 1000, lost: count - report.distinct }
}

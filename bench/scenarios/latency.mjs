/**
 * From the moment at which a message was to be put until it arrives: on a schedule that waits for nobody, at 200 a second
 * and at half of what the contender can take and deliver at once.
 */
import { measureFdatasync } from '../disk.mjs'

const CALLERS = 100
/** Messages a second. */
const CALM = 200
const SETTLE_MS = 60_000

export const latency = {
  name: 'latency',
  contenders: [
    'raw-request',
    'insert-request',
    'forwarder',
    'posthorn',
    'posthorn-library',
    'posthorn-embedded',
    'graphile-worker',
    'pg-boss',
    'bullmq',
  ],
  async run({ place, scale, contender, row }) {
    const { session, close } = await place.open(contender)
    try {
      await session.call('prepare', 0)
      await session.call('drain')
      const most = await atMost(place, session, scale.maxMs)
      row(contender, 'put and delivered at once', most)
      const { p50, p99 } = await measureFdatasync(place.folder, 1000 / CALM)
      const calm = await onSchedule(place, session, { rate: CALM, ms: scale.flowMs })
      row(contender, 'at 200/s', { ...calm, fdatasyncP50: p50, fdatasyncP99: p99 })
      const half = Math.max(CALM, Math.round(most.rate / 2))
      row(contender, 'at half', { rate: half, ...(await onSchedule(place, session, { rate: half, ms: scale.flowMs })) })
    } finally {
      await close()
    }
  },
}

/** The sink must know how many will come before they do; far more than anybody can send in that time. */
const ROOM = 1_000_000

async function atMost({ sink }, session, ms) {
  await sink.reset(ROOM)
  const { all } = await session.call('flow', { callers: CALLERS, ms })
  const { distinct, duplicates, firstUs, lastUs } = await arrived(sink, all)
  return { rate: (distinct / (lastUs - firstUs)) * 1e6, lost: all - distinct, duplicates }
}

async function onSchedule({ sink }, session, { rate, ms }) {
  await sink.reset(ROOM)
  const { count, lateUs, lateUsP99 } = await session.call('flow', { rate, ms })
  const { distinct, duplicates, p50, p90, p99, most } = await arrived(sink, count)
  return {
    p50: p50 / 1000,
    p90: p90 / 1000,
    p99: p99 / 1000,
    most: most / 1000,
    ownDelay: lateUs / 1000,
    ownDelayP99: lateUsP99 / 1000,
    lost: count - distinct,
    duplicates,
  }
}

/** Waits until as many have come, or no more come. */
async function arrived(sink, count) {
  let report = await sink.report()
  for (const deadline = performance.now() + SETTLE_MS; report.distinct < count && performance.now() < deadline; ) {
    await new Promise(resolve => setTimeout(resolve, 50))
    report = await sink.report()
  }
  return report
}

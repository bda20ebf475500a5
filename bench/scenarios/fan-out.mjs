/** One event for 1000 receivers, put in one call and delivered to each; events come one after the other. */

const TARGETS = 1000
const PATIENCE_MS = 120_000

export const fanOut = {
  name: 'fan-out',
  contenders: ['posthorn', 'graphile-worker', 'pg-boss', 'bullmq'],
  async run({ place, scale, contender, row }) {
    const { session, close } = await place.open(contender)
    try {
      await session.call('prepare', 0)
      await session.call('drain')
      await fan(place, session, 1)
      row(contender, `1 to ${TARGETS}`, await fan(place, session, scale.events))
    } finally {
      await close()
    }
  },
}

async function fan(place, session, events) {
  const { sink } = place
  const messages = events * TARGETS
  if (session.can('prepareFan')) await session.call('prepareFan', { targets: TARGETS })
  await sink.reset(messages)
  const start = Number(process.hrtime.bigint() / 1000n)
  const used = await place.measure(session.pids, async () => {
    await session.call('fanOut', { events, targets: TARGETS })
    await sink.all(PATIENCE_MS)
    await session.call('settled')
  })
  const { distinct, duplicates, lastUs } = await sink.report()
  return {
    rate: (messages / (lastUs - start)) * 1e6,
    events: (events / (lastUs - start)) * 1e6,
    cpuNode: (used.cpuNode * 10_000) / messages,
    cpuStore: (used.cpuStore * 10_000) / messages,
    lost: messages - distinct,
    duplicates,
  }
}

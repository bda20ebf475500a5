/** A backlog is drained: how fast, for how much CPU time and memory, and whether each message arrives exactly once. */

export const drain = {
  name: 'drain',
  contenders: ['raw-request', 'raw-dispatch', 'posthorn', 'posthorn-embedded', 'graphile-worker', 'pg-boss', 'bullmq'],
  async run({ place, scale, contender, row }) {
    const { session, close } = await place.open(contender)
    try {
      // A server that has been up for an hour is warm; one that was started for the occasion is not.
      await drainOnce(place, session, scale.warmUp)
      await session.call('rest')
      row(contender, 'backlog', await drainOnce(place, session, scale.backlog))
    } finally {
      await close()
    }
  },
}

async function drainOnce(place, session, messages) {
  const { sink } = place
  await sink.reset(messages)
  await session.call('prepare', messages)
  await place.admin.query('CHECKPOINT')
  const start = Number(process.hrtime.bigint() / 1000n)
  const used = await place.measure(session.pids, async () => {
    await session.call('drain')
    await sink.all(patience(messages))
    await session.call('settled')
  })
  const { distinct, duplicates, strangers, lastUs } = await sink.report()
  const per10000 = 10_000 / messages
  return {
    rate: (messages / (lastUs - start)) * 1e6,
    settledRate: messages / used.seconds,
    cpuNode: used.cpuNode * per10000,
    cpuStore: used.cpuStore * per10000,
    cpuSink: used.cpuSink * per10000,
    rss: used.rss,
    lost: messages - distinct,
    duplicates,
    strangers,
  }
}

/** A contender that does 200 a second is broken, not slow. */
function patience(messages) {
  return 30_000 + messages * 5
}

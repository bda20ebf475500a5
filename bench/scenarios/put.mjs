/** Messages are put while nothing is delivered: one by one by 1, 32 and 200 callers, and in bulk. All are there afterwards. */

const CALLERS = [1, 32, 200]
/** Ways beside the one that a contender has anyway. */
const WAYS = { posthorn: ['rest', 'graphql'], 'posthorn-embedded': ['rest'] }

export const put = {
  name: 'put',
  contenders: ['insert', 'posthorn-library', 'posthorn', 'posthorn-embedded', 'graphile-worker', 'pg-boss', 'bullmq'],
  async run({ place, scale, contender, row }) {
    const { session, close } = await place.open(contender, { storesOnly: true })
    try {
      if (session.can('rest')) await session.call('rest')
      let first = 0
      for (const way of WAYS[contender] ?? [null]) {
        for (const callers of CALLERS) {
          await place.admin.query('CHECKPOINT')
          const load = { first, callers, ms: scale.putMs, ...(way ? { way } : {}) }
          const { value } = await place.measure(session.pids, () => session.call('put', load))
          first += value.all
          const lost = first - (await session.call('stored'))
          row(contender, `${way ?? 'call'}, ${callers}`, { rate: value.count / value.seconds, lost })
        }
      }
      if (session.can('putBulk')) row(contender, 'bulk', await bulk(place, session, first, scale.bulk))
    } finally {
      await close()
    }
  },
}

async function bulk(place, session, first, messages) {
  await place.admin.query('CHECKPOINT')
  const seconds = await session.call('putBulk', { first, messages })
  return { rate: messages / seconds, lost: first + messages - (await session.call('stored')) }
}

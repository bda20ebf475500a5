/** Ten million messages wait on a queue whose receiver is dead; another queue is drained beside it, and a node starts on it. */
import pg from 'pg'
import { withFleet } from '../fleet.mjs'

const CHUNK = 1_000_000
/** Two ways of being dead: nothing listens, or nothing answers. */
const DEAD = { refused: () => 'http://127.0.0.1:1/', silent: sink => `${sink.urlOf(0)}/hang` }

export const deadQueue = {
  name: 'dead-queue',
  contenders: ['posthorn'],
  /** To fill it takes minutes: it is measured as often as there are rounds, all in the first. */
  once: true,
  run: ({ place, scale, contender, row }) =>
    withFleet(place, async fleet => {
      const first = await fleet.add()
      const [healthy] = await fleet.addQueues(1, () => `${place.sink.url}/`)
      await fleet.drain([healthy], scale.warmUp)
      const measure = async kind => row(contender, kind, await fleet.drain([healthy], scale.backlog))
      for (let round = 0; round < scale.rounds; round++) await measure('alone')
      const [dead] = await fleet.addQueues(1, () => DEAD.refused())
      await fillDead(fleet.database.connection, dead, scale.dead)
      await fleet.remove(first)
      const start = performance.now()
      const second = await fleet.add()
      row(contender, 'start on the backlog', { seconds: (performance.now() - start) / 1000, lost: 0 })
      await fleet.drain([healthy], scale.warmUp)
      for (let round = 0; round < scale.rounds; round++)
        for (const [way, urlOf] of Object.entries(DEAD)) {
          await second.call('PUT', `/queues/${dead}`, { callbackUrl: urlOf(place.sink) })
          await fleet.each([dead], 'resume')
          await measure(`beside a dead queue, ${way}`)
          await fleet.each([dead], 'pause')
        }
    }),
}

/** Written beside the API, which would take longer than everything else: one payload, shared as a fan-out shares it. */
async function fillDead(connection, queueId, messages) {
  const client = new pg.Client(connection)
  await client.connect()
  try {
    await client.query(`INSERT INTO posthorn.payload (id, body) SELECT nextval('posthorn.message_id'), 'dead'`)
    const { rows } = await client.query(
      `SELECT currval('posthorn.message_id') AS payload, org_id AS org
      FROM posthorn.queue WHERE id = $1`,
      [queueId],
    )
    for (let left = messages; left > 0; left -= CHUNK) {
      await client.query(
        `INSERT INTO posthorn.message (org_id, queue_id, id, payload_id)
         SELECT $1::int, $2::int, nextval('posthorn.message_id'), $3::bigint FROM generate_series(1, $4::int)`,
        [rows[0].org, queueId, rows[0].payload, Math.min(left, CHUNK)],
      )
    }
    // Or autovacuum would read it all while something is measured: a dead queue has not come within a minute.
    await client.query('VACUUM (ANALYZE) posthorn.message')
    await client.query('CHECKPOINT')
  } finally {
    await client.end()
  }
}

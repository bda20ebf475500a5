/** pg-boss, tuned: two workers with batches of 1000, fetching on while batches are full, woken by notifications. */
import pg from 'pg'
import { PgBoss } from 'pg-boss'
import { makeObject } from '../body.mjs'
import { inPieces, loadedBy } from './load.mjs'
import { openClient } from './receiver-client.mjs'

const QUEUE = 'webhook'
const WORK = { batchSize: 1000, localConcurrency: 2, burstWhenBatchFull: true, pollingIntervalSeconds: 0.5 }

export async function start({ databaseUrl, sinkUrl, storesOnly = false }) {
  const boss = new PgBoss({ connectionString: databaseUrl, max: 32, useListenNotify: true })
  boss.on('error', error => console.error(error))
  await boss.start()
  // A notification within each put serialises the commits: where nobody waits for it, it would only be in the way.
  await boss.createQueue(QUEUE, { notify: !storesOnly })
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 1 })
  const client = openClient()
  let works = false
  const work = jobs =>
    Promise.all(jobs.map(({ data }) => client.send(sinkUrl + (data.target ?? ''), JSON.stringify(data.body))))
  const add = (id, at) => boss.send(QUEUE, { body: makeObject(id, at) })
  const addMany = (from, to) =>
    boss.insert(
      QUEUE,
      Array.from({ length: to - from }, (_, i) => ({ data: { body: makeObject(from + i, 0) } })),
    )

  async function stored() {
    const { rows } = await pool.query(
      `SELECT count(*)::int AS count FROM pgboss.job WHERE name = $1 AND state < 'completed'`,
      [QUEUE],
    )
    return rows[0].count
  }
  return {
    ...loadedBy({ add, addMany, stored }),
    async drain() {
      works = true
      await boss.work(QUEUE, WORK, work)
    },
    async rest() {
      if (works) await boss.offWork(QUEUE, { wait: true })
      works = false
    },
    fanOut: ({ events, targets }) =>
      inPieces({ count: events, size: 1 }, event => {
        const body = makeObject(event * targets, 0)
        const jobs = Array.from({ length: targets }, (_, target) => ({ data: { body, target: `/offset/${target}` } }))
        return boss.insert(QUEUE, jobs)
      }),
    async stop() {
      await boss.stop({ graceful: true, timeout: 5000 })
      await pool.end()
      await client.stop()
    },
  }
}

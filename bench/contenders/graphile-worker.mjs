/** Graphile Worker with the settings that its documentation gives for performance: 24 jobs, a local queue of 500, batches without delay. */
import { Logger, makeWorkerUtils, run } from 'graphile-worker'
import pg from 'pg'
import { makeObject } from '../body.mjs'
import { inPieces, loadedBy } from './load.mjs'
import { openClient } from './receiver-client.mjs'

const TASK = 'webhook'
const quiet = new Logger(() => () => {})

export async function start({ databaseUrl, sinkUrl }) {
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 32 })
  const utils = await makeWorkerUtils({ pgPool: pool, logger: quiet })
  await utils.migrate()
  const client = openClient()
  let runner = null
  const taskList = {
    // A target of its own rides beside the body; the body goes out as it was put.
    [TASK]: ({ target, body }) => client.send(sinkUrl + (target ?? ''), JSON.stringify(body)),
  }
  const add = (id, at, target) => utils.addJob(TASK, { body: makeObject(id, at), target })
  const addMany = (from, to) =>
    utils.addJobs(
      Array.from({ length: to - from }, (_, i) => ({ identifier: TASK, payload: { body: makeObject(from + i, 0) } })),
    )

  async function drain() {
    runner = await run({
      pgPool: pool,
      taskList,
      logger: quiet,
      noHandleSignals: true,
      preset: {
        worker: { concurrentJobs: 24, localQueue: { size: 500 }, completeJobBatchDelay: 0, failJobBatchDelay: 0 },
      },
    })
  }
  async function stored() {
    const { rows } = await pool.query('SELECT count(*)::int AS count FROM graphile_worker._private_jobs')
    return rows[0].count
  }
  return {
    ...loadedBy({ add, addMany, stored }),
    drain,
    async rest() {
      await runner?.stop()
      runner = null
    },
    fanOut: ({ events, targets }) =>
      inPieces({ count: events, size: 1 }, event => {
        const body = makeObject(event * targets, 0)
        const payloads = Array.from({ length: targets }, (_, target) => ({ body, target: `/offset/${target}` }))
        return utils.addJobs(payloads.map(payload => ({ identifier: TASK, payload })))
      }),
    async stop() {
      await runner?.stop()
      await utils.release()
      await pool.end()
      await client.stop()
    },
  }
}

/** BullMQ, 100 at a time, on a Redis that syncs its log before it answers: as durable as the others' commits. */
import { Queue, Worker } from 'bullmq'
import { Redis } from 'ioredis'
import { makeObject } from '../body.mjs'
import { inPieces, loadedBy } from './load.mjs'
import { CONNECTIONS, openClient } from './receiver-client.mjs'

const QUEUE = 'webhook'

export async function start({ redisPath, sinkUrl }) {
  const connect = () => new Redis({ path: redisPath, maxRetriesPerRequest: null })
  const connections = [connect(), connect()]
  await connections[0].flushall()
  const queue = new Queue(QUEUE, { connection: connections[0], defaultJobOptions: { removeOnComplete: true } })
  const client = openClient()
  const work = ({ data }) => client.send(sinkUrl + (data.target ?? ''), JSON.stringify(data.body))
  const worker = new Worker(QUEUE, work, { connection: connections[1], concurrency: CONNECTIONS, autorun: false })
  let runs = false
  const add = (id, at) => queue.add('webhook', { body: makeObject(id, at) })
  const addMany = (from, to) =>
    queue.addBulk(
      Array.from({ length: to - from }, (_, i) => ({ name: 'webhook', data: { body: makeObject(from + i, 0) } })),
    )
  const stored = async () => {
    const counts = await queue.getJobCounts('wait', 'active', 'prioritized', 'delayed')
    return Object.values(counts).reduce((sum, count) => sum + count, 0)
  }
  return {
    ...loadedBy({ add, addMany, stored }),
    drain() {
      if (runs) worker.resume()
      else worker.run().catch(error => console.error(error))
      runs = true
    },
    rest: () => (runs ? worker.pause() : undefined),
    fanOut: ({ events, targets }) =>
      inPieces({ count: events, size: 1 }, event => {
        const body = makeObject(event * targets, 0)
        const jobs = Array.from({ length: targets }, (_, target) => ({ body, target: `/offset/${target}` }))
        return queue.addBulk(jobs.map(data => ({ name: 'webhook', data })))
      }),
    async stop() {
      await worker.close()
      await queue.close()
      for (const connection of connections) connection.disconnect()
      await client.stop()
    },
  }
}

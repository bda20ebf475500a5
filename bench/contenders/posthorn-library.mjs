/**
 * Posthorn's put without HTTP: a node as it ships, embedded in the contender's process, and called through its own client.
 * The queue is paused, so that nothing is delivered.
 */
import { loadConfig, processSources, silentLog, startNode } from '../../packages/server/dist/index.js'
import { makeBody } from '../body.mjs'
import { closedLoop, inPieces, seconds } from './load.mjs'
import { newQueue } from './posthorn-node.mjs'

const BULK = 1000

export async function start({ databaseUrl, folder, sinkUrl }) {
  const config = loadConfig(processSources({ databaseUrl, dataDir: folder, port: '0' }))
  const node = await startNode(config, silentLog)
  const { queues, messages } = node.client
  const { id: queueId } = await queues.create(newQueue('bench', `${sinkUrl}/`))
  await queues.pause({ id: queueId })
  const put = id => messages.put({ queueId, body: makeBody(id, 0) })
  const putMany = async (from, to) => {
    const some = Array.from({ length: to - from }, (_, i) => ({ queueId, body: makeBody(from + i, 0) }))
    const { results } = await messages.putMany({ messages: some })
    if (results.some(({ result }) => result !== 'stored')) throw new Error(JSON.stringify(results.slice(0, 3)))
  }
  return {
    put: ({ first, ...load }) => closedLoop(load, id => put(first + id)),
    putBulk: ({ first, messages: count }) =>
      seconds(() => inPieces({ count, size: BULK, width: 2 }, (from, to) => putMany(first + from, first + to))),
    stored: async () =>
      (await messages.list({ where: { status: { eq: 'pending' } }, limit: 1, totalCount: true })).totalCount,
    stop: () => node.stop(),
  }
}

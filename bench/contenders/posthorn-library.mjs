/**
 * Posthorn without HTTP in front: a node as it ships, embedded in the contender's process, and called through its own client.
 */
import { loadConfig, processSources, silentLog, startNode } from '../../packages/server/dist/index.js'
import { makeBody } from '../body.mjs'
import { loadedBy } from './load.mjs'
import { bulkOf, expectStored, newQueue } from './posthorn-node.mjs'

export async function start({ databaseUrl, folder, sinkUrl }) {
  const config = loadConfig(processSources({ databaseUrl, dataDir: folder, port: '0' }))
  const node = await startNode(config, silentLog)
  const { queues, messages } = node.client
  const { id: queueId } = await queues.create(newQueue('bench', `${sinkUrl}/`))
  const pause = () => queues.pause({ id: queueId })
  await pause()
  const add = (id, at) => messages.put({ queueId, body: makeBody(id, at) })
  const addMany = async (from, to) =>
    expectStored(await messages.putMany({ messages: bulkOf(from, to, () => queueId) }))
  const pending = { where: { status: { eq: 'pending' } }, limit: 1, totalCount: true }
  return {
    ...loadedBy({ add, addMany, stored: async () => (await messages.list(pending)).totalCount }),
    drain: () => queues.resume({ id: queueId }),
    rest: pause,
    stop: () => node.stop(),
  }
}

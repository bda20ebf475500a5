/**
 * Posthorn as it ships, over REST: a server process with its defaults; queues are signed, attempts and history are kept,
 * metrics are on. Without a database of the bench's, it stores in its embedded one.
 */
import { makeBody } from '../body.mjs'
import { closedLoop, inPieces, loadedBy } from './load.mjs'
import { bulkOf, expectStored, newQueue, startPosthorn } from './posthorn-node.mjs'

const MUTATION = 'mutation ($inputs: [MessageInput]!) { insertMessages(inputs: $inputs) { id } }'

export async function start({ databaseUrl, folder, sinkUrl, flags, settings = {} }) {
  const store = databaseUrl ? { POSTHORN_DATABASE_URL: databaseUrl } : {}
  const node = await startPosthorn({ flags, settings: { POSTHORN_DATA_DIR: folder, ...store, ...settings } })
  const { id: queueId } = await node.call('POST', '/queues/', newQueue('bench', `${sinkUrl}/`))
  const pause = () => node.call('POST', `/queues/${queueId}/pause`, {})
  await pause()
  const ways = {
    rest: (id, at) => node.do('POST', '/messages/', { queueId, body: makeBody(id, at) }),
    async graphql(id, at) {
      const variables = { inputs: [{ queueId, body: makeBody(id, at) }] }
      const { errors } = await node.call('POST', '/graphql', { query: MUTATION, variables })
      if (errors) throw new Error(JSON.stringify(errors))
    },
  }
  const fan = []
  const putMany = async messages => expectStored(await node.call('POST', '/messages/bulk', { messages }))
  const addMany = (from, to) => putMany(bulkOf(from, to, () => queueId))

  return {
    pids: () => [node.pid],
    ...loadedBy({ add: ways.rest, addMany, stored: () => node.count('pending') }),
    drain: () => node.call('POST', `/queues/${queueId}/resume`, {}),
    rest: pause,
    put: ({ first, way = 'rest', ...load }) => closedLoop(load, id => ways[way](first + id, 0)),
    async prepareFan({ targets }) {
      await inPieces({ count: targets - fan.length, size: 1, width: 8 }, async () => {
        const target = fan.push(0) - 1
        fan[target] = await node.call('POST', '/queues/', newQueue(`fan ${target}`, `${sinkUrl}/offset/${target}`))
      })
    },
    fanOut: ({ events, targets }) =>
      inPieces({ count: events, size: 1 }, event => {
        const body = makeBody(event * targets, 0)
        return putMany(fan.map(({ id }) => ({ queueId: id, body })))
      }),
    stop: () => node.stop(),
  }
}

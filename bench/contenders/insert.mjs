/**
 * A plain INSERT for each message. And what sending what was stored comes to at least: `request` once the INSERT is
 * answered, by the same process.
 */
import { makeBody } from '../body.mjs'
import { closedLoop, flowOf } from './load.mjs'
import { openPlainStore } from './plain-store.mjs'
import { openClient } from './receiver-client.mjs'

export async function start({ databaseUrl, sinkUrl }) {
  const client = openClient()
  const store = await openPlainStore(databaseUrl)
  const insertAndSend = async (id, at) => {
    const body = makeBody(id, at)
    await store.insert(body)
    await client.send(sinkUrl, body)
  }
  return {
    put: ({ first, ...load }) => closedLoop(load, id => store.insert(makeBody(first + id, 0))),
    prepare() {},
    drain() {},
    flow: flowOf(insertAndSend),
    stored: () => store.count(),
    async stop() {
      await client.stop()
      await store.stop()
    },
  }
}

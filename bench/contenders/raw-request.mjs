/** The limit: undici's `request`, 100 at a time, nothing durable, nothing signed, nothing recorded. */
import { makeBody } from '../body.mjs'
import { flowOf } from './load.mjs'
import { CONNECTIONS, openClient } from './receiver-client.mjs'

export async function start({ sinkUrl }) {
  const client = openClient()
  let backlog = 0
  let over = Promise.resolve()
  const send = (id, at) => client.send(sinkUrl, makeBody(id, at))

  async function sendAll(count) {
    let next = 0
    const lane = async () => {
      while (next < count) await send(next++, 0)
    }
    await Promise.all(Array.from({ length: CONNECTIONS }, lane))
  }

  return {
    prepare(messages) {
      backlog = messages
    },
    drain() {
      over = sendAll(backlog)
    },
    settled: () => over,
    rest() {},
    flow: flowOf(send),
    stop: () => client.stop(),
  }
}

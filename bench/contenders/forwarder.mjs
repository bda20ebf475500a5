/** The least that takes messages over HTTP, stores them and sends them on: called as Posthorn is called over REST. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { makeBody } from '../body.mjs'
import { flowOf } from './load.mjs'
import { openClient } from './receiver-client.mjs'

export async function start({ databaseUrl, sinkUrl }) {
  const server = fork(new URL('forwarder-server.mjs', import.meta.url), [databaseUrl, sinkUrl])
  const [url] = await Promise.race([
    once(server, 'message'),
    once(server, 'exit').then(([code]) => Promise.reject(new Error(`the forwarder ended with ${code}`))),
  ])
  const client = openClient()
  return {
    pids: () => [server.pid],
    prepare() {},
    drain() {},
    flow: flowOf((id, at) => client.send(url, makeBody(id, at))),
    async stop() {
      await client.stop()
      const gone = once(server, 'exit')
      server.disconnect()
      await gone
    },
  }
}

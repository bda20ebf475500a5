/** The same limit with undici's `dispatch` and one small handler object a request: the least that undici can do. */
import { Agent } from 'undici'
import { makeBody } from '../body.mjs'
import { CONNECTIONS } from './receiver-client.mjs'

const HEADERS = ['content-type', 'application/json']

export async function start({ sinkUrl }) {
  const agent = new Agent({ connections: CONNECTIONS, pipelining: 1 })
  const { origin } = new URL(sinkUrl)
  let backlog = 0
  let over = Promise.resolve()

  class Request {
    #done
    constructor(done) {
      this.#done = done
    }
    onRequestStart() {}
    onResponseStart() {}
    onResponseData() {}
    onResponseEnd() {
      this.#done()
    }
    onResponseError(_controller, error) {
      throw error
    }
  }

  function sendAll(count) {
    return new Promise(resolve => {
      let next = 0
      let ended = 0
      const send = () => {
        if (next === count) return
        agent.dispatch(
          { origin, path: '/', method: 'POST', headers: HEADERS, body: makeBody(next++, 0) },
          new Request(done),
        )
      }
      const done = () => {
        if (++ended === count) resolve()
        else send()
      }
      for (let i = 0; i < CONNECTIONS; i++) send()
    })
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
    stop: () => agent.close(),
  }
}

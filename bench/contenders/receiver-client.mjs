/** How the contenders that bring no HTTP client of their own call the sink: undici, 100 connections. */
import { Agent, request } from 'undici'

export const CONNECTIONS = 100
const HEADERS = { 'content-type': 'application/json' }

export function openClient() {
  const dispatcher = new Agent({ connections: CONNECTIONS, pipelining: 1 })
  return {
    async send(url, body) {
      const answer = await request(url, { method: 'POST', headers: HEADERS, body, dispatcher })
      await answer.body.dump()
      if (answer.statusCode !== 204) throw new Error(`the sink answered ${answer.statusCode}`)
    },
    stop: () => dispatcher.close(),
  }
}

import { connect } from 'node:net'
import { expect, test } from 'vitest'
import { serve } from '../api/serve.ts'

/** Sends a request head and, a moment later, its body; gives the answer. */
function exchange(port: number, head: string[], body: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = ''
    const socket = connect(port, '127.0.0.1', () => {
      socket.write(`${head.join('\r\n')}\r\n\r\n${body.slice(0, 5)}`)
      setImmediate(() => socket.write(body.slice(5)))
    })
    socket.on('data', bytes => {
      answer += bytes
      if (/[\]}]$|^HTTP\/1\.1 101 [\s\S]*\r\n\r\n/.test(answer)) socket.end()
    })
    socket.on('close', () => resolve(answer))
    socket.on('error', reject)
  })
}

const BODY = '{"name":"from java"}'
const head = (first: string, ...more: string[]) => [first, 'Host: localhost', ...more]

test('a client that offers HTTP/2 with a POST is answered in the protocol that it asked in', async () => {
  const { port, state } = await serve()
  const offer = ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAEAAEAA']
  const asked = head(
    'POST /queues/ HTTP/1.1',
    ...offer,
    'Content-Type: application/json',
    `Content-Length: ${BODY.length}`,
  )
  const answer = await exchange(port, asked, BODY)
  expect(answer).toMatch(/^HTTP\/1\.1 200 /)
  expect([...state.queues.values()]).toMatchObject([{ name: 'from java' }])
})

test.each([
  ['GET /queues/ HTTP/1.1', 200],
  ['GET /nowhere HTTP/1.1', 404],
  ['GET /graphql?query={queues{id}} HTTP/1.1', 101],
  ['GET /graphql?query={queues{id}} HTTP/1.1', 101, 'nonsense, graphql-ws'],
  ['GET /graphql?query={queues{id}} HTTP/1.1', 200, 'nonsense'],
])('a WebSocket for %s is answered with %d', async (first, status, protocol = 'graphql-transport-ws') => {
  const { port } = await serve()
  const offer = [
    'Connection: keep-alive, Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    `Sec-WebSocket-Protocol: ${protocol}`,
  ]
  const answer = await exchange(port, head(first, ...offer, 'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=='), '')
  expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
})

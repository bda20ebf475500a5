/**
 * Requests that ask for another protocol.
 *
 * Who listens for upgrades gets every request that offers one, and Node then reads no body of it: Java's client offers
 * h2c with each first POST. So only a WebSocket for /graphql is upgraded. All others go back to where they came from,
 * as the plain requests that they are without the offer, with every byte that came with them.
 */
import { EventEmitter } from 'node:events'
import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'

/**
 * Gives what emits `upgrade`, as a server does, for the WebSockets that are wanted.
 * @param wanted decides by the request's head
 */
export function divideUpgrades(server: Server, wanted: (request: IncomingMessage) => boolean): Server {
  const emitter = new EventEmitter() as Server
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, rest: Buffer) => {
    if (isWebSocket(request) && wanted(request)) return void emitter.emit('upgrade', request, socket, rest)
    socket.unshift(Buffer.concat([plainHead(request), rest]))
    server.emit('connection', socket)
  })
  return emitter
}

function isWebSocket({ method, headers }: IncomingMessage): boolean {
  return method === 'GET' && headers.upgrade?.toLowerCase() === 'websocket'
}

const OFFER = /^(upgrade|http2-settings)$/i

/** The head of a request as it came, but for the offer. */
function plainHead({ method, url, httpVersion, rawHeaders }: IncomingMessage): Buffer {
  const lines = [`${method} ${url} HTTP/${httpVersion}`]
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!
    const value = rawHeaders[i + 1]!
    if (OFFER.test(name)) continue
    if (name.toLowerCase() !== 'connection') lines.push(`${name}: ${value}`)
    else lines.push(...keptTokens(value).map(token => `${name}: ${token}`))
  }
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1')
}

function keptTokens(connection: string): string[] {
  return connection
    .split(',')
    .map(token => token.trim())
    .filter(token => token !== '' && !OFFER.test(token))
}

/**
 * The WebSockets that subscriptions come over. One that says nothing after it was opened is closed, one whose other end is
 * gone is found by a ping, and when the server stops each is told so and then cut.
 */
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import websocket from '@fastify/websocket'
import type { FastifyInstance } from 'fastify'
import type { Clock } from '../../clock.ts'
import type { Access } from '../access/access.ts'
import { divideUpgrades } from './upgrades.ts'

const MAX_FRAME_BYTES = 262_144
const FIRST_WORD_MS = 10_000
const PING_MS = 30_000
const FAREWELL_MS = 500
/** Of the graphql-transport-ws protocol: the connection was not initialised in time. */
const TOO_LATE = 4408
const GOING_AWAY = 1001

type Socket = FastifyInstance['websocketServer']['clients'] extends Set<infer S> ? S : never

/** @param refuse what is refused over HTTP gets no WebSocket either, but HTTP's answer */
export async function acceptSockets(app: FastifyInstance, clock: Clock, refuse: Access['refuse']): Promise<void> {
  const wanted = ({ url, headers }: IncomingMessage): boolean =>
    isGraphql(url) && protocolsIn(headers).length > 0 && refuse(headers) === null
  const server = divideUpgrades(app.server, wanted)
  await app.register(websocket, {
    options: { maxPayload: MAX_FRAME_BYTES, server, handleProtocols: offered => choose(offered) },
    preClose(done: () => void) {
      const { clients } = app.websocketServer
      for (const socket of clients) socket.close(GOING_AWAY)
      if (clients.size > 0) {
        clock.setTimer(() => {
          for (const socket of clients) socket.terminate()
        }, FAREWELL_MS)
      }
      app.websocketServer.close(() => done())
    },
  })
  app.websocketServer.on('connection', socket => watch(socket, clock))
}

/** The protocol of today, and the one that older clients speak. */
const PROTOCOLS = ['graphql-transport-ws', 'graphql-ws']

function choose(offered: ReadonlySet<string>): string | false {
  return PROTOCOLS.find(protocol => offered.has(protocol)) ?? false
}

function protocolsIn(headers: IncomingHttpHeaders): string[] {
  const offered = headers['sec-websocket-protocol']?.split(',').map(protocol => protocol.trim()) ?? []
  return offered.filter(protocol => PROTOCOLS.includes(protocol))
}

function isGraphql(url = ''): boolean {
  return /^\/graphql\/?(\?|$)/.test(url)
}

function watch(socket: Socket, clock: Clock): void {
  const first = clock.setTimer(() => socket.close(TOO_LATE, 'Connection initialisation timeout'), FIRST_WORD_MS)
  socket.once('message', () => first.cancel())
  let answered = true
  const ping = (): void => {
    if (!answered) return void socket.terminate()
    answered = false
    socket.ping()
    timer = clock.setTimer(ping, PING_MS)
  }
  let timer = clock.setTimer(ping, PING_MS)
  socket.on('pong', () => {
    answered = true
  })
  socket.once('close', () => {
    first.cancel()
    timer.cancel()
  })
}

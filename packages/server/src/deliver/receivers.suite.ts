import { once } from 'node:events'
import http from 'node:http'
import net from 'node:net'
import { onTestFinished } from 'vitest'
import { systemClock } from '../clock.ts'
import { silentLog } from '../log.ts'
import { createGuard } from './guard.ts'
import type { Outcome, OutgoingRequest, Sender } from './port.ts'
import { createSender, type SenderOptions } from './send.ts'

/** Receivers on this machine for the tests of the sender, and a sender to call them. All of it ends with its test. */

export interface Received {
  readonly method: string
  readonly url: string
  readonly rawHeaders: string[]
  readonly headers: http.IncomingHttpHeaders
  readonly body: Buffer
  /** Which connection it came on: 1 for the first. */
  readonly connection: number
}

export interface Receiver {
  readonly url: string
  readonly port: number
  readonly received: Received[]
  /** Connections accepted so far, and those open now. */
  connections(): number
  open(): number
}

type Answer = (response: http.ServerResponse, received: Received) => void

/** An HTTP server that keeps what it received; by default it answers 204. */
export async function receiver(answer: Answer = response => response.writeHead(204).end()): Promise<Receiver> {
  const received: Received[] = []
  const numbers = new Map<net.Socket, number>()
  let open = 0
  const server = http.createServer({ keepAliveTimeout: 30_000 }, async (request, response) => {
    const parts: Buffer[] = []
    for await (const part of request) parts.push(part)
    const { method = '', url = '', rawHeaders, headers } = request
    const connection = numbers.get(request.socket) ?? 0
    received.push({ method, url, rawHeaders, headers, body: Buffer.concat(parts), connection })
    answer(response, received.at(-1)!)
  })
  server.on('connection', socket => {
    open++
    numbers.set(socket, numbers.size + 1)
    socket.on('close', () => open--)
  })
  const port = await listen(server)
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${port}/hook`, port, received, connections: () => numbers.size, open: () => open }
}

/** A bare TCP server; `talk` gets every connection with its number from 1. */
export async function rawReceiver(
  talk: (socket: net.Socket, connection: number) => void,
): Promise<{ url: string; port: number; open(): number }> {
  const sockets = new Set<net.Socket>()
  let connections = 0
  const server = net.createServer(socket => {
    sockets.add(socket)
    socket.on('error', () => {}).on('close', () => sockets.delete(socket))
    talk(socket, ++connections)
    // Who does not read never learns that the other side has closed.
    socket.resume()
  })
  const port = await listen(server)
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return { url: `http://127.0.0.1:${port}/hook`, port, open: () => sockets.size }
}

export async function listen(server: net.Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as net.AddressInfo).port
}

/** Calls `answer` for every request on a bare connection, once its head (and so the beginning of its body) is here. */
export function onRequests(socket: net.Socket, answer: (request: number, text: string) => void): void {
  let requests = 0
  socket.on('data', data => {
    if (data.includes('HTTP/1.1\r\n')) answer(++requests, data.toString('latin1'))
  })
}

export interface TestSender extends Sender {
  attempt(url: string, request?: Partial<OutgoingRequest>): Promise<Outcome>
}

export function sender(options: Partial<SenderOptions> = {}): TestSender {
  const guard = createGuard({ allowLoopback: true, allow: [] })
  const sender = createSender({ clock: systemClock, log: silentLog, guard, ...options })
  onTestFinished(() => sender.stop(0))
  return {
    get sockets() {
      return sender.sockets
    },
    send: sender.send.bind(sender),
    stop: sender.stop.bind(sender),
    attempt: (url, request = {}) =>
      new Promise(done => {
        const body = Buffer.from('{}')
        sender.send(
          { orgId: 1, method: 'POST', url, headers: [], body, timeoutMs: 5000, followRedirects: false, ...request },
          done,
        )
      }),
  }
}

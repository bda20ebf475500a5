/** A receiver of webhooks to try things against: answers as told, checks signatures, reports what came. */
import { timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { parseSecret, type SigningKey, sign } from '../deliver/sign.ts'

export interface TargetOptions {
  /** 0 takes a free port. Default 3043. */
  readonly port?: number
  /** Default 127.0.0.1. */
  readonly host?: string
  /** Statuses to answer with, in turn. Default 200. */
  readonly statuses?: readonly number[]
  readonly delayMs?: number
  /** Every n-th request is answered 500. */
  readonly failEvery?: number
  /** Takes requests and never answers. */
  readonly hang?: boolean
  /** `whsec_…`: signatures are checked with it, and a wrong one is answered 401. */
  readonly secret?: string
  /** Called for every request, when it is answered or left hanging. */
  readonly seen?: (request: TargetRequest) => void
}

export interface TargetRequest {
  readonly method: string
  readonly path: string
  readonly headers: IncomingMessage['headers']
  readonly body: Buffer
  /** Null if no secret was given to check with. */
  readonly signature: 'valid' | 'wrong' | 'missing' | 'too old' | null
  /** Null if it was left hanging. */
  readonly status: number | null
}

export interface Target {
  readonly url: string
  /** Requests so far. */
  readonly count: number
  /** Closes every connection, answered or not. */
  stop(): Promise<void>
}

export const DEFAULT_PORT = 3043
/** The tolerance that the Standard Webhooks libraries use. */
const OLDEST_SIGNATURE_S = 300

/**
 * Starts a receiver.
 *
 * @example
 * const target = await startTarget({ port: 0, failEvery: 3, seen: request => console.log(request.path) })
 * await target.stop()
 *
 * @throws Error if the secret is malformed or the port is taken
 */
export async function startTarget(options: TargetOptions = {}): Promise<Target> {
  const key = options.secret === undefined ? null : readSecret(options.secret)
  let count = 0
  const server = createServer((request, response) => {
    count += 1
    answer(request, response, chooseStatus(options, count), options, key).catch(() => response.destroy())
  })
  const port = await listen(server, options)
  const host = options.host ?? '127.0.0.1'
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${port}`,
    get count() {
      return count
    },
    stop() {
      const closed = new Promise<void>(resolve => server.close(() => resolve()))
      server.closeAllConnections()
      return closed
    },
  }
}

function readSecret(secret: string): SigningKey {
  const parsed = parseSecret(secret)
  if (!parsed.ok) throw new Error(parsed.problem)
  return parsed.key
}

function listen(server: Server, { port = DEFAULT_PORT, host = '127.0.0.1' }: TargetOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => resolve((server.address() as AddressInfo).port))
  })
}

function chooseStatus({ statuses = [200], failEvery }: TargetOptions, count: number): number {
  if (failEvery !== undefined && count % failEvery === 0) return 500
  return statuses[(count - 1) % statuses.length] ?? 200
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  chosen: number,
  options: TargetOptions,
  key: SigningKey | null,
): Promise<void> {
  const body = await readBody(request)
  const signature = key === null ? null : checkSignature(request.headers, body, key)
  const status = options.hang ? null : signature === null || signature === 'valid' ? chosen : 401
  if (options.delayMs) await new Promise(resolve => setTimeout(resolve, options.delayMs))
  options.seen?.({
    method: request.method ?? '',
    path: request.url ?? '',
    headers: request.headers,
    body,
    signature,
    status,
  })
  if (status !== null) response.writeHead(status).end()
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  return Buffer.concat(chunks)
}

function checkSignature(
  headers: IncomingMessage['headers'],
  body: Buffer,
  key: SigningKey,
): NonNullable<TargetRequest['signature']> {
  const id = headers['webhook-id']
  const timestamp = headers['webhook-timestamp']
  const signature = headers['webhook-signature']
  if (typeof id !== 'string' || typeof timestamp !== 'string' || typeof signature !== 'string') return 'missing'
  const expected = Buffer.from(sign([key], id, timestamp, body).signature)
  const matches = signature.split(' ').some(given => {
    const bytes = Buffer.from(given)
    return bytes.length === expected.length && timingSafeEqual(bytes, expected)
  })
  if (!matches) return 'wrong'
  return Math.abs(Date.now() / 1000 - Number(timestamp)) <= OLDEST_SIGNATURE_S ? 'valid' : 'too old'
}

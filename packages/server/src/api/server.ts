/**
 * The HTTP server: REST, GraphQL, documentation, health.
 *
 * created ──listen──▶ listening ──open──▶ serving ──close──▶ closed. Until it is opened, callers wait and health says that it
 * is not ready. Closing stops accepting at once, lets requests under way finish until its deadline, then cuts what is left.
 * Slow and endless requests are bounded in time and size before any handler runs.
 */
import type { Socket } from 'node:net'
import { type Config, Problem } from '@posthorn/contract'
import Fastify, { type FastifyInstance } from 'fastify'
import type { Log } from '../log.ts'
import { type Access, createAccess } from './access/access.ts'
import type { Tenants } from './access/tenants.ts'
import type { Changes } from './changes.ts'
import { addDocumentation } from './documentation.ts'
import { Door } from './door.ts'
import { createFailureHandler, type FailureOptions, renderProblem, sendProblem } from './failure.ts'
import { addGraphql } from './graphql/graphql.ts'
import type { Handlers } from './handlers.ts'
import { addHealth, type Health, type HealthPort, isAboutHealth, type MetricsPort } from './health.ts'
import { boundIntake } from './intake.ts'
import { acceptJson } from './json-body.ts'
import { BODY_LIMIT } from './operation-call.ts'
import { reachedHandlers } from './reached-handlers.ts'
import { addRoutes } from './routes.ts'
import { describeFailure, validatorOptions } from './validator.ts'

const MAX_HEADER_BYTES = 16_384
const HEADERS_TIMEOUT_MS = 15_000
const REQUEST_TIMEOUT_MS = 60_000

export interface ApiOptions {
  readonly config: Pick<Config, 'host' | 'port' | 'adminSecret' | 'authorization' | 'maxBodyBytes' | 'maxIncomingBytes'>
  /** Most connections of callers; further ones are closed at once. */
  readonly maxConnections?: number
  readonly tenants: Tenants
  readonly version: string
  /** Null on a node that only delivers: it answers for its health and its numbers, nothing else. */
  readonly handlers: Handlers | null
  /** What is written here is told to, and what subscribers hear. */
  readonly changes: Changes
  readonly health: HealthPort
  readonly metrics: MetricsPort
  readonly log: Log
  /** Recognises errors of rooms that this one does not know, such as a lost database. */
  readonly translate?: (error: unknown) => Problem | null
}

export interface Api {
  /** Holds the port from here on; gives the address. @throws Error in one sentence if it cannot be had */
  listen(): Promise<{ readonly url: string; readonly port: number }>
  /** Serves from here on. */
  open(): void
  /** Ends within `deadlineMs`. Never rejects. */
  close(deadlineMs: number): Promise<void>
}

/** @throws Error if others could call without a secret */
export function createApi(options: ApiOptions): Api {
  const { config, log } = options
  const access = createAccess({ ...config, tenants: options.tenants, log })
  const door = new Door()
  const app = createApp(options, access, door)
  return {
    async listen() {
      if (access.open)
        log.warn({ host: config.host }, 'no admin secret is configured: whoever is on this machine may call')
      await app.listen({ host: config.host, port: config.port }).catch(error => {
        throw new Error(whyNotListening(error, config), { cause: error })
      })
      const address = app.server.address()
      const port = typeof address === 'object' && address ? address.port : config.port
      const host = config.host.includes(':') ? `[${config.host}]` : config.host
      return { url: `http://${host}:${port}`, port }
    },
    open: () => door.open(),
    close(deadlineMs) {
      door.lock()
      return closeWithin(app, deadlineMs)
    },
  }
}

function whyNotListening(error: NodeJS.ErrnoException, { host, port }: ApiOptions['config']): string {
  const other = 'set another (POSTHORN_PORT, --port)'
  if (error.code === 'EADDRINUSE') return `port ${port} is taken on ${host}: ${other}, or end what listens there`
  if (error.code === 'EACCES') return `port ${port} may not be opened by this user: ${other}`
  if (error.code === 'EADDRNOTAVAIL' || error.code === 'ENOTFOUND')
    return `host ${host} is no address of this machine: set one that is (POSTHORN_HOST, --host)`
  return error.message
}

function createApp(options: ApiOptions, access: Access, door: Door): FastifyInstance {
  const { config, log } = options
  const failure: FailureOptions = {
    translate: options.translate ?? (() => null),
    unexpected: (error, requestId) => log.error({ err: error, requestId }, 'a request failed unexpectedly'),
  }
  const fail = createFailureHandler(failure)
  const app = Fastify({
    logger: false,
    bodyLimit: BODY_LIMIT,
    requestTimeout: REQUEST_TIMEOUT_MS,
    forceCloseConnections: 'idle',
    routerOptions: { ignoreTrailingSlash: true },
    http: { maxHeaderSize: MAX_HEADER_BYTES, headersTimeout: HEADERS_TIMEOUT_MS, connectionsCheckingInterval: 5000 },
    ajv: validatorOptions,
    schemaErrorFormatter: describeFailure,
    frameworkErrors: (error, request, reply) => fail(error, request as never, reply as never),
    clientErrorHandler: refuseSocket,
  })
  if (options.maxConnections) app.server.maxConnections = options.maxConnections
  acceptJson(app)
  boundIntake(app, config.maxIncomingBytes)
  app.setErrorHandler(fail)
  app.setNotFoundHandler((request, reply) => {
    sendProblem(new Problem('route_not_found', { method: request.method, url: request.url }), request, reply)
  })
  app.addHook('onRequest', (request, _reply, done) => {
    const refused = access.refuse(request.headers)
    if (refused || door.isOpen || isAboutHealth(request)) done(refused ?? undefined)
    else door.enter(done)
  })
  addHealth(app, { check: async () => heldBack(await options.health.check(), door) }, options.metrics, access)
  if (options.handlers) {
    app.get('/', async () => welcome)
    addDocumentation(app, options.version)
    const { changes } = options
    const { maxBodyBytes } = config
    const handlers = reachedHandlers(options.handlers, changes, options.tenants)
    addRoutes(app, { handlers, access, maxBodyBytes })
    addGraphql(app, { handlers, access, changes, maxBodyBytes, failure })
  }
  return app
}

const heldBack = (health: Health, door: Door): Health => (door.isOpen ? health : { ...health, ready: false })

const welcome = {
  message: 'Welcome to Posthorn! Please check out the documentation.',
  links: {
    documentation: '/documentation/',
    openapi: '/documentation/json',
    graphiql: '/graphiql',
    queues: '/queues/',
    health: '/health',
  },
}

/** What never became a request is answered on its socket. */
function refuseSocket(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy()
  const problem = describeSocketError(error.code)
  const { type, body } = renderProblem(problem, undefined)
  const head = [
    `HTTP/1.1 ${problem.status} ${JSON.parse(body).error}`,
    `content-type: ${type}`,
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ]
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`)
}

function describeSocketError(code: string | undefined): Problem {
  if (code === 'HPE_HEADER_OVERFLOW') return new Problem('headers_too_large', { limit: MAX_HEADER_BYTES })
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return new Problem('request_timeout', { limit: REQUEST_TIMEOUT_MS })
  return new Problem('validation_failed', { problem: 'the request is not HTTP' })
}

async function closeWithin(app: FastifyInstance, deadlineMs: number): Promise<void> {
  const cut = setTimeout(() => app.server.closeAllConnections(), deadlineMs)
  await app.close().catch(() => undefined)
  clearTimeout(cut)
}

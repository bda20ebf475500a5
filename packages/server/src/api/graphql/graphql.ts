/** GraphQL over HTTP and WebSocket at /graphql: the same handlers as REST, reached through the contract's schema. */
import type { IncomingHttpHeaders } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { type DocumentNode, type GraphQLSchema, specifiedRules, validate } from 'graphql'
import mercurius, { type MercuriusOptions } from 'mercurius'
import { type Clock, systemClock } from '../../clock.ts'
import { readCarrier } from '../../tracing.ts'
import type { Access } from '../access/access.ts'
import type { Changes } from '../changes.ts'
import type { FailureOptions } from '../failure.ts'
import { type Handlers, withTrace } from '../handlers.ts'
import { requestLimit } from '../payload.ts'
import { createCalls, type RequestContext } from './calls.ts'
import { createFailureFormat, type FormatFailure } from './failure.ts'
import { addGraphiql } from './graphiql.ts'
import { answerKnown } from './known-queries.ts'
import { limitRule, MAX_TOKENS } from './limits.ts'
import { RowLoads } from './row-loads.ts'
import { createSchema } from './schema.ts'
import { acceptSockets } from './sockets.ts'
import { Connection, type SubscriptionContext } from './subscriptions.ts'

const BODY_FACTOR = 4

export interface GraphqlOptions {
  readonly handlers: Handlers
  readonly access: Access
  readonly changes: Changes
  readonly maxBodyBytes: number
  readonly failure: FailureOptions
  readonly clock?: Clock
}

export function addGraphql(app: FastifyInstance, options: GraphqlOptions): void {
  const { handlers, changes, maxBodyBytes, clock = systemClock } = options
  const calls = createCalls(handlers, maxBodyBytes)
  const schema = createSchema({ calls, changes, clock })
  const format = createFailureFormat(options.failure)
  const enter = async (headers: IncomingHttpHeaders): Promise<RequestContext> => {
    const caller = await options.access.admit(headers)
    return {
      caller: caller instanceof Error ? caller : withTrace(caller, readCarrier(headers)),
      loads: new RowLoads(calls),
    }
  }
  app.register(async scope => {
    await acceptSockets(scope, clock, headers => options.access.refuse(headers))
    await scope.register(mercurius, mercuriusOptions(schema, format, enter, maxBodyBytes))
    scope.graphql.addHook('preSubscriptionExecution', async (_, document, context) => {
      refuseUnsound(schema, document)
      await enterSubscription(context as never, enter)
    })
  })
  addGraphiql(app)
}

type Enter = (headers: IncomingHttpHeaders) => Promise<RequestContext>

function mercuriusOptions(
  schema: GraphQLSchema,
  format: FormatFailure,
  enter: Enter,
  maxBodyBytes: number,
): MercuriusOptions {
  return {
    schema,
    // Queries with their messages as literals are as large as these, and never the same twice: known-queries.ts keeps others.
    cache: false,
    graphql: { parseOptions: { maxTokens: MAX_TOKENS } },
    validationRules: ({ variables }) => [limitRule(variables)],
    context: request => enter(request.headers) as never,
    errorFormatter: (execution, context) => format(execution as never, requestOf(context)) as never,
    additionalRouteOptions: {
      bodyLimit: requestLimit(maxBodyBytes) * BODY_FACTOR,
      preHandler: answerKnown({ schema, enter, format }),
    },
    subscription: {
      context: async (_socket, request) => ({ request }),
      onConnect: ({ payload }) => ({ connectionParams: payload }),
    },
  }
}

function requestOf(context: unknown): FastifyRequest {
  const { reply, request } = context as { readonly reply?: FastifyReply; readonly request: FastifyRequest }
  return reply?.request ?? request
}

/** mercurius carries a subscription out without validating it. @throws GraphQLError */
function refuseUnsound(schema: GraphQLSchema, document: DocumentNode): void {
  const [error] = validate(schema, document, [...specifiedRules, limitRule(null)])
  if (error) throw error
}

interface Connected {
  readonly request: FastifyRequest
  readonly connectionParams: unknown
}

/** A browser cannot give a WebSocket headers: what it says when it connects counts as such. */
async function enterSubscription(context: Connected & Partial<SubscriptionContext>, enter: Enter): Promise<void> {
  const { request, connectionParams } = context
  const entered = await enter({ ...headersIn(connectionParams), ...request.headers })
  Object.assign(context, entered, {
    connection: connectionOf(request.raw.socket),
  } satisfies Partial<SubscriptionContext>)
}

const connections = new WeakMap<Socket, Connection>()

function connectionOf(socket: Socket): Connection {
  const known = connections.get(socket)
  if (known) return known
  const connection = new Connection()
  connections.set(socket, connection)
  socket.once('close', () => connection.close())
  if (socket.destroyed) connection.close()
  return connection
}

function headersIn(params: unknown): IncomingHttpHeaders {
  const { headers = params } = (params ?? {}) as { headers?: unknown }
  const texts = Object.entries((headers ?? {}) as object).filter(([, value]) => typeof value === 'string')
  return Object.fromEntries(texts.map(([name, value]) => [name.toLowerCase(), value]))
}

/** REST: one route for every operation of the contract, and for every foreign path that leads to one. */
import {
  type Operation,
  type OperationName,
  operationEntries,
  operations,
  pathAliases,
  type Resource,
} from '@posthorn/contract'
import { type TSchema, Type } from '@sinclair/typebox'
import type { FastifyInstance, FastifyReply, FastifyRequest, FastifySchema, RouteOptions } from 'fastify'
import { readCarrier } from '../tracing.ts'
import type { Access } from './access/access.ts'
import { mayAct, missing } from './access/rights.ts'
import { answerer } from './answer.ts'
import { type Admitted, type CallContext, withTrace } from './handlers.ts'
import { acceptBytes } from './json-body.ts'
import { type CallRoom, createCall, type OperationCall } from './operation-call.ts'
import { toPayload } from './payload.ts'

export interface RouteContext extends CallRoom {
  readonly access: Access
}

declare module 'fastify' {
  interface FastifyRequest {
    caller: CallContext | null
  }
}

export function addRoutes(app: FastifyInstance, context: RouteContext): void {
  app.decorateRequest('caller', null)
  for (const [name, operation] of operationEntries) {
    const route = createRoute(name, operation, context)
    if (operation.raw) app.register(async scope => addRawRoute(scope, route))
    else app.route(route)
  }
  for (const alias of pathAliases) {
    const route = createRoute(alias.operation, operations[alias.operation], context)
    app.route({ ...route, url: toUrl(alias.path) })
  }
}

const toUrl = (path: string): string => path.replaceAll(/\{(\w+)\}/g, ':$1')

function createRoute(name: OperationName, operation: Operation, context: RouteContext): RouteOptions {
  const { access } = context
  const call = createCall(name, context)
  return {
    method: operation.verb,
    url: toUrl(operation.path),
    schema: { ...call.schema, ...answerSchema(operation) },
    bodyLimit: call.bodyLimit,
    onRequest: (request, _reply, done) => {
      const enter = (caller: Admitted): void => {
        if (caller instanceof Error) return void done(caller)
        if (!mayAct(caller, operation.scope)) return void done(missing(caller, operation.scope))
        request.caller = withTrace(caller, readCarrier(request.headers))
        done()
      }
      const admitted = access.admit(request.headers)
      if (admitted instanceof Promise) void admitted.then(enter)
      else enter(admitted)
    },
    preValidation(request, _reply, done) {
      call.prepare(request.caller!, request)
      done()
    },
    handler: createHandler(operation, call),
  }
}

function answerSchema({ of, list, each, streamed, output }: Operation): FastifySchema {
  if (streamed) return {}
  const row = of && serialized(of)
  return { response: { 200: row ? (list || each ? Type.Array(row) : row) : output } }
}

/** A row that was asked for by `fields` has only those. What is a choice is written as it is: to choose, the serializer would validate. */
function serialized({ row }: Resource): TSchema {
  const properties = Object.entries(row.properties).map(([name, schema]) => [name, schema.anyOf ? Type.Any() : schema])
  return Type.Partial(Type.Object(Object.fromEntries(properties)))
}

function createHandler(operation: Operation, { read, carryOut }: OperationCall) {
  const answer = answerer(operation)
  return async (request: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
    const input = read(request)
    return answer(request, reply, input, await carryOut(request.caller!, input))
  }
}

/** JSON is the message in its envelope; anything else is the message's body itself. */
async function addRawRoute(scope: FastifyInstance, route: RouteOptions): Promise<void> {
  acceptBytes(scope)
  const prepare = route.preValidation as NonNullable<Exclude<RouteOptions['preValidation'], unknown[]>>
  scope.route({
    ...route,
    preValidation(request, reply, done) {
      if (Buffer.isBuffer(request.body)) request.body = toPayload(request.body, request.headers['content-type'])
      prepare.call(this, request, reply, done as never)
    },
  })
}

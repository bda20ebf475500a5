/** REST: one route for every operation of the contract, and for every foreign path that leads to one. */
import {
  bodySchema,
  fieldsParameter,
  inputParts,
  listControls,
  type Operation,
  type OperationName,
  operationEntries,
  operations,
  pathAliases,
  type Resource,
  saves,
} from '@posthorn/contract'
import { type TSchema, Type } from '@sinclair/typebox'
import type { FastifyInstance, FastifyReply, FastifyRequest, FastifySchema, RouteOptions } from 'fastify'
import type { Access } from './access/access.ts'
import { fillDefaults } from './access/defaults.ts'
import { refuseSelection } from './access/fields.ts'
import { mayAct, missing } from './access/rights.ts'
import { answerer } from './answer.ts'
import { createItemCheck, type ItemCheck, type PutMany, putEach } from './batch.ts'
import { type Admitted, type AnyHandler, type CallContext, type Handlers, withTrace } from './handlers.ts'
import { inputReader, nullDropper, splitFields } from './input.ts'
import { acceptBytes } from './json-body.ts'
import { requestLimit, toPayload } from './payload.ts'
import { handlerOf } from './relations.ts'

export interface RouteContext {
  readonly handlers: Handlers
  readonly access: Access
  readonly maxBodyBytes: number
}

const BATCH_FACTOR = 4

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
  return {
    method: operation.verb,
    url: toUrl(operation.path),
    schema: schemaOf(name, operation),
    bodyLimit: bodyLimit(operation, context.maxBodyBytes),
    onRequest: (request, _reply, done) => {
      const enter = (caller: Admitted): void => {
        if (caller instanceof Error) return void done(caller)
        if (!mayAct(caller, operation.scope)) return void done(missing(caller, operation.scope))
        request.caller = withTrace(caller, request.headers)
        done()
      }
      const admitted = access.admit(request.headers)
      if (admitted instanceof Promise) void admitted.then(enter)
      else enter(admitted)
    },
    preValidation: preparation(name, operation),
    handler: createHandler(name, operation, context),
  }
}

function schemaOf(name: OperationName, operation: Operation): FastifySchema {
  const { path, headers, query: told } = inputParts(operation)
  const { properties } = operation.input
  const wired = (parts: typeof path) => Object.fromEntries(parts.map(({ input, wire }) => [wire, properties[input]!]))
  const body = bodySchema(name)
  const asked = operation.of && (operation.list ? listControls(operation.of) : selection(operation))
  const query = (asked || told.length > 0) && { ...wired(told), ...asked }
  const row = operation.of && serialized(operation.of)
  return {
    ...(path.length > 0 && { params: Type.Object(wired(path)) }),
    ...(headers.length > 0 && { headers: { type: 'object', properties: wired(headers) } }),
    ...(query && { querystring: Type.Object(query) }),
    ...(body && { body: operation.batch ? batchBody(operation) : body }),
    ...(!operation.streamed && {
      response: { 200: row ? (operation.list || operation.each ? Type.Array(row) : row) : operation.output },
    }),
  }
}

/** A row that was asked for by `fields` has only those. What is a choice is written as it is: to choose, the serializer would validate. */
function serialized({ row }: Resource): TSchema {
  const properties = Object.entries(row.properties).map(([name, schema]) => [name, schema.anyOf ? Type.Any() : schema])
  return Type.Partial(Type.Object(Object.fromEntries(properties)))
}

const selection = (operation: Operation) => ({ fields: Type.Optional(fieldsParameter(operation.of!)) })

/** The items are checked one by one: here, only that they are items and how many. */
function batchBody(operation: Operation) {
  const items = operation.batch!.items
  const { minItems, maxItems } = operation.input.properties[items]!
  return Type.Object({ ...operation.input.properties, [items]: Type.Array(Type.Unknown(), { minItems, maxItems }) })
}

function bodyLimit(operation: Operation, maxBodyBytes: number): number | undefined {
  if (operation.batch) return requestLimit(maxBodyBytes) * BATCH_FACTOR
  return 'bodyBase64' in operation.input.properties ? requestLimit(maxBodyBytes) : undefined
}

function preparation(name: OperationName, operation: Operation): RouteOptions['preValidation'] {
  const body = bodySchema(name)
  const dropNulls = body && nullDropper(body)
  const optional = body !== null && (body.required ?? []).length === 0
  const selected = operation.of
  const finds = operation.scope.endsWith(':find')
  return (request, _reply, done) => {
    if (dropNulls && request.body) dropNulls(request.body)
    if (optional && request.body === undefined) request.body = {}
    if (selected) splitFields(request.query)
    const caller = request.caller!
    if (caller.rights === null) return done()
    const { fields } = request.query as { fields?: string[] }
    if (selected && finds && fields) refuseSelection(caller, selected, fields)
    if (isObject(request.body)) fillDefaults(caller, name, request.body, request.params as Record<string, unknown>)
    done()
  }
}

const isObject = (body: unknown): body is object => typeof body === 'object' && body !== null && !Array.isArray(body)

function createHandler(name: OperationName, operation: Operation, context: RouteContext) {
  if (operation.batch) return createBatchHandler(name, operation, context)
  const read = inputReader(operation, context.maxBodyBytes)
  const answer = answerer(operation)
  const handle = saving(name, context.handlers)
  return async (request: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
    const input = read(request)
    return answer(request, reply, input, await handle(request.caller!, input as never))
  }
}

/** pg-hooks' create: with an id it is an update, of which only an update's fields are taken. */
function saving(name: OperationName, handlers: Handlers): AnyHandler {
  const handle = handlerOf(name, handlers)
  const target = saves[name]
  if (!target) return handle
  const update = handlerOf(target, handlers)
  const updatable = Object.keys(operations[target].input.properties)
  return (caller, input: Readonly<Record<string, unknown>>) => {
    if (input.id === undefined) return handle(caller, input as never)
    const fields = updatable.filter(field => field in input)
    return update(caller, Object.fromEntries(fields.map(field => [field, input[field]])) as never)
  }
}

function createBatchHandler(name: OperationName, operation: Operation, { handlers, maxBodyBytes }: RouteContext) {
  const { items, operation: single, together: rule } = operation.batch!
  const always = rule === 'always'
  const put = handlerOf(name, handlers) as PutMany
  let check: ItemCheck | undefined
  return async (request: FastifyRequest) => {
    const { together, ...body } = request.body as { readonly together?: boolean } & Readonly<Record<string, unknown>>
    const given = body[items] as unknown[]
    for (const item of given) if (isObject(item)) fillDefaults(request.caller!, single as OperationName, item)
    check ??= createItemCheck(request, single as OperationName, maxBodyBytes)
    return putEach({ given, items, check, put, together: always || together === true }, request.caller!)
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

/** One operation as callers reach it, over REST or in process: what it takes, what is checked, and who carries it out. */
import {
  bodySchema,
  fieldsParameter,
  inputParts,
  listControls,
  type Operation,
  type OperationName,
  operations,
  saves,
} from '@posthorn/contract'
import { type TProperties, type TSchema, Type } from '@sinclair/typebox'
import { fillDefaults } from './access/defaults.ts'
import { refuseSelection } from './access/fields.ts'
import { createItemCheck, type PutMany, putEach } from './batch.ts'
import type { AnyHandler, CallContext, Handlers } from './handlers.ts'
import { type Brought, inputReader, nullDropper, splitFields } from './input.ts'
import { requestLimit } from './payload.ts'
import { handlerOf } from './relations.ts'
import type { Checker } from './validator.ts'

/** What each part of what is brought has to be; absent where nothing of it is looked at. */
export interface CallSchema {
  readonly params?: TSchema
  readonly headers?: TSchema
  readonly querystring?: TSchema
  readonly body?: TSchema
}

export interface OperationCall {
  readonly schema: CallSchema
  /** Most bytes of a body. */
  readonly bodyLimit: number
  /** Before the schemas: fills in what the caller's rules say, and drops what stands for nothing. @throws Problem */
  prepare(caller: CallContext, brought: Brought): void
  /** After them: the operation's flat input. @throws Problem for what they could not say */
  read(brought: Brought): object
  /** @throws Problem, and whatever the handler throws */
  carryOut: (caller: CallContext, input: object) => Promise<unknown>
}

export interface CallRoom {
  /** As callers reach them: guarded. */
  readonly handlers: Handlers
  readonly maxBodyBytes: number
}

/** Of what has no bound of its own. */
export const BODY_LIMIT = 1_048_576
const BATCH_FACTOR = 4

export function createCall(name: OperationName, { handlers, maxBodyBytes }: CallRoom): OperationCall {
  const operation: Operation = operations[name]
  return {
    schema: schemaOf(name, operation),
    bodyLimit: bodyLimit(operation, maxBodyBytes),
    prepare: preparation(name, operation),
    read: operation.batch ? ({ body }) => body as object : inputReader(operation, maxBodyBytes),
    carryOut: operation.batch
      ? batchHandler(name, operation, handlers, maxBodyBytes)
      : (saving(name, handlers) as OperationCall['carryOut']),
  }
}

function schemaOf(name: OperationName, operation: Operation): CallSchema {
  const { path, headers, query: told } = inputParts(operation)
  const { properties } = operation.input
  const wired = (parts: typeof path) => Object.fromEntries(parts.map(({ input, wire }) => [wire, properties[input]!]))
  const body = bodySchema(name)
  const asked = operation.of && (operation.list ? listControls(operation.of) : selection(operation))
  const query: TProperties | null = asked || told.length > 0 ? { ...wired(told), ...asked } : null
  return {
    ...(path.length > 0 && { params: Type.Object(wired(path)) }),
    ...(headers.length > 0 && { headers: Type.Unsafe({ type: 'object', properties: wired(headers) }) }),
    ...(query && { querystring: Type.Object(query) }),
    ...(body && { body: operation.batch ? batchBody(operation) : body }),
  }
}

const selection = (operation: Operation) => ({ fields: Type.Optional(fieldsParameter(operation.of!)) })

/** The items are checked one by one: here, only that they are items and how many. */
function batchBody(operation: Operation): TSchema {
  const items = operation.batch!.items
  const { minItems, maxItems } = operation.input.properties[items]!
  return Type.Object({ ...operation.input.properties, [items]: Type.Array(Type.Unknown(), { minItems, maxItems }) })
}

function bodyLimit(operation: Operation, maxBodyBytes: number): number {
  if (operation.batch) return requestLimit(maxBodyBytes) * BATCH_FACTOR
  return 'bodyBase64' in operation.input.properties ? requestLimit(maxBodyBytes) : BODY_LIMIT
}

function preparation(name: OperationName, operation: Operation): OperationCall['prepare'] {
  const body = bodySchema(name)
  const dropNulls = body && nullDropper(body)
  const optional = body !== null && (body.required ?? []).length === 0
  const selected = operation.of
  const finds = operation.scope.endsWith(':find')
  return (caller, brought) => {
    if (dropNulls && brought.body) dropNulls(brought.body)
    if (optional && brought.body === undefined) brought.body = {}
    if (selected) splitFields(brought.query)
    if (caller.rights === null) return
    const { fields } = brought.query as { fields?: string[] }
    if (selected && finds && fields) refuseSelection(caller, selected, fields)
    if (isObject(brought.body)) fillDefaults(caller, name, brought.body, brought.params as Record<string, unknown>)
  }
}

const isObject = (body: unknown): body is object => typeof body === 'object' && body !== null && !Array.isArray(body)

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

function batchHandler(name: OperationName, operation: Operation, handlers: Handlers, maxBodyBytes: number) {
  const { items, operation: single, together: rule } = operation.batch!
  const always = rule === 'always'
  const put = handlerOf(name, handlers) as PutMany
  let check: Checker | undefined
  return async (caller: CallContext, input: object): Promise<unknown> => {
    const { together, ...body } = input as { readonly together?: boolean } & Readonly<Record<string, unknown>>
    const given = body[items] as unknown[]
    for (const item of given) if (isObject(item)) fillDefaults(caller, single as OperationName, item)
    check ??= createItemCheck(single as OperationName, maxBodyBytes)
    return putEach({ given, items, check, put, together: always || together === true }, caller)
  }
}

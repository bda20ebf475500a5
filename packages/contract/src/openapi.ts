/** The OpenAPI 3.1 document of all operations. */
import { type TObject, type TSchema, Type } from '@sinclair/typebox'
import { headerAliases, operationIds, pathAliases, saves } from './aliases.ts'
import { commonErrors, type ErrorCode, errors } from './errors.ts'
import { fieldsParameter, listParameters, whereParameters } from './list.ts'
import type { Operation } from './operation.ts'
import { type OperationName, operationEntries, operations, resources } from './operations.ts'
import type { Resource } from './resource.ts'

export interface OpenApiDocument {
  readonly openapi: '3.1.0'
  readonly info: { readonly title: string; readonly version: string; readonly description: string }
  readonly paths: Readonly<Record<string, Readonly<Record<string, OpenApiOperation>>>>
  readonly components: { readonly schemas: Readonly<Record<string, unknown>>; readonly securitySchemes: unknown }
  readonly security: unknown
}

export interface OpenApiOperation {
  readonly operationId: string
  readonly summary: string
  readonly tags: readonly string[]
  readonly parameters: readonly OpenApiParameter[]
  readonly requestBody?: { readonly required: boolean; readonly content: Readonly<Record<string, { schema: unknown }>> }
  readonly responses: Readonly<Record<string, unknown>>
  readonly deprecated?: boolean
}

export interface OpenApiParameter {
  readonly name: string
  readonly in: 'path' | 'query' | 'header'
  readonly required: boolean
  readonly description?: string
  readonly schema: unknown
}

/** One part of an operation's input, and its name in the request. */
export interface InputPart {
  readonly input: string
  readonly wire: string
}

/** Where each part of an operation's flat input stands in a request. What may come as a header may stand in the body too; the header wins. */
export function inputParts(operation: Operation): Record<'path' | 'headers' | 'query' | 'body', InputPart[]> {
  const { input, verb, pathNames } = operation
  const path = [...operation.path.matchAll(/\{(\w+)\}/g)].map(([, wire]) => ({
    input: pathNames[wire!] ?? wire!,
    wire: wire!,
  }))
  const headers = Object.entries(operation.headers).map(([name, wire]) => ({ input: name, wire }))
  const elsewhere = new Set(path.map(part => part.input))
  const rest = Object.keys(input.properties)
    .filter(name => !elsewhere.has(name))
    .map(name => ({ input: name, wire: name }))
  const inUrl = verb === 'GET' || verb === 'DELETE'
  return { path, headers, query: inUrl ? rest : [], body: inUrl ? [] : rest }
}

/** The JSON body of an operation, or null where it takes none. */
export function bodySchema(name: OperationName): TObject | null {
  const operation: Operation = operations[name]
  const { body } = inputParts(operation)
  const names = body.map(part => part.input)
  if (names.length === 0) return null
  const id = saves[name] && { id: Type.Optional(Type.Integer({ description: 'Updates that record instead.' })) }
  const { properties } = Type.Pick(operation.input, names)
  return Type.Object({ ...properties, ...id }, { additionalProperties: false })
}

export function createOpenApi(version: string): OpenApiDocument {
  const paths: Record<string, Record<string, OpenApiOperation>> = {}
  const add = (path: string, operation: Operation, described: OpenApiOperation): void => {
    paths[path] = { ...paths[path], [operation.verb.toLowerCase()]: described }
  }
  for (const [name, operation] of operationEntries) add(operation.path, operation, describe(name, operation))
  for (const alias of pathAliases) {
    const operation: Operation = operations[alias.operation]
    const described = describe(alias.operation, operation)
    add(alias.path, operation, { ...described, operationId: alias.operationId, deprecated: true })
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Posthorn',
      version,
      description: 'A durable queue that delivers signed webhooks. Moves events between systems and loses none.',
    },
    paths,
    components: {
      schemas: schemas(),
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer' },
        adminSecret: { type: 'apiKey', in: 'header', name: headerAliases.adminSecret },
      },
    },
    security: [{ bearer: [] }, { adminSecret: [] }, {}],
  }
}

/** `queues.list` → what a generated client would call it. */
export function operationIdOf(name: OperationName): string {
  return operationIds[name] ?? name.replace(/\.(\w)/, (_, first: string) => first.toUpperCase())
}

function describe(name: OperationName, operation: Operation): OpenApiOperation {
  const body = bodySchema(name)
  const content = body && {
    'application/json': { schema: body },
    ...(operation.raw && { '*/*': { schema: { type: 'string', contentMediaType: 'application/octet-stream' } } }),
  }
  return {
    operationId: operationIdOf(name),
    summary: operation.summary,
    tags: [name.split('.')[0]!],
    parameters: parameters(operation),
    ...(content && { requestBody: { required: (body.required ?? []).length > 0, content } }),
    responses: { '200': success(operation), ...failures(operation) },
  }
}

function parameters(operation: Operation): OpenApiParameter[] {
  const parts = inputParts(operation)
  const { properties, required = [] } = operation.input
  const place = (at: OpenApiParameter['in'], found: InputPart[]) =>
    found.map(({ input, wire }) => {
      const { description, ...schema } = properties[input]!
      return { name: wire, in: at, required: required.includes(input), ...(description && { description }), schema }
    })
  return [
    ...place('path', parts.path),
    ...place('header', parts.headers),
    ...place('query', parts.query),
    ...listed(operation),
  ]
}

function listed(operation: Operation): OpenApiParameter[] {
  if (!operation.of) return []
  const found = questions(operation, operation.of)
  return Object.entries(found).map(([name, { description, ...schema }]) => ({
    name,
    in: 'query',
    required: false,
    ...(description && { description }),
    schema,
  }))
}

function questions({ list, each }: Operation, of: Resource) {
  if (list) return listParameters(of)
  return each ? whereParameters(of) : { fields: fieldsParameter(of) }
}

function success(operation: Operation): unknown {
  const reference = operation.of && { $ref: `#/components/schemas/${schemaName(operation.of)}` }
  const schema =
    operation.list || operation.each ? { type: 'array', items: reference } : (reference ?? operation.output)
  return {
    description: operation.summary,
    content: { [operation.streamed ? '*/*' : 'application/json']: { schema } },
  }
}

function failures(operation: Operation): Record<string, unknown> {
  const byStatus = new Map<number, ErrorCode[]>()
  for (const code of [...operation.errors, ...commonErrors]) {
    const { status } = errors[code]
    byStatus.set(status, [...(byStatus.get(status) ?? []), code])
  }
  const content = {
    'application/json': { schema: { $ref: '#/components/schemas/Error' } },
    'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } },
  }
  return Object.fromEntries(
    [...byStatus].map(([status, codes]) => [String(status), { description: codes.join(', '), content }]),
  )
}

function schemaName(resource: Resource): string {
  return resource.name[0]!.toUpperCase() + resource.name.slice(1)
}

function schemas(): Record<string, unknown> {
  const details: TSchema = Type.Record(Type.String(), Type.Unsafe({ type: ['string', 'number'] }))
  const rows = Object.values<Resource>(resources).map(resource => {
    const name = schemaName(resource)
    return [name, { title: name, description: resource.summary, ...resource.row }]
  })
  return {
    ...Object.fromEntries(rows),
    Error: Type.Object({
      statusCode: Type.Integer(),
      code: Type.String(),
      error: Type.String(),
      message: Type.String(),
      details: Type.Optional(details),
    }),
    Problem: Type.Object({
      type: Type.String(),
      title: Type.String(),
      status: Type.Integer(),
      detail: Type.String(),
      code: Type.Unsafe<string>({ type: 'string', enum: Object.keys(errors) }),
      details: Type.Optional(details),
    }),
  }
}

/** The rows of the tenancy matrix: every operation over REST, every field of the root over GraphQL. */
import assert from 'node:assert/strict'
import {
  bodySchema,
  neededRights,
  type Operation,
  type OperationName,
  operationEntries,
  pathAliases,
  type Resource,
  resources,
  type Scope,
  saves,
} from '@posthorn/contract'
import type { TSchema } from '@sinclair/typebox'
import { type GraphQLField, type GraphQLObjectType, type GraphQLSchema, getNamedType, isScalarType } from 'graphql'
import { needsOf, operationOf } from './graphql-acts.ts'
import { queryOf, sampleOf } from './rest-acts.ts'
import type { RecordIds, Send } from './tenancy-room.ts'

export interface Row {
  readonly name: string
  readonly needs: readonly Scope[]
  /** Does it to these records; every part of the input that names a record names one of them. */
  attempt(send: Send, ids: RecordIds, headers: Record<string, string>): Promise<Outcome>
}

/** An operation that can be told of which org it is. */
export interface NamingRow extends Row {
  attemptFor(orgName: string, send: Send, ids: RecordIds, headers: Record<string, string>): Promise<Outcome>
}

export interface Outcome {
  /** `reached`: it was done, or refused for what the record is; `missing`: as for a record that is not there. */
  readonly verdict: 'reached' | 'missing' | 'unauthorized' | 'scope_missing'
  /** The whole answer, for comparisons. */
  readonly text: string
}

const all = Object.values<Resource>(resources)

export function restRows(): Row[] {
  const paths = [...operationEntries.map(([name, { path }]) => ({ name, path })), ...aliases]
  const rows = paths.map(({ name, path }) => restRow(name, path, {}))
  // pg-hooks' create with an id is an update.
  const savers = (Object.keys(saves) as OperationName[]).map(name => restRow(name, '', { id: true }))
  return [...rows, ...savers]
}

export function namingRows(): NamingRow[] {
  return operationEntries
    .filter(([, { input }]) => 'orgName' in input.properties)
    .map(([name]) => ({
      ...restRow(name, '', {}),
      attemptFor: (orgName, ...given) => restRow(name, '', { orgName }).attempt(...given),
    }))
}

const aliases = pathAliases.map(({ operation, path }) => ({ name: operation, path }))

interface More {
  readonly id?: boolean
  readonly orgName?: string
}

function restRow(name: OperationName, path: string, { id: withId = false, orgName }: More): Row {
  const operation: Operation = operationEntries.find(([other]) => other === name)![1]
  const url = path || operation.path
  return {
    name: `${name} ${operation.verb} ${url}${withId ? ' with an id' : ''}`,
    needs: neededRights(operation),
    async attempt(send, ids, headers) {
      const holder = all.find(({ plural }) => url.startsWith(`/${plural === 'crons' ? 'cron' : plural}`))
      const at = operation.each
        ? `${url}?where.id.eq=${ids[holder?.name as never]}`
        : url.replace('{id}', `${ids[holder?.name as never]}`)
      const more: Record<string, string> = operation.list
        ? { totalCount: 'true', limit: '100' }
        : orgName !== undefined && operation.verb === 'GET'
          ? { orgName }
          : {}
      const asked = operation.each ? at : at + queryOf(operation, more)
      const schema = bodySchema(name)
      const body = schema
        ? {
            ...(inputFor(schema, ids) as object),
            ...(withId && { id: ids[holder?.name as never] }),
            ...(orgName && { orgName }),
          }
        : undefined
      const { status, text, headers: answered } = await send(operation.verb, asked, body, headers)
      return { verdict: verdictOf(status, text), text: `${status} ${answered.get('x-total-count') ?? ''} ${text}` }
    },
  }
}

/** The least that the schema takes, and besides that every part that names a record. */
export function inputFor(schema: TSchema, ids: RecordIds, name = ''): unknown {
  const given = namedRecord(name, ids)
  if (given !== null) return given
  if (name === 'scopes') return ['key:save']
  if (name === 'schedule') return '@hourly'
  if (schema.type === 'array') return [inputFor(schema.items, ids)]
  if (schema.type !== 'object' || !schema.properties) return sampleOf(schema)
  const required: string[] = schema.required ?? []
  const names = Object.keys(schema.properties).filter(
    part => required.includes(part) || isId(part, schema.properties[part]),
  )
  return Object.fromEntries(names.map(part => [part, inputFor(schema.properties[part], ids, part)]))
}

const isId = (name: string, { type }: TSchema): boolean => /.Id$/.test(name) && [type].flat().includes('integer')

/** `id` alone stands in claims, which are of messages. */
function namedRecord(name: string, ids: RecordIds): number | null {
  if (name === 'id') return ids.message
  if (!name.endsWith('Id')) return null
  const found = all.find(resource => name.toLowerCase().endsWith(`${resource.name}id`))
  assert.ok(found, `${name} names a record of no known kind: say of which`)
  return ids[found.name as keyof RecordIds]
}

function verdictOf(status: number, text: string): Outcome['verdict'] {
  if (status === 401) return 'unauthorized'
  if (status === 403) return 'scope_missing'
  // What the record is and has is told only to those who reach it.
  if (/would come back to it|has no (cron|deadLetterQueue)/.test(text)) return 'reached'
  if (status === 404 || text.includes('dead_letter_queue_unknown') || text.includes('does not exist')) return 'missing'
  // Whatever is wrong with what was given, or failed on its way, it was this org's own.
  if (/service_(invalid|cannot|failed)|template_invalid|must be given/.test(text)) return 'reached'
  assert.ok(status === 200 || status === 409, `${status}: ${text}`)
  return /_not_found/.test(text) ? 'missing' : 'reached'
}

export function graphqlRows(schema: GraphQLSchema): Row[] {
  const rowsOf = (kind: string, type: GraphQLObjectType): Row[] =>
    Object.values(type.getFields()).map(field => graphqlRow(kind, field))
  return [...rowsOf('query', schema.getQueryType()!), ...rowsOf('mutation', schema.getMutationType()!)]
}

function graphqlRow(kind: string, field: GraphQLField<unknown, unknown>): Row {
  const needs = needsOf(field.name)
  assert.ok(needs, `${field.name} is in no row of the matrix: say what it needs`)
  const own = needs[0]!.split(':')[0] as keyof RecordIds
  const asked = field.args.filter(
    ({ name, type: of }) => (/^(id|.*Id|where|inputs?)$/.test(name) && `${of}` !== 'String') || `${of}`.endsWith('!'),
  )
  const declared = asked.map(argument => `$${argument.name}: ${argument.type}`).join(', ')
  const passed = asked.map(({ name }) => `${name}: $${name}`).join(', ')
  const call = asked.length > 0 ? `(${passed})` : ''
  const query = `${kind}${asked.length > 0 ? ` (${declared})` : ''} { ${field.name}${call} { ${selectionOf(field)} } }`
  const argumentFor = (name: string, ids: RecordIds): unknown => {
    if (name === 'where') return { id: { eq: ids[own] } }
    if (name === 'input') return /^update/.test(field.name) ? {} : SAVED[own]!(ids)
    if (name === 'inputs') return [SAVED[own]!(ids)]
    if (name === 'claims') return [{ id: ids.message, claim: '00000000-0000-4000-8000-000000000000' }]
    if (name === 'visibilityMs') return 1000
    if (name === 'id') return ids[own]
    return /Id$/.test(name)
      ? namedRecord(name, ids)
      : inputFor(operationOf(field.name)!.input.properties[name]!, ids, name)
  }
  return {
    name: `${kind} ${field.name}`,
    needs,
    async attempt(send, ids, headers) {
      const variables = Object.fromEntries(asked.map(({ name }) => [name, argumentFor(name, ids)]))
      const { status, json, text } = await send('POST', '/graphql', { query, variables }, headers)
      assert.equal(status, 200, `${query}: ${text}`)
      return { verdict: graphqlVerdict(json, field.name), text }
    },
  }
}

const SAVED: Readonly<Record<string, (ids: RecordIds) => object>> = {
  queue: ids => ({ name: 'a', callbackUrl: 'http://h/', method: 'POST', deadLetterQueueId: ids.queue }),
  message: ids => ({ queueId: ids.queue }),
  cron: ids => ({ queueId: ids.queue, schedule: '@hourly' }),
  org: () => ({ name: `made-${Math.random().toString(36).slice(2)}` }),
  key: () => ({ name: 'a', scopes: ['key:save'] }),
}

// biome-ignore lint/suspicious/noExplicitAny: answers of every shape.
function graphqlVerdict({ data, errors }: any, field: string): Outcome['verdict'] {
  const code: string | undefined = errors?.[0]?.extensions?.code
  if (code === 'scope_missing') return 'scope_missing'
  if (/not allowed/.test(errors?.[0]?.message ?? '')) return 'unauthorized'
  if (/_not_found|_unknown/.test(code ?? '')) return 'missing'
  if (errors) return 'reached'
  const found = data[field]
  const isNone = found === null || (Array.isArray(found) && found.length === 0) || found.total === 0
  return isNone ? 'missing' : 'reached'
}

/** Its id, or the first thing that there is. */
function selectionOf(field: Pick<GraphQLField<unknown, unknown>, 'type'>): string {
  const fields = Object.values((getNamedType(field.type) as GraphQLObjectType).getFields())
  const chosen = fields.find(({ name }) => name === 'id') ?? fields[0]!
  return isScalarType(getNamedType(chosen.type)) ? chosen.name : `${chosen.name} { ${selectionOf(chosen)} }`
}

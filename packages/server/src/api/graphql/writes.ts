/** saveX, insertXs, updateXs and deleteXs of a resource. A write answers with its rows whatever is asked of them. */
import {
  emptyListQuery,
  ignoredInputs,
  type ListQuery,
  MAX_BATCH,
  MAX_LIMIT,
  type Operation,
  type OperationName,
  operations,
  Problem,
  type PutManyResult,
  type Resource,
  type ResourceName,
  type Right,
} from '@posthorn/contract'
import type { TObject } from '@sinclair/typebox'
import {
  type GraphQLFieldConfig,
  type GraphQLFieldConfigMap,
  GraphQLID,
  type GraphQLInputFieldConfigMap,
  GraphQLInputObjectType,
  GraphQLList,
  GraphQLNonNull,
  type GraphQLObjectType,
} from 'graphql'
import type { Rights } from '../access/rights.ts'
import type { CallContext } from '../handlers.ts'
import { invalid } from '../payload.ts'
import { type Acts, actsOn, type Calls, type RequestContext, type Row, readRows, type Values } from './calls.ts'
import { capitalize, typeName, valueType } from './field-types.ts'
import type { ListArguments } from './list-arguments.ts'
import { readWhere, type Selection, selectedFields, type Where } from './list-question.ts'

/** deleteXs removes no more in one call, in the order of the ids: with as many in the answer, more may be left. */
export const MAX_DELETED = 1000

interface Room {
  readonly resource: Resource
  readonly acts: Acts
  readonly calls: Calls
}
type FieldConfig = GraphQLFieldConfig<unknown, RequestContext>

/** The mutations of a resource; only those whose operations there are. */
export function writeFields(
  calls: Calls,
  resource: Resource,
  type: GraphQLObjectType,
  where: ListArguments['where'],
): GraphQLFieldConfigMap<unknown, RequestContext> {
  const acts = actsOn(resource)
  const room: Room = { resource, acts, calls }
  const name = typeName(resource)
  const many = capitalize(resource.plural)
  const input = inputType(resource, acts)
  const save: FieldConfig = {
    type,
    description: acts.update
      ? `Creates a ${resource.name}; with an id, changes that one: only the fields that are given.`
      : operations[acts.create!]?.summary,
    args: { input: { type: new GraphQLNonNull(input) } },
    resolve: (_, args, context) => saveOne(room, args.input, context),
  }
  const insert: FieldConfig = {
    type: new GraphQLList(type),
    description: `Creates up to ${MAX_BATCH} ${resource.plural} in one commit: all of them or none.`,
    args: { inputs: { type: new GraphQLNonNull(new GraphQLList(input)) } },
    resolve: (_, args, context, info) => insertMany(room, args.inputs, context, info),
  }
  const remove: FieldConfig = {
    type: new GraphQLList(type),
    description: `Deletes what \`where\` finds (all, without it) and gives it back: at most ${MAX_DELETED} in one call, by id. Call again until it gives none.`,
    args: { where },
    resolve: (_, args, context, info) => deleteMany(room, args.where, context, info),
  }
  return {
    ...(acts.create && { [`save${name}`]: save }),
    ...(acts.createMany && { [`insert${many}`]: insert }),
    ...(acts.updateMany && { [`update${many}`]: changeField(room, type, input, where) }),
    ...(acts.delete && acts.list && { [`delete${many}`]: remove }),
  }
}

function changeField(
  room: Room,
  type: GraphQLObjectType,
  input: GraphQLInputObjectType,
  where: ListArguments['where'],
): FieldConfig {
  return {
    type: new GraphQLList(type),
    description: operations[room.acts.updateMany!].summary,
    args: { input: { type: new GraphQLNonNull(input) }, where: { ...where, type: new GraphQLNonNull(where.type) } },
    resolve: (_, args, context, info) => changeMany(room, args.input, args.where, context, info),
  }
}

function inputType(resource: Resource, acts: Acts): GraphQLInputObjectType {
  const schemaOf = (name: OperationName | undefined): TObject['properties'] =>
    name ? operations[name].input.properties : {}
  const ignored = (ignoredInputs[resource.name as ResourceName] ?? []).map(name => [
    name,
    { type: valueType(name, resource.fields[name]!.type), description: 'Accepted without effect.' },
  ])
  const properties = { ...schemaOf(acts.update), ...schemaOf(acts.create) }
  const fields: GraphQLInputFieldConfigMap = Object.fromEntries(
    Object.entries(properties).map(([name, schema]) => [
      name,
      { type: valueType(name, schema), description: schema.description },
    ]),
  )
  return new GraphQLInputObjectType({
    name: `${typeName(resource)}Input`,
    fields: { ...(acts.update && { id: { type: GraphQLID } }), ...fields, ...Object.fromEntries(ignored) },
  })
}

async function saveOne({ acts, calls }: Room, input: Values, context: RequestContext): Promise<unknown> {
  const name = input.id == null ? acts.create! : acts.update!
  return calls.call(name, context, prepare(calls, name, context, input, 'input'))
}

function prepare(
  calls: Calls,
  name: OperationName,
  context: RequestContext,
  { id, ...fields }: Values,
  place: string,
): Values {
  const given = id == null ? withDefaults(name, fields) : { id, ...fields }
  return calls.check(name, context, given, place)
}

/** In pg-hooks a queue saved over GraphQL has five retries unless it says otherwise, and clients lean on them. */
function withDefaults(name: OperationName, fields: Values): Values {
  const silent = fields.maxRetries == null && fields.backoff == null
  return name === 'queues.create' && silent ? { ...fields, maxRetries: 5 } : fields
}

async function insertMany(
  room: Room,
  inputs: readonly (Values | null)[],
  context: RequestContext,
  info: Selection,
): Promise<readonly unknown[]> {
  const { acts, calls } = room
  calls.admit(acts.create!, context)
  if (inputs.length > MAX_BATCH) throw invalid('inputs', `must not have more than ${MAX_BATCH} items`)
  // All are checked before the first is stored.
  const checked = inputs.map((input, i) => prepare(calls, acts.create!, context, readNew(input, i), `inputs/${i}`))
  if (checked.length === 0) return []
  // A single one shares its commit with whoever stores at the same time.
  if (checked.length === 1) return [await calls.call(acts.create!, context, checked[0]!)]
  return createTogether(room, checked, context, info)
}

function readNew(input: Values | null, i: number): Values {
  if (input === null) throw invalid(`inputs/${i}`, 'must not be null')
  if (input.id != null) throw invalid(`inputs/${i}/id`, 'must not be given: an insert makes new records')
  return input
}

async function createTogether(
  { resource, acts, calls }: Room,
  inputs: readonly Values[],
  context: RequestContext,
  info: Selection,
): Promise<readonly Row[]> {
  const { items, together } = (operations[acts.createMany!] as Operation).batch!
  const whole = { [items]: inputs, ...(together === 'asked' && { together: true }) }
  const created = await calls.call(acts.createMany!, context, whole)
  const ids = (created as { results: readonly PutManyResult[] }).results.map(({ id }) => id)
  const fields = selectedFields(resource, info)
  if (fields.every(field => field === 'id')) return ids.map(id => ({ id }))
  const rows = await readStored(calls, acts.list!, context, { ...emptyListQuery, fields: fields as never[] }, ids)
  return ids.map(id => rows.get(id) ?? { id })
}

/** They are stored by now: who may not read them is told their ids. */
async function readStored(
  calls: Calls,
  list: OperationName,
  context: RequestContext,
  query: ListQuery,
  ids: readonly unknown[],
): Promise<Map<unknown, Row>> {
  try {
    return await readRows(calls, list, context, query, ids)
  } catch (error) {
    if (error instanceof Problem && error.code === 'unauthorized') return new Map()
    throw error
  }
}

async function changeMany(
  { resource, acts, calls }: Room,
  { id, ...patch }: Values,
  where: Where,
  context: RequestContext,
  info: Selection,
): Promise<readonly Row[]> {
  const name = acts.updateMany!
  calls.admit(name, context)
  if (id != null) throw invalid('input/id', 'must not be given: `where` says which records change')
  const found = readWhere(resource, where)
  if (found.where.length === 0 && found.anyOf.length === 0) throw new Problem('where_missing', {})
  const checked = calls.check(name, context, patch, 'input')
  return (await calls.call(name, context, { ...checked, ...found, fields: selectedFields(resource, info) })) as Row[]
}

async function deleteMany(
  { resource, acts, calls }: Room,
  where: Where | null | undefined,
  context: RequestContext,
  info: Selection,
): Promise<readonly Row[]> {
  const finder = withRightTo('delete', resource, { ...context, caller: calls.admit(acts.delete!, context) })
  const query = {
    ...emptyListQuery,
    ...readWhere(resource, where ?? {}),
    limit: MAX_LIMIT,
    orderBy: [{ field: 'id', direction: 'asc' }],
    fields: ['id'],
  }
  const selected = selectedFields(resource, info)
  const gone: Row[] = []
  for (let startAfter: { id: unknown } | null = null; gone.length < MAX_DELETED; ) {
    const { items } = await calls.list(acts.list!, finder, { ...query, startAfter } as never)
    for (const { id } of items) {
      const row = await deleteOne(calls, acts.delete!, id, resource, context)
      if (row) gone.push(Object.fromEntries(selected.map(field => [field, row[field]])))
    }
    if (items.length < MAX_LIMIT) break
    startAfter = { id: items.at(-1)!.id }
  }
  return gone
}

/** Gives null for what somebody else deleted first. */
async function deleteOne(
  calls: Calls,
  name: OperationName,
  id: unknown,
  resource: Resource,
  context: RequestContext,
): Promise<Row | null> {
  try {
    return (await calls.call(name, context, { id })) as Row
  } catch (error) {
    if (isUnknown(error, resource)) return null
    throw error
  }
}

/** What may be deleted is found by the right to delete it, by conditions on what may be read. */
function withRightTo(right: Right, { name, primaryKey }: Resource, context: Entered): RequestContext {
  const { caller } = context
  const { rights } = caller
  if (rights === null) return context
  const readable = rights.of(name, 'find')?.fields
  const fields = readable ? new Set([...readable, ...primaryKey]) : null
  const of: Rights['of'] = (entity, asked) => {
    if (entity !== name || asked !== 'find') return rights.of(entity, asked)
    const grant = rights.of(name, right)
    return grant && { where: grant.where, fields }
  }
  return { ...context, caller: { ...caller, rights: { of, defaultsOf: entity => rights.defaultsOf(entity) } } }
}

type Entered = RequestContext & { readonly caller: CallContext }

export function isUnknown(error: unknown, resource: Resource): boolean {
  return error instanceof Problem && error.code === `${resource.name}_not_found`
}

/** What every list of a resource can be asked: limit, offset, orderBy, where. */
import { type Resource, selectableFields } from '@posthorn/contract'
import {
  type GraphQLArgumentConfig,
  GraphQLEnumType,
  type GraphQLFieldConfigArgumentMap,
  type GraphQLInputFieldConfigMap,
  GraphQLInputObjectType,
  GraphQLInt,
  GraphQLList,
  GraphQLNonNull,
} from 'graphql'
import { typeName, valueType } from './field-types.ts'
import { LimitInt } from './scalars.ts'

/** Those of pg-hooks' GraphQL; REST has `ilike` besides. */
export const comparisons = ['eq', 'neq', 'gt', 'gte', 'lt', 'lte', 'like'] as const
export const memberships = ['in', 'nin'] as const

const direction = new GraphQLEnumType({ name: 'OrderByDirection', values: { ASC: {}, DESC: {} } })

export interface ListArguments {
  readonly all: GraphQLFieldConfigArgumentMap
  readonly where: GraphQLArgumentConfig
}

/** Gives the argument types of a resource; the same ones however often it is asked. */
export function createListArguments(): (resource: Resource) => ListArguments {
  const made = new Map<Resource, ListArguments>()
  return resource => {
    const known = made.get(resource) ?? describe(resource)
    made.set(resource, known)
    return known
  }
}

function describe(resource: Resource): ListArguments {
  const where = { type: whereType(resource) }
  const orderBy = { type: new GraphQLList(orderType(resource)) }
  return { where, all: { limit: { type: LimitInt }, offset: { type: GraphQLInt }, orderBy, where } }
}

function orderType(resource: Resource): GraphQLInputObjectType {
  const name = typeName(resource)
  const values = Object.fromEntries(
    selectableFields(resource).map(field => [field, { description: unless(resource, field, 'sort', 'sort') }]),
  )
  return new GraphQLInputObjectType({
    name: `${name}OrderByArguments`,
    fields: {
      field: { type: new GraphQLEnumType({ name: `${name}OrderByField`, values }) },
      direction: { type: new GraphQLNonNull(direction) },
    },
  })
}

function whereType(resource: Resource): GraphQLInputObjectType {
  const name = `${typeName(resource)}WhereArguments`
  const fields: GraphQLInputFieldConfigMap = Object.fromEntries(
    selectableFields(resource).map(field => [
      field,
      { type: conditionType(name, resource, field), description: unless(resource, field, 'filter', 'filter') },
    ]),
  )
  const or = new GraphQLInputObjectType({
    name: `${name}Or`,
    description: 'One condition: one field with one operator.',
    fields,
  })
  return new GraphQLInputObjectType({
    name,
    description: 'All of these hold, and, if `or` is given, one of those.',
    fields: { ...fields, or: { type: new GraphQLList(or) } },
  })
}

function conditionType(prefix: string, resource: Resource, field: string): GraphQLInputObjectType {
  const type = valueType(field, resource.fields[field]!.type)
  return new GraphQLInputObjectType({
    name: prefix + field,
    fields: {
      ...Object.fromEntries(comparisons.map(op => [op, { type }])),
      ...Object.fromEntries(memberships.map(op => [op, { type: new GraphQLList(type) }])),
    },
  })
}

/** pg-hooks' schema has them all; of those that are not served, the description says so, and the answer. */
function unless(resource: Resource, field: string, ability: 'filter' | 'sort', verb: string): string | undefined {
  return resource.fields[field]![ability] ? undefined : `Not served: lists do not ${verb} by ${field}.`
}

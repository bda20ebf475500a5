/** From a field of the contract to its GraphQL type. */
import { type Resource, scalarKind } from '@posthorn/contract'
import type { TSchema } from '@sinclair/typebox'
import {
  GraphQLBoolean,
  GraphQLFloat,
  GraphQLID,
  GraphQLInt,
  GraphQLList,
  type GraphQLScalarType,
  GraphQLString,
} from 'graphql'
import { DateTime, JSONObject, JSONValue } from './scalars.ts'

type ValueType = GraphQLScalarType | GraphQLList<GraphQLScalarType>

/** The type of a field's values, in and out. Numbers that name a record are IDs: strings out, numbers or their text in. */
export function valueType(name: string, schema: TSchema): ValueType {
  const type: string | undefined = Array.isArray(schema.type) ? schema.type[0] : schema.type
  switch (type) {
    case 'object':
      return JSONObject
    case 'array':
      return new GraphQLList(valueType('', schema.items as TSchema) as GraphQLScalarType)
    case 'number':
      return GraphQLFloat
    case 'null':
      return name.endsWith('At') ? DateTime : JSONValue
    case undefined:
      return JSONValue
    default:
      return scalarType(name, schema)
  }
}

const scalars = { integer: GraphQLInt, boolean: GraphQLBoolean, timestamp: DateTime, text: GraphQLString }

function scalarType(name: string, schema: TSchema): GraphQLScalarType {
  const kind = scalarKind(schema)
  if (kind !== 'integer') return scalars[kind]
  if (namesRecord(name)) return GraphQLID
  return schema.maximum > MAX_INT ? GraphQLFloat : GraphQLInt
}

/** GraphQL's Int ends here; a Float holds what JSON does. */
const MAX_INT = 2 ** 31 - 1

const namesRecord = (name: string): boolean => name === 'id' || name.endsWith('Id')

/** `queue` → `Queue` */
export function typeName(resource: Pick<Resource, 'name'>): string {
  return capitalize(resource.name)
}

export function capitalize(word: string): string {
  return word[0]!.toUpperCase() + word.slice(1)
}

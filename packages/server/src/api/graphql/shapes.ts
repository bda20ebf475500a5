/** From the schemas of an operation's input and output to GraphQL's types. */
import type { TSchema } from '@sinclair/typebox'
import {
  GraphQLID,
  type GraphQLInputFieldConfigMap,
  GraphQLInputObjectType,
  type GraphQLInputType,
  GraphQLList,
  GraphQLNonNull,
  GraphQLObjectType,
  type GraphQLOutputType,
} from 'graphql'
import { capitalize, valueType } from './field-types.ts'

export interface Shapes {
  /** @param name names the type if the schema has no title, and says which numbers are ids */
  input(name: string, schema: TSchema): GraphQLInputType
  output(name: string, schema: TSchema): GraphQLOutputType
}

/** One type for each title, however often it is asked for. */
export function createShapes(): Shapes {
  const inputs = new Map<string, GraphQLInputObjectType>()
  const outputs = new Map<string, GraphQLObjectType>()
  const shapes: Shapes = {
    input(name, schema) {
      if (schema.type === 'array') return new GraphQLList(shapes.input(name, schema.items))
      if (!schema.properties) return scalarType(name, schema)
      const title = `${schema.title ?? capitalize(name)}Input`
      const type = inputs.get(title) ?? new GraphQLInputObjectType({ name: title, fields: inputFields(shapes, schema) })
      inputs.set(title, type)
      return type
    },
    output(name, schema) {
      if (schema.type === 'array') return new GraphQLList(shapes.output(name, schema.items))
      if (!schema.properties) return scalarType(name, schema)
      const title: string = schema.title ?? name
      const fields = Object.entries<TSchema>(schema.properties).map(([field, property]) => {
        const type = property.properties || property.items?.properties ? title + capitalize(field) : field
        return [field, { type: shapes.output(type, property), description: property.description }]
      })
      const type = outputs.get(title) ?? new GraphQLObjectType({ name: title, fields: Object.fromEntries(fields) })
      outputs.set(title, type)
      return type
    },
  }
  return shapes
}

function inputFields(shapes: Shapes, { properties, required = [] }: TSchema): GraphQLInputFieldConfigMap {
  const fields = Object.entries<TSchema>(properties).map(([field, property]) => {
    const type = shapes.input(field, property)
    return [field, { type: required.includes(field) ? new GraphQLNonNull(type) : type }]
  })
  return Object.fromEntries(fields)
}

/** The largest number that a count may be is not said; that of an id is. */
const MOST_OF_A_COUNT = 2 ** 31 - 2

function scalarType(name: string, schema: TSchema): GraphQLInputType & GraphQLOutputType {
  const isId = schema.type === 'integer' && schema.maximum > MOST_OF_A_COUNT
  return isId ? GraphQLID : valueType(name, schema)
}

/** The scalars of pg-hooks' schema, by its names, and `JSON` for what has more than one form. */
import { MAX_LIMIT, parseTimestamp } from '@posthorn/contract'
import { GraphQLError, GraphQLScalarType, type ValueNode, valueFromASTUntyped } from 'graphql'

type Read = (value: unknown) => unknown

/** A scalar whose literals and variables are read alike. */
function scalar(name: string, description: string, read: Read): GraphQLScalarType {
  return new GraphQLScalarType({
    name,
    description,
    parseValue: read,
    parseLiteral: (node: ValueNode, variables) => read(valueFromASTUntyped(node, variables)),
    serialize: value => value,
  })
}

const FULL_DATE_TIME = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/

export const DateTime = scalar(
  'DateTime',
  'A date with time and offset, such as 2007-12-03T10:15:30Z (RFC 3339). Given out in UTC with milliseconds.',
  value => {
    const time = typeof value === 'string' && FULL_DATE_TIME.test(value) ? parseTimestamp(value) : null
    if (time === null) throw new GraphQLError('must be a date with time and offset, such as 2030-01-31T12:00:00Z')
    return new Date(time).toISOString()
  },
)

export const LimitInt = scalar(
  'LimitInt',
  `How many rows at most: from 0 to ${MAX_LIMIT}, and 10 where nothing is said.`,
  value => {
    const limit = typeof value === 'string' ? Number(value) : value
    if (Number.isInteger(limit) && (limit as number) >= 0 && (limit as number) <= MAX_LIMIT) return limit
    throw new GraphQLError(`limit must be an integer from 0 to ${MAX_LIMIT}`)
  },
)

export const JSONObject = scalar(
  'JSONObject',
  'A JSON object: as a literal, as a variable, or as its JSON text. Given out as an object.',
  value => {
    const object = typeof value === 'string' ? parse(value) : value
    if (typeof object === 'object' && object !== null && !Array.isArray(object)) return object
    throw new GraphQLError('must be a JSON object, or the text of one')
  },
)

export const JSONValue = scalar('JSON', 'Any JSON value.', value => value)

function parse(text: string): unknown {
  try {
    return JSON.parse(text, (key, value) => (key === '__proto__' ? undefined : value))
  } catch {
    return undefined
  }
}

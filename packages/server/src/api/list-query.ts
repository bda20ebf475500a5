/** From a URL's query to a list's question, and from its rows to cursors. Driven by a resource's fields alone. */
import {
  type Condition,
  type Cursor,
  DEFAULT_LIMIT,
  type Field,
  type Found,
  isNullable,
  type ListQuery,
  type Operator,
  type Order,
  operators,
  Problem,
  parseTimestamp,
  type Resource,
  type Scalar,
  scalarKind,
} from '@posthorn/contract'
import { invalid } from './payload.ts'

/** Of pg-hooks, for columns that neither of us has. A filter that is asked for and passed over would find too much. */
const ARRAY_OPERATORS = new Set(['contains', 'contained', 'overlaps'])

type RawQuery = Readonly<Record<string, unknown>>

/** The `ListQuery` of a request. What names no field is ignored, as in pg-hooks. @throws Problem for what cannot be answered */
export function readListQuery(resource: Resource, query: RawQuery): ListQuery {
  const where: Condition[] = []
  const orderBy: Order[] = []
  for (const name in query) {
    if (name.startsWith('where.') && name !== 'where.or') {
      const condition = readCondition(resource, name.slice(6), query[name], `querystring/${name}`)
      if (condition) where.push(condition)
    } else if (name.startsWith('orderby.')) {
      const order = readOrder(resource, name.slice(8), query[name])
      if (order) orderBy.push(order)
    }
  }
  const { limit = DEFAULT_LIMIT, offset = 0, fields = null, totalCount = false, cursor = false } = query
  const startAfter = readCursor(resource, orderBy, 'startAfter', query)
  const endBefore = readCursor(resource, orderBy, 'endBefore', query)
  if (startAfter && endBefore) throw invalid('querystring/endBefore', 'must not be given together with startAfter')
  if (cursor || startAfter || endBefore) requirePrimaryKey(resource, orderBy)
  const anyOf = readAlternatives(resource, query['where.or'])
  return { limit, offset, fields, totalCount, where, anyOf, orderBy, startAfter, endBefore } as ListQuery
}

/**
 * What a change of many is for. Here every name must be known, and none may be missing: what a list may overlook would
 * change records that nobody meant.
 * @throws Problem where_missing, validation_failed
 */
export function readFound(resource: Resource, query: RawQuery): Found {
  const where = Object.entries(query).flatMap(([name, value]) => {
    if (name === 'fields' || name === 'where.or') return []
    const place = `querystring/${name}`
    const condition = name.startsWith('where.') && readCondition(resource, name.slice(6), value, place)
    if (!condition)
      throw invalid(place, 'is not known here: a change of many takes fields, where.<field>.<op> and where.or')
    return [condition]
  })
  const anyOf = readAlternatives(resource, query['where.or'])
  if (where.length === 0 && anyOf.length === 0) throw new Problem('where_missing', {})
  return { where, anyOf, fields: (query.fields ?? null) as Found['fields'] }
}

function readCondition(resource: Resource, path: string, value: unknown, place: string): Condition | null {
  const [name = '', op = '', ...rest] = path.split('.')
  const field = fieldOf(resource, name)
  if (field && ARRAY_OPERATORS.has(op)) throw invalid(place, `cannot be asked for: ${name} is no array`)
  if (!field || !isOperator(op) || rest.length > 0) return null
  if (!field.filter) throw invalid(place, `cannot be asked for: lists do not filter by ${name}`)
  if (typeof value !== 'string') throw invalid(place, 'must be given once')
  if (op === 'in' || op === 'nin') {
    return { field: name, op, value: value.split(',').map((part, i) => readScalar(field, part, `${place}/${i}`)) }
  }
  if (op === 'like' || op === 'ilike') return { field: name, op, value: readText(value, place) }
  return { field: name, op, value: readScalar(field, value, place) }
}

function fieldOf(resource: Resource, name: string): Field | null {
  const field = Object.hasOwn(resource.fields, name) ? resource.fields[name]! : null
  return field?.access === 'write' ? null : field
}

function isOperator(op: string): op is Operator {
  return (operators as readonly string[]).includes(op)
}

/** `null` asks for null where a field can be null, whatever its type. */
function readScalar(field: Field, text: string, place: string): Scalar {
  if (text === 'null' && isNullable(field.type)) return null
  switch (scalarKind(field.type)) {
    case 'integer':
      if (/^-?\d+$/.test(text) && Number.isSafeInteger(Number(text))) return Number(text)
      throw invalid(place, 'must be integer')
    case 'boolean':
      if (text === 'true' || text === 'false') return text === 'true'
      throw invalid(place, 'must be boolean')
    case 'timestamp': {
      // A plus sign in a URL is a space, and few think of writing %2B.
      const ms = parseTimestamp(text.replace(/ (?=\d\d:?\d\d$)/, text.includes('T') ? '+' : ' '))
      if (ms !== null) return new Date(ms).toISOString()
      throw invalid(place, 'must be a date, or a date with time, such as 2030-01-31T12:00:00Z')
    }
    default:
      return readText(text, place)
  }
}

function readText(text: string, place: string): string {
  if (text.includes('\0')) throw invalid(place, 'must be text without NUL')
  return text
}

function readOrder(resource: Resource, name: string, direction: unknown): Order | null {
  const field = fieldOf(resource, name)
  const place = `querystring/orderby.${name}`
  if (!field) return null
  if (!field.sort) throw invalid(place, `cannot be asked for: lists do not sort by ${name}`)
  if (direction === 'asc' || direction === 'desc') return { field: name, direction }
  throw invalid(place, 'must be equal to one of the allowed values (asc, desc)')
}

/** `(name.eq=a|name.eq=b)` */
function readAlternatives(resource: Resource, text: unknown): Condition[] {
  if (text === undefined) return []
  if (typeof text !== 'string') throw invalid('querystring/where.or', 'must be given once')
  const [, inner] = /^\((.*)\)$/s.exec(text) ?? []
  if (!inner) throw invalid('querystring/where.or', 'must have the form (field.op=value|field.op=value)')
  return inner.split('|').map((part, i) => {
    const equals = part.indexOf('=')
    const place = `querystring/where.or/${i}`
    const condition = equals > 0 && readCondition(resource, part.slice(0, equals), part.slice(equals + 1), place)
    if (!condition) throw invalid(place, 'must have the form field.op=value with a known field')
    return condition
  })
}

function requirePrimaryKey(resource: Resource, orderBy: readonly Order[]): void {
  const missing = resource.primaryKey.find(name => !orderBy.some(order => order.field === name))
  if (missing) throw new Problem('cursor_without_primary_key', { field: missing })
}

function readCursor(
  resource: Resource,
  orderBy: readonly Order[],
  parameter: 'startAfter' | 'endBefore',
  query: RawQuery,
): Cursor | null {
  const text = query[parameter]
  if (text === undefined) return null
  requirePrimaryKey(resource, orderBy)
  const content = decodeCursor(String(text))
  const places = orderBy.map(({ field }) => [field, content?.[field]] as const)
  const fits = places.every(([field, value]) => isPlace(resource.fields[field]!, value))
  if (!fits) throw new Problem('cursor_invalid', { field: parameter })
  return Object.fromEntries(places) as Cursor
}

function decodeCursor(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const content: unknown = JSON.parse(Buffer.from(text, 'base64').toString())
    return typeof content === 'object' ? (content as Record<string, unknown>) : null
  } catch {
    return null
  }
}

function isPlace(field: Field, value: unknown): boolean {
  if (value === null) return isNullable(field.type)
  switch (scalarKind(field.type)) {
    case 'integer':
      return Number.isSafeInteger(value)
    case 'boolean':
      return typeof value === 'boolean'
    case 'timestamp':
      return typeof value === 'string' && parseTimestamp(value) !== null
    default:
      return typeof value === 'string' && !value.includes('\0')
  }
}

/** A row's place in the order, as the headers of a page give it out. */
export function encodeCursor(orderBy: readonly Order[], row: Readonly<Record<string, unknown>>): string {
  const place = Object.fromEntries(orderBy.map(({ field }) => [field, row[field]]))
  return Buffer.from(JSON.stringify(place)).toString('base64')
}

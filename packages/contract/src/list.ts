/** How every list is asked for and answered: page, filter, order, selection. One mechanism, driven by a resource's fields. */
import { type TProperties, type TSchema, Type } from '@sinclair/typebox'
import type { Field, Resource } from './resource.ts'
import { OneOf } from './schema.ts'

export const DEFAULT_LIMIT = 10
export const MAX_LIMIT = 100

export type Scalar = string | number | boolean | null

/** Timestamps arrive as ISO text in UTC. */
export type Condition<F extends string = string> =
  | { readonly field: F; readonly op: 'eq' | 'neq' | 'gt' | 'gte' | 'lt' | 'lte'; readonly value: Scalar }
  /** SQL patterns, also on numbers as they are printed. */
  | { readonly field: F; readonly op: 'like' | 'ilike'; readonly value: string }
  | { readonly field: F; readonly op: 'in' | 'nin'; readonly value: readonly Scalar[] }
export type Operator = Condition['op']
export const operators = [
  'eq',
  'neq',
  'gt',
  'gte',
  'lt',
  'lte',
  'like',
  'ilike',
  'in',
  'nin',
] as const satisfies Operator[]

export interface Order<F extends string = string> {
  readonly field: F
  readonly direction: 'asc' | 'desc'
}

/** A row's place in the asked order: its value in every field of `orderBy`. */
export type Cursor = Readonly<Record<string, Scalar>>

export interface ListQuery<F extends string = string> {
  readonly limit: number
  readonly offset: number
  /** All of these hold … */
  readonly where: readonly Condition<F>[]
  /** … and, unless empty, one of these. */
  readonly anyOf: readonly Condition<F>[]
  /** Empty: by primary key, ascending. Whoever reads appends the primary key as the last tie-break. */
  readonly orderBy: readonly Order<F>[]
  /** Rows strictly after (before) this place; `endBefore` gives the page next to it, still in the asked order. */
  readonly startAfter: Cursor | null
  readonly endBefore: Cursor | null
  /** Only these will be given out: what is costly and not named here may be left null. Null is all. */
  readonly fields: readonly F[] | null
  /** Count all rows that match, whatever limit and offset say. */
  readonly totalCount: boolean
}

export interface Page<Row> {
  readonly items: readonly Row[]
  /** Null where it was not asked for. */
  readonly totalCount: number | null
}

export const emptyListQuery: ListQuery<never> = {
  limit: DEFAULT_LIMIT,
  offset: 0,
  where: [],
  anyOf: [],
  orderBy: [],
  startAfter: null,
  endBefore: null,
  fields: null,
  totalCount: false,
}

/** Every field that comes out, as the `fields` parameter names them. */
export function selectableFields(resource: Resource): string[] {
  return Object.keys(resource.fields).filter(name => resource.fields[name]?.access !== 'write')
}

export function isNullable(schema: TSchema): boolean {
  return Array.isArray(schema.type) && schema.type.includes('null')
}

export type ScalarKind = 'integer' | 'boolean' | 'timestamp' | 'text'

export function scalarKind(schema: TSchema): ScalarKind {
  const type: string = Array.isArray(schema.type) ? schema.type[0] : schema.type
  if (type === 'integer' || type === 'boolean') return type
  return schema.format === 'date-time' ? 'timestamp' : 'text'
}

/** What a single compared value looks like. A field's bounds do not apply: asking for what cannot exist finds nothing. */
export function comparedSchema(field: Field): TSchema {
  const kind = scalarKind(field.type)
  const type = kind === 'integer' || kind === 'boolean' ? kind : 'string'
  return Type.Unsafe({
    type: isNullable(field.type) ? [type, 'null'] : type,
    ...(kind === 'timestamp' && { format: 'date-time' }),
  })
}

/** The parameters of a list that are not about one field. */
export function listControls(resource: Resource): TProperties {
  return {
    limit: Type.Optional(Type.Integer({ minimum: 0, maximum: MAX_LIMIT, default: DEFAULT_LIMIT })),
    offset: Type.Optional(Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, default: 0 })),
    totalCount: Type.Optional(Type.Boolean({ description: 'Answers with the header x-total-count.' })),
    cursor: Type.Optional(Type.Boolean({ description: 'Answers with the headers x-start-after and x-end-before.' })),
    startAfter: Type.Optional(Type.String({ description: 'The x-start-after of the page before.' })),
    endBefore: Type.Optional(Type.String({ description: 'The x-end-before of the page after.' })),
    fields: Type.Optional(fieldsParameter(resource)),
    ...alternatives,
  }
}

const alternatives = {
  'where.or': Type.Optional(Type.String({ description: '(field.op=value|field.op=value): one of these holds.' })),
}

/** What a change of all records that `where` finds can be asked in its URL. */
export function whereParameters(resource: Resource): TProperties {
  const filters = Object.entries(resource.fields).filter(([, field]) => field.filter)
  const conditions = filters.map(([name, field]) => filterParameters(name, field))
  return Object.assign({ fields: Type.Optional(fieldsParameter(resource)), ...alternatives }, ...conditions)
}

/** The query parameters of a list over a resource, by the names that they have in a URL. */
export function listParameters(resource: Resource): TProperties {
  const parameters = listControls(resource)
  for (const [name, field] of Object.entries(resource.fields)) {
    if (field.filter) Object.assign(parameters, filterParameters(name, field))
    if (field.sort) parameters[`orderby.${name}`] = Type.Optional(OneOf(['asc', 'desc']))
  }
  return parameters
}

export function fieldsParameter(resource: Resource): TSchema {
  return Type.Array(OneOf(selectableFields(resource)))
}

function filterParameters(name: string, field: Field): TProperties {
  const compared = Type.Optional(comparedSchema(field))
  const text = Type.Optional(Type.String())
  const listed = Type.Optional(Type.String({ description: 'Values with commas between them.' }))
  const schemaOf = (op: Operator): TSchema => {
    if (op === 'like' || op === 'ilike') return text
    return op === 'in' || op === 'nin' ? listed : compared
  }
  return Object.fromEntries(operators.map(op => [`where.${name}.${op}`, schemaOf(op)]))
}

/** From a list's conditions to SQL, field by field. */
import { type Condition, type Operator, Problem, parseTimestamp, type Scalar } from '@posthorn/contract'
import { allOf, anyOf, type Params, type Sql } from './condition.ts'

export type ColumnType = 'int8' | 'text' | 'bool' | 'timestamptz' | 'jsonb' | 'text[]'

/** Where a field of a resource comes from in one table. */
export interface Column {
  readonly sql: string
  readonly type: ColumnType
  readonly nullable: boolean
  /**
   * For a field with few possible values: every value with the condition under which a row has it. Filters are then
   * decided here, so that the SQL has the literal condition that a partial index needs, or is not run at all.
   */
  readonly cases?: readonly (readonly [Scalar, Sql])[]
  /** How to ask whether it is null, where an index knows that in other words. */
  readonly whenNull?: { readonly is: Sql; readonly isNot: Sql }
  /** Only compared with: what is given out of it, the supplement reads. */
  readonly unread?: true
}

export type Columns = Readonly<Record<string, Column>>

export const column = (sql: string, type: ColumnType, options: { readonly nullable?: true } = {}): Column => ({
  sql,
  type,
  nullable: options.nullable ?? false,
})

/** Stored to the microsecond but given out to the millisecond: compared as given out, or a cursor would skip rows. */
export const timestamp = (sql: string, options: { readonly nullable?: true } = {}): Column =>
  column(`date_trunc('milliseconds', ${sql})`, 'timestamptz', options)

/** A field that every row of the table has with this value. */
export const constant = (value: Scalar, type: ColumnType): Column => ({
  sql: value === null ? `NULL::${type}` : `'${String(value)}'::${type}`,
  type,
  nullable: value === null,
  cases: [[value, true]],
})

const COMPARISONS = { eq: '=', neq: '<>', gt: '>', gte: '>=', lt: '<', lte: '<=' } as const

/** @throws Problem validation_failed for a value that the field cannot be compared with */
export function compare(column: Column, condition: Condition, params: Params): Sql {
  if (column.cases) return decide(column.cases, condition)
  switch (condition.op) {
    case 'in':
    case 'nin':
      return among(column, condition, params)
    case 'like':
    case 'ilike':
      return `${printed(column)} ${condition.op === 'like' ? 'LIKE' : 'ILIKE'} ${params.add(pattern(condition), 'text')}`
    default:
      return compareOne(column, condition, params)
  }
}

type Comparison = Extract<Condition, { op: keyof typeof COMPARISONS }>
type Membership = Extract<Condition, { op: 'in' | 'nin' }>
type Likeness = Extract<Condition, { op: 'like' | 'ilike' }>

function compareOne(column: Column, condition: Comparison, params: Params): Sql {
  const { op } = condition
  if (condition.value === null) {
    if (op === 'eq') return column.whenNull?.is ?? `${column.sql} IS NULL`
    return op === 'neq' && (column.whenNull?.isNot ?? `${column.sql} IS NOT NULL`)
  }
  const value = toParam(column.type, condition.value, where(condition))
  return `${column.sql} ${COMPARISONS[op]} ${params.add(value, column.type)}`
}

function among(column: Column, condition: Membership, params: Params): Sql {
  const values = condition.value.filter(value => value !== null).map(v => toParam(column.type, v, where(condition)))
  const withNull = values.length < condition.value.length
  const list = values.length === 0 ? null : params.add(values, `${column.type}[]`)
  if (condition.op === 'in') {
    return anyOf([list !== null && `${column.sql} = ANY (${list})`, withNull && `${column.sql} IS NULL`])
  }
  return allOf([list === null || `${column.sql} <> ALL (${list})`, !withNull || `${column.sql} IS NOT NULL`])
}

/** A value as the database takes it. @throws Problem validation_failed, naming `place` */
export function toParam(
  type: ColumnType,
  value: Exclude<Scalar, null>,
  place: string,
): string | number | boolean | Date {
  switch (type) {
    case 'int8':
      if (Number.isSafeInteger(value)) return value
      throw invalid(place, 'must be an integer of at most 2^53 - 1')
    case 'bool':
      if (typeof value === 'boolean') return value
      throw invalid(place, 'must be true or false')
    case 'timestamptz': {
      const time = typeof value === 'string' ? parseTimestamp(value) : null
      if (time !== null) return new Date(time)
      throw invalid(place, 'must be a date, or a date with time')
    }
    case 'text':
      if (typeof value === 'string' && !value.includes('\0')) return value
      throw invalid(place, 'must be text without NUL')
    default:
      throw invalid(place, 'cannot be compared')
  }
}

function invalid(place: string, rule: string): Problem {
  return new Problem('validation_failed', { problem: `${place} ${rule}` })
}

const where = (condition: Condition): string => `where.${condition.field}.${condition.op}`

/** A value as it reads in an answer: what patterns are compared with. */
function printed(column: Column): string {
  if (column.type === 'text') return column.sql
  if (column.type === 'timestamptz') return `to_char(${column.sql} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`
  return `(${column.sql})::text`
}

function pattern(condition: Likeness): string {
  const { value } = condition
  if (value.includes('\0')) throw invalid(where(condition), 'must be text without NUL')
  if (/(?<!\\)(?:\\\\)*\\$/.test(value)) throw invalid(where(condition), 'must not end with a single backslash')
  return value
}

function decide(cases: NonNullable<Column['cases']>, condition: Condition): Sql {
  const held = cases.filter(([value]) => holds(value, condition))
  return held.length === cases.length || anyOf(held.map(([, sql]) => sql))
}

/** SQL's comparison, with its nulls: they are equal to nothing, unless null itself is asked for. */
function holds(value: Scalar, condition: Condition): boolean {
  const { op } = condition
  if (op === 'in') return condition.value.includes(value)
  if (op === 'nin') return value !== null ? !condition.value.includes(value) : !condition.value.length
  if (condition.value === null) return op === 'eq' ? value === null : op === 'neq' && value !== null
  if (value === null) return false
  if (op === 'like' || op === 'ilike') return likeToRegExp(pattern(condition), op).test(String(value))
  return compares[op](value, condition.value as Scalar)
}

const compares: Record<Exclude<Operator, 'in' | 'nin' | 'like' | 'ilike'>, (a: Scalar, b: Scalar) => boolean> = {
  eq: (a, b) => a === b,
  neq: (a, b) => a !== b,
  gt: (a, b) => a! > b!,
  gte: (a, b) => a! >= b!,
  lt: (a, b) => a! < b!,
  lte: (a, b) => a! <= b!,
}

function likeToRegExp(like: string, op: 'like' | 'ilike'): RegExp {
  const source = like.replace(/\\([\s\S])|([%_])|([\s\S])/g, (_, escaped, wild, plain) => {
    if (wild) return wild === '%' ? '[\\s\\S]*' : '[\\s\\S]'
    return (escaped ?? plain).replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&')
  })
  return new RegExp(`^${source}$`, op === 'ilike' ? 'i' : '')
}

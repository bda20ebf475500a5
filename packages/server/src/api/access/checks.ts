/**
 * Checks of a rule, put in terms of one caller: conditions that lists take as they are, and that tell of a record at
 * hand whether it holds them. Both ways mean the same: null is equal to nothing, and what the caller's metadata lacks
 * is met by no record.
 */
import {
  type CheckOperator,
  type Condition,
  type Field,
  parseTimestamp,
  type Resource,
  type RuleCompared,
  type RuleExtent,
  type Scalar,
  scalarKind,
} from '@posthorn/contract'

/** What is known of a caller besides the roles: claims of a token, a webhook's answer, headers that came with the admin secret. */
export type Metadata = (key: string) => unknown
type Row = Readonly<Record<string, unknown>>
type Checks = NonNullable<Exclude<RuleExtent, boolean>['checks']>

/** The conditions that a caller's records hold. */
export function conditionsOf(checks: Checks, resource: Resource, metadata: Metadata): Condition[] {
  return Object.entries(checks).flatMap(([name, check]) => {
    const operators = typeof check === 'object' && !Array.isArray(check) ? check : { eq: check as RuleCompared }
    return Object.entries(operators).map(([op, compared]) =>
      conditionOf(name, op as CheckOperator, resource.fields[name]!, comparedValue(compared, metadata)),
    )
  })
}

function comparedValue(compared: RuleCompared, metadata: Metadata): unknown {
  return typeof compared === 'string' ? metadata(compared) : compared
}

function conditionOf(field: string, op: CheckOperator, declared: Field, value: unknown): Condition {
  if (op === 'in' || op === 'nin') {
    const values = listOf(value).map(item => toScalar(declared, item))
    const sound = values.filter(item => item !== undefined)
    return sound.length === 0 || sound.length < values.length ? metByNone(field) : { field, op, value: sound }
  }
  const scalar = toScalar(declared, value)
  return scalar === undefined ? metByNone(field) : { field, op, value: scalar }
}

/** The condition that no record meets. */
const metByNone = (field: string): Condition => ({ field, op: 'in', value: [] })

/** Headers have lists with commas between. */
function listOf(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value
  return typeof value === 'string' ? value.split(',').map(part => part.trim()) : [value]
}

/** Metadata as a value of the field, or undefined where it cannot be one. */
export function toScalar(field: Pick<Field, 'type'>, value: unknown): Exclude<Scalar, null> | undefined {
  switch (scalarKind(field.type)) {
    case 'integer':
      return toInteger(value)
    case 'boolean':
      return value === true || value === 'true' ? true : value === false || value === 'false' ? false : undefined
    case 'timestamp': {
      const time = typeof value === 'string' ? parseTimestamp(value) : null
      return time === null ? undefined : new Date(time).toISOString()
    }
    default:
      if (typeof value === 'number') return String(value)
      return typeof value === 'string' && !value.includes('\0') ? value : undefined
  }
}

function toInteger(value: unknown): number | undefined {
  const number = typeof value === 'string' && /^-?\d+$/.test(value) ? Number(value) : value
  return Number.isSafeInteger(number) ? (number as number) : undefined
}

/** Whether a record at hand holds all conditions. A field that it does not have is null. */
export function holdsAll(resource: Resource, row: Row, conditions: readonly Condition[]): boolean {
  return conditions.every(condition =>
    holds(resource.fields[condition.field]!, row[condition.field] ?? null, condition),
  )
}

function holds(field: Field, given: unknown, { op, value }: Condition): boolean {
  if (op === 'in') return given !== null && value.some(one => isSame(field, given, one))
  if (given === null) return false
  switch (op) {
    case 'nin':
      return !value.some(one => isSame(field, given, one))
    case 'eq':
      return isSame(field, given, value)
    case 'neq':
      return !isSame(field, given, value)
    default:
      return isInOrder(op, orderOf(field, given), orderOf(field, value))
  }
}

const isSame = (field: Field, a: unknown, b: unknown): boolean => orderOf(field, a) === orderOf(field, b)

/** Times are given in many ways, and may have finer parts than are stored. */
function orderOf(field: Field, value: unknown): unknown {
  return scalarKind(field.type) === 'timestamp' ? parseTimestamp(String(value)) : value
}

function isInOrder(op: string, a: unknown, b: unknown): boolean {
  if (typeof a !== 'number' || typeof b !== 'number') return false
  if (op === 'gt') return a > b
  if (op === 'gte') return a >= b
  return op === 'lt' ? a < b : op === 'lte' && a <= b
}

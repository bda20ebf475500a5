/** The order of a list, and the places in it that cursors name. */
import { type Cursor, type Order, Problem, type Resource } from '@posthorn/contract'
import { allOf, anyOf, type Params, type Sql } from './condition.ts'
import { type Column, type Columns, toParam } from './filter.ts'

/** The asked order made total: the primary key decides last, and what is asked for behind it decides nothing. */
export function totalOrder(resource: Pick<Resource, 'primaryKey'>, asked: readonly Order[]): Order[] {
  const order: Order[] = []
  const open = new Set(resource.primaryKey)
  for (const step of [...asked, ...resource.primaryKey.map(field => ({ field, direction: 'asc' as const }))]) {
    if (open.size === 0) break
    if (order.some(earlier => earlier.field === step.field)) continue
    order.push(step)
    open.delete(step.field)
  }
  return order
}

export function reverse(order: readonly Order[]): Order[] {
  return order.map(({ field, direction }) => ({ field, direction: direction === 'asc' ? 'desc' : 'asc' }))
}

export function orderSql(order: readonly Order[], name: (field: string) => string): string {
  return order.map(({ field, direction }) => `${name(field)} ${direction === 'asc' ? 'ASC' : 'DESC'}`).join(', ')
}

/**
 * Holds for the rows strictly behind a place. Nulls come last going up and first going down, as PostgreSQL has it.
 * @throws Problem cursor_invalid if the cursor does not have a fitting value for every field of the order
 */
export function behind(
  order: readonly Order[],
  columns: Columns,
  cursor: Cursor,
  parameter: string,
  params: Params,
): Sql {
  const steps = order.map(({ field, direction }) => {
    const column = columns[field]!
    const value = cursor[field]
    if (value === undefined || (value === null && !column.nullable)) throw invalidCursor(parameter)
    return { column, direction, value: value === null ? null : placeParam(column, value, parameter, params) }
  })
  return alongIndex(steps) ?? stepByStep(steps)
}

interface Step {
  readonly column: Column
  readonly direction: Order['direction']
  readonly value: string | null
}

/** One comparison of rows, which an index can start from; not where directions differ or nulls may be. */
function alongIndex(steps: readonly Step[]): string | undefined {
  const direction = steps[0]?.direction
  if (steps.some(step => step.column.nullable || step.direction !== direction)) return undefined
  const left = steps.map(step => step.column.sql).join(', ')
  const right = steps.map(step => step.value).join(', ')
  return `(${left}) ${direction === 'asc' ? '>' : '<'} (${right})`
}

function stepByStep(steps: readonly Step[]): Sql {
  return anyOf(steps.map((step, i) => allOf([...steps.slice(0, i).map(same), beyond(step)])))
}

function same({ column, value }: Step): Sql {
  return value === null ? `${column.sql} IS NULL` : `${column.sql} = ${value}`
}

function beyond({ column, direction, value }: Step): Sql {
  if (direction === 'desc') return value === null ? `${column.sql} IS NOT NULL` : `${column.sql} < ${value}`
  if (value === null) return false
  return anyOf([`${column.sql} > ${value}`, column.nullable && `${column.sql} IS NULL`])
}

function placeParam(column: Column, value: string | number | boolean, parameter: string, params: Params): string {
  try {
    return params.add(toParam(column.type, value, parameter), column.type)
  } catch (error) {
    throw invalidCursor(parameter, error)
  }
}

function invalidCursor(parameter: string, cause?: unknown): Problem {
  return new Problem('cursor_invalid', { field: parameter }, { cause })
}

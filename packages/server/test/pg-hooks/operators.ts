/** What a filter should find, worked out beside the database: the reference for its operators. */
import type { Json } from './installations.ts'

export const OPERATORS = ['eq', 'neq', 'gt', 'gte', 'lt', 'lte', 'like', 'ilike', 'in', 'nin'] as const
export type Op = (typeof OPERATORS)[number]

/** Whether a value fits; `value` as it stands in a URL. Null fits no comparison but the one for null. */
export function fitting(found: Json, op: Op, value: string): boolean {
  if (value === 'null' && op === 'eq') return found === null
  if (value === 'null' && op === 'neq') return found !== null
  if (found === null) return false
  const read = (text: string): Json => (typeof found === 'string' ? text : JSON.parse(text))
  switch (op) {
    case 'in':
    case 'nin':
      return value.split(',').map(read).includes(found) === (op === 'in')
    case 'like':
    case 'ilike':
      return asPattern(value, op === 'ilike').test(String(found))
    case 'eq':
      return found === read(value)
    case 'neq':
      return found !== read(value)
    case 'gt':
      return found > read(value)
    case 'gte':
      return found >= read(value)
    case 'lt':
      return found < read(value)
    case 'lte':
      return found <= read(value)
  }
}

function asPattern(like: string, ignoresCase: boolean): RegExp {
  const source = like.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replaceAll('%', '.*')
  return new RegExp(`^${source}$`, ignoresCase ? 'i' : '')
}

interface Probe {
  /** What to ask for with an operator, so that it finds some rows and not others where that can be. */
  text(op: Op): string
  readonly nullable: boolean
}

const NULLABLE = new Set(['deadLetterQueueId', 'cronId', 'sentAt', 'body', 'callbackUrl'])

export function probe(rows: readonly Json[], field: string): Probe {
  const values = [...new Set(rows.map(row => row[field]).filter(value => value !== null))].sort((a, b) =>
    a < b ? -1 : 1,
  )
  const middle = values[Math.floor(values.length / 2)]
  return {
    nullable: NULLABLE.has(field),
    text(op) {
      if (op === 'in' || op === 'nin') return [middle, values[0]].join(',')
      if (op === 'like') return `%${String(middle).slice(-3)}`
      if (op === 'ilike') return `%${String(middle).slice(-3).toUpperCase()}`
      return String(middle)
    },
  }
}

import type { Fields, Resource, RowOf } from '@posthorn/contract'

/**
 * Reads rows whose columns are named as the fields of their resource: in the resource's order, times as the API has them.
 * @throws Error for a row that lacks a field
 */
export function rowReader<F extends Fields>({ name, fields }: Resource<F>): (row: object) => RowOf<F> {
  const given = Object.keys(fields).filter(field => fields[field]!.access !== 'write')
  return row => {
    const read: Record<string, unknown> = {}
    for (const field of given) {
      const value = (row as Record<string, unknown>)[field]
      if (value === undefined) throw new Error(`a row of ${name} has no ${field}`)
      read[field] = value instanceof Date ? value.toISOString() : value
    }
    return read as RowOf<F>
  }
}

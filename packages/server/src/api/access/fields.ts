/** Which fields of a record a caller may see and set. */
import { type ListQuery, Problem, type Resource, selectableFields } from '@posthorn/contract'
import type { CallContext } from '../handlers.ts'
import type { Grant, Rights } from './rights.ts'

export type Row = Readonly<Record<string, unknown>>

export function pick(row: Row, fields: ReadonlySet<string>): Row {
  return Object.fromEntries(Object.entries(row).filter(([name]) => fields.has(name)))
}

export function readableFields(resource: Resource, fields: ReadonlySet<string>): string[] {
  return selectableFields(resource).filter(name => fields.has(name))
}

/** Who may not read a field may neither filter nor sort by it: the answer would tell. @throws Problem field_unauthorized */
export function refuseReading(query: ListQuery, fields: ReadonlySet<string>): void {
  const { where, anyOf, orderBy } = query
  const named = [...(query.fields ?? []), ...[...where, ...anyOf, ...orderBy].map(({ field }) => field)]
  refuseOthers(named, fields)
}

/**
 * What is no field of the record passes, and what the rules set anyway.
 * @throws Problem field_unauthorized for a field of the record that may not be set
 */
export function refuseWriting(resource: Resource, { fields }: Grant, rights: Rights, input: Row): void {
  if (!fields) return
  const set = rights.defaultsOf(resource.name)
  const isField = (name: string): boolean => Object.hasOwn(resource.fields, name) && !Object.hasOwn(set, name)
  refuseOthers(
    Object.keys(input).filter(name => input[name] !== undefined && isField(name)),
    fields,
  )
}

/** @throws Problem field_unauthorized where a selection names what the caller may not read */
export function refuseSelection(caller: CallContext, { name }: Resource, selected: readonly string[]): void {
  const fields = caller.rights?.of(name, 'find')?.fields
  if (fields) refuseOthers(selected, fields)
}

function refuseOthers(named: readonly string[], fields: ReadonlySet<string>): void {
  const other = named.find(name => !fields.has(name))
  if (other !== undefined) throw new Problem('field_unauthorized', { field: other })
}

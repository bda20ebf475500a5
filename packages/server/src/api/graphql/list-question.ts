/** From the arguments and the selection of a list to the question that its handler takes. */
import {
  type Condition,
  emptyListQuery,
  type Field,
  type ListQuery,
  type Order,
  type Resource,
  type Scalar,
  scalarKind,
} from '@posthorn/contract'
import { type GraphQLResolveInfo, Kind, type SelectionSetNode } from 'graphql'
import { invalid } from '../payload.ts'

/** What a query asks of a field's rows. */
export type Selection = Pick<GraphQLResolveInfo, 'fieldNodes' | 'fragments'>

type Conditions = Readonly<Record<string, unknown>>
export type Where = Readonly<Record<string, Readonly<Record<string, unknown>> | null>> & {
  readonly or?: readonly (Conditions | null)[] | null
}

export interface ListArgs {
  readonly limit?: number | null
  readonly offset?: number | null
  readonly orderBy?: readonly ({ readonly field?: string; readonly direction: 'ASC' | 'DESC' } | null)[] | null
  readonly where?: Where | null
}

/** @throws Problem validation_failed */
export function readQuestion(resource: Resource, args: ListArgs): ListQuery {
  const offset = args.offset ?? 0
  if (offset < 0) throw invalid('offset', 'must be >= 0')
  const orderBy = (args.orderBy ?? []).flatMap(order => (order?.field ? [readOrder(resource, order)] : []))
  return {
    ...emptyListQuery,
    limit: args.limit ?? emptyListQuery.limit,
    offset,
    orderBy: orderBy as Order<never>[],
    ...(readWhere(resource, args.where) as Pick<ListQuery<never>, 'where' | 'anyOf'>),
  }
}

function readOrder(
  resource: Resource,
  { field, direction }: { readonly field?: string; readonly direction: 'ASC' | 'DESC' },
): Order {
  if (!resource.fields[field!]?.sort) throw invalid('orderBy', `cannot be served: lists do not sort by ${field}`)
  return { field: field!, direction: direction === 'ASC' ? 'asc' : 'desc' }
}

/** @throws Problem validation_failed */
export function readWhere(resource: Resource, where: Where | null = {}): Pick<ListQuery, 'where' | 'anyOf'> {
  const { or, ...fields } = where ?? {}
  const anyOf = (or ?? []).map((part, i) => {
    const place = `where/or/${i}`
    const conditions = readConditions(resource, part ?? {}, place)
    // A list knows one OR over all: of what holds together within it, nothing must be lost in silence.
    if (conditions.length !== 1) throw invalid(place, 'must have one condition: one field with one operator')
    return conditions[0]!
  })
  return { where: readConditions(resource, fields, 'where'), anyOf }
}

function readConditions(resource: Resource, fields: Conditions, place: string): Condition[] {
  return Object.entries(fields).flatMap(([name, operators]) =>
    Object.entries((operators as Conditions | null) ?? {}).map(([op, value]) =>
      readCondition(resource, name, op as Condition['op'], value, `${place}/${name}/${op}`),
    ),
  )
}

function readCondition(resource: Resource, name: string, op: Condition['op'], value: unknown, place: string) {
  const field = resource.fields[name]!
  if (!field.filter) throw invalid(place, `cannot be served: lists do not filter by ${name}`)
  if (op === 'in' || op === 'nin') {
    if (!Array.isArray(value)) throw invalid(place, 'must not be null')
    return { field: name, op, value: value.map((one, i) => readScalar(field, one, `${place}/${i}`)) }
  }
  if (op === 'like' || op === 'ilike') {
    if (value === null) throw invalid(place, 'must not be null')
    return { field: name, op, value: readText(String(value), place) }
  }
  return { field: name, op, value: readScalar(field, value, place) }
}

function readScalar(field: Field, value: unknown, place: string): Scalar {
  if (value === null) return null
  if (scalarKind(field.type) !== 'integer')
    return typeof value === 'string' ? readText(value, place) : (value as Scalar)
  const number = typeof value === 'string' && /^-?\d+$/.test(value) ? Number(value) : value
  if (Number.isSafeInteger(number)) return number as number
  throw invalid(place, 'must be integer')
}

function readText(text: string, place: string): string {
  if (text.includes('\0')) throw invalid(place, 'must be text without NUL')
  return text
}

/**
 * The fields of a row that a query selects, with those that what it nests goes by: what is costly is read only if asked
 * for, and the key only where it is needed, because not everybody may read it.
 */
export function selectedFields(resource: Resource, info: Selection): string[] {
  const selected = new Set<string>()
  const seen = new Set<string>()
  const walk = (set: SelectionSetNode | undefined): void => {
    for (const node of set?.selections ?? []) {
      if (node.kind === Kind.FIELD) {
        const name = node.name.value
        const relation = resource.relations[name]
        if (Object.hasOwn(resource.fields, name)) selected.add(name)
        else if (relation?.kind === 'one') selected.add(relation.by)
        else if (node.selectionSet) for (const key of resource.primaryKey) selected.add(key)
      } else if (node.kind === Kind.INLINE_FRAGMENT) {
        walk(node.selectionSet)
      } else if (!seen.has(node.name.value)) {
        seen.add(node.name.value)
        walk(info.fragments[node.name.value]?.selectionSet)
      }
    }
  }
  for (const node of info.fieldNodes) walk(node.selectionSet)
  return selected.size > 0 ? [...selected] : [...resource.primaryKey]
}

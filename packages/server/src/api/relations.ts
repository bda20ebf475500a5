/** Handlers of the operations that follow from a relation between resources: nobody writes these by hand. */
import {
  type Operation,
  type OperationName,
  operations,
  Problem,
  type Resource,
  type ResourceName,
  resources,
} from '@posthorn/contract'
import type { AnyHandler, CallContext, Handlers } from './handlers.ts'

type Row = Readonly<Record<string, unknown>>
type Call = (context: CallContext, input: object) => Promise<unknown>

/** The handler of any operation, be it written, another one's twin, or following from a relation. */
export function handlerOf(name: OperationName, handlers: Handlers): AnyHandler {
  const operation: Operation = operations[name]
  if (operation.relation) return follow(operation, handlers)
  return (handlers as Readonly<Record<string, AnyHandler>>)[operation.alike ?? name]!
}

function follow(operation: Operation, handlers: Handlers): AnyHandler {
  const { of, name } = operation.relation!
  const parent: Resource = resources[of as ResourceName]
  const relation = parent.relations[name]!
  const target: Resource = resources[relation.to as ResourceName]
  const call = handlers as unknown as Readonly<Record<string, Call>>
  const getParent = (context: CallContext, id: number) => call[`${parent.plural}.get`]!(context, { id }) as Promise<Row>

  if (relation.kind === 'many') {
    return async (context, { id, ...query }: { id: number; where: readonly unknown[] }) => {
      await getParent(context, id)
      const where = [...query.where, { field: relation.by, op: 'eq', value: id }]
      return call[`${target.plural}.list`]!(context, { ...query, where })
    }
  }
  return async (context, { id }: { id: number }) => {
    const other = (await getParent(context, id))[relation.by]
    if (other === undefined) throw new Problem('field_unauthorized', { field: relation.by })
    if (other === null) throw new Problem('relation_empty', { resource: parent.name, id, relation: name })
    return call[`${target.plural}.get`]!(context, { id: other })
  }
}

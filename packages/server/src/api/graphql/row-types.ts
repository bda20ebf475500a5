/** A GraphQL type for every resource: its fields, the rows it leads to, and the lists below it. */
import {
  type Field,
  type OperationName,
  operationEntries,
  type Relation,
  type Resource,
  type ResourceName,
  resources,
} from '@posthorn/contract'
import {
  type GraphQLFieldConfig,
  type GraphQLFieldConfigMap,
  GraphQLList,
  GraphQLObjectType,
  type GraphQLResolveInfo,
} from 'graphql'
import { actsOn, type Calls, type RequestContext, type Row, refuseUnreadable } from './calls.ts'
import { typeName, valueType } from './field-types.ts'
import type { ListArguments } from './list-arguments.ts'
import { type ListArgs, readQuestion, selectedFields } from './list-question.ts'

type FieldConfig<Source = Row> = GraphQLFieldConfig<Source, RequestContext>
export type RowTypes = (resource: Resource) => GraphQLObjectType

/** Gives the type of a resource's rows; the same one however often it is asked. */
export function createRowTypes(calls: Calls, argumentsOf: (resource: Resource) => ListArguments): RowTypes {
  const made = new Map<Resource, GraphQLObjectType>()
  const typeOf: RowTypes = resource => {
    const type =
      made.get(resource) ??
      new GraphQLObjectType({
        name: typeName(resource),
        description: resource.summary,
        fields: () => ({ ...ownFields(resource), ...rowsLedTo(resource, typeOf), ...listsBelow(resource) }),
      })
    made.set(resource, type)
    return type
  }
  const listsBelow = (parent: Resource) => {
    const lists = operationEntries.flatMap(([operation, { list, of, summary }]) => {
      const name = nestedName(parent, operation)
      if (!list || !of || !name) return []
      return [
        [
          name,
          {
            ...listField(of, typeOf(of), argumentsOf(of).all, below(parent, name, operation, calls)),
            description: summary,
          },
        ],
      ]
    })
    return Object.fromEntries(lists) as GraphQLFieldConfigMap<Row, RequestContext>
  }
  return typeOf
}

/** What a relation leads to is not told twice: pg-hooks shows `queue { id }`, not `queueId`. */
function ownFields(resource: Resource): GraphQLFieldConfigMap<Row, RequestContext> {
  const leads = new Set(singles(resource).map(([, { by }]) => by))
  const own = Object.entries(resource.fields).filter(([name, { access }]) => access !== 'write' && !leads.has(name))
  return Object.fromEntries(own.map(([name, field]) => [name, ownField(name, field)]))
}

function ownField(name: string, { type }: Field): FieldConfig {
  return { type: valueType(name, type), description: type.description, resolve: row => row[name] }
}

function rowsLedTo(resource: Resource, typeOf: RowTypes): GraphQLFieldConfigMap<Row, RequestContext> {
  const found = singles(resource).map(([name, { to, by }]) => {
    const target: Resource = resources[to as ResourceName]
    const { list } = actsOn(target)
    const field: FieldConfig = {
      type: typeOf(target),
      resolve: (row, _, context, info) => {
        if (row[by] == null) return null
        refuseUnreadable(context, target, info)
        return context.loads.load(list!, row[by], context)
      },
    }
    return [name, field]
  })
  return Object.fromEntries(found)
}

function singles(resource: Resource): [string, Relation][] {
  return Object.entries(resource.relations).filter(([, { kind }]) => kind === 'one')
}

/** `queues.listMessages` is the list `messages` below a queue. */
function nestedName({ plural }: Resource, operation: OperationName): string | null {
  const [, name] = new RegExp(`^${plural}\\.list(\\w+)$`).exec(operation) ?? []
  return name ? name[0]!.toLowerCase() + name.slice(1) : null
}

type ReadPage = (row: Row, query: object, context: RequestContext) => Promise<{ readonly items: readonly Row[] }>

/** A relation is followed without asking for its parent again: the row at hand is the parent. */
function below(parent: Resource, name: string, operation: OperationName, calls: Calls): ReadPage {
  const relation = parent.relations[name]
  if (relation?.kind !== 'many') {
    return (row, query, context) => calls.list(operation, context, { ...query, id: row.id } as never)
  }
  const { list } = actsOn(resources[relation.to as ResourceName])
  return (row, query, context) => {
    const where = [...(query as { where: object[] }).where, { field: relation.by, op: 'eq', value: row.id }]
    return calls.list(list!, context, { ...query, where } as never)
  }
}

export function listField(
  resource: Resource,
  type: GraphQLObjectType,
  args: ListArguments['all'],
  read: ReadPage,
): FieldConfig {
  return {
    type: new GraphQLList(type),
    args,
    resolve: async (row, given: ListArgs, context, info: GraphQLResolveInfo) => {
      const query = { ...readQuestion(resource, given), fields: selectedFields(resource, info) }
      return (await read(row, query, context)).items
    },
  }
}

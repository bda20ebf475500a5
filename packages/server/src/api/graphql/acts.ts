/** A field for every operation that pg-hooks has no name for: pauseQueue, cancelMessage, runCron, claimMessages, … */
import {
  graphqlNames,
  type Operation,
  type OperationName,
  operationEntries,
  operations,
  type Resource,
  resourceOf,
  resources,
} from '@posthorn/contract'
import {
  type GraphQLFieldConfig,
  type GraphQLFieldConfigArgumentMap,
  type GraphQLFieldConfigMap,
  GraphQLNonNull,
} from 'graphql'
import { actsOn, type Calls, type RequestContext, type Values } from './calls.ts'
import { capitalize, typeName } from './field-types.ts'
import type { RowTypes } from './row-types.ts'
import { createShapes, type Shapes } from './shapes.ts'

type Fields = GraphQLFieldConfigMap<unknown, RequestContext>

export interface ActFields {
  readonly query: Fields
  readonly mutation: Fields
}

/** Those of all operations that no other field leads to; what only looks is a query. */
export function actFields(calls: Calls, typeOf: RowTypes): ActFields {
  const shapes = createShapes()
  const reached = new Set(Object.values<Resource>(resources).flatMap(resource => Object.values(actsOn(resource))))
  const found: ActFields = { query: {}, mutation: {} }
  for (const [name, operation] of operationEntries) {
    if (reached.has(name) || operation.relation || operation.alike || operation.list || operation.streamed) continue
    const root = operation.verb === 'GET' ? found.query : found.mutation
    root[fieldName(name)] = actField(name, operation, { calls, typeOf, shapes })
  }
  return found
}

/** `queues.pause` is pauseQueue; what is done to the messages of a queue, `queues.claim`, is claimMessages. */
export function fieldName(name: OperationName): string {
  const known = graphqlNames[name]
  if (known !== undefined) return known
  const { scope, path, of }: Operation = operations[name]
  const [, act = ''] = name.split('.')
  const entity = resourceOf(scope.split(':')[0]!)
  return act + (holderOf(path) === entity || of === entity ? typeName(entity) : capitalize(entity.plural))
}

function holderOf(path: string): Resource | undefined {
  return Object.values<Resource>(resources).find(({ plural }) => path.startsWith(`/${plural}/{id}`))
}

interface Room {
  readonly calls: Calls
  readonly typeOf: RowTypes
  readonly shapes: Shapes
}

function actField(
  name: OperationName,
  operation: Operation,
  { calls, typeOf, shapes }: Room,
): GraphQLFieldConfig<unknown, RequestContext> {
  const field = fieldName(name)
  const { properties, required = [] } = operation.input
  const args: GraphQLFieldConfigArgumentMap = {}
  const inputOf = new Map<string, string>()
  for (const [input, schema] of Object.entries(properties)) {
    const argument = argumentName(operation, input)
    const type = shapes.input(argument, schema)
    args[argument] = {
      type: required.includes(input) ? new GraphQLNonNull(type) : type,
      description: schema.description,
    }
    inputOf.set(argument, input)
  }
  return {
    type: operation.of ? typeOf(operation.of) : shapes.output(`${capitalize(field)}Answer`, operation.output),
    description: operation.summary,
    args,
    resolve: (_, given: Values, context) => {
      const input = Object.fromEntries(Object.entries(given).map(([argument, value]) => [inputOf.get(argument), value]))
      return calls.call(name, context, calls.check(name, context, input, field))
    },
  }
}

/** Whose id it is, where it is not that of the record which the field is named after. */
function argumentName({ scope, path }: Operation, input: string): string {
  const holder = holderOf(path)
  return input === 'id' && holder && holder.name !== scope.split(':')[0] ? `${holder.name}Id` : input
}

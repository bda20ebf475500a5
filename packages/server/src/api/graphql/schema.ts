/** The whole schema: a loop over the contract's resources. What pg-hooks publishes is in it by the same names and types. */
import { emptyListQuery, type Resource, resources } from '@posthorn/contract'
import {
  type GraphQLFieldConfig,
  type GraphQLFieldConfigMap,
  GraphQLID,
  GraphQLInt,
  GraphQLNonNull,
  GraphQLObjectType,
  GraphQLSchema,
} from 'graphql'
import type { Clock } from '../../clock.ts'
import type { Changes } from '../changes.ts'
import { actFields } from './acts.ts'
import { actsOn, type Calls, type RequestContext, refuseUnreadable } from './calls.ts'
import { capitalize, typeName } from './field-types.ts'
import { createListArguments, type ListArguments } from './list-arguments.ts'
import { readWhere } from './list-question.ts'
import { createRowTypes, listField } from './row-types.ts'
import { subscriptionFields } from './subscriptions.ts'
import { isUnknown, writeFields } from './writes.ts'

type Fields = GraphQLFieldConfigMap<unknown, RequestContext>

export interface SchemaParts {
  readonly calls: Calls
  readonly changes: Changes
  readonly clock: Clock
}

export function createSchema({ calls, changes, clock }: SchemaParts): GraphQLSchema {
  const argumentsOf = createListArguments()
  const typeOf = createRowTypes(calls, argumentsOf)
  const query: Fields = {}
  const mutation: Fields = {}
  const subscription: Fields = {}
  for (const resource of Object.values<Resource>(resources)) {
    const { get, list } = actsOn(resource)
    // Others exist only below one of these.
    if (!get || !list) continue
    const type = typeOf(resource)
    const args = argumentsOf(resource)
    Object.assign(query, queryFields(calls, resource, type, args))
    Object.assign(mutation, writeFields(calls, resource, type, args.where))
    Object.assign(subscription, subscriptionFields(calls, changes, clock, resource, type))
  }
  const acts = actFields(calls, typeOf)
  Object.assign(query, acts.query)
  Object.assign(mutation, acts.mutation)
  const root = (name: string, fields: Fields) => new GraphQLObjectType({ name, fields })
  return new GraphQLSchema({
    query: root('Query', query),
    mutation: root('Mutation', mutation),
    subscription: root('Subscription', subscription),
  })
}

function queryFields(calls: Calls, resource: Resource, type: GraphQLObjectType, args: ListArguments): Fields {
  const { plural } = resource
  const { list, get } = actsOn(resource)
  const name = `get${typeName(resource)}ById`
  const getById: GraphQLFieldConfig<unknown, RequestContext> = {
    type,
    args: { id: { type: new GraphQLNonNull(GraphQLID) } },
    resolve: async (_, { id }, context, info) => {
      refuseUnreadable(context, resource, info)
      try {
        return await calls.call(get!, context, calls.check(get!, context, { id }, name))
      } catch (error) {
        if (isUnknown(error, resource)) return null
        throw error
      }
    },
  }
  const count: GraphQLFieldConfig<unknown, RequestContext> = {
    type: new GraphQLObjectType({ name: `${plural}Count`, fields: { total: { type: GraphQLInt } } }),
    args: { where: args.where },
    resolve: async (_, { where }, context) => {
      const question = { ...emptyListQuery, ...readWhere(resource, where), limit: 0, totalCount: true }
      return { total: (await calls.list(list!, context, question as never)).totalCount }
    },
  }
  return {
    [name]: getById,
    [plural]: listField(resource, type, args.all, (_, question, context) =>
      calls.list(list!, context, question as never),
    ) as GraphQLFieldConfig<unknown, RequestContext>,
    [`count${capitalize(plural)}`]: count,
  }
}

/** Every field of the GraphQL schema that the server publishes, as acts of the role matrix. */
import assert from 'node:assert/strict'
import {
  neededRights,
  type Operation,
  operationEntries,
  type Resource,
  resources,
  type Scope,
} from '@posthorn/contract'
import {
  buildClientSchema,
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLObjectType,
  type GraphQLSchema,
  getIntrospectionQuery,
  getNamedType,
  isNonNullType,
  isObjectType,
  isScalarType,
} from 'graphql'
import { fieldName } from '../../src/api/graphql/acts.ts'
import type { Served } from '../api/serve.ts'
import { ask } from '../graphql/ask.ts'
import { sampleOf, seed } from './rest-acts.ts'
import { type Act, ADMIN_SECRET } from './roles.ts'

export async function readSchema(served: Served): Promise<GraphQLSchema> {
  const { data } = await ask(served, getIntrospectionQuery(), {}, { 'x-platformatic-admin-secret': ADMIN_SECRET })
  return buildClientSchema(data)
}

export function graphqlActs(served: Served, schema: GraphQLSchema): Act[] {
  const fields = (type: GraphQLObjectType): GraphQLField<unknown, unknown>[] => Object.values(type.getFields())
  return [
    ...fields(schema.getQueryType()!).map(field => rootAct(served, 'query', field)),
    ...fields(schema.getMutationType()!).map(field => rootAct(served, 'mutation', field)),
    ...all.flatMap(resource => nestedActs(served, schema, resource)),
  ]
}

const all = Object.values<Resource>(resources)
const capitalize = (word: string): string => word[0]!.toUpperCase() + word.slice(1)

/** What a field of the root needs, by its name; null for one of no known kind. */
export function needsOf(field: string): readonly Scope[] | null {
  const need = needOf(field)
  if (need) return [need]
  const operation = operationOf(field)
  return operation && neededRights(operation)
}

/** `pauseQueue` does what `queues.pause` does; `claimMessages`, which is of no message alone, what `queues.claim` does. */
export function operationOf(field: string): Operation | null {
  const found = operationEntries.find(
    ([name, { alike, relation, streamed }]) => !alike && !relation && !streamed && fieldName(name) === field,
  )
  return found?.[1] ?? null
}

function needOf(field: string): Scope | null {
  for (const { name, plural } of all) {
    const [one, many] = [capitalize(name), capitalize(plural)]
    if ([`get${one}ById`, plural, `count${many}`, `${name}Saved`, `${name}Deleted`].includes(field))
      return `${name}:find`
    if ([`save${one}`, `insert${many}`, `update${many}`].includes(field)) return `${name}:save`
    if (field === `delete${many}`) return `${name}:delete`
  }
  return null
}

const INPUTS: Readonly<Record<string, object>> = {
  Queue: { name: 'a', callbackUrl: 'http://h/', method: 'POST' },
  Message: { queueId: 1 },
  Cron: { queueId: 1, schedule: '@hourly' },
  Org: { name: 'a' },
  Key: { name: 'a', scopes: ['*'] },
}

function rootAct(served: Served, kind: 'query' | 'mutation', field: GraphQLField<unknown, unknown>): Act {
  const needs = needsOf(field.name)
  assert.ok(needs, `${field.name} is in no column of the matrix: say what it needs`)
  const given = field.args.filter(({ type }) => isNonNullType(type))
  const declared = given.map(({ name, type }) => `$${name}: ${type}`).join(', ')
  const passed = given.map(({ name }) => `${name}: $${name}`).join(', ')
  const head = given.length > 0 ? `${kind} (${declared})` : kind
  const query = `${head} { ${field.name}${given.length > 0 ? `(${passed})` : ''} { ${selectionOf(field)} } }`
  const variables = Object.fromEntries(given.map(argument => [argument.name, sampleFor(field, argument)]))
  return { name: `${kind} ${field.name}`, needs, attempt: attemptOf(served, query, variables, [field.name]) }
}

/** Its id, or the first thing that there is. */
function selectionOf(field: Pick<GraphQLField<unknown, unknown>, 'type'>): string {
  const fields = Object.values((getNamedType(field.type) as GraphQLObjectType).getFields())
  const chosen = fields.find(({ name }) => name === 'id') ?? fields[0]!
  return isScalarType(getNamedType(chosen.type)) ? chosen.name : `${chosen.name} { ${selectionOf(chosen)} }`
}

function sampleFor(field: GraphQLField<unknown, unknown>, { name }: GraphQLArgument): unknown {
  if (name === 'id' || name.endsWith('Id')) return 1
  if (name === 'where') return { id: { eq: 1 } }
  const input = INPUTS[getNamedType(field.type).name]
  if (name === 'input') return input
  return name === 'inputs' ? [input] : sampleOf(operationOf(field.name)!.input.properties[name]!)
}

/** What a row leads to, one step down: it takes the rights to both. */
function nestedActs(served: Served, schema: GraphQLSchema, { name, plural }: Resource): Act[] {
  const type = schema.getType(capitalize(name))
  if (!isObjectType(type) || !schema.getQueryType()!.getFields()[plural]) return []
  const leading = Object.values(type.getFields()).filter(field => isObjectType(getNamedType(field.type)))
  return leading.map(field => {
    const target = getNamedType(field.type)
    const entity = target.name === 'Attempt' ? 'message' : target.name.toLowerCase()
    const [first] = Object.keys((target as GraphQLObjectType).getFields())
    const query = `{ ${plural} { ${field.name} { ${first} } } }`
    return {
      name: `query ${plural} { ${field.name} }`,
      needs: [`${name}:find`, `${entity}:find`],
      attempt: attemptOf(served, query, undefined, [plural, 0, field.name]),
    }
  })
}

function attemptOf(
  served: Served,
  query: string,
  variables: object | undefined,
  path: readonly (string | number)[],
): Act['attempt'] {
  return async headers => {
    seed(served.state)
    const { status, data, errors } = await ask(served, query, variables, headers)
    assert.equal(status, 200, `${query}: ${JSON.stringify(errors)}`)
    if (errors.length === 0) return 'done'
    assert.equal(errors[0]!.message, 'operation not allowed', JSON.stringify(errors))
    // Refused at the field itself, or already at the one above it.
    assert.deepEqual(errors[0]!.path!.map(String), path.map(String).slice(0, errors[0]!.path!.length))
    assert.equal(errors[0]!.path!.reduce((value, key) => value?.[key], data) ?? null, null)
    return 'refused'
  }
}

/** Every field of the GraphQL schema that the server publishes, as acts of the role matrix. */
import assert from 'node:assert/strict'
import { type Resource, resources, type Scope } from '@posthorn/contract'
import {
  buildClientSchema,
  type GraphQLField,
  type GraphQLObjectType,
  type GraphQLSchema,
  getIntrospectionQuery,
  getNamedType,
  isObjectType,
} from 'graphql'
import type { Served } from '../api/serve.ts'
import { ask } from '../graphql/ask.ts'
import { seed } from './rest-acts.ts'
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

/** What a field of the root does, by its name; null for one of no known kind. */
export function needOf(field: string): Scope | null {
  for (const { name, plural } of all) {
    const [one, many] = [capitalize(name), capitalize(plural)]
    if ([`get${one}ById`, plural, `count${many}`, `${name}Saved`, `${name}Deleted`].includes(field))
      return `${name}:find`
    if ([`save${one}`, `insert${many}`].includes(field)) return `${name}:save`
    if (field === `delete${many}`) return `${name}:delete`
  }
  return null
}

const ARGUMENTS: Readonly<Record<string, string>> = {
  id: '(id: 1)',
  input: '(input: $input)',
  inputs: '(inputs: [$input])',
}
const INPUTS: Readonly<Record<string, object>> = {
  Queue: { name: 'a', callbackUrl: 'http://h/', method: 'POST' },
  Message: { queueId: 1 },
  Cron: { queueId: 1, schedule: '@hourly' },
}

function rootAct(served: Served, kind: 'query' | 'mutation', field: GraphQLField<unknown, unknown>): Act {
  const need = needOf(field.name)
  assert.ok(need, `${field.name} is in no column of the matrix: say what it needs`)
  const type = getNamedType(field.type)
  const taken = field.args.find(({ name }) => name in ARGUMENTS)?.name
  const head = taken?.startsWith('input') ? `($input: ${type.name}Input!)` : ''
  const selection = isObjectType(type) && 'total' in type.getFields() ? 'total' : 'id'
  const query = `${kind} ${head} { ${field.name}${taken ? ARGUMENTS[taken] : ''} { ${selection} } }`
  const variables = head ? { input: INPUTS[type.name] } : undefined
  return { name: `${kind} ${field.name}`, needs: [need], attempt: attemptOf(served, query, variables, [field.name]) }
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

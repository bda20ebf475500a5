/** Every item of the reference: what a user of pg-hooks may have come to rely on, and what is to be better. */
import { readFileSync } from 'node:fs'
import { buildSchema, type GraphQLNamedType, isEnumType, isInputObjectType, isObjectType, isScalarType } from 'graphql'
import { type Behaviour, behaviours } from './behaviours.ts'
import { routeNames } from './routes.ts'

export interface Item {
  readonly id: string
  readonly kind: 'route' | 'graphql' | Behaviour['kind']
  readonly text: string
  readonly ours?: string
}

/** Covered when what is being built for them has landed: the reason of each. */
export const notYet: Readonly<Record<string, string>> = {}

const published = buildSchema(readFileSync(new URL('../graphql/pg-hooks.graphql', import.meta.url), 'utf8'))

/** `Query.queues`, `Query.queues(limit)`, `Queue.name`; of a filter's operators, its field stands for all. */
function namesOf(type: GraphQLNamedType): string[] {
  const { name } = type
  if (isScalarType(type)) return /^(JSONObject|DateTime|LimitInt)$/.test(name) ? [`scalar ${name}`] : []
  if (isEnumType(type)) return type.getValues().map(value => `${name}.${value.name}`)
  if (isInputObjectType(type)) {
    const isFilterOfField = /WhereArguments[a-z]/.test(name)
    return isFilterOfField ? [] : Object.keys(type.getFields()).map(field => `${name}.${field}`)
  }
  if (!isObjectType(type)) return []
  return Object.values(type.getFields()).flatMap(field => [
    `${name}.${field.name}`,
    ...field.args.map(argument => `${name}.${field.name}(${argument.name})`),
  ])
}

export const graphqlNames: readonly string[] = Object.values(published.getTypeMap())
  .filter(({ name }) => !name.startsWith('__'))
  .flatMap(namesOf)

/** The migration table, in the names of both. */
export const isMigrations = (id: string): boolean => /version/i.test(id)

export const items: readonly Item[] = [
  ...behaviours,
  ...routeNames().map(id => ({ id, kind: 'route' as const, text: '' })),
  ...graphqlNames.map(id => ({ id, kind: 'graphql' as const, text: '' })),
].map(item => (isMigrations(item.id) && item.text === '' ? { ...item, ours: 'It is not there.' } : item))

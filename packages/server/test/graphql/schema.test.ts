import { readFileSync } from 'node:fs'
import { type Resource, resources } from '@posthorn/contract'
import {
  buildSchema,
  type GraphQLNamedType,
  type GraphQLSchema,
  isEnumType,
  isInputObjectType,
  isObjectType,
  isScalarType,
  validateSchema,
} from 'graphql'
import { expect, test } from 'vitest'
import { NodeChanges } from '../../src/api/changes.ts'
import { createCalls } from '../../src/api/graphql/calls.ts'
import { createSchema } from '../../src/api/graphql/schema.ts'
import { systemClock } from '../../src/clock.ts'
import { silentLog } from '../../src/log.ts'
import { createFakeHandlers } from '../api/fake-handlers.ts'

const published = buildSchema(readFileSync(new URL('./pg-hooks.graphql', import.meta.url), 'utf8'))

function ownSchema(): GraphQLSchema {
  const changes = new NodeChanges({ clock: systemClock, log: silentLog, send: null, nodeId: 'a' })
  return createSchema({ calls: createCalls(createFakeHandlers().handlers, 1000), changes, clock: systemClock })
}

/** Everything that a client can name in a schema, with its type: `Queue.name: String`, `Query.queues(limit): LimitInt`. */
function namesIn(schema: GraphQLSchema): Set<string> {
  const types = Object.values(schema.getTypeMap()).filter(({ name }) => !name.startsWith('__'))
  return new Set(types.flatMap(namesOf))
}

function namesOf(type: GraphQLNamedType): string[] {
  if (isScalarType(type)) return [`scalar ${type.name}`]
  if (isEnumType(type)) return type.getValues().map(({ name }) => `enum ${type.name}.${name}`)
  if (isInputObjectType(type)) {
    return Object.values(type.getFields()).map(field => `input ${type.name}.${field.name}: ${field.type}`)
  }
  if (!isObjectType(type)) return []
  return Object.values(type.getFields()).flatMap(({ name, type: given, args }) => [
    `type ${type.name}.${name}: ${given}`,
    ...args.map(argument => `${type.name}.${name}(${argument.name}: ${argument.type})`),
  ])
}

/** The migration table is nobody's business. */
const isMigration = (name: string): boolean => /version/i.test(name)

test('the schema is sound', () => {
  expect(validateSchema(ownSchema())).toEqual([])
})

test('all that pg-hooks publishes is there, by its names and with its types', () => {
  const own = namesIn(ownSchema())
  const asked = [...namesIn(published)].filter(name => !isMigration(name))
  expect(asked.length).toBeGreaterThan(300)
  expect(asked.filter(name => !own.has(name))).toEqual([])
})

test('the migration table is not there', () => {
  expect([...namesIn(ownSchema())].filter(name => /versions|VersionWhere|getVersion/.test(name))).toEqual([])
})

test('no argument or input is required that pg-hooks does not require', () => {
  const theirs = namesIn(published)
  const fields = new Set([...theirs].map(fieldOf))
  const required = [...namesIn(ownSchema())].filter(name => /!\)?$/.test(name) && fields.has(fieldOf(name)))
  expect(required.length).toBeGreaterThan(10)
  expect(required.filter(name => !theirs.has(name))).toEqual([])
})

const fieldOf = (name: string): string => name.split(/[(:]/)[0]!.replace(/^type /, '')

test('a secret can be given and never read', () => {
  const own = [...namesIn(ownSchema())]
  for (const resource of Object.values<Resource>(resources)) {
    const secret = Object.keys(resource.fields).filter(name => resource.fields[name]!.access === 'write')
    for (const name of secret)
      expect(
        own.filter(line => new RegExp(`\\b${name}\\b`).test(line) && !/Input\.|^Mutation\.\w+\(/.test(line)),
      ).toEqual([])
  }
  expect(own).toContain('input QueueInput.secrets: [String]')
})

import { describe, expect, test } from 'vitest'
import {
  bodySchema,
  type Field,
  inputParts,
  listParameters,
  type Operation,
  operationEntries,
  operations,
  pathAliases,
  type Resource,
  resources,
  saves,
  selectableFields,
} from './index.ts'

const all = Object.values<Resource>(resources)

describe('resources', () => {
  test('give no secret out, and neither filter nor sort by one', () => {
    for (const { fields, row } of all) {
      for (const [name, field] of Object.entries<Field>(fields)) {
        if (!field.secret) continue
        expect(row.properties).not.toHaveProperty(name)
        expect([field.access, field.filter, field.sort]).toEqual(['write', false, false])
      }
    }
    expect(Object.keys(listParameters(resources.queue)).filter(name => name.includes('secrets'))).toEqual([])
    expect(selectableFields(resources.queue)).not.toContain('secrets')
  })

  test('lead only to resources and fields that exist', () => {
    for (const { name, fields, relations, primaryKey } of all) {
      for (const key of primaryKey) expect(fields).toHaveProperty(key)
      for (const [relation, { kind, to, by }] of Object.entries(relations)) {
        const target = (resources as Readonly<Record<string, Resource>>)[to]
        expect(target, `${name}.${relation}`).toBeDefined()
        expect((kind === 'one' ? fields : target!.fields)[by], `${name}.${relation}`).toBeDefined()
      }
    }
  })

  test('have no default in an update', () => {
    for (const { update } of all) {
      for (const schema of Object.values(update.properties)) expect(schema).not.toHaveProperty('default')
    }
  })
})

describe('operations', () => {
  test('have one verb and path each, and a path in the input for every name in it', () => {
    const places = operationEntries.map(([, { verb, path }]) => `${verb} ${path}`)
    places.push(...pathAliases.map(({ path, operation }) => `${operations[operation].verb} ${path}`))
    expect(new Set(places).size).toBe(places.length)
    for (const [name, operation] of operationEntries) {
      for (const { input } of inputParts(operation).path) expect(operation.input.properties, name).toHaveProperty(input)
    }
  })

  test('tell a scope that fits their verb', () => {
    for (const [name, { verb, scope }] of operationEntries) {
      expect(scope, name).toMatch(/^(queue|message|cron|org|key|service|worker|template):(find|save|delete)$/)
      if (verb === 'GET') expect(scope, name).toMatch(/:find$/)
      if (verb !== 'GET') expect(scope, name).not.toMatch(/:find$/)
      if (verb === 'DELETE') expect(scope, name).toMatch(/:delete$/)
    }
  })

  test('put every part of the input in one place, but for headers, which may stand in the body too', () => {
    const put: Operation = operations['messages.put']
    expect(inputParts(put).headers).toEqual([{ input: 'idempotencyKey', wire: 'idempotency-key' }])
    expect(Object.keys(bodySchema('messages.put')!.properties)).toContain('idempotencyKey')
    expect(inputParts(operations['queues.putMessage']).path).toEqual([{ input: 'queueId', wire: 'id' }])
    expect(bodySchema('queues.putMessage')!.properties).not.toHaveProperty('queueId')
    expect(bodySchema('queues.get')).toBeNull()
  })

  test('that answer for another one take the same input', () => {
    for (const [, operation] of operationEntries) {
      if (!operation.alike) continue
      expect(operation.input).toBe((operations as Readonly<Record<string, Operation>>)[operation.alike]!.input)
    }
    for (const [create, update] of Object.entries(saves)) {
      expect(operations).toHaveProperty([create])
      expect(operations[update].input.properties).toHaveProperty('id')
    }
  })
})

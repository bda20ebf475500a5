/** Every route of the contract's operations, as acts of the role matrix. */
import assert from 'node:assert/strict'
import {
  bodySchema,
  inputParts,
  neededRights,
  type Operation,
  type OperationName,
  operationEntries,
  pathAliases,
} from '@posthorn/contract'
import type { TSchema } from '@sinclair/typebox'
import { seedBackend } from '../api/fake-backend.ts'
import type { FakeState } from '../api/fake-handlers.ts'
import { fakeKeyRow, fakeOrg } from '../api/fake-tenant-handlers.ts'
import type { Served } from '../api/serve.ts'
import type { Act, Caller } from './roles.ts'

const REFUSAL = {
  statusCode: 401,
  code: 'PLT_DB_AUTH_UNAUTHORIZED',
  error: 'Unauthorized',
  message: 'operation not allowed',
}

export function restActs(served: Served): Act[] {
  const acts = operationEntries.map(([name, operation]) => restAct(served, name, operation, operation.path))
  const aliases = pathAliases.map(({ path, operation: name }) => {
    const [, operation] = operationEntries.find(([other]) => other === name)!
    return restAct(served, name, operation, path)
  })
  return [...acts, ...aliases]
}

function restAct(served: Served, name: OperationName, operation: Operation, path: string): Act {
  return {
    name: `${operation.verb} ${path}`,
    needs: neededRights(operation),
    async attempt(headers) {
      seed(served.state)
      const known = await send(served, name, operation, path.replace('{id}', '1'), headers)
      if (known.status !== 401) {
        assert.equal(known.status, 200, known.text)
        return 'done'
      }
      assert.deepEqual(known.json, REFUSAL)
      assert.equal(known.headers.get('www-authenticate'), 'Bearer realm="posthorn"')
      // Nothing was read or done, and nothing tells whether there is such a record.
      assert.deepEqual(reached(served.state, name, operation), [])
      const unknown = await send(served, name, operation, path.replace('{id}', '999'), headers)
      assert.deepEqual(unknown.json, REFUSAL)
      return 'refused'
    },
  }
}

function send(served: Served, name: OperationName, operation: Operation, path: string, headers: Caller['headers']) {
  const schema = bodySchema(name)
  const asked = operation.each ? '?where.id.eq=1' : queryOf(operation)
  return served.call(operation.verb, path + asked, schema ? sampleOf(schema) : undefined, headers)
}

/** The least that has to stand in the URL's query, and more that is given. */
export function queryOf(operation: Operation, more: Readonly<Record<string, string>> = {}): string {
  const { properties, required = [] } = operation.input
  const needed = inputParts(operation).query.filter(({ input }) => required.includes(input))
  const samples = needed.map(({ input, wire }) => [wire, String(sampleOf(properties[input]!))])
  const query = new URLSearchParams({ ...Object.fromEntries(samples), ...more }).toString()
  return query && `?${query}`
}

/** Calls of the operation itself. A relation's is that of its target, which may have been asked for its own sake. */
function reached({ calls }: FakeState, name: OperationName, { alike, relation }: Operation): string[] {
  if (relation) return []
  return calls.map(({ operation }) => operation).filter(operation => operation === (alike ?? name))
}

/** The least that the schema takes. */
export function sampleOf(schema: TSchema): unknown {
  switch (schema.type) {
    case 'object': {
      const required: string[] = schema.required ?? []
      return Object.fromEntries(required.map(name => [name, sampleOf(schema.properties[name])]))
    }
    case 'array':
      return [sampleOf(schema.items)]
    case 'integer':
      return schema.minimum ?? 1
    case 'boolean':
      return true
    default: {
      if (schema.enum) return schema.enum[0]
      const samples = ['aaa', '00000000-0000-4000-8000-000000000000']
      return samples.find(text => new RegExp(schema.pattern ?? '').test(text))
    }
  }
}

/** One of each, and whatever one leads to. */
export function seed({ queues, messages, crons, orgs, keys, backend, calls }: FakeState): void {
  for (const records of [queues, messages, crons, orgs, keys]) records.clear()
  seedBackend(backend)
  calls.length = 0
  const row = { createdAt: '2026-01-01T00:00:00.000Z', updatedAt: '2026-01-01T00:00:00.000Z' }
  queues.set(1, { ...row, id: 1, name: 'a', deadLetterQueueId: 1 } as never)
  messages.set(1, { ...row, id: 1, queueId: 1, cronId: 1, body: 'b' } as never)
  orgs.set(1, fakeOrg(1))
  keys.set(1, fakeKeyRow(1))
  crons.set(1, { ...row, id: 1, queueId: 1, schedule: '@hourly' } as never)
}

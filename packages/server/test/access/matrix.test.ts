/**
 * The role matrix: every caller × every act, over REST, GraphQL and subscriptions. It is generated from the contract's
 * operations and from the schema that the server publishes: what is added to either is in it, or makes it fail.
 */
import {
  type HandledName,
  type Operation,
  operationEntries,
  operations,
  type Resource,
  resources,
} from '@posthorn/contract'
import { beforeAll, describe, expect, test } from 'vitest'
import { enforcement } from '../../src/api/access/guard.ts'
import { typeName } from '../../src/api/graphql/field-types.ts'
import { type Served, serve } from '../api/serve.ts'
import { graphqlActs, readSchema } from './graphql-acts.ts'
import { restActs } from './rest-acts.ts'
import { type Act, ADMIN_SECRET, authorization, callers, expected } from './roles.ts'
import { subscriptionActs } from './subscription-acts.ts'

const columns = ['REST', 'GraphQL', 'subscriptions'] as const
const acts = new Map<string, readonly Act[]>()

beforeAll(async () => {
  const served: Served = await serve({ adminSecret: ADMIN_SECRET, authorization })
  const schema = await readSchema(served)
  acts.set('REST', restActs(served))
  acts.set('GraphQL', graphqlActs(served, schema))
  acts.set('subscriptions', subscriptionActs(served, schema))
})

describe.each(columns)('over %s', column => {
  test.each(callers)('$name may do what its rights say, and nothing else', async caller => {
    for (const act of acts.get(column)!) {
      expect(await act.attempt(caller.headers), act.name).toBe(expected(act, caller))
    }
  })

  test('each act is let to somebody, and refused to somebody', () => {
    for (const act of acts.get(column)!) {
      expect(new Set(callers.map(caller => expected(act, caller))), act.name).toEqual(new Set(['done', 'refused']))
    }
  })
})

describe('the matrix', () => {
  test('has every operation, and the guard knows how to bound each that has a handler', () => {
    const rows = acts.get('REST')!.map(({ name }) => name)
    for (const [name, operation] of operationEntries) {
      expect(rows).toContain(`${operation.verb} ${operation.path}`)
      const { relation, alike }: Operation = operations[name]
      if (!relation && !alike) expect(enforcement(name as HandledName, {}), name).not.toBeNull()
    }
  })

  test('has every operation in GraphQL too, under a name of its own or of pg-hooks', () => {
    const fields = acts.get('GraphQL')!.map(({ name }) => name)
    for (const act of [
      'pauseQueue',
      'purgeQueue',
      'redriveMessages',
      'redriveMessage',
      'cancelMessage',
      'resendMessage',
    ])
      expect(fields).toContain(`mutation ${act}`)
    for (const act of ['runCron', 'pauseCron', 'claimMessages', 'acknowledgeMessages', 'updateQueues', 'updateCrons'])
      expect(fields).toContain(`mutation ${act}`)
    expect(fields).toContain('query previewDeleteQueue')
    const handled = operationEntries.filter(
      ([, { relation, alike, list, streamed }]) => !relation && !alike && !list && !streamed,
    )
    const roots = fields.filter(name => !name.includes('{'))
    // A save is a create and an update, but for keys, which are never changed; each resource has a list and a count besides, which are one operation.
    const saves = Object.values<Resource>(resources).map(resource => `mutation save${typeName(resource)}`)
    const twice = roots.filter(name => saves.includes(name) && name !== 'mutation saveKey').length
    const lists = roots.filter(name =>
      /^query (queues|messages|crons|orgs|keys|services|workers|templates|count\w+)$/.test(name),
    ).length
    expect(roots.length - lists + twice).toBe(handled.length)
  })

  test('has counts, which obey the right to find', () => {
    const counts = acts.get('GraphQL')!.filter(({ name }) => name.startsWith('query count'))
    expect(counts.map(({ needs }) => needs)).toEqual([
      ['queue:find'],
      ['message:find'],
      ['cron:find'],
      ['org:find'],
      ['key:find'],
      ['service:find'],
      ['worker:find'],
      ['template:find'],
    ])
  })

  test('has nothing of the table of migrations', () => {
    const names = [...acts.values()].flat().map(({ name }) => name)
    expect(names.filter(name => /version|migration/i.test(name))).toEqual([])
  })
})

/** Orgs and keys on two maps, as the other fake handlers. */
import { type Key, type Org, Problem } from '@posthorn/contract'
import type { Handlers } from '../../src/api/handlers.ts'

const NOW = '2026-01-01T00:00:00.000Z'

export type FakeTenantHandlers = Pick<Handlers, Extract<keyof Handlers, `orgs.${string}` | `keys.${string}`>>

export function createFakeTenantHandlers(orgs: Map<number, Org>, keys: Map<number, Key>): FakeTenantHandlers {
  const getOrg = (id: number): Org => {
    const found = orgs.get(id)
    if (!found) throw new Problem('org_not_found', { id })
    return found
  }
  const getKey = (id: number): Key => {
    const found = keys.get(id)
    if (!found) throw new Problem('key_not_found', { id })
    return found
  }
  const saveOrg = (org: Org): Org => {
    orgs.set(org.id, org)
    return org
  }
  return {
    'orgs.list': async () => ({ items: [...orgs.values()], totalCount: orgs.size }),
    'orgs.get': async (_, { id }) => getOrg(id),
    'orgs.create': async (_, input) => saveOrg({ ...fakeOrg(orgs.size + 1), ...(input as Partial<Org>) }),
    'orgs.update': async (_, { id, ...changes }) => saveOrg({ ...getOrg(id), ...(changes as Partial<Org>) }),
    'orgs.delete': async (_, { id }) => {
      const found = getOrg(id)
      orgs.delete(id)
      return found
    },
    'orgs.previewDelete': async (_, { id }) => ({
      queues: getOrg(id).id,
      crons: 0,
      pending: 0,
      settled: 0,
      keys: 0,
      services: 0,
    }),
    'keys.list': async () => ({ items: [...keys.values()], totalCount: keys.size }),
    'keys.get': async (_, { id }) => getKey(id),
    'keys.create': async (_, input) => {
      const made = { ...fakeKeyRow(keys.size + 1), name: input.name, token: 'phk_told_once' }
      keys.set(made.id, { ...made, token: null })
      return made
    },
    'keys.delete': async (_, { id }) => {
      const found = getKey(id)
      keys.delete(id)
      return found
    },
  }
}

export function fakeOrg(id: number): Org {
  const times = { createdAt: NOW, updatedAt: NOW }
  return { id, name: `org${id}`, title: '', config: {}, emailFrom: null, weight: 10, isInstance: false, ...times }
}

export function fakeKeyRow(id: number): Key {
  const never = { expiresAt: null, lastUsedAt: null, token: null }
  return { id, name: 'key', scopes: ['*'], prefix: 'phk_12345678', createdAt: NOW, ...never }
}

/** An installation with two orgs beside its own, and the keys that they have. */
import type { Scope } from '@posthorn/contract'
import type { Tenants } from '../../src/api/access/tenants.ts'
import type { KnownKey } from '../../src/tenant/caller.ts'

export const instanceOrg = { id: 1, name: 'instance' }

/** Tenants for a test of the edge: it says which keys there are. */
export function tenantsWith(keys: ReadonlyMap<string, KnownKey>, orgs: ReadonlyMap<string, number>): Tenants {
  return {
    findKey: token => keys.get(token) ?? null,
    findOrg: name => {
      const id = orgs.get(name)
      return id === undefined ? null : { id }
    },
    instanceOrg,
  }
}

export const fakeTenants: Tenants = tenantsWith(new Map(), new Map([[instanceOrg.name, instanceOrg.id]]))

export function fakeKey(orgId: number, orgName: string, scopes: readonly Scope[]): KnownKey {
  return { id: orgId * 100, orgId, orgName, name: 'test', scopes: new Set(scopes), expiresAt: null }
}

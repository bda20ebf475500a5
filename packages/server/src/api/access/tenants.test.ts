import type { IncomingHttpHeaders } from 'node:http'
import type { Authorization, Scope } from '@posthorn/contract'
import { expect, test } from 'vitest'
import { secretWord } from '../../../test/leaks/marked.ts'
import { silentLog } from '../../log.ts'
import type { KnownKey } from '../../tenant/caller.ts'
import { createAccess } from './access.ts'
import type { Tenants } from './tenants.ts'

const SECRET = secretWord()
const scopes = new Set<Scope>(['queue:find'])
const key: KnownKey = { id: 7, orgId: 2, orgName: 'green', name: 'k', scopes, expiresAt: null }
const tenants = (more: Partial<Tenants> = {}): Tenants => ({
  findKey: token => (token === 'phk_good' ? key : null),
  findOrg: async name => (name === 'green' ? { id: 2 } : null),
  instanceOrg: { id: 1, name: 'house' },
  ...more,
})
const rules: Authorization = { adminSecret: SECRET, rules: [{ role: 'anonymous', entity: 'queue', find: true }] }
const admin = { 'x-platformatic-admin-secret': SECRET }
const bearer = { authorization: 'Bearer phk_good' }
const named = (name: string) => ({ 'x-posthorn-org': name })

/** The org and the right to find queues, or the code of the refusal. */
async function admit(headers: IncomingHttpHeaders, authorization: Authorization | null = rules, more = tenants()) {
  const access = createAccess({ adminSecret: SECRET, authorization, host: '::', tenants: more, log: silentLog })
  const caller = await access.admit(headers)
  return caller instanceof Error ? caller.code : [caller.orgId, caller.rights === null]
}

test('the admin acts for the instance org, or for the one that is named', async () => {
  for (const authorization of [rules, null]) {
    expect(await admit(admin, authorization)).toEqual([1, true])
    expect(await admit({ ...admin, ...named('green') }, authorization)).toEqual([2, true])
    expect(await admit({ ...admin, ...named('grey') }, authorization)).toBe('org_not_found')
    expect(await admit({ ...admin, ...named('') }, authorization)).toBe('org_not_found')
  }
})

test('a key acts for its own org, also where rules let in others', async () => {
  for (const authorization of [rules, null]) {
    expect(await admit(bearer, authorization)).toEqual([2, false])
    expect(await admit({ ...bearer, ...named('green') }, authorization)).toEqual([2, false])
    expect(await admit({ authorization: 'Bearer phk_bad' }, authorization)).toBe('unauthorized')
  }
})

test('whoever is no admin is told of no org but their own, and nobody is asked about the name', async () => {
  const asked: string[] = []
  const findOrg = (name: string): null => {
    asked.push(name)
    return null
  }
  expect(await admit({ ...bearer, ...named('house') }, rules, tenants({ findOrg }))).toBe('org_not_found')
  expect(await admit(named('house'), rules, tenants({ findOrg }))).toEqual([1, false])
  expect(await admit(named('green'), rules, tenants({ findOrg }))).toBe('org_not_found')
  expect(await admit(named('green'), null, tenants({ findOrg }))).toBe('unauthorized')
  expect(asked).toEqual([])
})

test('while the database is away, who must be looked up is asked to come again', async () => {
  const away = async (): Promise<null> => {
    throw new Error('away')
  }
  expect(await admit(bearer, rules, tenants({ findKey: away }))).toBe('database_unavailable')
  expect(await admit({ ...admin, ...named('green') }, rules, tenants({ findOrg: away }))).toBe('database_unavailable')
  expect(await admit(admin, rules, tenants({ findOrg: away, findKey: away }))).toEqual([1, true])
})

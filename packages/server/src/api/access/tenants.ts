/** Callers of orgs: by an API key for its own, the admin for whichever is named. */

import type { IncomingHttpHeaders } from 'node:http'
import { ORG_HEADER, Problem } from '@posthorn/contract'
import type { KnownKey } from '../../tenant/caller.ts'
import type { Admitted, CallContext } from '../handlers.ts'
import type { Grant, Rights } from './rights.ts'

/** What is known of keys and orgs; an answer is a promise only where the database must be asked, and may then reject. */
export interface Tenants {
  /** Null for a key that is not, is not any more, or has run out. */
  findKey(token: string): KnownKey | null | Promise<KnownKey | null>
  /** Null if no org has this name. */
  findOrg(name: string): { readonly id: number } | null | Promise<{ readonly id: number } | null>
  /** The org of callers who name none. */
  readonly instanceOrg: { readonly id: number; readonly name: string }
}

const EVERYTHING: Grant = Object.freeze({ where: [], fields: null })
const contexts = new WeakMap<KnownKey, CallContext>()

/** The caller who may do everything, in the instance's org unless another is named. */
export function operatorOf({ instanceOrg }: Tenants): CallContext {
  return Object.freeze({ orgId: instanceOrg.id, actor: 'admin', rights: null, until: null, key: null })
}

/** Who calls with this key; unauthorized if it is none. May reject. */
export function holderOf(token: string, tenants: Tenants): Admitted | Promise<Admitted> {
  const found = tenants.findKey(token)
  if (!(found instanceof Promise)) return contextOfKey(found, token, tenants)
  return found.then(key => contextOfKey(key, token, tenants))
}

/** The caller, for the org that is named if one is. Never rejects. */
export function actingFor(
  caller: Admitted | Promise<Admitted>,
  name: string | null,
  tenants: Tenants,
): Admitted | Promise<Admitted> {
  const named =
    name === null
      ? caller
      : caller instanceof Promise
        ? caller.then(known => onBehalf(known, name, tenants))
        : onBehalf(caller, name, tenants)
  return named instanceof Promise ? named.catch(unreachable) : named
}

const unreachable = (error: unknown): Problem => new Problem('database_unavailable', {}, { cause: error })

/** Who calls with a key; unauthorized without one. */
function contextOfKey(key: KnownKey | null, token: string, tenants: Tenants): Admitted {
  if (key === null) return new Problem('unauthorized', {})
  const known = contexts.get(key)
  if (known) return known
  const context: CallContext = Object.freeze({
    orgId: key.orgId,
    actor: `key ${key.id}`,
    rights: rightsOf(key),
    until: key.expiresAt,
    key,
    stillHolds: async () => (await tenants.findKey(token)) !== null,
  })
  contexts.set(key, context)
  return context
}

function rightsOf({ scopes }: KnownKey): Rights {
  return {
    of: (entity, right) => (scopes.has(`${entity}:${right}`) ? EVERYTHING : null),
    defaultsOf: () => ({}),
  }
}

/** The org that a request names, or null. */
export function namedOrg(headers: IncomingHttpHeaders): string | null {
  const name = headers[ORG_HEADER]
  return typeof name === 'string' ? name : null
}

/** On behalf of the org that is named. To all but the admin, every org but their own is as if it were not there. */
function onBehalf(caller: Admitted, name: string, tenants: Tenants): Admitted | Promise<Admitted> {
  if (caller instanceof Problem) return caller
  const unknown = new Problem('org_not_found', { id: name })
  if (caller.rights !== null) {
    return name === (caller.key?.orgName ?? tenants.instanceOrg.name) ? caller : unknown
  }
  const goOn = (org: { readonly id: number } | null): Admitted => (org ? { ...caller, orgId: org.id } : unknown)
  const found = tenants.findOrg(name)
  return found instanceof Promise ? found.then(goOn) : goOn(found)
}

import type { Admitted } from '../handlers.ts'
import { actingFor, holderOf, operatorOf, type Tenants } from './tenants.ts'

/** On whose behalf a program calls the node that runs in it. */
export interface CalledAs {
  /** The name of an org: its records instead of the instance org's. */
  readonly org?: string
  /** No more than this key may do, and only in its org. */
  readonly apiKey?: string
}

/**
 * Who calls in process: whoever runs a node is its operator, and may be less. Asked for each call, since a key may be
 * revoked and an org deleted.
 *
 * @throws TypeError for what is named and is nothing: taken for absent, it would give the rights of the operator
 */
export function admitInProcess(tenants: Tenants, as: CalledAs): () => Admitted | Promise<Admitted> {
  for (const name of ['org', 'apiKey'] as const) {
    if (name in as && !/^[^\0]+$/.test(typeof as[name] === 'string' ? as[name] : ''))
      throw new TypeError(`${name} must be a text without NUL that is not empty, or be left out`)
  }
  const { org = null, apiKey } = as
  const operator = operatorOf(tenants)
  if (org === null && apiKey === undefined) return () => operator
  return () => actingFor(apiKey === undefined ? operator : holderOf(apiKey, tenants), org, tenants)
}

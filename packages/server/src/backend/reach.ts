import { Problem } from '@posthorn/contract'
import type { Executor, Statement } from '../db/port.ts'
import type { Caller } from '../tenant/caller.ts'

/** A caller as the edge hands it in. Without bounds, and acting for the instance org, it is the operator. */
export interface BackendCaller extends Caller {
  /** Null is everything. */
  readonly rights: object | null
}

export interface ReachedOrg {
  readonly id: number
  readonly name: string
  readonly emailFrom: string | null
}

const BY_NAME: Statement = {
  name: 'backend_org_by_name',
  text: 'SELECT id, name, email_from AS "emailFrom" FROM posthorn.org WHERE name = $1::text AND deleted_at IS NULL',
}
const BY_ID: Statement = {
  name: 'backend_org_by_id',
  text: 'SELECT id, name, email_from AS "emailFrom" FROM posthorn.org WHERE id = $1::int AND deleted_at IS NULL',
}

/** Whether the caller may act for every org. */
function isOperator({ orgId, rights, key }: BackendCaller, instanceOrgId: number): boolean {
  return rights === null && !key && orgId === instanceOrgId
}

/**
 * Gives the org that a call is about: the caller's own, or for the operator the one that is named.
 * "Not there" and "not yours" answer alike. @throws Problem org_unknown
 */
export type Reach = (caller: BackendCaller, orgName: string | undefined) => Promise<ReachedOrg>

export function createReach(db: Executor, instanceOrgId: number): Reach {
  return async (caller, name) => {
    const found =
      name === undefined ? db.query<ReachedOrg>(BY_ID, [caller.orgId]) : db.query<ReachedOrg>(BY_NAME, [name])
    const [org] = await found
    if (!org || (org.id !== caller.orgId && !isOperator(caller, instanceOrgId)))
      throw new Problem('org_unknown', { name: name ?? caller.orgId })
    return org
  }
}

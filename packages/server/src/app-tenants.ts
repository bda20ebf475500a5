/** Orgs and their keys, put together for a node. */

import type { Tenants } from './api/access/tenants.ts'
import type { Clock } from './clock.ts'
import type { Database } from './db/port.ts'
import type { Chore } from './engine/chore.ts'
import type { Log } from './log.ts'
import { queueBelongings } from './queue/org-belongings.ts'
import { KeyBook } from './tenant/key-book.ts'
import { createKeys } from './tenant/keys.ts'
import { tenantOperations } from './tenant/operations.ts'
import { type NamedOrg, OrgBook } from './tenant/org-book.ts'
import { removeDeletedOrgs } from './tenant/org-removal.ts'
import { type Belongings, createOrgs } from './tenant/orgs.ts'

export interface TenantParts {
  readonly db: Database
  readonly clock: Clock
  readonly log: Log
  readonly instanceOrg: NamedOrg
  readonly listLimitMs: number
  /** Whatever else orgs own. */
  readonly belongings?: readonly Belongings[]
}

const REMOVAL_MS = 5_000

/** @param changed called when other nodes are to look for changes; must not throw */
export function openTenants(parts: TenantParts, changed: () => void) {
  const { db, clock, log, instanceOrg, listLimitMs } = parts
  const keys = new KeyBook({ db, clock, log })
  const orgs = new OrgBook({ db, clock })
  const tenants: Tenants = {
    findKey: token => keys.find(token),
    findOrg: name => (name === instanceOrg.name ? instanceOrg : orgs.find(name)),
    instanceOrg,
  }
  const forget = (orgId: number): void => {
    keys.forgetOrg(orgId)
    orgs.forget(orgId)
  }
  const told = (orgId: number): void => {
    forget(orgId)
    changed()
  }
  const belongings = [queueBelongings({ changed }), ...(parts.belongings ?? [])]
  const removal: Chore = {
    name: 'deleted orgs',
    on: 'leader',
    everyMs: REMOVAL_MS,
    async run() {
      const gone = await removeDeletedOrgs(db, { belongings, now: () => clock.monotonic() })
      if (gone.length > 0) log.info({ orgs: gone }, 'deleted orgs are gone, with all that they owned')
    },
  }
  return {
    tenants,
    forget,
    handlers: tenantOperations({
      orgs: createOrgs({ db, listLimitMs, instanceOrgId: instanceOrg.id, belongings, changed: told }),
      keys: createKeys({ db, clock, listLimitMs, changed: told }),
    }),
    chores: [removal],
    stop: () => keys.stop(),
  }
}

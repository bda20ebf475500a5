import { guard } from './access/guard.ts'
import type { Tenants } from './access/tenants.ts'
import type { Changes } from './changes.ts'
import type { Handlers } from './handlers.ts'
import { publishWrites } from './published-writes.ts'

/** The handlers as every way in reaches them: they heed the rights of whoever calls, and tell subscribers what is written. */
export function reachedHandlers(handlers: Handlers, changes: Changes, { findOrg }: Tenants): Handlers {
  return guard(publishWrites(handlers, changes, findOrg))
}

/** An installation with no org but its own, and no keys: a test of the edge that needs some has them in a database. */
import type { Tenants } from '../../src/api/access/tenants.ts'

const instanceOrg = { id: 1, name: 'instance' }

export const fakeTenants: Tenants = {
  findKey: () => null,
  findOrg: name => (name === instanceOrg.name ? instanceOrg : null),
  instanceOrg,
}

import { type Condition, type Key, key } from '@posthorn/contract'
import { type Columns, column, constant, timestamp } from '../list/filter.ts'
import type { ListSource } from '../list/page.ts'
import { rowReader } from '../list/read-row.ts'

const columns: Columns = {
  id: column('k.id', 'int8'),
  name: column('k.name::text', 'text'),
  prefix: column('k.prefix', 'text'),
  expiresAt: timestamp('k.expires_at', { nullable: true }),
  lastUsedAt: timestamp('k.last_used_at', { nullable: true }),
  createdAt: timestamp('k.created_at'),
}
/** The key itself is known to nobody. */
const hidden: Columns = { scopes: column('k.scopes', 'text[]'), token: constant(null, 'text') }

/** The API keys of one org. */
export function keySource(orgId: number): ListSource<Key> {
  return {
    resource: key,
    branches: [
      { from: 'posthorn.api_key AS k', columns, hidden, scope: params => `k.org_id = ${params.add(orgId, 'int4')}` },
    ],
    supplement: null,
    serves: ({ field, op }: Condition) => field === 'id' && op !== 'like' && op !== 'ilike',
    sorts: new Set(['id']),
    decode: rowReader(key),
  }
}

import { type Condition, type Key, key } from '@posthorn/contract'
import { type Columns, column, timestamp } from '../list/filter.ts'
import type { ListSource } from '../list/page.ts'

const columns: Columns = {
  id: column('k.id', 'int8'),
  name: column('k.name::text', 'text'),
  prefix: column('k.prefix', 'text'),
  expiresAt: timestamp('k.expires_at', { nullable: true }),
  lastUsedAt: timestamp('k.last_used_at', { nullable: true }),
  createdAt: timestamp('k.created_at'),
}
const hidden: Columns = { scopes: column('k.scopes', 'text[]') }

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
    decode: row => decodeKey(row as unknown as KeyRow),
  }
}

interface KeyRow extends Omit<Key, 'createdAt' | 'expiresAt' | 'lastUsedAt' | 'token'> {
  readonly createdAt: Date
  readonly expiresAt: Date | null
  readonly lastUsedAt: Date | null
}

function decodeKey(row: KeyRow): Key {
  return {
    id: row.id,
    name: row.name,
    scopes: row.scopes,
    expiresAt: row.expiresAt?.toISOString() ?? null,
    prefix: row.prefix,
    token: null,
    lastUsedAt: row.lastUsedAt?.toISOString() ?? null,
    createdAt: row.createdAt.toISOString(),
  }
}

import { type Condition, type Org, org } from '@posthorn/contract'
import { type Columns, column, timestamp } from '../list/filter.ts'
import type { ListSource } from '../list/page.ts'
import { rowReader } from '../list/read-row.ts'

const columns: Columns = {
  id: column('o.id', 'int8'),
  name: column('o.name', 'text'),
  title: column('o.title', 'text'),
  emailFrom: column('o.email_from', 'text', { nullable: true }),
  weight: column('o.weight', 'int8'),
  createdAt: timestamp('o.created_at'),
  updatedAt: timestamp('o.updated_at'),
}
const hidden: Columns = {
  config: column('o.config', 'jsonb'),
  isInstance: column('EXISTS (SELECT FROM posthorn.installation AS i WHERE i.instance_org_id = o.id)', 'bool'),
}

/** All orgs; a deleted one is gone at once. */
export const orgSource: ListSource<Org> = {
  resource: org,
  branches: [{ from: 'posthorn.org AS o', columns, hidden, scope: () => 'o.deleted_at IS NULL' }],
  supplement: null,
  serves: ({ field, op }: Condition) => (field === 'id' || field === 'name') && op !== 'like' && op !== 'ilike',
  sorts: new Set(['id', 'name']),
  decode: rowReader(org),
}

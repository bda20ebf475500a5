import { type Condition, type Service, service } from '@posthorn/contract'
import { type Columns, column, timestamp } from '../list/filter.ts'
import type { ListSource } from '../list/page.ts'
import { rowReader } from '../list/read-row.ts'

const columns: Columns = {
  id: column('s.id', 'int8'),
  orgName: column('o.name', 'text'),
  name: column('s.name', 'text'),
  host: column('s.host', 'text', { nullable: true }),
  user: column('s.username', 'text', { nullable: true }),
  path: column('s.path', 'text', { nullable: true }),
  createdAt: timestamp('s.created_at'),
  updatedAt: timestamp('s.updated_at'),
  version: column('s.version', 'int8'),
}
const hidden: Columns = {
  hasPassword: column('s.password IS NOT NULL', 'bool'),
  attachedTo: column(
    'ARRAY(SELECT b.function FROM posthorn.backend AS b WHERE b.org_id = s.org_id AND b.service_id = s.id ORDER BY 1)',
    'text[]',
  ),
}

/** The services of one org. What they are at rest never includes a password. */
export function serviceSource(orgId: number): ListSource<Service> {
  return {
    resource: service,
    branches: [
      {
        from: 'posthorn.service AS s JOIN posthorn.org AS o ON o.id = s.org_id',
        columns,
        hidden,
        scope: params => `s.org_id = ${params.add(orgId, 'int4')} AND o.deleted_at IS NULL`,
      },
    ],
    supplement: null,
    serves,
    sorts: new Set(['id']),
    decode: rowReader(service),
  }
}

function serves({ field, op }: Condition): boolean {
  if (op === 'like' || op === 'ilike') return false
  return field === 'id' || field === 'orgName' || (field === 'name' && op === 'eq')
}

/** Email templates of orgs: one for each name and locale. */
import { type Condition, type Page, Problem, type Template, type TemplateCreate, template } from '@posthorn/contract'
import type { Database, Statement } from '../db/port.ts'
import { type Columns, column, timestamp } from '../list/filter.ts'
import { type AnyQuery, type ById, findById, type ListSource, listPage } from '../list/page.ts'
import { rowReader } from '../list/read-row.ts'
import { wrongTemplate } from './email/render.ts'
import { localeKey } from './email/template-book.ts'
import type { BackendCaller, Reach } from './reach.ts'

export interface TemplatesOptions {
  readonly db: Database
  readonly reach: Reach
  readonly listLimitMs: number
}

const SAVE: Statement = {
  name: 'template_save',
  text: `INSERT INTO posthorn.template (org_id, name, locale, subject, text, html)
    VALUES ($1::int, $2::text, $3::text, $4::text, $5::text, $6::text)
    ON CONFLICT (org_id, name, locale) DO UPDATE
    SET subject = excluded.subject, text = excluded.text, html = excluded.html, updated_at = now()
    RETURNING id`,
}
const DELETE: Statement = {
  name: 'template_delete',
  text: 'DELETE FROM posthorn.template WHERE org_id = $1::int AND id = $2::int RETURNING id',
}

export type Templates = ReturnType<typeof createTemplates>

/** The operations on templates, as the contract has them. All throw Problems of the catalogue, and DatabaseError. */
export function createTemplates({ db, reach, listLimitMs }: TemplatesOptions) {
  const get = async ({ orgId }: BackendCaller | { readonly orgId: number }, { id }: ById): Promise<Template> => {
    const found = await findById(db, templateSource(orgId), id)
    if (!found) throw new Problem('template_not_found', { id })
    return found
  }
  return {
    list: ({ orgId }: BackendCaller, query: AnyQuery): Promise<Page<Template>> =>
      listPage(db, templateSource(orgId), query, listLimitMs),
    get,
    async upsert(caller: BackendCaller, input: TemplateCreate & { readonly orgName?: string }): Promise<Template> {
      const org = await reach(caller, input.orgName)
      const { name, locale, subject, text = null, html = null } = input
      checkParts({ subject, text, html })
      const [saved] = await db.query<ById>(SAVE, [org.id, name, localeKey(locale), subject, text, html])
      return get({ orgId: org.id }, saved!)
    },
    async delete(caller: BackendCaller, { id }: ById): Promise<Template> {
      const last = await get(caller, { id })
      const [gone] = await db.query(DELETE, [caller.orgId, id])
      if (!gone) throw new Problem('template_not_found', { id })
      return last
    },
  }
}

/** @throws Problem template_invalid */
function checkParts(parts: {
  readonly subject: string
  readonly text: string | null
  readonly html: string | null
}): void {
  if (parts.text === null && parts.html === null)
    throw new Problem('template_invalid', { field: 'text', problem: 'text or html must be given' })
  for (const [field, text] of Object.entries(parts)) {
    const problem = text === null ? null : wrongTemplate(text)
    if (problem !== null) throw new Problem('template_invalid', { field, problem })
  }
}

const columns: Columns = {
  id: column('t.id', 'int8'),
  orgName: column('o.name', 'text'),
  name: column('t.name', 'text'),
  locale: column(`nullif(t.locale, '')`, 'text', { nullable: true }),
  createdAt: timestamp('t.created_at'),
  updatedAt: timestamp('t.updated_at'),
}
const hidden: Columns = {
  subject: column('t.subject', 'text'),
  text: column('t.text', 'text', { nullable: true }),
  html: column('t.html', 'text', { nullable: true }),
}

function templateSource(orgId: number): ListSource<Template> {
  return {
    resource: template,
    branches: [
      {
        from: 'posthorn.template AS t JOIN posthorn.org AS o ON o.id = t.org_id',
        columns,
        hidden,
        scope: params => `t.org_id = ${params.add(orgId, 'int4')} AND o.deleted_at IS NULL`,
      },
    ],
    supplement: null,
    serves: ({ field, op }: Condition) => op !== 'like' && op !== 'ilike' && ['id', 'name', 'orgName'].includes(field),
    sorts: new Set(['id']),
    decode: rowReader(template),
  }
}

/**
 * Orgs, for the operator.
 *
 * An org that is deleted is gone at once: its name is free, its keys are deleted with it, and no call finds it any more. Its
 * records go afterwards (`org-removal.ts`). Every change that callers may notice is written with the note that makes each
 * node forget what it knows of orgs and keys.
 */
import { type Org, type OrgCreate, type OrgUpdate, type Output, Problem, USUAL_WEIGHT } from '@posthorn/contract'
import type { Database, Executor, Param, Statement } from '../db/port.ts'
import { loadStatement } from '../db/statement.ts'
import { Params } from '../list/condition.ts'
import { type AnyQuery, type ById, findById, listPage } from '../list/page.ts'
import { withinLimit } from '../list/time-limit.ts'
import type { Caller } from './caller.ts'
import { storedConfig } from './org-input.ts'
import { orgSource } from './org-source.ts'

export interface OrgsOptions {
  readonly db: Database
  readonly listLimitMs: number
  readonly instanceOrgId: number
  /** What orgs own, to be counted before one is deleted. */
  readonly belongings: readonly Belongings[]
  /** Called after the commit of what other nodes must hear of an org; must not throw. */
  readonly changed: (orgId: number) => void
}

type Preview = Output<'orgs.previewDelete'>

/** What an org owns of one or more kinds: the room whose tables they are says how many, and takes them away. */
export interface Belongings {
  count(db: Executor, orgId: number): Promise<Partial<Preview>>
  /**
   * Takes away a batch of what a deleted org owns, in a transaction that blocks nobody for long; called again while there is
   * more, also by another node, so each call is complete in itself. @throws DatabaseError
   */
  removeSome(db: Database, orgId: number): Promise<'some' | 'later' | 'none'>
}

const CREATE: Statement = {
  name: 'create_org',
  text: `
    WITH made AS (
      INSERT INTO posthorn.org (name, title, config, email_from, weight)
      VALUES ($1::text, $2::text, $3::jsonb, $4::text, $5::smallint)
      ON CONFLICT (name) WHERE deleted_at IS NULL DO NOTHING RETURNING id
    ), noted AS (
      INSERT INTO posthorn.change (kind, queue_id) SELECT 'tenant', id FROM made
    )
    SELECT id FROM made`,
}
const DELETE = loadStatement(import.meta.url, './sql/delete_org.sql')
const COUNT_KEYS: Statement = {
  name: 'count_keys_of_org',
  text: 'SELECT count(*) AS keys FROM posthorn.api_key WHERE org_id = $1::int',
}

export type Orgs = ReturnType<typeof createOrgs>

/** The operations on orgs, as the contract has them. All throw Problems of the catalogue, and DatabaseError. */
export function createOrgs(room: OrgsOptions) {
  return {
    list: (_: Caller, query: AnyQuery) => listPage(room.db, orgSource, query, room.listLimitMs),
    get: (_: Caller, { id }: ById) => getOrg(room, id),
    create: (_: Caller, input: OrgCreate) => createOrg(room, input),
    update: (_: Caller, input: OrgUpdate & ById) => updateOrg(room, input),
    delete: (_: Caller, { id }: ById) => deleteOrg(room, id),
    previewDelete: (_: Caller, { id }: ById) => previewDelete(room, id),
  }
}

async function getOrg({ db }: OrgsOptions, id: number): Promise<Org> {
  const found = await findById(db, orgSource, id)
  if (!found) throw new Problem('org_not_found', { id })
  return found
}

async function createOrg(room: OrgsOptions, input: OrgCreate): Promise<Org> {
  const { name, title = name, config = {}, emailFrom = null, weight = USUAL_WEIGHT } = input
  const [made] = await room.db.query<{ id: number }>(CREATE, [name, title, storedConfig(config), emailFrom, weight])
  if (!made) throw new Problem('org_exists', { name })
  room.changed(made.id)
  return getOrg(room, made.id)
}

const COLUMNS: {
  readonly [K in keyof Required<OrgUpdate>]: readonly [string, string, (value: NonNullable<OrgUpdate[K]>) => Param]
} = {
  name: ['name', 'text', value => value],
  title: ['title', 'text', value => value],
  config: ['config', 'jsonb', storedConfig],
  emailFrom: ['email_from', 'text', value => value],
  weight: ['weight', 'smallint', value => value],
}

async function updateOrg(room: OrgsOptions, { id, ...patch }: OrgUpdate & ById): Promise<Org> {
  const params = new Params()
  const sets = Object.entries(patch).flatMap(([field, value]) => {
    if (value === undefined) return []
    const [column, type, store] = COLUMNS[field as keyof OrgUpdate] as (typeof COLUMNS)['title']
    return [`${column} = ${params.add(value === null ? null : store(value as string), type)}`]
  })
  if (sets.length > 0) {
    const { text, values } = params.finish(`
      WITH updated AS (
        UPDATE posthorn.org SET ${sets.join(', ')}, updated_at = now()
        WHERE id = ${params.add(id, 'int')} AND deleted_at IS NULL RETURNING id
      )
      INSERT INTO posthorn.change (kind, queue_id)
      SELECT 'org', id FROM updated WHERE ${params.add(patch.weight !== undefined, 'boolean')}`)
    await room.db.query({ name: '', text }, values)
    if (patch.weight !== undefined) room.changed(id)
  }
  return getOrg(room, id)
}

async function deleteOrg(room: OrgsOptions, id: number): Promise<Org> {
  const last = await getDeletable(room, id)
  const noted = await room.db.query(DELETE, [id])
  if (noted.length === 0) throw new Problem('org_not_found', { id })
  room.changed(id)
  return last
}

async function previewDelete(room: OrgsOptions, id: number): Promise<Preview> {
  await getDeletable(room, id)
  return withinLimit(room.db, room.listLimitMs, ['the number of its messages'], async tx => {
    const found = await tx.query<Partial<Preview>>(COUNT_KEYS, [id])
    for (const part of room.belongings) found.push(await part.count(tx, id))
    return Object.assign({}, ...found) as Preview
  })
}

async function getDeletable(room: OrgsOptions, id: number): Promise<Org> {
  const found = await getOrg(room, id)
  if (id === room.instanceOrgId) throw new Problem('org_is_instance', { id })
  return found
}

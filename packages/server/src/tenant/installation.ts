/**
 * The installation: what all its nodes share and nothing ever changes.
 *
 * One statement creates the row and the shards, or nothing: of several first starts at once one creates them, the others
 * wait for its commit and read what it chose.
 */
import { randomBytes } from 'node:crypto'
import type { Database, Statement } from '../db/port.ts'
import type { NamedOrg } from './org-book.ts'

export interface Installation {
  /** How many slices the queues are cut into: fixed at first start. */
  readonly shardCount: number
  /** 16 bytes that turn a message's id into its `webhook-id`. */
  readonly webhookIdKey: Buffer
  /** The org that runs the installation; callers who name no other act for it. */
  readonly instanceOrgId: number
  readonly instanceOrgName: string
}

export interface InstallationWish {
  readonly shardCount: number
  /** The name of the instance org, at the first start; null: its usual one, or the one that it has. */
  readonly instanceOrg?: string | null
}

/** As the first migration names it. */
const USUAL_NAME = 'instance'

const CREATE: Statement = {
  name: 'installation_create',
  text: `
    WITH made AS (
      INSERT INTO posthorn.installation (shard_count, webhook_id_key) VALUES ($1::smallint, $2::bytea)
      ON CONFLICT (one) DO NOTHING RETURNING shard_count
    )
    INSERT INTO posthorn.shard (id) SELECT generate_series(0, shard_count - 1) FROM made`,
}
const READ_ORG: Statement = {
  name: 'instance_org_read',
  text: 'SELECT o.id, o.name FROM posthorn.installation AS i JOIN posthorn.org AS o ON o.id = i.instance_org_id',
}
/** Of several first starts, one binds it; the others wait for its commit, and change nothing. */
const BIND_ORG: Statement = {
  name: 'instance_org_bind',
  text: `
    WITH bound AS (
      UPDATE posthorn.installation SET instance_org_id = (SELECT id FROM posthorn.org WHERE name = $1::text)
      WHERE instance_org_id IS NULL RETURNING instance_org_id AS id
    )
    UPDATE posthorn.org AS o SET name = $2::text, updated_at = now() FROM bound WHERE o.id = bound.id`,
}
const READ: Statement = {
  name: 'installation_read',
  text: 'SELECT shard_count, webhook_id_key FROM posthorn.installation',
}

/**
 * The wish counts at the first start only. Later ones get the number of shards that is, and are refused if they call the
 * instance org by another name: whose records a caller sees must not follow from a slip in the settings.
 * @throws DatabaseError
 */
export async function openInstallation(db: Database, wish: InstallationWish): Promise<Installation> {
  if (!Number.isInteger(wish.shardCount) || wish.shardCount < 1 || wish.shardCount > 1024)
    throw new RangeError(`shardCount must be a whole number from 1 to 1024, not ${wish.shardCount}`)
  const found = (await read(db)) ?? (await create(db, wish.shardCount))
  const org = await openInstanceOrg(db, wish.instanceOrg ?? null)
  return {
    shardCount: found.shard_count,
    webhookIdKey: found.webhook_id_key,
    instanceOrgId: org.id,
    instanceOrgName: org.name,
  }
}

async function openInstanceOrg(db: Database, wished: string | null): Promise<NamedOrg> {
  const read = () => db.query<NamedOrg>(READ_ORG)
  let [org] = await read()
  if (!org) {
    await db.query(BIND_ORG, [USUAL_NAME, wished ?? USUAL_NAME])
    org = (await read())[0]
  }
  if (!org) throw new Error('the instance org is missing from this installation')
  if (wished !== null && wished !== org.name)
    throw new Error(
      `the instance org of this installation is ${org.name}, not ${wished}: it got its name at the first start, leave out instanceOrg`,
    )
  return org
}

interface InstallationRow {
  readonly shard_count: number
  readonly webhook_id_key: Buffer
}

async function read(db: Database): Promise<InstallationRow | undefined> {
  const [row] = await db.query<InstallationRow>(READ)
  return row
}

async function create(db: Database, shardCount: number): Promise<InstallationRow> {
  await db.query(CREATE, [shardCount, randomBytes(16)])
  const row = await read(db)
  if (!row) throw new Error('the installation row is gone right after it was made')
  return row
}

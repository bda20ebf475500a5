/**
 * The installation: what all its nodes share and nothing ever changes.
 *
 * One statement creates the row and the shards, or nothing: of several first starts at once one creates them, the others
 * wait for its commit and read what it chose.
 */
import { randomBytes } from 'node:crypto'
import type { Database, Statement } from '../db/port.ts'
import { findOrg, INSTANCE_ORG } from './orgs.ts'

export interface Installation {
  /** How many slices the queues are cut into: fixed at first start. */
  readonly shardCount: number
  /** 16 bytes that turn a message's id into its `webhook-id`. */
  readonly webhookIdKey: Buffer
  readonly instanceOrgId: number
}

const CREATE: Statement = {
  name: 'installation_create',
  text: `
    WITH made AS (
      INSERT INTO posthorn.installation (shard_count, webhook_id_key) VALUES ($1::smallint, $2::bytea)
      ON CONFLICT (one) DO NOTHING RETURNING shard_count
    )
    INSERT INTO posthorn.shard (id) SELECT generate_series(0, shard_count - 1) FROM made`,
}
const READ: Statement = {
  name: 'installation_read',
  text: 'SELECT shard_count, webhook_id_key FROM posthorn.installation',
}

/** The wish counts at the first start only; later ones get what is. @throws DatabaseError */
export async function openInstallation(db: Database, wish: { readonly shardCount: number }): Promise<Installation> {
  if (!Number.isInteger(wish.shardCount) || wish.shardCount < 1 || wish.shardCount > 1024)
    throw new RangeError(`shardCount must be a whole number from 1 to 1024, not ${wish.shardCount}`)
  const found = (await read(db)) ?? (await create(db, wish.shardCount))
  const org = await findOrg(db, INSTANCE_ORG)
  if (!org) throw new Error(`the org "${INSTANCE_ORG}" is missing from this installation`)
  return { shardCount: found.shard_count, webhookIdKey: found.webhook_id_key, instanceOrgId: org.id }
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

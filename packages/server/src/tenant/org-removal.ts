/**
 * What becomes of a deleted org's records: they go in the background, by the leader, a batch at a time.
 *
 * Nothing is remembered but that the org is deleted: whoever leads takes away what there still is, so a crash costs at most
 * the batch that was under way. The org's row goes last, and not before every node has long heard of the deletion: a call
 * that had begun by then can still leave something, which is found by the same walk.
 */
import type { Database, Statement } from '../db/port.ts'
import type { Belongings } from './orgs.ts'

const GRACE_MS = 60_000
/** So that other chores have their turn. */
const LONGEST_RUN_MS = 2_000

const DELETED: Statement = { name: 'deleted_orgs', text: 'SELECT id FROM posthorn.org WHERE deleted_at IS NOT NULL' }
const REMOVE_KEYS: Statement = {
  name: 'remove_keys_of_org',
  text: 'DELETE FROM posthorn.api_key WHERE org_id = $1::int',
}
const REMOVE: Statement = {
  name: 'remove_org',
  text: `DELETE FROM posthorn.org
    WHERE id = $1::int AND deleted_at < now() - $2::float8 * interval '1 ms' RETURNING id`,
}

export interface OrgRemovalOptions {
  readonly belongings: readonly Belongings[]
  /** Milliseconds on a clock that never jumps. */
  readonly now: () => number
  /** How long an org's row stays after its deletion; a minute by default. */
  readonly graceMs?: number
}

/** Takes away some more of what deleted orgs own. Gives the orgs that are gone for good. @throws DatabaseError */
export async function removeDeletedOrgs(db: Database, options: OrgRemovalOptions): Promise<readonly number[]> {
  const until = options.now() + LONGEST_RUN_MS
  const gone: number[] = []
  for (const { id } of await db.query<{ id: number }>(DELETED)) {
    if (!(await isEmptied(db, id, options, until))) continue
    await db.query(REMOVE_KEYS, [id])
    const removed = await db.query(REMOVE, [id, options.graceMs ?? GRACE_MS])
    if (removed.length > 0) gone.push(id)
  }
  return gone
}

async function isEmptied(
  db: Database,
  orgId: number,
  { belongings, now }: OrgRemovalOptions,
  until: number,
): Promise<boolean> {
  let isEmpty = true
  for (const part of belongings) {
    let left = await part.removeSome(db, orgId)
    while (left === 'some' && now() < until) left = await part.removeSome(db, orgId)
    if (left !== 'none') isEmpty = false
  }
  return isEmpty
}

/**
 * The API keys of an org. Only the hash of a key is kept, so who loses one makes another.
 *
 * Whoever makes a key by a key gives it no more than that one has, and no longer. A revoked key is deleted together with the
 * note that makes every node forget what it knows of the org's keys.
 */
import { type Key, type KeyCreate, nearest, Problem, parseTimestamp, scopesIn, scopeWords } from '@posthorn/contract'
import type { Clock } from '../clock.ts'
import type { Database, Statement } from '../db/port.ts'
import { type AnyQuery, type ById, findById, listPage } from '../list/page.ts'
import type { Caller, KnownKey } from './caller.ts'
import { keySource } from './key-source.ts'
import { hashToken, makeToken, shownOf } from './tokens.ts'

export interface KeysOptions {
  readonly db: Database
  readonly clock: Clock
  readonly listLimitMs: number
  /** Called after the commit of what other nodes must hear of an org; must not throw. */
  readonly changed: (orgId: number) => void
}

const CREATE: Statement = {
  name: 'create_key',
  text: `INSERT INTO posthorn.api_key (org_id, name, prefix, hash, scopes, expires_at)
    SELECT id, $2::text, $3::text, decode($4::text, 'hex'), $5::text[], $6::timestamptz
    FROM posthorn.org WHERE id = $1::int AND deleted_at IS NULL FOR SHARE
    RETURNING id`,
}
const DELETE: Statement = {
  name: 'delete_key',
  text: `
    WITH gone AS (
      DELETE FROM posthorn.api_key WHERE org_id = $1::int AND id = $2::int RETURNING org_id
    )
    INSERT INTO posthorn.change (kind, queue_id) SELECT 'tenant', org_id FROM gone RETURNING queue_id`,
}

export type Keys = ReturnType<typeof createKeys>

/** The operations on keys, as the contract has them. All throw Problems of the catalogue, and DatabaseError. */
export function createKeys(room: KeysOptions) {
  return {
    list: ({ orgId }: Caller, query: AnyQuery) => listPage(room.db, keySource(orgId), query, room.listLimitMs),
    get: ({ orgId }: Caller, { id }: ById) => getKey(room, orgId, id),
    create: (caller: Caller, input: KeyCreate) => createKey(room, caller, input),
    delete: (caller: Caller, { id }: ById) => deleteKey(room, caller, id),
  }
}

async function getKey({ db }: KeysOptions, orgId: number, id: number): Promise<Key> {
  const found = await findById(db, keySource(orgId), id)
  if (!found) throw new Problem('key_not_found', { id })
  return found
}

async function createKey(room: KeysOptions, { orgId, key = null }: Caller, input: KeyCreate): Promise<Key> {
  checkScopes(input.scopes, key)
  const expiresAt = readExpiry(input.expiresAt ?? null, key, room.clock.now())
  const token = makeToken()
  const params = [orgId, input.name, shownOf(token), hashToken(token), [...new Set(input.scopes)], expiresAt]
  const [made] = await room.db.query<{ id: number }>(CREATE, params)
  if (!made) throw new Problem('org_not_found', { id: orgId })
  return { ...(await getKey(room, orgId, made.id)), token }
}

function checkScopes(words: readonly string[], maker: KnownKey | null): void {
  words.forEach((word, index) => {
    const scopes = scopesIn(word)
    if (scopes.length === 0) {
      throw new Problem('scope_unknown', { index, scope: word, nearest: nearest(word, scopeWords) })
    }
    if (maker && scopes.some(scope => !maker.scopes.has(scope)))
      throw new Problem('key_too_mighty', { field: 'scopes' })
  })
}

function readExpiry(text: string | null, maker: KnownKey | null, now: number): Date | null {
  const until = maker?.expiresAt ?? null
  if (text === null) {
    if (until !== null) throw new Problem('key_too_mighty', { field: 'expiresAt' })
    return null
  }
  const time = parseTimestamp(text)
  if (time === null || time <= now) {
    throw new Problem('validation_failed', { problem: 'body/expiresAt must be a date with time that is still to come' })
  }
  if (until !== null && time > until) throw new Problem('key_too_mighty', { field: 'expiresAt' })
  return new Date(time)
}

async function deleteKey(room: KeysOptions, { orgId }: Caller, id: number): Promise<Key> {
  const last = await getKey(room, orgId, id)
  const noted = await room.db.query(DELETE, [orgId, id])
  if (noted.length === 0) throw new Problem('key_not_found', { id })
  room.changed(orgId)
  return last
}

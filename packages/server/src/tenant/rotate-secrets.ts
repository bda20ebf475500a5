/**
 * A new key for the secrets at rest, while nodes run.
 *
 *   announced ──every node has learned it──▶ written with ──nothing is sealed under the old one──▶ kept ──▶ forgotten
 *
 * Announced, the new key lies in the database, sealed under the old one: nodes that run learn it, and nodes that start with
 * the old one still can. Every step stands in the database, so that a rotation that was ended is gone on with by the next
 * call. The old key opens nothing any more when the announcement is deleted; before that, the new one is where nodes
 * find it (`kept`).
 */
import type { Database, Statement } from '../db/port.ts'
import { resealAll } from './sealed-columns.ts'
import { createSecretBox, SecretError } from './secret-box.ts'
import { nextKeyPlace, readKeyState, SecretRing } from './secret-ring.ts'

export interface Rotation {
  /** The key that this installation has, or one that it had when a rotation began. */
  readonly current: Buffer
  /** Gives the new key, where no rotation is under way. */
  readonly makeNext: () => Promise<Buffer>
  /** Puts the new key where nodes find it when they start. */
  readonly kept: (next: Buffer) => Promise<void>
  /** Waits until every node that runs has heard of the last step. */
  readonly untilHeard: () => Promise<void>
  readonly progress: (rows: number) => void
}

export interface Rotated {
  readonly keyId: string
  /** Rows whose secrets were sealed anew. */
  readonly rows: number
}

const ANNOUNCE: Statement = {
  name: 'announce_secret_key',
  text: `WITH made AS (
      INSERT INTO posthorn.secret_key (id, sealed_under, sealed)
      SELECT $1::text, $2::text, $3::text
      FROM (SELECT one FROM posthorn.installation WHERE secret_key_id = $2::text FOR UPDATE) AS held
      WHERE NOT EXISTS (SELECT FROM posthorn.secret_key) RETURNING id
    )
    INSERT INTO posthorn.change (kind, queue_id) SELECT 'tenant', 0 FROM made RETURNING kind`,
}
const WRITE_WITH: Statement = {
  name: 'write_with_secret_key',
  text: `WITH done AS (UPDATE posthorn.installation SET secret_key_id = $1::text RETURNING one)
    INSERT INTO posthorn.change (kind, queue_id) SELECT 'tenant', 0 FROM done`,
}
const FORGET: Statement = { name: 'forget_secret_key', text: 'DELETE FROM posthorn.secret_key WHERE id = $1::text' }

/** @throws SecretError if the current key is not this installation's, or something is sealed under a third one */
export async function rotateSecrets(db: Database, rotation: Rotation): Promise<Rotated> {
  const { current, untilHeard, progress } = rotation
  const { keyId } = createSecretBox(current)
  const before = await readKeyState(db)
  if (before.next === null) {
    if (before.writing !== keyId)
      throw new SecretError(`this installation's secrets are sealed under key ${before.writing}, this is key ${keyId}`)
    await announce(db, rotation)
  }
  const { next } = await readKeyState(db)
  if (!next) throw new SecretError('the announcement of the new key is gone: another rotation ended just now')
  const ring = new SecretRing(current)
  if (next.id !== keyId && next.sealedUnder !== keyId)
    throw new SecretError(
      `a rotation from key ${next.sealedUnder} to key ${next.id} is under way, this is key ${keyId}`,
    )
  await untilHeard()
  await db.query(WRITE_WITH, [next.id])
  ring.learn({ writing: next.id, next })
  let rows = 0
  for (;;) {
    // A node that had not heard may seal under the old key until it has: so the last look finds nothing, and comes after that.
    const found = await resealAll(db, ring, done => progress(rows + done))
    rows += found
    await untilHeard()
    if (found === 0) break
  }
  const opened = next.id === keyId ? current : openNext(current, next)
  await rotation.kept(opened)
  await db.query(FORGET, [next.id])
  return { keyId: next.id, rows }
}

async function announce(db: Database, { current, makeNext }: Rotation): Promise<void> {
  const key = await makeNext()
  const box = createSecretBox(current)
  const { keyId: id } = createSecretBox(key)
  if (id === box.keyId) throw new SecretError('the new secret key is the one that is in use')
  await db.query(ANNOUNCE, [id, box.keyId, box.seal(key.toString('base64'), nextKeyPlace(id))])
}

function openNext(current: Buffer, next: { readonly id: string; readonly sealed: string }): Buffer {
  return Buffer.from(createSecretBox(current).open(next.sealed, nextKeyPlace(next.id)), 'base64')
}

/** A service's credentials at rest: the password under an envelope that opens for this very service only. */
import type { Executor, Statement } from '../db/port.ts'
import type { Credentials } from '../services/credentials.ts'
import { fail } from '../services/faults.ts'
import { servicePasswordPlace } from '../tenant/sealed-columns.ts'
import { type SecretBox, SecretError } from '../tenant/secret-box.ts'

export interface StoredService {
  readonly id: number
  readonly org_id: number
  readonly name: string
  readonly host: string | null
  readonly username: string | null
  readonly password: string | null
  readonly path: string | null
  readonly version: number
}

const FIELDS = 'id, org_id, name, host, username, password, path, version'
const READ: Statement = {
  name: 'service_read',
  text: `SELECT ${FIELDS} FROM posthorn.service WHERE org_id = $1::int AND id = $2::int`,
}
const HOLD: Statement = { name: 'service_hold', text: `${READ.text} FOR UPDATE` }

/** @throws DatabaseError */
export async function readService(db: Executor, orgId: number, id: number): Promise<StoredService | undefined> {
  const [row] = await db.query<StoredService>(READ, [orgId, id])
  return row
}

/** The same, and nobody else changes it until the transaction ends. */
export async function holdService(tx: Executor, orgId: number, id: number): Promise<StoredService | undefined> {
  const [row] = await tx.query<StoredService>(HOLD, [orgId, id])
  return row
}

/** @throws FaultError misconfigured if the envelope was changed, moved here from another service, or is of another key */
export function openCredentials(stored: StoredService, secrets: Pick<SecretBox, 'open'>): Credentials {
  const { host, username: user, password, path } = stored
  return { host, user, path, password: password === null ? null : openPassword(stored.id, password, secrets) }
}

function openPassword(id: number, sealed: string, secrets: Pick<SecretBox, 'open'>): string {
  try {
    return secrets.open(sealed, servicePasswordPlace(id))
  } catch (error) {
    if (!(error instanceof SecretError)) throw error
    return fail('misconfigured', `its password cannot be opened (${error.message}): set it again`)
  }
}

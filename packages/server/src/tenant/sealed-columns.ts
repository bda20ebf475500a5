/** Every column that holds sealed secrets: what a rotation seals anew. Whoever adds one adds it here; a story finds those that are not. */
import type { Executor, Statement } from '../db/port.ts'
import { type SecretBox, SecretError } from './secret-box.ts'

interface SealedRow {
  readonly id: number
  readonly org_id: number
  /** As it is stored. */
  readonly was: string
  readonly sealed: readonly string[]
}

interface SealedColumn {
  readonly name: string
  /** A page of rows after id $1 that have something which is not sealed under key $2. */
  readonly page: Statement
  /** Replaces, in row $1, what was $2 by $3, and lets every node look at it. */
  readonly replace: Statement
  readonly place: (row: SealedRow) => string
  /** Where it was sealed for in earlier versions. */
  readonly formerPlace?: string
}

const PAGE = 200

/** Queues: each secret is bound to the org, so that none opens on a queue of another. */
export const queueSecretsPlace = (orgId: number): string => `queue.secrets:${orgId}`
const FORMER_QUEUE_PLACE = 'queue.secrets'

/** Services: each password is bound to its service, so that an envelope which is moved to another does not open there. */
export const servicePasswordPlace = (serviceId: number): string => `service.password:${serviceId}`

export const sealedColumns: readonly SealedColumn[] = [
  {
    name: 'queue.secrets',
    page: {
      name: 'sealed_queue_secrets',
      text: `SELECT id, org_id, secrets::text AS was, secrets AS sealed FROM posthorn.queue
        WHERE id > $1::int AND EXISTS (SELECT FROM unnest(secrets) AS s WHERE split_part(s, ':', 2) <> $2::text)
        ORDER BY id LIMIT ${PAGE}`,
    },
    replace: {
      name: 'reseal_queue_secrets',
      text: `WITH done AS (
          UPDATE posthorn.queue SET secrets = $3::text[] WHERE id = $1::int AND secrets::text = $2::text RETURNING id
        )
        INSERT INTO posthorn.change (kind, queue_id) SELECT 'queue', id FROM done RETURNING queue_id`,
    },
    place: row => queueSecretsPlace(row.org_id),
    formerPlace: FORMER_QUEUE_PLACE,
  },
  {
    name: 'service.password',
    page: {
      name: 'sealed_service_passwords',
      text: `SELECT id, org_id, password AS was, ARRAY[password] AS sealed FROM posthorn.service
        WHERE id > $1::int AND split_part(password, ':', 2) <> $2::text ORDER BY id LIMIT ${PAGE}`,
    },
    // A service that is open has its password; the next one to be opened is read anew.
    replace: {
      name: 'reseal_service_passwords',
      text: 'UPDATE posthorn.service SET password = ($3::text[])[1] WHERE id = $1::int AND password = $2::text',
    },
    place: row => servicePasswordPlace(row.id),
  },
]

/** Opens a signing secret of a queue, also one that an earlier version sealed for queues of any org. @throws SecretError */
export function openQueueSecret(box: Pick<SecretBox, 'open'>, sealed: string, orgId: number): string {
  return openAt(box, sealed, queueSecretsPlace(orgId), FORMER_QUEUE_PLACE)
}

function openAt(box: Pick<SecretBox, 'open'>, sealed: string, place: string, former?: string): string {
  try {
    return box.open(sealed, place)
  } catch (error) {
    if (former === undefined || !(error instanceof SecretError)) throw error
    return box.open(sealed, former)
  }
}

/**
 * Seals anew what is not sealed under the key that `box` writes with, row by row: each is a commit, and a row that somebody
 * changed meanwhile is left as it is. Gives how many rows it found: only when that is none, nothing is left. @throws SecretError for what cannot be opened
 */
export async function resealAll(db: Executor, box: SecretBox, progress: (rows: number) => void): Promise<number> {
  let found = 0
  for (const column of sealedColumns) {
    let after = 0
    for (;;) {
      const rows = await db.query<SealedRow>(column.page, [after, box.keyId])
      for (const row of rows) {
        const anew = row.sealed.map(one =>
          box.seal(openAt(box, one, column.place(row), column.formerPlace), column.place(row)),
        )
        await db.query(column.replace, [row.id, row.was, anew])
        after = row.id
      }
      found += rows.length
      progress(found)
      if (rows.length < PAGE) break
    }
  }
  return found
}

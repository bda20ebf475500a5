/** What a database has of secrets: only their envelopes. */
import pg from 'pg'

/** Every row of every table of a schema, as PostgreSQL prints it: bytes in hexadecimal digits. */
export async function dump(url: string, schema = 'posthorn'): Promise<ReadonlyMap<string, string>> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    const { rows: tables } = await client.query(
      `SELECT c.relname AS name FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
       WHERE n.nspname = $1 AND c.relkind = 'r' ORDER BY 1`,
      [schema],
    )
    const found = new Map<string, string>()
    for (const { name } of tables) {
      const { rows } = await client.query(`SELECT t::text AS row FROM ${schema}.${name} AS t`)
      found.set(name, rows.map(({ row }) => row).join('\n'))
    }
    return found
  } finally {
    await client.end()
  }
}

const ENVELOPE = /\bv1:[0-9a-f]{8}:[A-Za-z0-9+/]+=*/g

/** Envelopes by the key that they are sealed under. */
export function envelopesIn(text: string): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const [envelope] of text.matchAll(ENVELOPE)) {
    const [, keyId = ''] = envelope.split(':')
    counts.set(keyId, (counts.get(keyId) ?? 0) + 1)
  }
  return counts
}

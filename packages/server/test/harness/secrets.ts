/**
 * The secrets that a story uses, all from one place, and the search for them: in the database, in logs, in answers. Each is
 * looked for in every form that it could have been written down in.
 */
import { randomBytes } from 'node:crypto'
import pg from 'pg'

export class Secrets {
  readonly #known = new Map<string, string>()

  /** A signing secret, as receivers share it. */
  signing(name: string): string {
    return this.know(name, `whsec_${randomBytes(32).toString('base64')}`)
  }

  /** A password, an admin secret. */
  word(name: string): string {
    return this.know(name, `marked-${randomBytes(12).toString('hex')}`)
  }

  /** 32 bytes in base64. */
  key(name: string): string {
    return this.know(name, randomBytes(32).toString('base64'))
  }

  /** One that was made elsewhere. */
  know(name: string, secret: string): string {
    this.#known.set(name, secret)
    return secret
  }

  /** The names of those that stand in a text, in whatever form. */
  in(text: string): string[] {
    return [...this.#known]
      .filter(([, secret]) => formsOf(secret).some(form => text.includes(form)))
      .map(([name]) => name)
  }
}

function formsOf(secret: string): string[] {
  const bytes = Buffer.from(secret)
  const bare = secret.replace(/^(whsec_|phk_|marked-)/, '')
  const decoded = Buffer.from(bare, 'base64')
  return [
    bare,
    bytes.toString('base64').replace(/=+$/, ''),
    bytes.toString('hex'),
    decoded.toString('hex'),
    decoded.toString('base64url'),
    encodeURIComponent(bare),
    JSON.stringify(bare).slice(1, -1),
  ]
}

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

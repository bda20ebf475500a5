/** Where the nodes of a story keep their data: a database of its own on the run's PostgreSQL, or an embedded one. */
import { mkdtempSync, rmSync } from 'node:fs'
import type { NetConnectOpts } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { parse } from 'pg-connection-string'
import { describe } from 'vitest'
import { copyEmbedded, DATABASE_KINDS, type DatabaseKind, describePostgres, freshDatabase } from '../databases.ts'
import { secretKey } from '../leaks/marked.ts'
import { lookIntoFolder } from '../leaks/watch.ts'

export interface Place {
  /** How many nodes a story may run on it at once. */
  readonly nodes: number
  /** What a node is started with. */
  readonly env: Readonly<Record<string, string>>
  /** Where PostgreSQL listens, for a proxy in front of it. */
  address(): NetConnectOpts
  /** What a node is started with that is to reach PostgreSQL over this local port. */
  through(port: number): Readonly<Record<string, string>>
  /** Lets the server end every session of this application_name. Gives back how many there were. */
  terminate(applicationName: string): Promise<number>
  /** Removes it with all its data. Its nodes must have ended. */
  close(): Promise<void>
}

/** Runs a suite on both databases. */
export function eachPlace(suite: (open: () => Promise<Place>, kind: DatabaseKind) => void): void {
  for (const kind of DATABASE_KINDS) {
    const describeKind = kind === 'postgres' ? describePostgres : describe
    describeKind(`on the ${kind} database`, () => suite(kind === 'postgres' ? openPostgres : openEmbedded, kind))
  }
}

export async function openEmbedded(): Promise<Place> {
  const { env, folder, remove } = makeFolder()
  await copyEmbedded(folder)
  const missing = (): never => {
    throw new Error('the embedded database has no address')
  }
  const close = async (): Promise<void> => {
    lookIntoFolder(folder)
    remove()
  }
  return { nodes: 1, env, address: missing, through: missing, terminate: missing, close }
}

export async function openPostgres(): Promise<Place> {
  const { env, remove } = makeFolder()
  const database = await freshDatabase()
  const { host, port, user, password, database: name } = parse(database.url)
  return {
    nodes: 2,
    env: { ...env, POSTHORN_DATABASE_URL: database.url },
    address() {
      if (host?.startsWith('/')) return { path: `${host}/.s.PGSQL.${port || 5432}` }
      return { host: host ?? 'localhost', port: Number(port || 5432) }
    },
    through(proxyPort) {
      const login = `${encodeURIComponent(user ?? 'postgres')}${password ? `:${encodeURIComponent(password)}` : ''}`
      return { ...env, POSTHORN_DATABASE_URL: `postgres://${login}@127.0.0.1:${proxyPort}/${name}` }
    },
    terminate: applicationName => terminate(database.url, applicationName),
    async close() {
      await database.drop()
      remove()
    },
  }
}

function makeFolder(): { env: Record<string, string>; folder: string; remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), 'posthorn-story-'))
  return {
    env: { POSTHORN_DATA_DIR: folder, POSTHORN_SECRET_KEY: secretKey(), POSTHORN_LOG_LEVEL: 'debug' },
    folder,
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}

async function terminate(url: string, applicationName: string): Promise<number> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    const { rowCount } = await client.query(
      'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1 AND datname = current_database()',
      [applicationName],
    )
    return rowCount ?? 0
  } finally {
    await client.end()
  }
}

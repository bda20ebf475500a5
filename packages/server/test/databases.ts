/** Databases for tests: a suite runs over both kinds, each in a database of its own. */
import { randomBytes } from 'node:crypto'
import { constants, cpSync, existsSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, describe, inject } from 'vitest'
import { migrate } from '../src/db/migrate.ts'
import { type DatabaseOptions, openDatabase } from '../src/db/open.ts'
import type { Database } from '../src/db/port.ts'
import { silentLog } from '../src/log.ts'
import { lookIntoDatabase, lookIntoFolder, lookIntoPostgres } from './leaks/watch.ts'

export { startPostgres, type TestServer } from './postgres-server.ts'

export const DATABASE_KINDS = ['postgres', 'embedded'] as const
export type DatabaseKind = (typeof DATABASE_KINDS)[number]

export interface OwnDatabase {
  readonly url: string
  drop(): Promise<void>
}

/** Makes an empty database on the run's server, or on the given one. */
export async function freshDatabase(server: { readonly url: string } = postgresOfRun()): Promise<OwnDatabase> {
  const name = `test_${randomBytes(6).toString('hex')}`
  await asAdmin(server.url, `CREATE DATABASE ${name} TEMPLATE template0 ENCODING 'UTF8'`)
  const url = server.url.replace(/(\/\/[^/]*\/)[^?]*/, `$1${name}`)
  let isLookedInto = false
  return {
    url,
    async drop() {
      if (!isLookedInto) await lookIntoPostgres(url)
      isLookedInto = true
      await asAdmin(server.url, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)
    },
  }
}

async function asAdmin(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query(sql).finally(() => client.end())
}

/** The PostgreSQL of the whole run. @throws Error if there is none: guard with `describePostgres` */
export function postgresOfRun(): { readonly url: string } {
  const { url } = inject('postgres')
  if (url === null) throw new Error('there is no PostgreSQL for this run')
  return { url }
}

/** A suite that needs a real PostgreSQL: without one it is skipped, saying so in its name (and CI fails earlier). */
export function describePostgres(name: string, suite: () => void): void {
  const given = inject('postgres')
  if (given.url !== null) describe(name, suite)
  else describe.skip(`${name} [SKIPPED, no PostgreSQL: ${given.reason}]`, suite)
}

export interface Opened {
  readonly db: Database
  /** What `openDatabase` was given, to open it again. */
  readonly options: DatabaseOptions
  /** Stops the database and removes it. */
  remove(): Promise<void>
}

/** Building an embedded database takes seconds, copying one does not: the first that needs one builds it for the run. */
export async function copyEmbedded(dataDir: string): Promise<void> {
  const built = inject('embeddedTemplate')
  if (!existsSync(built)) {
    const own = mkdtempSync(`${built}-`)
    const db = await openDatabase({ dataDir: own }, silentLog)
    await db.stop()
    try {
      renameSync(own, built)
    } catch {
      rmSync(own, { recursive: true }) // another file's tests were faster
    }
  }
  cpSync(built, dataDir, { recursive: true, mode: constants.COPYFILE_FICLONE })
}

/** Opens an empty database of a kind, without tables. */
export async function openFresh(kind: DatabaseKind, more: Partial<DatabaseOptions> = {}): Promise<Opened> {
  const dataDir = mkdtempSync(join(tmpdir(), 'posthorn-data-'))
  const own = kind === 'postgres' ? await freshDatabase() : undefined
  if (kind === 'embedded') await copyEmbedded(dataDir)
  const options = { dataDir, ...(own ? { url: own.url } : {}), ...more }
  const db = await openDatabase(options, silentLog)
  return {
    db,
    options,
    remove: async () => {
      if (kind === 'embedded') await lookIntoDatabase(db).catch(() => lookIntoFolder(dataDir))
      await db.stop()
      await own?.drop()
      rmSync(dataDir, { recursive: true, force: true })
    },
  }
}

/**
 * Runs a suite over both databases. The suite gets a function that gives the migrated database, opened once for all of
 * its tests.
 * @example eachDatabase('queues', open => { test('…', async () => { await open().query(…) }) })
 */
export function eachDatabase(name: string, suite: (open: () => Database, kind: DatabaseKind) => void): void {
  for (const kind of DATABASE_KINDS) {
    const describeKind = kind === 'postgres' ? describePostgres : describe
    describeKind(`${name} (${kind})`, () => {
      let opened: Opened
      beforeAll(async () => {
        opened = await openFresh(kind)
        await migrate(opened.db, silentLog)
      })
      afterAll(() => opened?.remove())
      suite(() => opened.db, kind)
    })
  }
}

/**
 * Migrations: plain SQL files, forward only, each in a transaction with its record.
 *
 * Every step takes the migration lock, looks at what has been run and runs the next one, so any number of nodes may
 * start at once: one of them runs it, the others find it done. A database that another version has changed in a way
 * this one does not know is refused, not used.
 */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Log } from '../log.ts'
import type { Database, Executor } from './port.ts'
import { quoteIdentifier } from './schema.ts'
import { loadStatement } from './statement.ts'

/** Second key of the advisory lock; the first one is the schema's. */
const MIGRATION_LOCK = 0x6d_69_67_72
/** The package's own folder, from `src/db` and from `dist/db`. */
const MIGRATIONS = fileURLToPath(new URL('../../migrations', import.meta.url))

const takeLock = loadStatement(import.meta.url, './sql/migration_lock.sql')
const readState = loadStatement(import.meta.url, './sql/migration_state.sql')
const listApplied = loadStatement(import.meta.url, './sql/migration_list.sql')
const record = loadStatement(import.meta.url, './sql/migration_record.sql')

interface Migration {
  readonly number: number
  readonly name: string
  readonly sql: string
  readonly sha256: string
}

interface Applied {
  readonly number: number
  readonly name: string
  readonly sha256: string
  readonly run_at: Date
}

/**
 * Brings the database's tables up to date.
 * @throws Error if a migration that has run was changed since, or the database is newer than this program
 */
export async function migrate(db: Database, log: Log, folder = MIGRATIONS): Promise<void> {
  const migrations = readMigrations(folder)
  while (await db.transaction(tx => runNext(db, tx, migrations, log), { slow: true }));
}

/** Runs the first migration that has not been run. False if there is none. */
async function runNext(db: Database, tx: Executor, migrations: readonly Migration[], log: Log): Promise<boolean> {
  await tx.query(takeLock, [db.lockSpace, MIGRATION_LOCK])
  await prepare(db, tx)
  const applied = await tx.query<Applied>(listApplied)
  check(applied, migrations)
  const next = migrations[applied.length]
  if (!next) return false
  log.info({ migration: next.name }, 'migrating the database')
  try {
    await tx.exec(next.sql)
  } catch (error) {
    throw new Error(`migration ${next.name} failed: ${(error as Error).message}`, { cause: error })
  }
  await tx.query(record, [next.number, next.name, next.sha256])
  return true
}

/** An existing schema is not created again: that would ask for a right that its owner need not have. */
async function prepare(db: Database, tx: Executor): Promise<void> {
  const schema = quoteIdentifier(db.schema)
  const [state] = await tx.query<{ has_schema: boolean; has_table: boolean }>(readState, [schema])
  if (!state!.has_schema) await tx.exec(`CREATE SCHEMA ${schema}`)
  if (state!.has_table) return
  await tx.exec(`CREATE TABLE posthorn.migration (
    number integer PRIMARY KEY,
    name text NOT NULL,
    sha256 text NOT NULL,
    run_at timestamptz NOT NULL DEFAULT now()
  )`)
}

function check(applied: readonly Applied[], migrations: readonly Migration[]): void {
  for (const [i, { name, sha256, run_at: runAt }] of applied.entries()) {
    const own = migrations[i]
    if (!own) {
      const last = migrations.at(-1)?.name ?? 'none'
      throw new Error(
        `the database is newer than this program: it has migration ${name}, the last one known here is ${last}`,
      )
    }
    if (own.name !== name || own.sha256 !== sha256) {
      throw new Error(
        `migration ${name} was changed after it ran on this database (${runAt.toISOString()}): restore it, and put the change into a new one`,
      )
    }
  }
}

function readMigrations(folder: string): Migration[] {
  const files = readdirSync(folder).filter(file => file.endsWith('.sql'))
  return files.sort().map((file, i) => {
    const number = Number(/^(\d{4})_[a-z0-9_]+\.sql$/.exec(file)?.[1])
    if (number !== i + 1)
      throw new Error(`${join(folder, file)}: expected a name that begins with ${String(i + 1).padStart(4, '0')}_`)
    // A checkout with other line ends is no change.
    const sql = readFileSync(join(folder, file), 'utf8').replaceAll('\r\n', '\n')
    return { number, name: basename(file, '.sql'), sql, sha256: createHash('sha256').update(sql).digest('hex') }
  })
}

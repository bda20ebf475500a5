/**
 * No secret of the tests may be seen anywhere: in a database that a test had, in what a node, a command or a part of one
 * logged, in an answer or the text of an error. The fixtures look where such things come together (a database is dropped, a
 * process ends, an answer is read), and what they found fails the file of tests at its end (`each-file.ts`).
 */
import type { ChildProcess } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import type { Database } from '../../src/db/port.ts'
import { findSecrets, findSecretsInBytes, type Kind, SUSPICIOUS } from './find.ts'

/** The few places that a secret is meant to come out at. */
const ALLOWED: readonly { readonly kind: Kind; readonly where: RegExp; readonly why: string }[] = [
  { kind: 'key', where: /^answer to POST \/keys\/$/, why: 'the one answer that shows a new key' },
  { kind: 'key', where: /^answer to POST \/graphql.*\bsaveKey\b/s, why: 'the same over GraphQL' },
  { kind: 'key', where: /^stdout of posthorn key add /, why: 'the same on the command line' },
]

const leaks: string[] = []
/** How much was looked at, so that a net that hangs nowhere is noticed. */
const looked = { databases: 0, processes: 0, answers: 0, lines: 0, tookMs: 0 }
export type Looked = typeof looked

/** Looks into a text; what it finds is told by `takeLeaks`. */
export function look(sort: Exclude<keyof Looked, 'databases' | 'tookMs'>, where: string, text: string): void {
  looked[sort] += 1
  const began = performance.now()
  for (const { kind, excerpt } of findSecrets(text)) report(where, kind, excerpt)
  looked.tookMs += performance.now() - began
}

function report(where: string, kind: Kind, excerpt: string): void {
  if (ALLOWED.some(place => place.kind === kind && place.where.test(where))) return
  leaks.push(`a ${kind} stands in ${where}: … ${excerpt} …`)
}

/** What was found since the last time, and how much was looked at. */
export function takeLeaks(): { readonly leaks: readonly string[]; readonly looked: Looked } {
  const taken = { leaks: leaks.splice(0), looked: { ...looked } }
  for (const sort of Object.keys(looked) as (keyof Looked)[]) looked[sort] = 0
  return taken
}

type Query = (text: string, params: string[]) => Promise<readonly Record<string, unknown>[]>

const TABLES = `
  SELECT format('%I.%I', n.nspname, c.relname) AS name FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
  WHERE c.relkind = 'r' AND n.nspname !~ '^(pg_|information_schema$)' ORDER BY 1`

/** Tables with more were filled by a statement of the test. */
const MOST_ROWS = 20_000

/** Every row of every table, as PostgreSQL prints it. */
async function lookIntoTables(where: string, query: Query): Promise<void> {
  const began = performance.now()
  const tables = (await query(TABLES, [])).map(({ name }) => String(name))
  looked.databases += 1
  if (tables.length === 0) return
  const parts = tables.map(
    name => `(SELECT '${name}' AS name, t.row FROM (SELECT r::text AS row FROM ${name} AS r LIMIT ${MOST_ROWS}) AS t
      WHERE t.row ~ $1 LIMIT 3)`,
  )
  for (const { name, row } of await query(parts.join(' UNION ALL '), [SUSPICIOUS])) {
    for (const { kind, excerpt } of findSecrets(String(row))) report(`${where}, table ${name}`, kind, excerpt)
  }
  looked.tookMs += performance.now() - began
}

/** A database of PostgreSQL, before it is dropped. */
export async function lookIntoPostgres(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await lookIntoTables('PostgreSQL', async (text, params) => (await client.query(text, params)).rows)
  } finally {
    await client.end()
  }
}

export const lookIntoDatabase = (db: Database): Promise<void> =>
  lookIntoTables(`the ${db.kind} database`, (text, params) => db.query({ name: '', text }, params))

const KEY_FILE = /^secret\.key/

/** An embedded database that nobody has open: its files, with what was deleted and what its log still has. */
export function lookIntoFolder(folder: string): void {
  const began = performance.now()
  looked.databases += 1
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || KEY_FILE.test(entry.name)) continue
    const file = join(entry.parentPath, entry.name)
    for (const { kind, excerpt } of findSecretsInBytes(readFileSync(file))) report(file, kind, excerpt)
  }
  looked.tookMs += performance.now() - began
}

/** All that a process prints, until it ends. */
export function lookAtOutput(child: ChildProcess, name: string): void {
  for (const out of ['stdout', 'stderr'] as const) {
    const chunks: Buffer[] = []
    child[out]?.on('data', (chunk: Buffer | string) => chunks.push(Buffer.from(chunk)))
    child[out]?.once('close', () => look('processes', `${out} of ${name}`, Buffer.concat(chunks).toString()))
  }
}

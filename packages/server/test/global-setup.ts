/**
 * What the whole run of tests shares: one PostgreSQL (TEST_DATABASE_URL if it is set, else one that is started here),
 * and the place of an embedded database to copy from.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { findSecrets } from './leaks/find.ts'
import type { Looked } from './leaks/watch.ts'
import { startPostgres } from './postgres-server.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    /** url null: there is none, and why. */
    postgres: { readonly url: string } | { readonly url: null; readonly reason: string }
    /** Where an embedded database is, or will be once a test has needed one. */
    embeddedTemplate: string
    /** The file in which is counted how much was searched for secrets. */
    lookedAt: string
  }
}

export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  const folder = mkdtempSync(join(tmpdir(), 'posthorn-tests-'))
  project.provide('embeddedTemplate', join(folder, 'embedded'))
  const lookedAt = join(folder, 'looked-at')
  project.provide('lookedAt', lookedAt)
  const stop = await providePostgres(project)
  return async () => {
    sayLookedAt(project.name, lookedAt)
    rmSync(folder, { recursive: true, force: true })
    await stop()
  }
}

/** A net that hangs nowhere catches nothing: how much was looked at stands at the end of every run. */
function sayLookedAt(name: string, file: string): void {
  if (!existsSync(file)) return
  const sum = { databases: 0, processes: 0, answers: 0, lines: 0, tookMs: 0 } satisfies Looked
  for (const line of readFileSync(file, 'utf8').trim().split('\n')) {
    const looked = JSON.parse(line) as Looked
    for (const sort of Object.keys(sum) as (keyof Looked)[]) sum[sort] += looked[sort]
  }
  const { databases, processes, answers, lines, tookMs } = sum
  console.info(
    `searched for secrets in ${name}: ${databases} databases, ${processes} outputs, ${answers} parts of answers, ${lines} lines, in ${Math.round(tookMs)} ms`,
  )
}

/** What the database itself logs: statements that failed, and what they failed on. */
function lookIntoLog(line: string): void {
  for (const { excerpt } of findSecrets(line)) {
    console.error(`SECRETS GOT OUT: one stands in the log of PostgreSQL: … ${excerpt} …`)
    process.exitCode = 1
  }
}

async function providePostgres(project: TestProject): Promise<() => Promise<void>> {
  const given = process.env.TEST_DATABASE_URL
  if (given) {
    project.provide('postgres', { url: given })
    return async () => {}
  }
  try {
    const server = await startPostgres({ log: lookIntoLog })
    project.provide('postgres', { url: server.url })
    return server.stop
  } catch (error) {
    if (process.env.CI) throw error
    console.warn(`\nNO POSTGRESQL: every test that needs one is skipped. ${(error as Error).message}\n`)
    project.provide('postgres', { url: null, reason: (error as Error).message })
    return async () => {}
  }
}

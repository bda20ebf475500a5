/**
 * What the whole run of tests shares: one PostgreSQL (TEST_DATABASE_URL if it is set, else one that is started here),
 * and the place of an embedded database to copy from.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { startPostgres } from './postgres-server.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    /** url null: there is none, and why. */
    postgres: { readonly url: string } | { readonly url: null; readonly reason: string }
    /** Where an embedded database is, or will be once a test has needed one. */
    embeddedTemplate: string
  }
}

export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  const folder = mkdtempSync(join(tmpdir(), 'posthorn-tests-'))
  project.provide('embeddedTemplate', join(folder, 'embedded'))
  const stop = await providePostgres(project)
  return async () => {
    rmSync(folder, { recursive: true, force: true })
    await stop()
  }
}

async function providePostgres(project: TestProject): Promise<() => Promise<void>> {
  const given = process.env.TEST_DATABASE_URL
  if (given) {
    project.provide('postgres', { url: given })
    return async () => {}
  }
  try {
    const server = await startPostgres()
    project.provide('postgres', { url: server.url })
    return server.stop
  } catch (error) {
    if (process.env.CI) throw error
    console.warn(`\nNO POSTGRESQL: every test that needs one is skipped. ${(error as Error).message}\n`)
    project.provide('postgres', { url: null, reason: (error as Error).message })
    return async () => {}
  }
}

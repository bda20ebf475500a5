/** One PostgreSQL for the whole run of tests: TEST_DATABASE_URL if it is set, else one that is started here. */
import type { TestProject } from 'vitest/node'
import { startPostgres } from './postgres-server.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    /** null: there is none, and why. */
    postgres: { readonly url: string } | { readonly url: null; readonly reason: string }
  }
}

export default async function setUp(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const given = process.env.TEST_DATABASE_URL
  if (given) {
    project.provide('postgres', { url: given })
    return undefined
  }
  try {
    const server = await startPostgres()
    project.provide('postgres', { url: server.url })
    return server.stop
  } catch (error) {
    if (process.env.CI) throw error
    project.provide('postgres', { url: null, reason: (error as Error).message })
    return undefined
  }
}

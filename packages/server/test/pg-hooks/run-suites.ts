/** Runs every suite on one installation, started once. */
import { afterAll, beforeAll, describe, test } from 'vitest'
import { type DatabaseKind, describePostgres } from '../databases.ts'
import { Installation } from './installations.ts'
import { suites } from './suites.ts'

export function runSuites(name: string, kind: DatabaseKind, nodes: number): void {
  const describeKind = kind === 'postgres' ? describePostgres : describe
  describeKind(`what users of pg-hooks have, on ${name}`, () => {
    let on: Installation
    beforeAll(async () => {
      on = await Installation.open(kind, nodes)
    })
    afterAll(() => on?.close())

    for (const { title, isConcurrent, laws } of suites) {
      describe(title, () => {
        const declare = isConcurrent ? test.concurrent : test
        for (const { name, run } of laws) declare(name, () => run(on))
      })
    }
  })
}

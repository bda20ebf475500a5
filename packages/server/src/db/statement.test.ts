import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { loadStatement } from './statement.ts'

describe('a statement in a file', () => {
  let folder: string
  const load = (name: string) => loadStatement(pathToFileURL(join(folder, 'caller.ts')).href, `./${name}`)

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'posthorn-statement-'))
    writeFileSync(join(folder, 'count.sql'), '-- Relies on nothing.\n-- Really.\nSELECT 1 -- one\n')
    writeFileSync(join(folder, 'bare.sql'), 'SELECT 1')
    writeFileSync(join(folder, `${'x'.repeat(64)}.sql`), '-- Relies on nothing.\nSELECT 1')
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  test('is named after the file, and what it relies on is not sent', () => {
    expect(load('count.sql')).toEqual({ name: 'count', text: 'SELECT 1 -- one\n' })
  })

  test('must say what it relies on', () => {
    expect(() => load('bare.sql')).toThrow('does not begin with a comment')
  })

  test('may not have a name that PostgreSQL would cut off', () => {
    expect(() => load(`${'x'.repeat(64)}.sql`)).toThrow('at most 63 bytes')
  })
})

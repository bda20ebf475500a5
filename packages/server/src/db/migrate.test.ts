import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { DATABASE_KINDS, describePostgres, type Opened, openFresh } from '../../test/databases.ts'
import { silentLog } from '../log.ts'
import { migrate } from './migrate.ts'
import { openDatabase } from './open.ts'
import type { Database } from './port.ts'

const sql = (text: string) => ({ name: '', text })

for (const kind of DATABASE_KINDS) {
  const describeKind = kind === 'postgres' ? describePostgres : describe
  describeKind(`migrations (${kind})`, () => {
    let opened: Opened
    let folder: string
    const write = (name: string, text: string) => writeFileSync(join(folder, name), text)
    const run = (db: Database = opened.db) => migrate(db, silentLog, folder)
    const applied = async () =>
      (await opened.db.query<{ name: string }>(sql('SELECT name FROM posthorn.migration ORDER BY 1'))).map(r => r.name)

    beforeAll(async () => {
      opened = await openFresh(kind, { schema: 'Second "home"' })
    })
    afterAll(() => opened?.remove())
    beforeEach(() => {
      folder = mkdtempSync(join(tmpdir(), 'posthorn-migrations-'))
      write('0001_first.sql', '-- one\nCREATE TABLE posthorn.a (id integer);\nINSERT INTO posthorn.a VALUES (1);\n')
      write('0002_second.sql', 'CREATE TABLE posthorn.b (id integer);')
    })
    afterEach(async () => {
      await opened.db.exec('DROP SCHEMA IF EXISTS "Second ""home""" CASCADE')
      rmSync(folder, { recursive: true })
    })

    test('run in their order, in the configured schema, and once', async () => {
      await run()
      await run()
      expect(await applied()).toEqual(['0001_first', '0002_second'])
      expect(await opened.db.query(sql('SELECT id FROM "Second ""home""".a'))).toEqual([{ id: 1 }])
    })

    test('that came with a newer version run on top of the older ones', async () => {
      await run()
      write('0003_third.sql', 'CREATE TABLE posthorn.c (id integer);')
      await run()
      expect(await applied()).toEqual(['0001_first', '0002_second', '0003_third'])
    })

    test('run once for nodes that start at the same time', async () => {
      const others =
        kind === 'postgres' ? await Promise.all([1, 2, 3].map(() => openDatabase(opened.options, silentLog))) : []
      await Promise.all([run(), run(), ...others.map(run)])
      expect(await applied()).toEqual(['0001_first', '0002_second'])
      expect(await opened.db.query(sql('SELECT id FROM posthorn.a'))).toEqual([{ id: 1 }])
      await Promise.all(others.map(db => db.stop()))
    })

    test('that fail leave nothing behind but the ones before', async () => {
      write('0002_second.sql', 'CREATE TABLE posthorn.b (id integer); SELECT nothing;')
      await expect(run()).rejects.toThrow('migration 0002_second failed: column "nothing" does not exist')
      expect(await applied()).toEqual(['0001_first'])
      write('0002_second.sql', 'CREATE TABLE posthorn.b (id integer);')
      await run()
      expect(await applied()).toEqual(['0001_first', '0002_second'])
    })

    test('that were changed after they ran are refused', async () => {
      await run()
      write('0001_first.sql', 'CREATE TABLE posthorn.a (id bigint);')
      await expect(run()).rejects.toThrow(/migration 0001_first was changed after it ran on this database \(20/)
    })

    test('with the line ends of another system are the same', async () => {
      await run()
      write('0002_second.sql', 'CREATE TABLE posthorn.b (id integer);')
      write(
        '0001_first.sql',
        '-- one\r\nCREATE TABLE posthorn.a (id integer);\r\nINSERT INTO posthorn.a VALUES (1);\r\n',
      )
      await run()
    })

    test('refuse a database that a newer version has migrated', async () => {
      await run()
      rmSync(join(folder, '0002_second.sql'))
      await expect(run()).rejects.toThrow(
        'the database is newer than this program: it has migration 0002_second, the last one known here is 0001_first',
      )
    })

    test('with a gap in their numbers are refused', async () => {
      write('0004_fourth.sql', 'SELECT 1')
      await expect(run()).rejects.toThrow('0004_fourth.sql: expected a name that begins with 0003_')
    })

    test('of the program itself run', async () => {
      await migrate(opened.db, silentLog)
      expect((await applied())[0]).toBe('0001_first')
    })
  })
}

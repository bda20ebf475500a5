import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openDatabase } from '../src/db/open.ts'
import { silentLog } from '../src/log.ts'
import { describePostgres, freshDatabase, startPostgres } from './databases.ts'

const sql = (text: string) => ({ name: '', text })

describePostgres('a PostgreSQL of its own', () => {
  test('keeps what was committed when it is killed, and the database over it heals', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'posthorn-data-'))
    const server = await startPostgres({ durable: true })
    const { url } = await freshDatabase(server)
    const db = await openDatabase({ url, dataDir }, silentLog)
    await db.exec('CREATE TABLE public.kept (a integer); INSERT INTO public.kept VALUES (1)')
    const cut = db.query(sql('SELECT pg_sleep(20)')).catch(error => error)
    await expect
      .poll(() => db.query(sql("SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'")))
      .toHaveLength(1)
    await server.kill()
    expect(await cut).toMatchObject({ outcome: 'unknown' })
    // A connection that waited in the pool may take one statement before it hears that it is gone.
    await expect
      .poll(() => db.query(sql('SELECT 1')).catch(error => error), { timeout: 10_000 })
      .toMatchObject({ outcome: 'unsent' })
    await server.restart()
    expect(await db.query(sql('SELECT a FROM public.kept'))).toEqual([{ a: 1 }])
    await db.stop()
    await server.stop()
    rmSync(dataDir, { recursive: true })
  })
})

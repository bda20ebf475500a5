import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { copyEmbedded, type Opened, openFresh } from '../../test/databases.ts'
import { silentLog } from '../log.ts'
import { maintain } from './embedded-maintenance.ts'
import { openDatabase } from './open.ts'

const KILLS = 3
const sql = (text: string) => ({ name: '', text })
const inTest = (file: string) => fileURLToPath(new URL(`../../test/${file}`, import.meta.url))

describe('the embedded database', () => {
  let opened: Opened
  beforeAll(async () => {
    opened = await openFresh('embedded')
    await opened.db.exec('CREATE SCHEMA posthorn; CREATE TABLE posthorn.t (a integer)')
  })
  afterAll(() => opened?.remove())

  test('refuses a statement beside the transaction it is in, which would wait for itself', async () => {
    const { db } = opened
    const refusal = { outcome: 'rejected', message: expect.stringContaining('must go through the transaction') }
    await db.transaction(async tx => {
      await tx.query(sql('SELECT 1'))
      await expect(db.query(sql('SELECT 1'))).rejects.toMatchObject(refusal)
      await expect(db.hot.rows(sql('SELECT 1'))).rejects.toMatchObject(refusal)
      await expect(db.exec('SELECT 1')).rejects.toMatchObject(refusal)
      await expect(db.transaction(async () => {})).rejects.toMatchObject(refusal)
    })
  })

  test('lets what a transaction has started go on after its end', async () => {
    const { db } = opened
    let later: Promise<unknown> | undefined
    const ended = new Promise<void>(end =>
      db
        .transaction(async () => {
          later = delay(50).then(() => db.query(sql('SELECT 1 AS one')))
        })
        .then(end),
    )
    await ended
    expect(await later).toEqual([{ one: 1 }])
  })

  test('has no lock sessions, and says so', async () => {
    await expect(opened.db.openLockSession({ idleTimeoutMs: 1, ended: () => {} })).rejects.toThrow('one session')
  })

  test('does not block the program while it works', async () => {
    const { db } = opened
    await db.exec(
      'CREATE TABLE public.big AS SELECT g AS id, repeat(md5(g::text), 5) AS filler FROM generate_series(1, 300000) g',
    )
    await db.exec('CREATE INDEX ON public.big (id); DELETE FROM public.big WHERE id % 2 = 0')
    let longestGap = 0
    let last = performance.now()
    const watch = setInterval(() => {
      longestGap = Math.max(longestGap, performance.now() - last)
      last = performance.now()
    }, 1)
    const start = performance.now()
    await db.exec('VACUUM (ANALYZE) public.big')
    const took = performance.now() - start
    clearInterval(watch)
    expect(took).toBeGreaterThan(50)
    expect(longestGap).toBeLessThan(took / 2)
    await db.exec('DROP TABLE public.big')
  })

  test('keeps its log of writes and its tables small by itself', async () => {
    const { db } = opened
    const wal = async () => {
      const text =
        'SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), redo_lsn)::int8 AS bytes FROM pg_control_checkpoint()'
      return (await db.query<{ bytes: number }>(sql(text)))[0]!.bytes
    }
    const dead = async () => {
      const text = "SELECT n_dead_tup AS dead FROM pg_stat_user_tables WHERE relname = 'churn'"
      return (await db.query<{ dead: number }>(sql(text)))[0]!.dead
    }
    await db.exec(
      'CREATE TABLE public.churn AS SELECT g AS id, repeat(md5(g::text), 20) AS filler FROM generate_series(1, 120000) g',
    )
    await db.exec('DELETE FROM public.churn')
    await db.query(sql('SELECT pg_stat_force_next_flush()'))
    expect(await wal()).toBeGreaterThan(64 * 1024 * 1024)
    expect(await dead()).toBe(120_000)
    await maintain(db)
    expect(await wal()).toBeLessThan(10 * 1024 * 1024)
    expect(await dead()).toBe(0)
  })

  test('that panics loses nothing it has acknowledged: the statement is unknown, the next one finds it recovered', async () => {
    const { db, options } = opened
    const missed: number[] = []
    const heard: string[] = []
    const listening = await db.listen(
      'news',
      payload => heard.push(payload),
      () => missed.push(1),
    )
    await db.query(sql('INSERT INTO posthorn.t VALUES (7)'))
    const wal = join(options.dataDir, 'pgdata', 'pg_wal')
    renameSync(wal, `${wal}.away`)
    const failure = db
      .exec('SELECT pg_switch_wal(); INSERT INTO posthorn.t SELECT generate_series(1, 1000000)')
      .catch(error => error)
    expect(await failure).toMatchObject({ name: 'DatabaseError', outcome: 'unknown' })
    await expect(db.query(sql('SELECT 1'))).rejects.toMatchObject({ outcome: 'unsent' })
    rmSync(wal, { recursive: true, force: true })
    renameSync(`${wal}.away`, wal)
    expect(await db.query(sql('SELECT a FROM posthorn.t'))).toEqual([{ a: 7 }])
    expect(missed).toHaveLength(2)
    await db.query(sql("SELECT pg_notify('news', 'again')"))
    await expect.poll(() => heard).toEqual(['again'])
    await listening.stop()
  })
})

describe('the folder of the embedded database', () => {
  let dataDir: string
  const children: ChildProcess[] = []
  beforeEach(() => {
    dataDir = join(mkdtempSync(join(tmpdir(), 'posthorn-data-')), 'new', 'folder')
  })
  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL')
    rmSync(join(dataDir, '../..'), { recursive: true, force: true })
  })

  interface Writer {
    readonly pid: number
    /** Resolves when it has said this many lines. */
    said(lines: number): Promise<void>
    /** Kills it; gives the last number it has said to be stored. */
    kill(): Promise<number>
  }

  function startWriter(): Writer {
    const args = [
      '--conditions=source',
      '--import',
      inTest('run-from-source.mjs'),
      inTest('embedded-writer.ts'),
      dataDir,
    ]
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    children.push(child)
    let said = ''
    child.stdout.on('data', text => {
      said += text
    })
    const closed = new Promise(close => child.once('close', close))
    return {
      pid: child.pid!,
      said: async lines => {
        while (said.split('\n').length <= lines && child.exitCode === null) await delay(5)
      },
      kill: async () => {
        child.kill('SIGKILL')
        await closed
        return Math.max(0, ...said.split('\n').slice(0, -1).map(Number).filter(Number.isFinite))
      },
    }
  }

  test(`loses nothing acknowledged in ${KILLS} kills`, async () => {
    await copyEmbedded(dataDir)
    for (let kill = 1; kill <= KILLS; kill++) {
      const writer = startWriter()
      await writer.said(1 + kill * 40)
      const last = await writer.kill()
      const db = await openDatabase({ dataDir }, silentLog)
      const text = 'SELECT count(*) AS stored, coalesce(max(n), 0) AS last FROM public.stored'
      const [found] = await db.query<{ stored: number; last: number }>(sql(text))
      expect(found!.last).toBeGreaterThanOrEqual(last)
      expect(found!.stored).toBe(found!.last)
      expect(last).toBeGreaterThan(0)
      await db.stop()
    }
  }, 120_000)

  test('is refused to a second process, naming the first, until that one is gone', async () => {
    await copyEmbedded(dataDir)
    const writer = startWriter()
    await writer.said(1)
    await expect(openDatabase({ dataDir }, silentLog)).rejects.toThrow(`${dataDir} is in use by process ${writer.pid};`)
    await writer.kill()
    const db = await openDatabase({ dataDir }, silentLog)
    await expect(openDatabase({ dataDir }, silentLog)).rejects.toThrow(`is in use by process ${process.pid};`)
    await db.stop()
  })

  test('that was left half built at the first start is built again', async () => {
    const writer = startWriter()
    while (!existsSync(join(dataDir, 'pgdata.building', 'PG_VERSION'))) await delay(1)
    await writer.kill()
    expect(existsSync(join(dataDir, 'pgdata'))).toBe(false)
    const db = await openDatabase({ dataDir }, silentLog)
    expect(await db.query(sql('SELECT 1 AS one'))).toEqual([{ one: 1 }])
    expect(existsSync(join(dataDir, 'pgdata.building'))).toBe(false)
    expect(statSync(join(dataDir, 'pgdata')).mode & 0o077).toBe(0)
    await db.stop()
  }, 120_000)

  test('written by another version of PostgreSQL is refused, and let go', async () => {
    mkdirSync(join(dataDir, 'pgdata'), { recursive: true })
    writeFileSync(join(dataDir, 'pgdata', 'PG_VERSION'), '17\n')
    const refusal = 'was written by PostgreSQL 17; this program has PostgreSQL 18'
    await expect(openDatabase({ dataDir }, silentLog)).rejects.toThrow(refusal)
    await expect(openDatabase({ dataDir }, silentLog)).rejects.toThrow(refusal)
  })
})

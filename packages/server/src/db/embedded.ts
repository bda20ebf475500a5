/**
 * The embedded database: PostgreSQL in WebAssembly in a worker thread, in a folder that one process at a time can have.
 *
 * To `pg` the worker is a server with room for one connection, so all that is true of statements and transactions over
 * PostgreSQL is true here, and statements wait for each other. If the worker dies (out of memory, a failing disk), what
 * was under way fails as lost and the next statement starts another worker, which recovers from the log of writes.
 *
 * The first start builds beside (`pgdata.building`) and renames: a folder named `pgdata` is always whole.
 */
import { chmodSync, closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import type { Log } from '../log.ts'
import { Channels } from './embedded-channels.ts'
import { startMaintenance } from './embedded-maintenance.ts'
import { openWorkerStream, startWorker } from './embedded-stream.ts'
import { type FolderLock, lockFolder } from './folder-lock.ts'
import { PooledDatabase } from './pooled-database.ts'
import { type Database, DatabaseError } from './port.ts'

/** Of the PostgreSQL in the pinned PGlite: another major version cannot read the files. */
const MAJOR_VERSION = '18'
const RESTART_DELAY_MS = 1_000

export interface EmbeddedOptions {
  readonly dataDir: string
  readonly schema: string
}

/** @throws Error if another process has the folder (naming it), or its files are of another version */
export async function openEmbedded({ dataDir, schema }: EmbeddedOptions, log: Log): Promise<Database> {
  const lock = await lockFolder(dataDir)
  const folder = join(dataDir, 'pgdata')
  try {
    if (!existsSync(folder)) await build(dataDir, folder, log)
    checkVersion(folder)
  } catch (error) {
    lock.release()
    throw error
  }
  const database = overSession(openSession(folder, log), schema, log, lock)
  try {
    await database.exec('SELECT')
  } catch (error) {
    await database.stop()
    throw new Error(`the embedded database in ${dataDir} did not start: ${(error as Error).message}`, { cause: error })
  }
  return database
}

function overSession({ pool, channels, ended }: Session, schema: string, log: Log, lock: FolderLock): Database {
  const database: Database = new PooledDatabase({
    kind: 'embedded',
    schema,
    pools: { ordinary: pool, hot: pool, slow: pool },
    giveUpAfterMs: 0,
    singleSession: true,
    listen: (channel, heard, missed) => channels.listen(database, channel, heard, missed),
    openLockSession: () => {
      const message = 'the embedded database has one session and one process: there is nobody to lock against'
      return Promise.reject(new DatabaseError(message, 'rejected'))
    },
    close: async () => {
      maintenance.stop()
      await ended()
      lock.release()
    },
  })
  const maintenance = startMaintenance(database, log)
  return database
}

async function build(dataDir: string, folder: string, log: Log): Promise<void> {
  const building = `${folder}.building`
  rmSync(building, { recursive: true, force: true })
  log.info({ dataDir }, 'building the embedded database; this happens once and takes some seconds')
  await new Promise<void>((resolve, reject) => {
    const worker = startWorker({ folder: building, task: 'build' })
    let reason = 'its thread ended'
    worker.on('message', (word: { died: string }) => {
      reason = word.died
    })
    worker.on('error', error => {
      reason = error.message
    })
    worker.on('exit', code => {
      if (code === 0) resolve()
      else reject(new Error(`the embedded database in ${dataDir} could not be built: ${reason}`))
    })
  })
  chmodSync(building, 0o700) // as PostgreSQL's own initdb leaves it; PGlite makes it anybody's to read
  renameSync(building, folder)
  if (process.platform === 'win32') return
  const fd = openSync(dataDir, 'r')
  fsyncSync(fd)
  closeSync(fd)
}

function checkVersion(folder: string): void {
  const version = readFileSync(join(folder, 'PG_VERSION'), 'utf8').trim()
  if (version === MAJOR_VERSION) return
  throw new Error(`${folder} was written by PostgreSQL ${version}; this program has PostgreSQL ${MAJOR_VERSION}`)
}

interface Session {
  readonly pool: pg.Pool
  readonly channels: Channels
  /** Resolves when no worker runs any more. */
  ended(): Promise<void>
}

function openSession(folder: string, log: Log): Session {
  const channels = new Channels()
  let last: Promise<void> = Promise.resolve()
  const pool = new pg.Pool({
    user: 'postgres',
    database: 'postgres',
    max: 1,
    idleTimeoutMillis: 0,
    stream: () => {
      const before = last
      const { stream, ended } = openWorkerStream(folder, before)
      last = before.then(() => ended).then(reason => (reason !== undefined ? restUpon(reason, log) : undefined))
      return stream
    },
    onConnect: client => channels.restore(client),
  })
  pool.on('error', () => {}) // said by restUpon
  pool.on('connect', client => {
    client.on('error', () => {})
    client.on('notification', ({ channel, payload }) => channels.deliver(channel, payload ?? ''))
  })
  return { pool, channels, ended: () => last }
}

/** What killed one worker (a full disk) may kill the next: they are not started in a tight circle. */
async function restUpon(reason: string, log: Log): Promise<void> {
  log.error({ reason, restMs: RESTART_DELAY_MS }, 'the embedded database died; the next statement starts it anew')
  await delay(RESTART_DELAY_MS)
}

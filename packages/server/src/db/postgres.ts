/**
 * PostgreSQL over `pg`. Settings travel in the startup packet, so a connection has them from its first statement on.
 */
import pg from 'pg'
import { parse, toClientConfig } from 'pg-connection-string'
import type { Log } from '../log.ts'
import { FORCED_PLANS } from './forced-plans.ts'
import { openListener } from './listener.ts'
import { openLockSession } from './lock-session.ts'
import { PooledDatabase } from './pooled-database.ts'
import type { Database } from './port.ts'
import { checkServer } from './server-check.ts'
import { waitForServer } from './wait-for-server.ts'

const STATEMENT_TIMEOUT_MS = 30_000
/** Later than the server's own timeout: only a server that cannot be reached any more is silent for that long. */
const GIVE_UP_AFTER_MS = STATEMENT_TIMEOUT_MS + 5_000
/** To connect, and to get a connection of the pool. */
const CONNECT_TIMEOUT_MS = 10_000
const SLOW_POOL_SIZE = 4
const IDLE_CONNECTION_MS = 30_000
const KEEPALIVE_MS = 10_000

/** Values are parsed as these settings print them. A transaction left open by a frozen node holds no lock for long. */
const SETTINGS = { datestyle: 'ISO', timezone: 'UTC', bytea_output: 'hex', idle_in_transaction_session_timeout: 60_000 }

export interface PostgresOptions {
  readonly url: string
  /** Leads to the server directly where `url` leads to a pooler. */
  readonly lockUrl: string
  readonly schema: string
  readonly lockKey: number | undefined
  readonly poolSize: number
  readonly signal: AbortSignal | undefined
}

export async function openPostgres(options: PostgresOptions, log: Log): Promise<Database> {
  const { url, lockUrl, schema, lockKey, poolSize, signal } = options
  const timed = { statement_timeout: STATEMENT_TIMEOUT_MS }
  const pools = {
    ordinary: openPool(connectTo(url, timed), poolSize, log),
    hot: openPool(connectTo(url, { ...timed, ...FORCED_PLANS }), poolSize, log),
    slow: openPool(connectTo(url, {}), SLOW_POOL_SIZE, log),
  }
  const direct = connectTo(lockUrl, {})
  const database = new PooledDatabase({
    kind: 'postgres',
    schema,
    lockKey,
    pools,
    giveUpAfterMs: GIVE_UP_AFTER_MS,
    singleSession: false,
    listen: (channel, heard, missed, signal) => openListener({ config: direct, channel, heard, missed, signal, log }),
    openLockSession: (session, texts) =>
      openLockSession(connectTo(lockUrl, { idle_session_timeout: session.idleTimeoutMs }), session, texts),
    close: async () => {},
  })
  try {
    await waitForServer(() => checkServer(database, log), describe(url), log, signal)
  } catch (error) {
    await database.stop()
    throw error
  }
  return database
}

/** @throws Error naming the field, never the url's password */
export function connectTo(url: string, settings: Readonly<Record<string, string | number>>): pg.ClientConfig {
  let fromUrl: pg.ClientConfig
  try {
    fromUrl = toClientConfig(parse(url)) as pg.ClientConfig
  } catch {
    throw new Error('database url: not a PostgreSQL connection string (postgres://user:password@host:port/database)')
  }
  const ours = Object.entries({ ...SETTINGS, ...settings }).map(([name, value]) => `-c ${name}=${value}`)
  return {
    application_name: 'posthorn',
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEPALIVE_MS,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    ...fromUrl,
    options: [...ours, fromUrl.options].filter(Boolean).join(' '),
  }
}

function openPool(config: pg.ClientConfig, max: number, log: Log): pg.Pool {
  const pool = new pg.Pool({ ...config, max, idleTimeoutMillis: IDLE_CONNECTION_MS })
  pool.on('error', error => log.warn({ error: error.message }, 'an idle database connection was lost'))
  // While it is lent out, its statements report the loss; unheard, the event would end the process.
  pool.on('connect', client => client.on('error', () => {}))
  return pool
}

/** Host and database as a person knows them, without the password. */
function describe(url: string): string {
  const { host, port, database } = new pg.Client(connectTo(url, {}))
  return `${database ?? 'the default database'} at ${host}${host.startsWith('/') ? '' : `:${port}`}`
}

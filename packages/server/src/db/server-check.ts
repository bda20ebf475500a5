/** What a PostgreSQL server must be to keep what it is given. */
import type { Log } from '../log.ts'
import { type Database, DatabaseError } from './port.ts'
import { loadStatement } from './statement.ts'

const OLDEST_VERSION = 140_000

const serverFacts = loadStatement(import.meta.url, './sql/server_facts.sql')

interface Facts {
  readonly version: number
  readonly version_text: string
  readonly encoding: string
  readonly standby: boolean
  readonly fsync: string
  readonly synchronous_commit: string
  readonly plan_cache_mode: string
  readonly enable_seqscan: string
}

/** @throws Error if the server can never do; DatabaseError `unsent` if it cannot yet (a standby that may be promoted) */
export async function checkServer(database: Database, log: Log): Promise<void> {
  const [facts] = await database.query<Facts>(serverFacts)
  if (facts!.version < OLDEST_VERSION) {
    throw new Error(`PostgreSQL 14 or newer is needed; the server is ${facts!.version_text}`)
  }
  if (facts!.encoding !== 'UTF8') {
    throw new Error(`the database must be encoded in UTF8; its encoding is ${facts!.encoding}`)
  }
  if (facts!.standby) throw new DatabaseError('the server is a read-only standby', 'unsent')
  if (facts!.fsync !== 'on' || facts!.synchronous_commit === 'off') {
    const { fsync, synchronous_commit } = facts!
    log.warn(
      { fsync, synchronous_commit },
      'the server answers commits before they are on disk: a crash of it loses them',
    )
  }
  const [hot] = await database.hot.query<Facts>(serverFacts)
  if (hot!.enable_seqscan !== 'off' || hot!.plan_cache_mode !== 'force_generic_plan') {
    log.warn({}, 'a pooler in front of the server drops startup options: the hot tables may get slow plans')
  }
}

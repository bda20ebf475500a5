/**
 * What a server's background processes do and the embedded database has none of: checkpoints, so that the log of writes
 * stays small, and vacuum, so that tables do. Each is one statement among the others; they wait while it runs.
 */
import type { Log } from '../log.ts'
import { type Database, DatabaseError } from './port.ts'
import { quoteIdentifier } from './schema.ts'
import { loadStatement } from './statement.ts'

const ROUND_MS = 5_000
/** At 1 KB a message this is 60,000 messages, and a recovery of a second. */
const LOG_BYTES = 64 * 1024 * 1024

const walSinceCheckpoint = loadStatement(import.meta.url, './sql/wal_since_checkpoint.sql')
const tablesToVacuum = loadStatement(import.meta.url, './sql/tables_to_vacuum.sql')

export function startMaintenance(database: Database, log: Log): { stop(): void } {
  let timer = setTimeout(run, ROUND_MS)
  let stopped = false
  async function run(): Promise<void> {
    try {
      await maintain(database)
    } catch (error) {
      if (!stopped && !isOver(error))
        log.warn({ error: (error as Error).message }, 'maintenance of the embedded database failed')
    }
    if (!stopped) timer = setTimeout(run, ROUND_MS)
  }
  return {
    stop() {
      stopped = true
      clearTimeout(timer)
    },
  }
}

/** One round: what is due by size, and nothing else. Vacuum comes first, because it writes to the log. */
export async function maintain(database: Database): Promise<void> {
  const tables = await database.query<{ schema: string; name: string }>(tablesToVacuum)
  for (const { schema, name } of tables) {
    await database.exec(`VACUUM (ANALYZE) ${quoteIdentifier(schema)}.${quoteIdentifier(name)}`)
  }
  const [wal] = await database.query<{ bytes: string }>(walSinceCheckpoint)
  if (Number(wal!.bytes) > LOG_BYTES) await database.exec('CHECKPOINT')
}

function isOver(error: unknown): boolean {
  return error instanceof DatabaseError && error.outcome === 'unsent'
}

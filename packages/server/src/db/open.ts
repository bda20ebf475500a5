import type { Log } from '../log.ts'
import { openEmbedded } from './embedded.ts'
import type { Database } from './port.ts'
import { openPostgres } from './postgres.ts'
import { checkSchemaName } from './schema.ts'

export interface DatabaseOptions {
  /** PostgreSQL's connection string; without it the embedded database in `dataDir` is used. */
  readonly url?: string
  /** Leads to the server directly, for lock sessions and listening, where `url` leads to a pooler. Default: `url`. */
  readonly lockUrl?: string
  /** Folder of the embedded database; made if it is not there. */
  readonly dataDir: string
  /** Default: posthorn. */
  readonly schema?: string
  /** First key of all advisory locks. Default: made from the schema's name. */
  readonly lockKey?: number | undefined
  /** Most connections of the ordinary pool, and of the hot one. Default: 8. */
  readonly poolSize?: number
  /** Ends the wait for a server that cannot be reached. */
  readonly signal?: AbortSignal
}

const DEFAULT_POOL_SIZE = 8

/**
 * Opens the database: waits for a PostgreSQL server that cannot be reached yet, and builds the embedded database at its
 * first start. Tables are `migrate`'s.
 *
 * @throws Error if the database can never do (version, encoding, password, a folder in use by another process), or the signal's reason
 */
export function openDatabase(options: DatabaseOptions, log: Log): Promise<Database> {
  const { url, lockUrl, dataDir, schema = 'posthorn', lockKey, poolSize = DEFAULT_POOL_SIZE, signal } = options
  checkSchemaName(schema)
  return url === undefined
    ? openEmbedded({ dataDir, schema }, log)
    : openPostgres({ url, lockUrl: lockUrl ?? url, schema, lockKey, poolSize, signal }, log)
}

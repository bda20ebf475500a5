/** A new key for the secrets of an installation, from the command line: put together without a node. */
import type { Config } from '@posthorn/contract'
import { databaseOptions, SHARDS } from './app.ts'
import { migrate } from './db/migrate.ts'
import { openDatabase } from './db/open.ts'
import type { Log } from './log.ts'
import { openInstallation } from './tenant/installation.ts'
import { type Rotated, rotateSecrets } from './tenant/rotate-secrets.ts'
import { decodeKey, keepNextKey, makeNextKey, readKey } from './tenant/secrets.ts'

export interface RotationRequest {
  /** The new key, in base64, where the key is configured; null: it is made in the data folder. */
  readonly newKey: string | null
  readonly progress: (rows: number) => void
}

/** Nodes look at least this often; one that the database does not reach for longer gives up its shards. */
const LEAST_WAIT_MS = 3_000

/** Rotates the key while nodes run, or goes on with a rotation that was ended. @throws Error in one sentence, with the database closed */
export async function rotateInstallationSecrets(config: Config, log: Log, request: RotationRequest): Promise<Rotated> {
  const { secretKey, dataDir: folder } = config
  const waitMs = Math.max(LEAST_WAIT_MS, 2 * config.pollIntervalMs)
  const db = await openDatabase(databaseOptions(config), log)
  try {
    await migrate(db, log)
    await openInstallation(db, { shardCount: SHARDS, instanceOrg: config.instanceOrg })
    return await rotateSecrets(db, {
      current: await readKey({ configured: secretKey ?? undefined, folder }),
      makeNext: async () =>
        request.newKey === null ? makeNextKey(folder) : decodeKey(request.newKey, 'the new secret key'),
      kept: async key => {
        if (secretKey === null) await keepNextKey(folder, key)
      },
      // The embedded database has one node, and that one is not running now.
      untilHeard: () => (db.kind === 'embedded' ? Promise.resolve() : new Promise(go => setTimeout(go, waitMs))),
      progress: request.progress,
    })
  } finally {
    await db.stop()
  }
}

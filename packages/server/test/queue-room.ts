/** The queue room in a test: its operations over a database, with the engine's own put and what nodes would be told. */
import { randomBytes } from 'node:crypto'
import { emptyListQuery } from '@posthorn/contract'
import { openTenants } from '../src/app-tenants.ts'
import { backendBelongings } from '../src/backend/org-belongings.ts'
import { systemClock } from '../src/clock.ts'
import type { Database } from '../src/db/port.ts'
import type { NewMessage, PutResult } from '../src/engine/port.ts'
import { createPostgresEngine } from '../src/engine/postgres/engine.ts'
import { put } from '../src/engine/postgres/put.ts'
import { createIds } from '../src/id.ts'
import { silentLog } from '../src/log.ts'
import { createAttempts } from '../src/queue/attempts.ts'
import { QueueBook } from '../src/queue/book.ts'
import { createCronChain, type Ticked } from '../src/queue/cron-chain.ts'
import { createCrons } from '../src/queue/crons.ts'
import { type Deaths, silentDeaths } from '../src/queue/deaths.ts'
import { createMessages } from '../src/queue/messages.ts'
import { createPull } from '../src/queue/pull.ts'
import { createQueues } from '../src/queue/queues.ts'
import { createSecretBox } from '../src/tenant/secret-box.ts'
import { secretBytes } from './leaks/marked.ts'

const SHARDS = 4
const LIST_LIMIT_MS = 10_000
export const SPAN = 10_000_000

/** Makes the partitions of the first ten million ids. */
export async function makeSpan(db: Database): Promise<void> {
  for (const table of ['payload', 'message_done', 'attempt']) {
    await db.exec(`CREATE TABLE posthorn.${table}_0 PARTITION OF posthorn.${table} FOR VALUES FROM (0) TO (${SPAN})`)
  }
}

export async function addOrg(db: Database, name: string): Promise<number> {
  const text = 'INSERT INTO posthorn.org (name, title) VALUES ($1, $1) RETURNING id'
  const [org] = await db.query<{ id: number }>({ name: '', text }, [name])
  return org!.id
}

/** What chance gives: each slice of a queue that has four gets its turn. */
let nthPut = 0

export function openRoom(db: Database, more: { readonly listLimitMs?: number; readonly deaths?: Deaths } = {}) {
  const secrets = createSecretBox(secretBytes())
  const book = new QueueBook({ db, secrets, clock: systemClock, log: silentLog })
  const engine = createPostgresEngine(db, SHARDS)
  let changes = 0
  const ticks: Ticked[] = []
  const changed = (): void => {
    changes++
    book.forgetAll()
  }
  const checkHeaders = (headers: Readonly<Record<string, unknown>>): string | null =>
    'webhook-id' in headers ? 'headers.webhook-id is set by Posthorn and cannot be given' : null
  const putOne = async (message: NewMessage) => (await engine.put([message]))[0]!
  const shared = { db, changed, checkHeaders, listLimitMs: more.listLimitMs ?? LIST_LIMIT_MS }
  return {
    db,
    engine,
    book,
    secrets,
    changes: () => changes,
    ticks,
    queues: createQueues({ ...shared, secrets, retentionMs: 30 * 86_400_000 }),
    messages: createMessages({
      ...shared,
      book,
      ids: createIds(randomBytes(16)),
      idempotencyTtlMs: 60_000,
      random: () => (nthPut++ % 4) / 4,
      put: putOne,
      async putAll(messages) {
        const results: PromiseSettledResult<PutResult>[] = []
        for (const message of messages) results.push(...(await Promise.allSettled([putOne(message)])))
        return results
      },
      putTogether: messages => engine.put(messages),
    }),
    crons: createCrons({
      ...shared,
      ids: createIds(randomBytes(16)),
      put: putOne,
      putWithin: put,
    }),
    chain: createCronChain({ db, putWithin: put, log: silentLog, ticked: ticked => void ticks.push(ticked) }),
    attempts: createAttempts(shared),
    pull: createPull({
      db,
      engine,
      book,
      ids: createIds(randomBytes(16)),
      clock: systemClock,
      delayAfter: () => 60_000,
      deaths: more.deaths ?? silentDeaths,
      changed,
    }),
  }
}

export type Room = ReturnType<typeof openRoom>

/** Orgs and keys over the same database, for callers of one org. */
export function openTenantRoom(db: Database, instanceOrgId: number) {
  const instanceOrg = { id: instanceOrgId, name: 'instance' }
  const shared = { db, clock: systemClock, log: silentLog, instanceOrg, listLimitMs: LIST_LIMIT_MS }
  return openTenants({ ...shared, belongings: [backendBelongings()] }, () => {})
}

/** A list query with what is given; all else as if nothing were asked. */
export const asked = (query: object = {}) => ({ ...emptyListQuery, limit: 100, ...query })

/** Settles a live message as the settler would, in few words. */
export async function settle(db: Database, id: number, outcome: 'd' | 'x' | 'e', attempts = 1): Promise<void> {
  const text = `
    WITH gone AS (DELETE FROM posthorn.message WHERE id = $1::bigint RETURNING *), tried AS (
      INSERT INTO posthorn.attempt (message_id, queue_id, n, started_at, duration_ms, status, outcome, queue_version)
      SELECT id, queue_id, n, now(), 5, 500, CASE WHEN n = $3::int THEN $2::"char" ELSE 'r' END, 1
      FROM gone, generate_series(gone.attempts + 1, $3::int) AS n
    )
    INSERT INTO posthorn.message_done (org_id, queue_id, id, payload_id, created_at, outcome, attempts, priority,
                                       scheduled_at, expires_at, key, cron_id, origin_id)
    SELECT org_id, queue_id, id, payload_id, created_at, $2::"char", $3::smallint, lane % 10,
           scheduled_at, expires_at, key, cron_id, origin_id
    FROM gone`
  await db.query({ name: '', text }, [id, outcome, attempts])
}

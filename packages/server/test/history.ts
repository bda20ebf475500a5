/** Messages in chosen states, for tests of what becomes of history. */
import type { Database } from '../src/db/port.ts'
import { message } from '../src/engine/fixture.suite.ts'
import { createPostgresEngine } from '../src/engine/postgres/engine.ts'
import { ensureSpans } from '../src/engine/postgres/upkeep/spans.ts'

export const DAY_MS = 86_400_000

/** Runs made-up SQL. */
export function run<Row = Record<string, unknown>>(db: Database, text: string, params: readonly unknown[] = []) {
  return db.query<Row>({ name: '', text }, params as never)
}

/** Drops all spans and messages, and begins anew with the first span. Queues: 1 plain, 2 its dead letter queue, 3 ordered. */
export async function startHistoryOver(db: Database): Promise<void> {
  for (const { lo } of await run<{ lo: number }>(db, 'SELECT lo FROM posthorn.span')) {
    await db.exec(`DROP TABLE posthorn.payload_${lo}, posthorn.message_done_${lo}, posthorn.attempt_${lo}`)
  }
  await db.exec(`TRUNCATE posthorn.span, posthorn.id_mark, posthorn.message, posthorn.message_done, posthorn.attempt,
    posthorn.payload, posthorn.idempotency, posthorn.change, posthorn.queue, posthorn.shard CASCADE;
    ALTER SEQUENCE posthorn.message_id RESTART`)
  for (const table of PARENTS) {
    await db.exec(`ALTER TABLE posthorn.${table} DETACH PARTITION posthorn.${table}_old;
      ALTER TABLE posthorn.${table} ATTACH PARTITION posthorn.${table}_old FOR VALUES FROM (MINVALUE) TO (0)`)
  }
  await run(db, `INSERT INTO posthorn.org (id, name, title) VALUES (7, 'other', 'Other') ON CONFLICT DO NOTHING`)
  await run(
    db,
    `INSERT INTO posthorn.queue (id, org_id, name, callback_url, method, max_retries, backoff, timeout_ms, concurrency,
                                 ordered, follow_redirects, on_gone)
     SELECT id, CASE WHEN id = 4 THEN 7 ELSE 1 END, 'q' || id, 'http://127.0.0.1/', 'POST', 5, '{}', 30000, 10,
            CASE WHEN id = 3 THEN 'queue' ELSE 'none' END, false, 'fail' FROM generate_series(1, 4) AS id`,
  )
  await run(db, 'UPDATE posthorn.queue SET dead_letter_queue_id = 2 WHERE id = 1')
  await run(db, 'INSERT INTO posthorn.shard (id) VALUES (0)')
  await ensureSpans(db)
}

const PARENTS = ['payload', 'message_done', 'attempt'] as const

/** Puts `count` messages on a queue. Gives their ids. */
export async function putSome(db: Database, count: number, queueId = 1): Promise<number[]> {
  const orgId = queueId === 4 ? 7 : 1
  const messages = Array.from({ length: count }, (_, nth) => message({ orgId }, queueId, { body: `body ${nth}` }))
  const results = await createPostgresEngine(db, 1).put(messages)
  return results.map(({ id }) => id)
}

/** Settles those of these messages that live, by the engine's own statements. Gives their ids. */
export async function settleAs(
  db: Database,
  kind: 'delivered' | 'dead' | 'expired' | 'cancelled',
  ids: readonly number[],
): Promise<number[]> {
  const rows = await run<{ org_id: number; queue_id: number; id: number; attempts: number }>(
    db,
    'SELECT org_id, queue_id, id, attempts FROM posthorn.message WHERE id = ANY ($1::bigint[])',
    [ids],
  )
  const reason = 'for a test'
  const verdicts = {
    delivered: { kind: 'delivered' },
    dead: { kind: 'dead', reason, deadLetterQueueId: 2 },
    expired: { kind: 'expired', reason },
    cancelled: { kind: 'cancelled', reason },
  } as const
  const batch = rows.map(row => ({
    orgId: row.org_id,
    queueId: row.queue_id,
    id: row.id,
    attempts: row.attempts,
    tenure: { shard: 0, epoch: 0 },
    verdict: verdicts[kind],
    notice: null,
    attempt: {
      n: row.attempts + 1,
      startedAt: Date.now(),
      durationMs: 5,
      status: 500,
      errorCode: null,
      error: null,
      excerpt: 'said',
      queueVersion: 1,
    },
  }))
  await createPostgresEngine(db, 1).settle(batch, false)
  return batch.map(({ id }) => id)
}

/** Makes messages older: put `putDaysAgo`, and settled `doneDaysAgo` if they are. */
export async function age(
  db: Database,
  ids: readonly number[],
  putDaysAgo: number,
  doneDaysAgo = putDaysAgo,
): Promise<void> {
  const put = `created_at = now() - ${putDaysAgo} * interval '24 hours'`
  await run(db, `UPDATE posthorn.message SET ${put} WHERE id = ANY ($1::bigint[])`, [ids])
  const done = `done_at = now() - ${doneDaysAgo} * interval '24 hours'`
  await run(db, `UPDATE posthorn.message_done SET ${put}, ${done} WHERE id = ANY ($1::bigint[])`, [ids])
}

export interface Remains {
  readonly live: number[]
  readonly settled: number[]
  /** Ids of messages that have attempts. */
  readonly attempted: number[]
  readonly payloads: number[]
}

/** The ids of everything that is there. */
export async function whatIsThere(db: Database): Promise<Remains> {
  const ids = async (text: string): Promise<number[]> =>
    (await run<{ id: number }>(db, `${text} ORDER BY 1`)).map(({ id }) => id)
  return {
    live: await ids('SELECT id FROM posthorn.message'),
    settled: await ids('SELECT id FROM posthorn.message_done'),
    attempted: await ids('SELECT DISTINCT message_id AS id FROM posthorn.attempt'),
    payloads: await ids('SELECT id FROM posthorn.payload'),
  }
}

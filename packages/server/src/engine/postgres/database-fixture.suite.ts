/** The conformance suite's fixture over a real database of either kind. */

import type { Opened } from '../../../test/databases.ts'
import { addOrg, makeSpan } from '../../../test/queue-room.ts'
import { migrate } from '../../db/migrate.ts'
import type { Database, Executor } from '../../db/port.ts'
import { silentLog } from '../../log.ts'
import { openInstallation } from '../../tenant/installation.ts'
import type { Done, Fixture, OpenTransaction, Tried } from '../fixture.suite.ts'
import { createPostgresEngine } from './engine.ts'
import { createPostgresLocks, createSoloLocks } from './locks.ts'

export const SHARDS = 8

const OUTCOMES = { d: 'delivered', r: 'retry', x: 'dead', e: 'expired', c: 'cancelled' } as const

/** Unprepared: these are asked by tests alone. */
export async function ask<Row>(db: Executor, text: string, params: readonly (number | string)[] = []): Promise<Row[]> {
  return db.query<Row>({ name: '', text }, params)
}

export async function openFixture(opened: Opened): Promise<Fixture> {
  const { db } = opened
  await migrate(db, silentLog)
  await makeSpan(db)
  await openInstallation(db, { shardCount: SHARDS })
  const orgId = await addOrg(db, 'suite')
  const open = new Set<OpenTransaction>()
  const beginOne = async (): Promise<OpenTransaction> => {
    const transaction = await begin(db)
    open.add(transaction)
    return transaction
  }
  return {
    engine: createPostgresEngine(db, SHARDS),
    locks: db.kind === 'postgres' ? createPostgresLocks(db) : createSoloLocks(db, SHARDS),
    orgId,
    makeQueue: (ordered, slices) => makeQueue(db, orgId, ordered, slices),
    deleteQueue: async id => void (await ask(db, `UPDATE posthorn.queue SET deleted_at = now() WHERE id = $1`, [id])),
    ...clockOf(db),
    ...recordsOf(db),
    async note({ kind, queueId, messageId }) {
      const text = `INSERT INTO posthorn.change (kind, queue_id, message_id) VALUES ($1, $2::int, $3::bigint)`
      await db.query({ name: '', text }, [kind, queueId, messageId])
    },
    async putLate(messages) {
      const transaction = await beginOne()
      const results = await transaction.engine.put(messages)
      return { commit: () => transaction.commit().then(() => results) }
    },
    begin: beginOne,
    cutSessions: async () => {
      const text = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND application_name = 'posthorn locks'`
      await ask(db, text)
    },
    async close() {
      // A test that failed may have left one open, and the database waits for it.
      await Promise.all([...open].map(transaction => transaction.rollback()))
      await opened.remove()
    },
  }
}

export async function makeQueue(db: Executor, orgId: number, ordered = 'none', slices = 1): Promise<number> {
  const text = `
    INSERT INTO posthorn.queue (org_id, name, method, max_retries, backoff, timeout_ms, concurrency, ordered,
                                follow_redirects, on_gone, slices)
    VALUES ($1::int, 'q', 'POST', 5, '{}', 1000, 10, $2, false, 'fail', $3::smallint) RETURNING id`
  return (await ask<{ id: number }>(db, text, [orgId, ordered, slices]))[0]!.id
}

/** Time cannot be turned by hand in a database, so what is stored is made older instead. */
function clockOf(db: Database): Pick<Fixture, 'now' | 'pass'> {
  return {
    async now() {
      const [row] = await ask<{ now: number }>(db, `SELECT floor(extract(epoch FROM now()) * 1000)::float8 AS now`)
      return row!.now
    },
    async pass(ms) {
      const by = `$1::float8 * interval '1 ms'`
      const message = `UPDATE posthorn.message SET due_at = due_at - ${by}, retry_at = retry_at - ${by}, expires_at = expires_at - ${by}`
      await ask(db, message, [ms])
      await ask(db, `UPDATE posthorn.idempotency SET expires_at = expires_at - ${by}`, [ms])
    },
  }
}

const milliseconds = (column: string): string => `(extract(epoch FROM ${column}) * 1000)::float8`

function recordsOf(db: Database): Pick<Fixture, 'live' | 'history' | 'attempts'> {
  return {
    async live(id) {
      const text = `
        SELECT queue_id AS "queueId", attempts, lane, ${milliseconds('due_at')} AS "dueAt",
          ${milliseconds('retry_at')} AS "retryAt", ${milliseconds('scheduled_at')} AS "scheduledAt",
          origin_id AS "originId", pin IS NOT NULL AS "isPinned"
        FROM posthorn.message WHERE id = $1::bigint`
      return (await ask<NonNullable<Awaited<ReturnType<Fixture['live']>>>>(db, text, [id]))[0] ?? null
    },
    async history(id) {
      const text = `SELECT queue_id, outcome::text, attempts, reason FROM posthorn.message_done WHERE id = $1::bigint`
      const rows = await ask<{ queue_id: number; outcome: keyof typeof OUTCOMES; attempts: number; reason: string }>(
        db,
        text,
        [id],
      )
      if (rows.length > 1) throw new Error(`message ${id} is ${rows.length} times in the history`)
      const [row] = rows
      if (!row) return null
      const outcome = OUTCOMES[row.outcome] as Done['outcome']
      return { queueId: row.queue_id, outcome, attempts: row.attempts, reason: row.reason }
    },
    async attempts(id) {
      const text = `SELECT n, outcome::text, status, error, excerpt FROM posthorn.attempt WHERE message_id = $1::bigint ORDER BY n`
      const rows = await ask<Omit<Tried, 'outcome'> & { outcome: keyof typeof OUTCOMES }>(db, text, [id])
      return rows.map(row => ({ ...row, outcome: OUTCOMES[row.outcome] }))
    },
  }
}

/** A transaction held open on a connection of its own, with an engine whose every statement runs in it. */
async function begin(db: Database): Promise<OpenTransaction> {
  let end: (commit: boolean) => void = () => {}
  const ending = new Promise<boolean>(resolve => {
    end = resolve
  })
  let opened: (tx: Executor) => void = () => {}
  const opening = new Promise<Executor>(resolve => {
    opened = resolve
  })
  const rolledBack = new Error('rolled back by the test')
  const over = db
    .transaction(async tx => {
      opened(tx)
      if (!(await ending)) throw rolledBack
    })
    .catch(error => {
      if (error !== rolledBack) throw error
    })
  const tx = await opening
  const inside = {
    kind: db.kind,
    hot: tx,
    transaction: (work: (tx: Executor) => unknown) => work(tx),
  } as unknown as Database
  const [{ pid } = { pid: 0 }] = await ask<{ pid: number }>(tx, 'SELECT pg_backend_pid() AS pid')
  const finish = async (commit: boolean): Promise<void> => {
    end(commit)
    await over
  }
  return {
    engine: createPostgresEngine(inside, SHARDS),
    take: async shard => {
      const hold = await createSoloLocks({ ...inside, rows: tx.rows.bind(tx) } as Database, SHARDS).open(0, () => {})
      await hold.take([shard], 'another node')
    },
    commit: () => finish(true),
    rollback: () => finish(false),
    awaited: () => untilAwaited(db, pid),
  }
}

/** Looks until some backend is blocked by this one. */
async function untilAwaited(db: Database, pid: number): Promise<void> {
  const text = `SELECT FROM pg_stat_activity WHERE $1::int = ANY (pg_blocking_pids(pid)) LIMIT 1`
  for (let looks = 0; looks < 5000; looks++) {
    const waiting = await db.rows({ name: '', text }, [`${pid}`])
    if (waiting.length > 0) return
  }
  throw new Error('nobody waits for this transaction')
}

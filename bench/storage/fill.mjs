/**
 * Ten million live rows and as many settled ones: the lower half of the ids is history but for one message in a thousand
 * that is still live, the upper half is live but for one in a thousand. In the shape that hurts: one queue holds half, a
 * thousand share the rest, one is nearly empty beside them, one came late, and two messages in 10,000 are dead.
 */
import { readdirSync, readFileSync } from 'node:fs'

export const SPAN = 10_000_000
const migrations = new URL('../../packages/server/migrations/', import.meta.url)

const LIVE = `(g > $rows) <> (hashint8(g) % 1000 = 0)`

/** Queue 1: half · 2: one in 50,000 · 3: the last 60,000 ids only · 10 to 1009: the rest. Org 2 owns queue 2, org 1 the others. */
const QUEUE = `CASE WHEN g % 100000 < 2 THEN 2 WHEN g > $rows * 2 - 60000 THEN 3
  WHEN g % 2 = 0 THEN 1 ELSE 10 + (g / 2 % 1000) END::int`

/** Cron 1: one in 100 · 2: some ticks at the beginning. */
const CRON = `CASE WHEN g <= 20 THEN 2 WHEN g % 100 = 7 THEN 1 END`

const SOURCE = `(SELECT g, ${QUEUE} q, ${CRON} c FROM generate_series(1, $rows * 2) g WHERE $which) s`
const TIMES = `now() - interval '60 days' + g * interval '250 ms'`

function steps(rows) {
  const fill = (text, which = 'true') => text.replace('$which', which).replaceAll('$rows', String(rows))
  const spans = [...Array(Math.ceil((rows * 2 + 1) / SPAN) + 1).keys()]
  const partitions = spans.flatMap(i =>
    ['payload', 'message_done', 'attempt'].map(table => {
      const range = `FROM (${i * SPAN}) TO (${(i + 1) * SPAN})`
      return `CREATE TABLE posthorn.${table}_${i} PARTITION OF posthorn.${table} FOR VALUES ${range}`
    }),
  )
  return [
    ...partitions,
    `INSERT INTO posthorn.shard (id) SELECT generate_series(0, 63)`,
    `INSERT INTO posthorn.org (name, title) VALUES ('second', 'Second')`,
    `INSERT INTO posthorn.queue (id, org_id, name, callback_url, method, max_retries, backoff, timeout_ms, concurrency,
       ordered, follow_redirects, on_gone)
     SELECT g, CASE WHEN g = 2 THEN 2 ELSE 1 END, 'queue ' || g, 'http://127.0.0.1/', 'POST', 5, '{}', 30000, 10, 'none',
       false, 'fail' FROM generate_series(1, 1009) g`,
    `INSERT INTO posthorn.payload (id, body, headers)
     SELECT g, repeat(md5(g::text), 6), '{"x-number":"' || g || '"}' FROM generate_series(1, ${rows * 2}) g`,
    fill(
      `INSERT INTO posthorn.message (org_id, queue_id, id, payload_id, created_at, due_at, lane, cron_id)
     SELECT CASE WHEN q = 2 THEN 2 ELSE 1 END, q, g, g, ${TIMES}, CASE WHEN g % 20 = 0 THEN now() + g * interval '1 s' END,
       0, c FROM ${SOURCE}`,
      LIVE,
    ),
    fill(
      `INSERT INTO posthorn.message_done (org_id, queue_id, id, payload_id, created_at, done_at, outcome, attempts,
       priority, cron_id)
     SELECT CASE WHEN q = 2 THEN 2 ELSE 1 END, q, g, g, ${TIMES}, ${TIMES} + interval '1 s',
       CASE WHEN g % 10000 IN (13, 14) THEN 'x' WHEN g % 10000 = 17 THEN 'c' ELSE 'd' END, 1, 0, c FROM ${SOURCE}`,
      `NOT (${LIVE})`,
    ),
    `INSERT INTO posthorn.attempt (message_id, queue_id, n, started_at, duration_ms, status, outcome, queue_version)
     SELECT id, queue_id, 1, done_at, 5, 204, outcome, 1 FROM posthorn.message_done`,
    `INSERT INTO posthorn.idempotency (queue_id, key, message_id, body_hash, expires_at)
     SELECT 1, md5(g::text), g, sha256(g::text::bytea), now() + interval '1 day' FROM generate_series(1, ${rows}) g`,
    `SELECT setval('posthorn.message_id', ${rows * 2})`,
    ...['message', 'message_done', 'payload', 'attempt', 'idempotency'].map(t => `VACUUM (ANALYZE) posthorn.${t}`),
    'CHECKPOINT',
  ]
}

/** Creates the schema by the project's own migrations and fills it, unless that was done before in this folder. */
export async function fill(client, rows) {
  const done = await client.query(`SELECT to_regclass('posthorn.filled') AS filled`)
  if (done.rows[0].filled) return
  await client.query('DROP SCHEMA IF EXISTS posthorn CASCADE; CREATE SCHEMA posthorn')
  for (const name of readdirSync(migrations).sort()) await client.query(readFileSync(new URL(name, migrations), 'utf8'))
  for (const step of steps(rows)) {
    const started = performance.now()
    await client.query(step)
    const seconds = ((performance.now() - started) / 1000).toFixed(1).padStart(8)
    console.error(`${seconds} s  ${step.slice(0, 70).replace(/\s+/g, ' ')}`)
  }
  await client.query('CREATE TABLE posthorn.filled ()')
}

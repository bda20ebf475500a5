/** What writes cost beside ten million rows: puts with and without keys, retention of one queue, expunging one body. */
import { createHash } from 'node:crypto'
import { createPostgresEngine } from '../../packages/server/dist/engine/postgres/engine.js'
import { cancelBatch, reviveBatch } from '../../packages/server/dist/queue/batches.js'

const BATCH = 500
const ROUNDS = 40

const median = values => values.sort((a, b) => a - b)[Math.floor(values.length / 2)]

async function time(rounds, work) {
  const times = []
  for (let i = 0; i < rounds; i++) {
    const started = performance.now()
    await work(i)
    times.push(performance.now() - started)
  }
  return median(times)
}

function batchOf(keyOf) {
  return Array.from({ length: BATCH }, (_, i) => {
    const key = keyOf?.(i)
    const bodyHash = key && createHash('sha256').update(key).digest()
    return {
      orgId: 1,
      queueId: key ? 1 : 10 + (i % 1000),
      body: 'x'.repeat(200),
      headers: null,
      dueAt: null,
      expiresAt: null,
      priority: 0,
      key: null,
      cronId: null,
      idempotency: key ? { key, bodyHash, ttlMs: 86_400_000 } : null,
    }
  })
}

export async function measurePuts(db) {
  const engine = createPostgresEngine(db, 64)
  const plain = await time(ROUNDS, () => engine.put(batchOf()))
  const md5 = text => createHash('md5').update(text).digest('hex')
  const fresh = await time(ROUNDS, round => engine.put(batchOf(i => md5(`new ${round} ${i}`))))
  const again = await time(ROUNDS, round => engine.put(batchOf(i => md5(`new ${round} ${i}`))))
  return [
    [`put ${BATCH}, plain`, plain],
    [`put ${BATCH} with new keys, beside ten million keys`, fresh],
    [`put ${BATCH} with keys used before`, again],
  ]
}

export async function measureMoves(db) {
  return [
    ['purge, 1,000 of the queue that came last', await time(10, () => cancelBatch(db, 3, 1000, 'purged'))],
    ['redrive, 100 dead of the big queue', await time(5, () => reviveBatch(db, 1, 100))],
  ]
}

/** A thousand of a queue's old delivered messages, with attempts and bodies, from where the last batch ended. */
export const RETAIN = `
  WITH old AS (
    SELECT org_id, id, payload_id FROM posthorn.message_done
    WHERE queue_id = $1::int AND id > $2::bigint AND done_at < $3::timestamptz AND outcome = 'd'
    ORDER BY id LIMIT 1000
  ), gone AS (
    DELETE FROM posthorn.message_done AS d USING old WHERE d.org_id = old.org_id AND d.id = old.id
  ), tried AS (
    DELETE FROM posthorn.attempt AS a USING old WHERE a.queue_id = $1::int AND a.message_id = old.id
  ), emptied AS (
    DELETE FROM posthorn.payload AS p USING old WHERE p.id = old.payload_id AND old.payload_id >= old.id
  )
  SELECT count(*)::int AS n, max(id) AS last FROM old`

export async function measureRemoval(client) {
  const cut = new Date(Date.now() - 30 * 86_400_000)
  await client.query('SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off')
  const results = []
  for (const [what, queueId] of [
    ['the big queue', 1],
    ['a queue with 1 in 2,000', 600],
  ]) {
    let last = 0
    const ms = await time(10, async () => {
      const { rows } = await client.query(RETAIN, [queueId, last, cut])
      last = rows[0].last ?? last
    })
    results.push([`retention: 1,000 old messages of ${what}`, ms])
  }
  const expunge = 'DELETE FROM posthorn.payload WHERE id = $1::bigint'
  results.push(['expunge one body', await time(20, round => client.query(expunge, [5_000_001 + round]))])
  await client.query('RESET ALL')
  return results
}

import { afterAll, beforeAll, expect, test } from 'vitest'
import { describePostgres, type Opened, openFresh } from '../../test/databases.ts'
import { addOrg } from '../../test/queue-room.ts'
import { FORCE_PLANS } from '../db/forced-plans.ts'
import { migrate } from '../db/migrate.ts'
import type { Database } from '../db/port.ts'
import { loadStatement } from '../db/statement.ts'
import { makeQueue } from '../engine/postgres/database-fixture.suite.ts'
import { type Explained, explaining } from '../engine/postgres/explain.suite.ts'
import { silentLog } from '../log.ts'

const SPANS = 31
const SPAN_IDS = 10_000
/** Of the org that goes; another has as many, between them. */
const ROWS = 50_000
const QUEUES = 50
const BATCH = 1000

class Undo extends Error {}

/**
 * However much an org has, and others beside it: a batch of its removal looks at about as many rows as it takes away, so
 * that its locks are short, and reads no table from end to end.
 */
describePostgres('taking away what a deleted org has', () => {
  let opened: Opened
  let explained: Database
  const seen: Explained[] = []
  let orgId: number
  let firstQueue: number
  beforeAll(async () => {
    opened = await openFresh('postgres', { poolSize: 1 })
    const { db } = opened
    explained = explaining(db, one => void seen.push(one))
    await migrate(db, silentLog)
    for (const table of ['payload', 'message_done', 'attempt'])
      for (let nth = 0; nth < SPANS; nth++) {
        const range = `FROM (${nth * SPAN_IDS}) TO (${(nth + 1) * SPAN_IDS})`
        await db.exec(`CREATE TABLE posthorn.${table}_${nth} PARTITION OF posthorn.${table} FOR VALUES ${range}`)
      }
    orgId = await addOrg(db, 'goes')
    const orgIds = [orgId, await addOrg(db, 'stays')]
    for (const [odd, id] of orgIds.entries()) await fill(id, odd)
  }, 120_000)
  afterAll(() => opened?.remove())

  async function fill(id: number, odd: number): Promise<void> {
    const { db } = opened
    const first = await makeQueue(db, id)
    firstQueue ??= first
    for (let nth = 1; nth < QUEUES; nth++) await makeQueue(db, id)
    const each = `FROM generate_series(1, ${ROWS}) AS i, LATERAL (SELECT 2 * i + ${odd} AS n) AS x`
    await db.exec(`
      INSERT INTO posthorn.payload (id, body) SELECT n, 'x' ${each};
      INSERT INTO posthorn.message_done (org_id, queue_id, id, payload_id, created_at, outcome, attempts, priority)
        SELECT ${id}, ${first} + n % ${QUEUES}, n, n, now(), CASE WHEN n % 50 < 2 THEN 'x' ELSE 'd' END, 1, 0 ${each};
      INSERT INTO posthorn.attempt (message_id, queue_id, n, started_at, duration_ms, outcome, queue_version)
        SELECT n, ${first} + n % ${QUEUES}, 1, now(), 1, 'd', 1 ${each};
      INSERT INTO posthorn.message (org_id, queue_id, id, payload_id)
        SELECT ${id}, ${first} + n % ${QUEUES}, 200000 + n, n ${each};
      INSERT INTO posthorn.idempotency (queue_id, key, message_id, body_hash, expires_at)
        SELECT ${first} + n % ${QUEUES}, 'k' || n, n, '', now() + interval '1 day' ${each};
      INSERT INTO posthorn.cron (org_id, queue_id, schedule, time_zone, misfire, priority)
        SELECT ${id}, ${first}, '@hourly', 'UTC', 'one', 0 FROM generate_series(1, 5000)`)
  }

  /** By what and over how many rows a statement goes, as it does on a connection that lives; nothing stays changed. */
  async function explain(file: string, params: readonly (string | number)[]): Promise<Explained> {
    seen.length = 0
    const statement = loadStatement(import.meta.url, `./sql/${file}.sql`)
    const undone = explained.transaction(async tx => {
      await tx.query(FORCE_PLANS)
      await tx.rows(
        statement,
        params.map(param => `${param}`),
      )
      throw new Undo()
    })
    await undone.catch(error => {
      if (!(error instanceof Undo)) throw error
    })
    return seen[0]!
  }

  const whole = ({ scans }: Explained): string[] =>
    scans.filter(({ by, loops }) => loops > 0 && by === 'Seq Scan').map(({ table }) => table)

  const BATCHES: readonly [string, (orgId: number) => (string | number)[], number][] = [
    ['mark_queues_of_org', id => [id, BATCH], 4 * QUEUES],
    ['remove_crons_of_org', id => [id, BATCH], 4 * BATCH],
    ['live_queue_of_org', id => [id], 2 * QUEUES],
    ['remove_history_of_org', id => [id, BATCH, 0], 8 * BATCH],
    ['remove_history_of_org', id => [id, BATCH, ROWS], 8 * BATCH],
    ['cancel_batch', () => [firstQueue, BATCH, 'org deleted'], 8 * BATCH],
    ['revive_batch', () => [firstQueue, BATCH], 8 * BATCH],
    ['remove_queues_of_org', id => [id, BATCH, 0], 4 * QUEUES],
    ['remove_idempotency_of_org', id => [id, BATCH], 6 * BATCH],
  ]

  for (const analyzed of [false, true]) {
    test.each(BATCHES)(`%s, ${analyzed ? 'with' : 'without'} statistics`, async (file, params, most) => {
      if (analyzed) await opened.db.exec('ANALYZE')
      const found = await explain(file, params(orgId))
      expect(whole(found), found.plan).toEqual([])
      expect(found.visited, found.plan).toBeLessThanOrEqual(most)
    })
  }

  test('the count for the dry run reads the indexes of that org alone', async () => {
    await opened.db.exec('VACUUM ANALYZE')
    const found = await explain('count_of_org', [orgId])
    const tables = whole(found).filter(table => table.startsWith('message'))
    expect(tables, found.plan).toEqual([])
    expect(found.visited, found.plan).toBeLessThanOrEqual(2 * ROWS + 5000 + 2 * QUEUES)
  })
})

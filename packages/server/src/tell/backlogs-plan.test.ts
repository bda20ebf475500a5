import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { describePostgres, type Opened, openFresh } from '../../test/databases.ts'
import { addOrg } from '../../test/queue-room.ts'
import { migrate } from '../db/migrate.ts'
import type { Database, Executor } from '../db/port.ts'
import { makeQueue } from '../engine/postgres/database-fixture.suite.ts'
import { type Explained, explaining } from '../engine/postgres/explain.suite.ts'
import { silentLog } from '../log.ts'
import { Backlogs } from './backlogs.ts'

const QUEUES = 200
const PRIORITIES = 3
const ROWS = 100_000
/** After so many, PostgreSQL keeps one plan for all. */
const TRIES = 7

/** However much waits: it looks at one message of each lane, at one of each queue that is overdue, and at their queues. */
describePostgres('looking how old backlogs are', () => {
  let opened: Opened
  let backlogs: Backlogs
  let told: number
  const seen: Explained[] = []
  const alarms = {
    raised: async () => new Set<number>(),
    async raise(_: unknown, ids: readonly number[]) {
      told = ids.length
    },
    clear: async () => {},
  }
  beforeAll(async () => {
    opened = await openFresh('postgres', { poolSize: 1 })
    const { db } = opened
    await migrate(db, silentLog)
    const explained = explaining(db, one => void seen.push(one))
    backlogs = new Backlogs({ db: watched(explained), alarms, limitMs: 600_000 })
    const orgId = await addOrg(db, 'waits')
    const first = await makeQueue(db, orgId)
    const fill = (rows: number) => db.exec(statementsFor(orgId, first, rows))
    // Plans are made while there is next to nothing, and that is known, which is the worst time; and kept.
    await fill(1)
    await db.exec('VACUUM ANALYZE')
    for (let nth = 0; nth < TRIES; nth++) await look()
    for (let nth = 1; nth < QUEUES; nth++) await makeQueue(db, orgId)
    await fill(ROWS)
  }, 120_000)
  afterAll(() => opened?.remove())

  function statementsFor(orgId: number, first: number, rows: number): string {
    const each = `${orgId}, ${first} + n % ${QUEUES}, nextval('posthorn.message_id'), n, now() - interval '1 day'`
    return `
      INSERT INTO posthorn.message (org_id, queue_id, id, payload_id, created_at, lane)
        SELECT ${each}, n / ${QUEUES} % ${PRIORITIES} FROM generate_series(1, ${rows}) AS n;
      INSERT INTO posthorn.message (org_id, queue_id, id, payload_id, created_at, due_at)
        SELECT ${each}, now() + (n - ${rows / 2}) * interval '1 s' FROM generate_series(1, ${rows}) AS n`
  }

  /** How its one statement is carried out, and how many queues it tells of. */
  async function look(): Promise<{ readonly how: Explained; readonly told: number }> {
    told = 0
    seen.length = 0
    await backlogs.look()
    expect(seen.map(({ statement }) => statement)).toEqual(['look_at_backlogs'])
    return { how: seen[0]!, told }
  }

  const states = {
    'planned while the tables were nearly empty': async () => {},
    'with statistics of the full tables': async () => opened.db.exec('ANALYZE'),
  }
  describe.each(Object.entries(states))('%s', (_, prepare) => {
    beforeAll(prepare)
    test('goes from lane to lane along the indexes', async () => {
      const { how, told } = await look()
      const scans = how.scans.filter(({ loops }) => loops > 0)
      const ways = new Set(scans.filter(({ table }) => table === 'message').map(({ by }) => by))
      expect([...ways].sort(), how.plan).toEqual(['message_due', 'message_lane'])
      expect(scans.map(({ by }) => by).filter(by => /Seq Scan/.test(by))).toEqual([])
      expect(how.visited, how.plan).toBeLessThanOrEqual(2 * (QUEUES * PRIORITIES + QUEUES))
      expect(told).toBe(100)
    })
  })
})

/** Has what has parameters explained before it is done. */
function watched(explained: Database): Database {
  const watching = (tx: Executor): Executor => ({
    ...tx,
    async query(statement, params = []) {
      if (params.length > 0) await tx.rows(statement, params.map(String))
      return tx.query(statement, params)
    },
  })
  return { transaction: work => explained.transaction(tx => work(watching(tx))) } as Database
}

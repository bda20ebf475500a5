import { beforeEach, expect, test } from 'vitest'
import { eachDatabase } from '../../../../test/databases.ts'
import { age, DAY_MS, putSome, run, settleAs, startHistoryOver, whatIsThere } from '../../../../test/history.ts'
import type { Database } from '../../../db/port.ts'
import { type Log, silentLog } from '../../../log.ts'
import { upkeepChores } from './chores.ts'
import { forgetChanges, forgetKeys } from './forget.ts'
import { createLiveVacuum } from './vacuum.ts'

eachDatabase('chores', open => {
  beforeEach(() => startHistoryOver(open()))

  test('idempotency keys go when their time is over, however many, and no other', async () => {
    await run(
      open(),
      `INSERT INTO posthorn.idempotency (queue_id, key, message_id, body_hash, expires_at)
       SELECT 1, 'k' || n, n, '\\x00', now() + CASE WHEN n <= 2500 THEN -n ELSE n END * interval '1 s'
       FROM generate_series(1, 2600) AS n`,
    )
    expect(await forgetKeys(open())).toBe(2500)
    expect(await forgetKeys(open())).toBe(0)
    expect(await count(open(), 'idempotency')).toBe(100)
  })

  test('notes of changes go after an hour', async () => {
    await run(
      open(),
      `INSERT INTO posthorn.change (kind, queue_id, created_at)
       SELECT 'queue', 1, now() - n * interval '1 minute' FROM generate_series(1, 2000) AS n`,
    )
    expect(await forgetChanges(open())).toBe(1941)
    expect(await count(open(), 'change')).toBe(59)
  })

  test('the live table is vacuumed after so many settled messages, and then after as many again', async () => {
    const { after, statements } = vacuuming(open())
    expect(await after(149_999)).toBe(0)
    expect(await after(1)).toBe(1)
    expect(await after(149_999)).toBe(1)
    expect(await after(1)).toBe(2)
    expect(statements[0]).toContain('SKIP_LOCKED')
  })

  test('a long live table is vacuumed after a tenth of it, since that reads all of its indexes: by a node that has just come, too', async () => {
    await run(open(), `UPDATE pg_class SET reltuples = 4000000 WHERE oid = 'posthorn.message'::regclass`)
    const { after } = vacuuming(open(), false)
    expect(await after(150_000)).toBe(0)
    expect(await after(249_999)).toBe(0)
    expect(await after(1)).toBe(1)
    expect(await after(399_999)).toBe(1)
    expect(await after(1)).toBe(2)
    await run(open(), `UPDATE pg_class SET reltuples = 0 WHERE oid = 'posthorn.message'::regclass`)
  })

  test('each chore runs on its own, and together they do what upkeep has to', async () => {
    const old = await putSome(open(), 3)
    await settleAs(open(), 'delivered', old)
    await age(open(), old, 31)
    let cancelled = 0
    const chores = upkeepChores(open(), {
      retentionMs: 30 * DAY_MS,
      settledHere: () => 0,
      cancelOnDeletedQueues: async () => ++cancelled,
      log: silentLog,
    })
    for (const chore of chores) await chore.run()
    expect((await whatIsThere(open())).settled).toEqual([])
    expect(cancelled).toBe(1)
    expect(chores.filter(({ on }) => on === 'node').map(({ name }) => name)).toEqual(['vacuum'])
  })

  test('a span that has to stay is told of once', async () => {
    const ids = await putSome(open(), 20_001)
    await run(open(), `SELECT setval('posthorn.message_id', 10000000)`)
    await run(open(), `UPDATE posthorn.span SET full_at = now() - interval '40 days' WHERE lo = 0`)
    const warnings: object[] = []
    const log: Log = { ...silentLog, warn: fields => warnings.push(fields) }
    const options = { retentionMs: 30 * DAY_MS, settledHere: () => 0, cancelOnDeletedQueues: async () => 0, log }
    const retire = upkeepChores(open(), options).find(({ name }) => name === 'retire spans')!
    await retire.run()
    await retire.run()
    expect(warnings).toEqual([{ span: { lo: 0, hi: 10_000_000 }, atLeast: 20_001 }])
    expect((await whatIsThere(open())).live).toEqual(ids)
  })
})

/**
 * A live vacuum; `after` tells it of so many more settled messages, and gives how many statements it has executed by then:
 * they are left undone, unless `really`.
 */
function vacuuming(db: Database, really = true) {
  const statements: string[] = []
  const exec = async (sql: string): Promise<void> => {
    statements.push(sql)
    if (really) await db.exec(sql)
  }
  const query: Database['query'] = (statement, params) => db.query(statement, params)
  let settled = 0
  const vacuum = createLiveVacuum({ schema: db.schema, exec, query } as Database, () => settled)
  const after = async (more: number): Promise<number> => {
    settled += more
    await vacuum.afterSettling()
    return statements.length
  }
  return { after, statements }
}

async function count(db: Database, table: string): Promise<number> {
  return (await run<{ n: number }>(db, `SELECT count(*) AS n FROM posthorn.${table}`))[0]!.n
}

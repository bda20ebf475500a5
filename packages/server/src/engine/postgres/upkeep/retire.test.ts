import { beforeEach, expect, test } from 'vitest'
import { describePostgres, eachDatabase, openFresh } from '../../../../test/databases.ts'
import { age, DAY_MS, putSome, run, settleAs, startHistoryOver, whatIsThere } from '../../../../test/history.ts'
import { migrate } from '../../../db/migrate.ts'
import type { Database } from '../../../db/port.ts'
import { silentLog } from '../../../log.ts'
import { expireHistory } from './retention.ts'
import { retireSpans } from './retire.ts'
import { ensureSpans } from './spans.ts'

const RETENTION_MS = 30 * DAY_MS
const retire = (db: Database) => retireSpans(db, { retentionMs: RETENTION_MS })

eachDatabase('retirement of spans', open => {
  beforeEach(() => startHistoryOver(open()))

  test('a span is dropped when it has been full for longer than the retention and an hour, not before', async () => {
    const ids = await putSome(open(), 10)
    await settleAs(open(), 'delivered', ids)
    await age(open(), ids, 40)
    expect(await retire(open())).toEqual({ spans: 0, stay: [] })
    await fill(open(), 0, 30)
    expect(await retire(open())).toEqual({ spans: 0, stay: [] })
    await fill(open(), 0, 31)
    expect(await retire(open())).toEqual({ spans: 1, stay: [] })
    expect(await whatIsThere(open())).toEqual({ live: [], settled: [], attempted: [], payloads: [] })
    expect(await tablesOf(open(), 0)).toBe(0)
  })

  test('what must outlive a span is there afterwards, whole, and is found as before', async () => {
    const [waiting, tried, paused, dead, late, gone] = (await putSome(open(), 6)) as number[] as [
      number,
      number,
      number,
      number,
      number,
      number,
    ]
    await run(open(), `UPDATE posthorn.message SET due_at = now() + interval '90 days' WHERE id = $1`, [waiting])
    await run(open(), 'UPDATE posthorn.message SET attempts = 1 WHERE id = $1', [tried])
    await run(open(), TRIED, [tried])
    await settleAs(open(), 'dead', [dead])
    const [forwarded] = (await whatIsThere(open())).live.filter(id => id > gone) as [number]
    await settleAs(open(), 'delivered', [late, gone])
    await age(open(), [waiting, tried, paused, dead, gone, forwarded], 60)
    await age(open(), [late], 60, 29)
    const before = await everything(open(), [waiting, tried, paused, dead, late, forwarded])
    await fill(open(), 0, 31)
    expect(await retire(open())).toEqual({ spans: 1, stay: [] })
    expect(await everything(open(), [waiting, tried, paused, dead, late, forwarded])).toEqual(before)
    expect(await whatIsThere(open())).toEqual({
      live: [waiting, tried, paused, forwarded],
      settled: [dead, late],
      attempted: [tried, dead, late],
      payloads: [waiting, tried, paused, dead, late],
    })
  })

  test('a body stays while a message of a later span refers to it, settled or live', async () => {
    const [first, second, third] = (await putSome(open(), 3, 4)) as [number, number, number]
    await settleAs(open(), 'delivered', [first, second, third])
    await age(open(), [first, second, third], 60)
    await fill(open(), 0, 31)
    const [live, settled] = (await putSome(open(), 2, 4)) as [number, number]
    await run(open(), 'UPDATE posthorn.message SET payload_id = $1 WHERE id = $2', [first, live])
    await run(open(), 'UPDATE posthorn.message SET payload_id = $1 WHERE id = $2', [second, settled])
    await settleAs(open(), 'delivered', [settled])
    await retire(open())
    const { payloads } = await whatIsThere(open())
    expect(payloads.filter(id => id < 10_000_000)).toEqual([first, second])
  })

  test('what is settled or put with an id of a span that is gone finds its place', async () => {
    const [id, other] = (await putSome(open(), 2)) as [number, number]
    await age(open(), [id, other], 60)
    await fill(open(), 0, 31)
    await retire(open())
    await settleAs(open(), 'delivered', [id])
    await settleAs(open(), 'dead', [other])
    expect((await whatIsThere(open())).settled).toEqual([id, other])
    expect((await whatIsThere(open())).attempted).toEqual([id, other])
  })

  test('spans leave in their order, each into what the one before has left', async () => {
    const first = await putSome(open(), 2, 4)
    await settleAs(open(), 'dead', first)
    await fill(open(), 0, 60)
    const second = await putSome(open(), 2, 4)
    await settleAs(open(), 'dead', second)
    await fill(open(), 1, 31)
    expect(await retire(open())).toEqual({ spans: 2, stay: [] })
    expect((await whatIsThere(open())).settled).toEqual([...first, ...second])
    expect(await tablesOf(open(), 0)).toBe(0)
    await ensureSpans(open())
    expect(await putSome(open(), 1)).toHaveLength(1)
  })

  test('what has outlived its span goes by retention when its own time is over', async () => {
    const [late] = (await putSome(open(), 1)) as [number]
    await settleAs(open(), 'delivered', [late])
    await age(open(), [late], 60, 1)
    await fill(open(), 0, 31)
    await retire(open())
    await age(open(), [late], 90, 31)
    await expireHistory(open(), { retentionMs: RETENTION_MS, limit: 1000, from: null })
    expect(await whatIsThere(open())).toEqual({ live: [], settled: [], attempted: [], payloads: [] })
  })

  test('a span with more survivors than may be moved stays as it is, and says so', async () => {
    const ids = await putSome(open(), 20)
    await age(open(), ids, 60)
    await fill(open(), 0, 31)
    const { spans, stay } = await retireSpans(open(), { retentionMs: RETENTION_MS, mostSurvivors: 19 })
    expect(spans).toBe(0)
    expect(stay).toMatchObject([{ reason: 'full of survivors', span: { lo: 0, hi: 10_000_000 }, atLeast: 20 }])
    expect((await whatIsThere(open())).payloads).toEqual(ids)
    expect(await tablesOf(open(), 0)).toBe(3)
  })

  test('spans behind one that stays are thinned all the same, and leave when it does', async () => {
    const many = await putSome(open(), 20)
    await age(open(), many, 60)
    await fill(open(), 0, 60)
    const [dead, live, ...gone] = (await putSome(open(), 8, 4)) as [number, number, ...number[]]
    await settleAs(open(), 'dead', [dead])
    await settleAs(open(), 'delivered', gone)
    await age(open(), [dead, live, ...gone], 60)
    const before = await everything(open(), [dead, live])
    await fill(open(), 1, 31)
    const most = { retentionMs: RETENTION_MS, mostSurvivors: 19 }
    const full = [{ reason: 'full of survivors', span: { lo: 0, hi: 10_000_000 }, atLeast: 20 }]
    expect(await retireSpans(open(), most)).toEqual({ spans: 1, stay: full })
    expect(await everything(open(), [dead, live])).toEqual(before)
    expect((await whatIsThere(open())).payloads).toEqual([...many, dead, live])
    expect(await tablesOf(open(), 10_000_000)).toBe(3)
    // Once is enough, and what is settled there still finds its place.
    expect(await retireSpans(open(), most)).toEqual({ spans: 0, stay: full })
    await settleAs(open(), 'delivered', [live, ...many])
    expect((await whatIsThere(open())).settled).toEqual([...many, dead, live])
    await age(open(), many, 60)
    expect(await retireSpans(open(), most)).toEqual({ spans: 2, stay: [] })
    expect((await whatIsThere(open())).settled).toEqual([dead, live])
    expect(await tablesOf(open(), 10_000_000)).toBe(0)
    expect(await indexesOf(open())).toEqual(await indexesOf(open(), '_old'))
  })

  test('a span that rests is passed over, those behind it are not', async () => {
    await settleAs(open(), 'dead', await putSome(open(), 1))
    await fill(open(), 0, 60)
    await settleAs(open(), 'dead', await putSome(open(), 1))
    await fill(open(), 1, 31)
    expect(await retireSpans(open(), { retentionMs: RETENTION_MS, resting: new Set([0]) })).toEqual({
      spans: 1,
      stay: [],
    })
    expect(await tablesOf(open(), 0)).toBe(3)
    expect(await retire(open())).toEqual({ spans: 2, stay: [] })
  })

  test('what a queue keeps for longer outlives its span, with its body and attempts if it keeps them too', async () => {
    await run(open(), `UPDATE posthorn.queue SET message_retention_ms = 90::bigint * 86400000 WHERE id IN (2, 3)`)
    await run(
      open(),
      `UPDATE posthorn.queue SET body_retention_ms = 90::bigint * 86400000,
      attempt_retention_ms = 90::bigint * 86400000 WHERE id = 3`,
    )
    const [trace, whole, plain] = [await putSome(open(), 2, 2), await putSome(open(), 2, 3), await putSome(open(), 2)]
    const late = await putSome(open(), 1, 3)
    await settleAs(open(), 'delivered', [...trace, ...whole, ...plain, ...late])
    await age(open(), [...trace, ...whole, ...plain], 60)
    await age(open(), late, 80, 60)
    const before = await everything(open(), [...whole, ...late])
    await fill(open(), 0, 31)
    expect(await retire(open())).toEqual({ spans: 1, stay: [] })
    expect(await everything(open(), [...whole, ...late])).toEqual(before)
    expect(await whatIsThere(open())).toEqual({
      live: [],
      settled: [...trace, ...whole, ...late],
      attempted: [...whole, ...late],
      payloads: [...whole, ...late],
    })
  })

  test('a dead message that has left its span keeps a body that it got later, in a later span', async () => {
    const [id] = (await putSome(open(), 1)) as [number]
    await fill(open(), 0, 60)
    await run(
      open(),
      `WITH p AS (INSERT INTO posthorn.payload (id, body) VALUES (nextval('posthorn.message_id'), 'new') RETURNING id)
       UPDATE posthorn.message SET payload_id = p.id FROM p WHERE message.id = $1`,
      [id],
    )
    await settleAs(open(), 'dead', [id])
    await fill(open(), 1, 31)
    expect(await retire(open())).toEqual({ spans: 2, stay: [] })
    const text = `SELECT p.body FROM posthorn.message_done AS d JOIN posthorn.payload AS p ON p.id = d.payload_id`
    expect(await run(open(), text)).toEqual([{ body: 'new' }])
  })

  test('after a failure half-way all is as it was, and the next try succeeds', async () => {
    const ids = await putSome(open(), 5, 4)
    await settleAs(open(), 'dead', ids)
    await fill(open(), 0, 31)
    const before = await everything(open(), ids)
    // Copying meets a row that is there already: the transaction ends after the tables were detached.
    await run(open(), `INSERT INTO posthorn.payload (id, body) VALUES (-1, 'kept')`)
    await open().exec('CREATE UNIQUE INDEX in_the_way ON posthorn.message_done_old ((1))')
    await expect(retire(open())).rejects.toThrow('in_the_way')
    expect(await everything(open(), ids)).toEqual(before)
    await open().exec('DROP INDEX posthorn.in_the_way')
    expect(await retire(open())).toEqual({ spans: 1, stay: [] })
    expect(await everything(open(), ids)).toEqual(before)
    expect((await whatIsThere(open())).payloads).toEqual([-1, ...ids])
  })
})

describePostgres('retirement beside others', () => {
  test('does not wait for a long reader, and leaves the span for later', async () => {
    const { db, remove } = await openFresh('postgres')
    try {
      await migrate(db, silentLog)
      await startHistoryOver(db)
      await fill(db, 0, 31)
      await db.transaction(async tx => {
        await tx.query({ name: '', text: 'SELECT count(*) FROM posthorn.payload' })
        expect(await retire(db)).toMatchObject({ spans: 0, stay: [{ reason: 'locked' }] })
        expect(await putSome(db, 1)).toHaveLength(1)
      })
      expect(await retire(db)).toEqual({ spans: 1, stay: [] })
    } finally {
      await remove()
    }
  })
})

const TRIED = `INSERT INTO posthorn.attempt (message_id, queue_id, n, started_at, duration_ms, outcome, queue_version)
  VALUES ($1, 1, 1, now(), 5, 'r', 1)`

/** Lets the sequence pass the nth span, `daysAgo`. */
async function fill(db: Database, nth: number, daysAgo: number): Promise<void> {
  const hi = (nth + 1) * 10_000_000
  await run(db, `SELECT setval('posthorn.message_id', greatest($1::bigint, last_value)) FROM posthorn.message_id`, [hi])
  await ensureSpans(db)
  await run(db, `UPDATE posthorn.span SET full_at = now() - $1 * interval '24 hours' WHERE hi = $2`, [daysAgo, hi])
}

async function tablesOf(db: Database, lo: number): Promise<number> {
  const names = ['payload', 'message_done', 'attempt'].map(table => `${table}_${lo}`)
  const [row] = await run<{ n: number }>(db, 'SELECT count(*) AS n FROM pg_class WHERE relname = ANY ($1)', [names])
  return row!.n
}

/** The kinds of indexes that the partitions of a span, or the `_old` ones, have. */
async function indexesOf(db: Database, suffix = '_20000000'): Promise<unknown> {
  const names = ['payload', 'message_done', 'attempt'].map(table => table + suffix)
  return run(
    db,
    `SELECT replace(tablename, $2, '') AS of, regexp_replace(indexdef, '^.* USING ', '') AS def FROM pg_indexes
     WHERE tablename = ANY ($1) ORDER BY 1, 2`,
    [names, suffix],
  )
}

/** Every row about these messages, to the last column. */
async function everything(db: Database, ids: readonly number[]): Promise<unknown> {
  return Promise.all(
    [
      'SELECT * FROM posthorn.message AS t WHERE id = ANY ($1::bigint[]) ORDER BY id',
      'SELECT * FROM posthorn.message_done AS t WHERE id = ANY ($1::bigint[]) ORDER BY id',
      'SELECT * FROM posthorn.attempt AS t WHERE message_id = ANY ($1::bigint[]) ORDER BY message_id, n',
      'SELECT * FROM posthorn.payload AS t WHERE id = ANY ($1::bigint[]) ORDER BY id',
    ].map(text => run(db, text, [ids])),
  )
}

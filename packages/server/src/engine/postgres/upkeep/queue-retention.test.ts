import { beforeEach, expect, test } from 'vitest'
import { describePostgres, eachDatabase, openFresh } from '../../../../test/databases.ts'
import { age, DAY_MS, putSome, run, settleAs, startHistoryOver, whatIsThere } from '../../../../test/history.ts'
import { migrate } from '../../../db/migrate.ts'
import type { Database } from '../../../db/port.ts'
import { loadStatement } from '../../../db/statement.ts'
import { silentLog } from '../../../log.ts'
import { readPage, removeAttempts, removeBodies } from './expired-page.ts'
import { createQueueRetention } from './queue-retention.ts'
import { expireHistory } from './retention.ts'
import { statements } from './statements.ts'

const RETENTION_MS = 30 * DAY_MS
const HOUR_MS = DAY_MS / 24
const NOTHING = { messages: 0, bodies: 0, attempts: 0 }
const REVIVE = loadStatement(import.meta.url, '../../../queue/sql/revive_messages.sql')
const NONE_LEFT = { live: [], settled: [], attempted: [], payloads: [] }

eachDatabase('retention by queue', open => {
  beforeEach(() => startHistoryOver(open()))

  const walk = (limit = 100_000) => createQueueRetention(open(), { retentionMs: RETENTION_MS, limit })
  const settled = async (count: number, daysAgo: number, queueId = 3): Promise<number[]> => {
    const ids = await putSome(open(), count, queueId)
    await settleAs(open(), 'delivered', ids)
    await age(open(), ids, daysAgo)
    return ids
  }

  test('a queue that keeps messages for less loses them sooner, and no other does', async () => {
    await setRules(open(), 3, { message: DAY_MS })
    await settled(700, 2)
    const [young, others] = [await settled(5, 0.5), await settled(5, 2, 1)]
    expect(await walk()()).toEqual({ messages: 700, bodies: 0, attempts: 0 })
    const left = [...young, ...others]
    expect(await whatIsThere(open())).toEqual({ live: [], settled: left, attempted: left, payloads: left })
  })

  test('a queue that keeps messages for more has them when the installation would not', async () => {
    const day = DAY_MS
    await setRules(open(), 3, { message: 100 * day, body: 100 * day, attempt: 100 * day })
    const ids = await settled(5, 60)
    await settled(5, 60, 1)
    expect(await walk()()).toEqual(NOTHING)
    expect((await expireHistory(open(), { retentionMs: RETENTION_MS, limit: 1000, from: null })).removed).toBe(5)
    expect(await whatIsThere(open())).toEqual({ live: [], settled: ids, attempted: ids, payloads: ids })
    await age(open(), ids, 101)
    expect((await walk()()).messages).toBe(5)
    expect(await whatIsThere(open())).toEqual(NONE_LEFT)
  })

  test('bodies and attempts go each in their own time, the message stays', async () => {
    await setRules(open(), 3, { body: HOUR_MS, attempt: 2 * DAY_MS })
    const [old, older, young] = [await settled(3, 1), await settled(3, 3), await settled(3, 0.02)]
    expect(await walk()()).toEqual({ messages: 0, bodies: 6, attempts: 3 })
    expect(await whatIsThere(open())).toEqual({
      live: [],
      settled: [...old, ...older, ...young],
      attempted: [...old, ...young],
      payloads: young,
    })
  })

  test('a time of nothing takes bodies as soon as their message is settled, and not before', async () => {
    await setRules(open(), 3, { body: 0 })
    const go = walk()
    const ids = await putSome(open(), 3, 3)
    expect(await go()).toEqual(NOTHING)
    await settleAs(open(), 'delivered', ids.slice(1))
    expect((await go()).bodies).toBe(2)
    await settleAs(open(), 'delivered', ids.slice(0, 1))
    expect((await go()).bodies).toBe(1)
    expect(await whatIsThere(open())).toEqual({ live: [], settled: ids, attempted: ids, payloads: [] })
  })

  test('where messages are kept for longer, bodies and attempts keep to the installation', async () => {
    await setRules(open(), 3, { message: 100 * DAY_MS })
    const ids = await settled(3, 40)
    expect(await walk()()).toEqual({ messages: 0, bodies: 3, attempts: 3 })
    expect(await whatIsThere(open())).toEqual({ live: [], settled: ids, attempted: [], payloads: [] })
  })

  test('what lives keeps everything, and so does what is dead', async () => {
    await setRules(open(), 3, { message: 0, body: 0, attempt: 0 })
    const [delayed, retried, dead] = (await putSome(open(), 3, 3)) as [number, number, number]
    await run(open(), `UPDATE posthorn.message SET due_at = now() + interval '1 year' WHERE id = $1`, [delayed])
    await run(open(), 'UPDATE posthorn.message SET attempts = 1 WHERE id = $1', [retried])
    await run(open(), TRIED, [retried])
    await settleAs(open(), 'dead', [dead])
    await run(open(), 'UPDATE posthorn.message SET queue_id = 3 WHERE origin_id = $1', [dead])
    await age(open(), [delayed, retried, dead], 400)
    const before = await whatIsThere(open())
    const go = walk()
    for (let turn = 0; turn < 3; turn++) expect(await go()).toEqual(NOTHING)
    expect(await whatIsThere(open())).toEqual(before)
  })

  test('a body that a dead letter shares goes when neither needs it', async () => {
    await setRules(open(), 1, { body: 0 })
    const [origin] = (await putSome(open(), 1)) as [number]
    await settleAs(open(), 'dead', [origin])
    const [letter] = (await whatIsThere(open())).live as [number]
    await run(open(), `UPDATE posthorn.message_done SET outcome = 'd' WHERE id = $1`, [origin])
    const go = walk()
    expect(await go()).toEqual(NOTHING)
    await settleAs(open(), 'delivered', [letter])
    expect(await go()).toEqual(NOTHING) // its queue has no rule: the body is kept for thirty days
    await setRules(open(), 2, { body: HOUR_MS })
    expect(await go()).toEqual(NOTHING)
    await age(open(), [letter], 1)
    expect((await go()).bodies).toBe(1)
    expect(await whatIsThere(open())).toMatchObject({ settled: [origin, letter], payloads: [] })
  })

  test('what is settled long after its neighbours, or sent again, goes on the second look', async () => {
    await setRules(open(), 3, { body: HOUR_MS })
    const [late, again, ...ids] = (await putSome(open(), 1300, 3)) as [number, number, ...number[]]
    await settleAs(open(), 'delivered', [again, ...ids])
    await age(open(), [late, again, ...ids], 2)
    const go = walk()
    expect((await go()).bodies).toBe(1299)
    await settleAs(open(), 'delivered', [late])
    await age(open(), [late], 2, 0.01)
    for (let turn = 0; turn < 4; turn++) expect((await go()).bodies).toBe(0)
    await age(open(), [late], 2, 1)
    let bodies = 0
    for (let turn = 0; turn < 4; turn++) bodies += (await go()).bodies
    expect(bodies).toBe(1)
    expect((await whatIsThere(open())).payloads).toEqual([])
  })

  test('one call looks at so much, and the next at what is left, queue by queue', async () => {
    for (const queueId of [1, 2, 3]) {
      await setRules(open(), queueId, { message: DAY_MS })
      await settled(600, 2, queueId)
    }
    const go = walk(600)
    expect((await go()).messages).toBe(600)
    expect((await go()).messages).toBe(600)
    expect((await go()).messages).toBe(600)
    expect(await whatIsThere(open())).toEqual(NONE_LEFT)
  })

  test('a shorter time takes effect on the next walk, a rule that is gone takes nothing more', async () => {
    await setRules(open(), 3, { message: 10 * DAY_MS })
    const ids = await settled(3, 5)
    const go = walk()
    expect(await go()).toEqual(NOTHING)
    await setRules(open(), 3, {})
    expect(await go()).toEqual(NOTHING)
    await setRules(open(), 3, { message: 4 * DAY_MS })
    expect((await go()).messages).toBe(ids.length)
  })

  test('the rule of a deleted queue holds for its history', async () => {
    await setRules(open(), 3, { message: DAY_MS })
    await settled(3, 2)
    await run(open(), 'UPDATE posthorn.queue SET deleted_at = now() WHERE id = 3')
    expect((await walk()()).messages).toBe(3)
  })

  test('the attempts of a message that was sent again since are not taken', async () => {
    const [id] = (await settled(1, 2)) as [number]
    const page = await readPage(open().hot, statements.findExpiredOfQueue, ['3', '-1', '500', `${DAY_MS}`, '0'])
    await open().query(REVIVE, [1, [id], ['d']])
    expect(await removeAttempts(open().hot, 1, page.over!)).toBe(0)
    await settleAs(open(), 'delivered', [id])
    expect(await removeAttempts(open().hot, 1, page.over!)).toBe(0)
    expect((await whatIsThere(open())).attempted).toEqual([id])
  })
})

describePostgres('bodies that go beside a resend', () => {
  test('are there whenever the message is live: whoever comes first', async () => {
    const { db, remove } = await openFresh('postgres', { poolSize: 6 })
    try {
      await migrate(db, silentLog)
      await startHistoryOver(db)
      const ids = await putSome(db, 60, 3)
      await settleAs(db, 'delivered', ids)
      await age(db, ids, 2)
      const resend = async (): Promise<void> => {
        for (const id of ids) await db.query(REVIVE, [1, [id], ['d']])
      }
      const removeAll = async (): Promise<void> => {
        for (const id of [...ids].reverse()) {
          const params = ['3', `${id - 1}`, '1', `${DAY_MS}`, '0']
          const { over } = await readPage(db.hot, statements.findExpiredOfQueue, params)
          await setRules(db, 3, { body: DAY_MS })
          if (over) await removeBodies(db, 1, over, RETENTION_MS)
        }
      }
      await Promise.all([resend(), removeAll()])
      const { live, settled, payloads } = await whatIsThere(db)
      expect([...live, ...settled].length).toBe(ids.length)
      expect(live.length * settled.length).toBeGreaterThan(0)
      expect(payloads).toEqual(live)
    } finally {
      await remove()
    }
  })

  test('one that a resend has taken and not committed is passed over', async () => {
    const { db, remove } = await openFresh('postgres', { poolSize: 6 })
    try {
      await migrate(db, silentLog)
      await startHistoryOver(db)
      await setRules(db, 3, { body: 0 })
      const [id] = (await putSome(db, 1, 3)) as [number]
      await settleAs(db, 'delivered', [id])
      const go = createQueueRetention(db, { retentionMs: RETENTION_MS, limit: 1000 })
      await db.transaction(async tx => {
        await tx.query(REVIVE, [1, [id], ['d']])
        expect(await go()).toEqual(NOTHING)
      })
      expect(await whatIsThere(db)).toMatchObject({ live: [id], payloads: [id] })
    } finally {
      await remove()
    }
  })
})

const TRIED = `INSERT INTO posthorn.attempt (message_id, queue_id, n, started_at, duration_ms, outcome, queue_version)
  VALUES ($1, 3, 2, now(), 5, 'r', 1)`

async function setRules(
  db: Database,
  queueId: number,
  {
    message = null,
    body = null,
    attempt = null,
  }: { message?: number | null; body?: number | null; attempt?: number | null },
): Promise<void> {
  await run(
    db,
    `UPDATE posthorn.queue SET message_retention_ms = $2, body_retention_ms = $3, attempt_retention_ms = $4 WHERE id = $1`,
    [queueId, message, body, attempt],
  )
}

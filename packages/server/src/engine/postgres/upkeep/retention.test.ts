import { beforeEach, expect, test } from 'vitest'
import { eachDatabase } from '../../../../test/databases.ts'
import { age, DAY_MS, putSome, run, settleAs, startHistoryOver, whatIsThere } from '../../../../test/history.ts'
import type { Database } from '../../../db/port.ts'
import { expireHistory, type HistoryPlace } from './retention.ts'

const RETENTION_MS = 30 * DAY_MS

eachDatabase('retention', open => {
  beforeEach(() => startHistoryOver(open()))

  test('what was settled longer ago goes with its attempts and its body; what is younger stays', async () => {
    const old = await putSome(open(), 5)
    const young = await putSome(open(), 3)
    await settleAs(open(), 'delivered', [...old, ...young])
    await age(open(), old, 40, 31)
    await age(open(), young, 40, 29)
    expect(await walk(open())).toBe(5)
    expect(await whatIsThere(open())).toEqual({ live: [], settled: young, attempted: young, payloads: young })
  })

  test('cancelled and expired ones go, dead ones are kept whole', async () => {
    const [cancelled, expired, dead] = (await putSome(open(), 3, 4)) as [number, number, number]
    await settleAs(open(), 'cancelled', [cancelled])
    await settleAs(open(), 'expired', [expired])
    await settleAs(open(), 'dead', [dead])
    await age(open(), [cancelled, expired, dead], 365)
    expect(await walk(open())).toBe(2)
    expect(await whatIsThere(open())).toEqual({ live: [], settled: [dead], attempted: [dead], payloads: [dead] })
  })

  test('nothing of what lives is touched, however old: waiting, delayed or retried', async () => {
    const ids = await putSome(open(), 3)
    await run(open(), `UPDATE posthorn.message SET due_at = now() + interval '1 year' WHERE id = $1`, [ids[1]])
    await run(open(), 'UPDATE posthorn.message SET attempts = 1 WHERE id = $1', [ids[2]])
    await run(open(), ATTEMPT, [ids[2]])
    await age(open(), ids, 400)
    expect(await walk(open())).toBe(0)
    expect(await whatIsThere(open())).toEqual({ live: ids, settled: [], attempted: [ids[2]], payloads: ids })
  })

  test('a long delayed message, done late under a low id, neither stops the walk nor goes early', async () => {
    const [late, ...others] = (await putSome(open(), 2000)) as [number, ...number[]]
    await settleAs(open(), 'delivered', [late, ...others])
    await age(open(), others, 40)
    await age(open(), [late], 40, 1)
    expect(await walk(open())).toBe(1999)
    expect((await whatIsThere(open())).settled).toEqual([late])
    await age(open(), [late], 80, 31)
    expect(await walk(open())).toBe(1)
    expect(await whatIsThere(open())).toEqual({ live: [], settled: [], attempted: [], payloads: [] })
  })

  test('a thousand dead letters at the front do not stop the walk', async () => {
    const dead = await putSome(open(), 1200, 4)
    const delivered = await putSome(open(), 10, 4)
    await settleAs(open(), 'dead', dead)
    await settleAs(open(), 'delivered', delivered)
    await age(open(), [...dead, ...delivered], 100)
    expect(await walk(open())).toBe(10)
    expect((await whatIsThere(open())).settled).toEqual(dead)
  })

  test('messages of a clock that was ahead do not stop the walk', async () => {
    const ahead = await putSome(open(), 600)
    const old = await putSome(open(), 10)
    await settleAs(open(), 'delivered', [...ahead, ...old])
    await age(open(), ahead, -300)
    await age(open(), old, 100)
    expect(await walk(open())).toBe(10)
  })

  test('a body lent to a dead letter stays as long as the dead letter lives or is kept', async () => {
    const [origin] = (await putSome(open(), 1)) as [number]
    await settleAs(open(), 'dead', [origin])
    const [forwarded] = (await whatIsThere(open())).live as [number]
    // Redriven and delivered at last: the original goes by retention, its dead letter still waits.
    await run(open(), `UPDATE posthorn.message_done SET outcome = 'd' WHERE id = $1`, [origin])
    await age(open(), [origin], 100)
    expect(await walk(open())).toBe(1)
    expect(await whatIsThere(open())).toEqual({ live: [forwarded], settled: [], attempted: [], payloads: [origin] })
    await settleAs(open(), 'delivered', [forwarded])
    expect(await walk(open())).toBe(0)
    expect((await whatIsThere(open())).payloads).toEqual([origin])
    await age(open(), [forwarded], 90)
    expect(await walk(open())).toBe(1)
    expect(await whatIsThere(open())).toEqual({ live: [], settled: [], attempted: [], payloads: [] })
  })

  test('a dead letter that goes leaves the body to the dead message that it was forwarded from', async () => {
    const [origin] = (await putSome(open(), 1)) as [number]
    await settleAs(open(), 'dead', [origin])
    const [forwarded] = (await whatIsThere(open())).live as [number]
    await settleAs(open(), 'delivered', [forwarded])
    await age(open(), [origin, forwarded], 90)
    expect(await walk(open())).toBe(1)
    expect(await whatIsThere(open())).toEqual({ live: [], settled: [origin], attempted: [origin], payloads: [origin] })
  })

  test('a message and its dead letter that go together take the body with them', async () => {
    const [origin] = (await putSome(open(), 1)) as [number]
    await settleAs(open(), 'dead', [origin])
    const [forwarded] = (await whatIsThere(open())).live as [number]
    await settleAs(open(), 'delivered', [forwarded])
    await run(open(), `UPDATE posthorn.message_done SET outcome = 'd' WHERE id = $1`, [origin])
    await age(open(), [origin, forwarded], 90)
    expect(await walk(open())).toBe(2)
    expect(await whatIsThere(open())).toEqual({ live: [], settled: [], attempted: [], payloads: [] })
  })

  test('a changed message takes both its bodies with it, the first one and the one it was changed to', async () => {
    const [id] = (await putSome(open(), 1)) as [number]
    await run(
      open(),
      `WITH p AS (INSERT INTO posthorn.payload (id, body) VALUES (nextval('posthorn.message_id'), 'new') RETURNING id)
       UPDATE posthorn.message SET payload_id = p.id FROM p WHERE message.id = $1`,
      [id],
    )
    await settleAs(open(), 'delivered', [id])
    await age(open(), [id], 90)
    expect(await walk(open())).toBe(1)
    expect((await whatIsThere(open())).payloads).toEqual([])
  })

  test('each org is walked, also behind one that has nothing to expire', async () => {
    const young = await putSome(open(), 2, 1)
    const old = await putSome(open(), 2, 4)
    await settleAs(open(), 'delivered', [...young, ...old])
    await age(open(), old, 90)
    expect(await walk(open())).toBe(2)
    expect((await whatIsThere(open())).settled).toEqual(young)
  })

  test('a walk cut into short stretches comes to the same end', async () => {
    const ids = [...(await putSome(open(), 1300)), ...(await putSome(open(), 700, 4))]
    await settleAs(open(), 'delivered', ids)
    await age(open(), ids, 90)
    expect(await walk(open(), 1)).toBe(2000)
    expect(await whatIsThere(open())).toEqual({ live: [], settled: [], attempted: [], payloads: [] })
  })

  test('spans that filled within a day are left to leave as a whole', async () => {
    const ids = await putSome(open(), 3)
    await settleAs(open(), 'delivered', ids)
    await age(open(), ids, 33)
    await run(open(), `SELECT setval('posthorn.message_id', 10000005)`)
    await run(
      open(),
      `UPDATE posthorn.span SET full_at = now() - interval '31 days', created_at = now() - interval '31 days 23 hours'
       WHERE lo = 0`,
    )
    expect(await walk(open())).toBe(0)
    await run(open(), `UPDATE posthorn.span SET created_at = now() - interval '33 days' WHERE lo = 0`)
    expect(await walk(open())).toBe(3)
  })

  test('a span that should have left long ago is walked after all', async () => {
    const ids = await putSome(open(), 3)
    await settleAs(open(), 'delivered', ids)
    await age(open(), ids, 33)
    await run(
      open(),
      `UPDATE posthorn.span SET full_at = now() - interval '31 days 2 hours', created_at = now() - interval '32 days'
       WHERE lo = 0`,
    )
    expect(await walk(open())).toBe(3)
  })
})

const ATTEMPT = `INSERT INTO posthorn.attempt (message_id, queue_id, n, started_at, duration_ms, outcome, queue_version)
  VALUES ($1, 1, 1, now(), 5, 'r', 1)`

/** One walk, in stretches of `limit`. Gives how many were removed. */
async function walk(db: Database, limit = 100_000): Promise<number> {
  let removed = 0
  let from: HistoryPlace | null = null
  do {
    const stretch = await expireHistory(db, { retentionMs: RETENTION_MS, limit, from })
    removed += stretch.removed
    from = stretch.next
  } while (from)
  return removed
}

import { beforeEach, expect, test } from 'vitest'
import { eachDatabase } from '../../../../test/databases.ts'
import { putSome, run, startHistoryOver } from '../../../../test/history.ts'
import type { Database } from '../../../db/port.ts'
import { createPostgresEngine } from '../engine.ts'
import { adoptRestored } from './restored.ts'

const FAR = 1_000_000_000_000
const ORDERED = 3

eachDatabase('adopting what was restored', open => {
  beforeEach(() => startHistoryOver(open()))

  test('without restored rows nothing is touched', async () => {
    await putSome(open(), 3)
    const before = await lines(open())
    expect(await adoptRestored(open())).toBe(false)
    expect(await lines(open())).toEqual(before)
  })

  test('afterwards no row is of a transaction to come, and sweeps find none of them again', async () => {
    const ids = [...(await putSome(open(), 5)), ...(await putSome(open(), 5, ORDERED))]
    await pretend(open(), ids, id => FAR + id)
    await run(open(), `INSERT INTO posthorn.change (xid, kind, queue_id) VALUES ('${FAR}', 'queue', 1)`)
    expect(await adoptRestored(open())).toBe(true)
    const engine = createPostgresEngine(open(), 1)
    const { snapshot } = await engine.snapshot()
    const { found, changes } = await engine.sweep(snapshot, [0], [])
    expect({ found, changes }).toEqual({ found: [], changes: [] })
    expect(await adoptRestored(open())).toBe(false)
  })

  test('an ordered queue keeps its order, also where messages were redriven, changed or put side by side', async () => {
    const ids = await putSome(open(), 40, ORDERED)
    // Two writers side by side (odd, even), then every tenth redriven: its transaction is a later one.
    await pretend(
      open(),
      ids,
      (id, nth) => FAR + Math.floor(nth / 4) * 10 + (id % 2) + (nth % 10 === 0 ? 1000 + nth : 0),
    )
    const before = (await lines(open())).get(ORDERED)
    expect(before).not.toEqual(ids)
    await adoptRestored(open())
    expect((await lines(open())).get(ORDERED)).toEqual(before)
  })

  test('many orders at once: each queue keeps its own', async () => {
    await run(open(), `UPDATE posthorn.queue SET ordered = 'key' WHERE id = 2`)
    const first = await putSome(open(), 30, ORDERED)
    const second = await putSome(open(), 30, 2)
    await pretend(open(), first, id => FAR - id)
    await pretend(open(), second, id => FAR + ((id * 7) % 13))
    const before = await lines(open())
    await adoptRestored(open())
    const after = await lines(open())
    expect(after.get(ORDERED)).toEqual(before.get(ORDERED))
    expect(after.get(2)).toEqual(before.get(2))
  })

  test('more runs than ids are used up in one go', async () => {
    const ids = await putSome(open(), 2500, ORDERED)
    await pretend(open(), ids, id => FAR - id)
    const before = (await lines(open())).get(ORDERED)
    await adoptRestored(open())
    expect((await lines(open())).get(ORDERED)).toEqual(before)
  })

  test('what was put before the dump in transactions that have passed here too stays in front, new puts go behind', async () => {
    const [passed] = await putSome(open(), 1, ORDERED)
    const restored = await putSome(open(), 3, ORDERED)
    await pretend(open(), restored, id => FAR - id)
    await adoptRestored(open())
    const [fresh] = await putSome(open(), 1, ORDERED)
    expect((await lines(open())).get(ORDERED)).toEqual([passed, ...restored.toReversed(), fresh])
  })

  test('two nodes that start at once do it once', async () => {
    const ids = await putSome(open(), 50, ORDERED)
    await pretend(open(), ids, id => FAR - id)
    const before = (await lines(open())).get(ORDERED)
    await Promise.all([adoptRestored(open()), adoptRestored(open()), adoptRestored(open())])
    expect((await lines(open())).get(ORDERED)).toEqual(before)
  })
})

/** Makes these rows those of transactions of another cluster. */
async function pretend(
  db: Database,
  ids: readonly number[],
  xidOf: (id: number, nth: number) => number,
): Promise<void> {
  await run(
    db,
    `UPDATE posthorn.message AS m SET xid = u.xid::text::xid8
     FROM unnest($1::bigint[], $2::bigint[]) AS u (id, xid) WHERE m.id = u.id`,
    [ids, ids.map(xidOf)],
  )
}

/** The ids of each queue in the order of their places. */
async function lines(db: Database): Promise<Map<number, number[]>> {
  const rows = await run<{ queue_id: number; ids: number[] }>(
    db,
    'SELECT queue_id, array_agg(id ORDER BY xid, id) AS ids FROM posthorn.message GROUP BY queue_id',
  )
  return new Map(rows.map(({ queue_id, ids }) => [queue_id, ids]))
}

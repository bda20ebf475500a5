import { beforeEach, expect, test } from 'vitest'
import { eachDatabase } from '../../../../test/databases.ts'
import { age, DAY_MS, putSome, run, settleAs, startHistoryOver, whatIsThere } from '../../../../test/history.ts'
import type { Database } from '../../../db/port.ts'
import { loadStatement } from '../../../db/statement.ts'
import { expireHistory } from './retention.ts'
import { retireSpans } from './retire.ts'
import { ensureSpans } from './spans.ts'

const RETENTION_MS = 30 * DAY_MS
const SPAN = 10_000_000
const SPANS = 10
const IN_EACH = 60
const VERDICTS = ['delivered', 'dead', 'expired', 'cancelled'] as const
const REVIVE = loadStatement(import.meta.url, '../../../queue/sql/revive_messages.sql')

eachDatabase('the law of retirement', open => {
  beforeEach(() => startHistoryOver(open()))

  test('while spans leave, every put and settle succeeds, and every message is in one place, with its body and attempts', async () => {
    const db = open()
    const ids = await fillSpans(db)
    const state = { over: false, settles: new Map<number, number>(), put: [] as number[] }
    const work = [putOn(db, state), ...[0, 1, 2].map(nth => settleOn(db, ids, nth, state)), readOn(db, ids, state)]
    let retired = 0
    while (retired < SPANS) {
      const { spans } = await retireSpans(db, { retentionMs: RETENTION_MS })
      retired += spans
      await expireHistory(db, { retentionMs: RETENTION_MS, limit: 100_000, from: null })
    }
    state.over = true
    await Promise.all(work)
    const { live, settled, payloads } = await whatIsThere(db)
    const all = [...ids, ...state.put]
    expect([...live, ...settled].filter(id => all.includes(id)).sort(ascending)).toEqual([...all].sort(ascending))
    expect(payloads.filter(id => all.includes(id))).toEqual([...all].sort(ascending))
    expect(await attemptsOf(db, ids)).toEqual(ids.map(id => state.settles.get(id) ?? 0))
  })
})

interface State {
  over: boolean
  /** How often each message was settled. */
  readonly settles: Map<number, number>
  readonly put: number[]
}

/** Messages put 60 days ago into spans that have been full for 40. */
async function fillSpans(db: Database): Promise<number[]> {
  const ids: number[] = []
  for (let nth = 1; nth <= SPANS; nth++) {
    const put = await putSome(db, IN_EACH)
    await age(db, put, 60)
    ids.push(...put)
    await run(db, `SELECT setval('posthorn.message_id', $1::bigint)`, [nth * SPAN])
    await db.exec('TRUNCATE posthorn.id_mark') // as if it had taken long, so that spans stay as small as they are
    await ensureSpans(db)
  }
  await run(db, `UPDATE posthorn.span SET full_at = now() - interval '40 days' WHERE hi <= $1`, [SPANS * SPAN])
  return ids
}

async function putOn(db: Database, state: State): Promise<void> {
  while (!state.over) state.put.push(...(await putSome(db, 5)))
}

/** Settles every third message one way or another, brings it back, and again. */
async function settleOn(db: Database, ids: readonly number[], nth: number, state: State): Promise<void> {
  const mine = ids.filter((_, index) => index % 3 === nth)
  for (let turn = 0; !state.over; turn++) {
    const some = mine.filter((_, index) => (index + turn) % 7 === 0)
    for (const id of await settleAs(db, VERDICTS[turn % VERDICTS.length]!, some))
      state.settles.set(id, (state.settles.get(id) ?? 0) + 1)
    if (turn % 3 === 2) continue
    for (const id of some) await db.query(REVIVE, [1, [id], ['d', 'x', 'c', 'e']])
  }
}

/** Whoever looks at any moment sees every message, in one place. */
async function readOn(db: Database, ids: readonly number[], state: State): Promise<void> {
  const text = `SELECT count(*) AS n, count(DISTINCT id) AS different FROM (
      SELECT id FROM posthorn.message WHERE id = ANY ($1::bigint[])
      UNION ALL SELECT id FROM posthorn.message_done WHERE id = ANY ($1::bigint[])) AS t`
  while (!state.over) {
    const [row] = await run<{ n: number; different: number }>(db, text, [ids])
    expect(row).toEqual({ n: ids.length, different: ids.length })
  }
}

async function attemptsOf(db: Database, ids: readonly number[]): Promise<number[]> {
  const text = `SELECT (SELECT count(*) FROM posthorn.attempt WHERE message_id = id) AS n
    FROM unnest($1::bigint[]) WITH ORDINALITY AS u (id, ord) ORDER BY ord`
  return (await run<{ n: number }>(db, text, [ids])).map(({ n }) => n)
}

const ascending = (a: number, b: number): number => a - b

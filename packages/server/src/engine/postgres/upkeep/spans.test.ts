import { beforeEach, expect, test } from 'vitest'
import { eachDatabase } from '../../../../test/databases.ts'
import type { Database } from '../../../db/port.ts'
import { message } from '../../fixture.suite.ts'
import { createGroupCommit } from '../../group-commit.ts'
import { createPostgresEngine } from '../engine.ts'
import { createSpanRepair, ensureSpans } from './spans.ts'

eachDatabase('spans', open => {
  beforeEach(() => startOver(open()))

  test('the first start makes three spans, each with its three partitions', async () => {
    await ensureSpans(open())
    expect(await spans(open())).toEqual([
      [0, 10_000_000],
      [10_000_000, 20_000_000],
      [20_000_000, 30_000_000],
    ])
    expect(await partitions(open())).toBe(9)
  })

  test('making sure again makes nothing more', async () => {
    await ensureSpans(open())
    await ensureSpans(open())
    expect(await partitions(open())).toBe(9)
  })

  test('many at once make them once', async () => {
    await Promise.all(Array.from({ length: 8 }, () => ensureSpans(open())))
    expect(await partitions(open())).toBe(9)
  })

  test('a partition has every index of its parent', async () => {
    await ensureSpans(open())
    const rows = await open().query<{ parent: number; child: number }>({
      name: '',
      text: `SELECT (SELECT count(*) FROM pg_index WHERE indrelid = i.inhparent) AS parent,
               (SELECT count(*) FROM pg_index x JOIN pg_inherits ii ON ii.inhrelid = x.indexrelid WHERE indrelid = i.inhrelid) AS child
             FROM pg_inherits i WHERE i.inhparent::regclass IN
               ('posthorn.payload'::regclass, 'posthorn.message_done'::regclass, 'posthorn.attempt'::regclass)`,
    })
    for (const { parent, child } of rows) expect(child).toBe(parent)
  })

  test('a span that the sequence has passed is marked full, once, and others follow', async () => {
    await ensureSpans(open())
    await jump(open(), 12_000_000)
    await ensureSpans(open())
    const [first] = await fullSpans(open())
    await ensureSpans(open())
    expect(await fullSpans(open())).toEqual([first])
    expect((await spans(open())).at(-1)![1]).toBe(54_000_000) // two more, of 12 million as in the last day
  })

  test('a put succeeds although the sequence has jumped far past all partitions', async () => {
    await ensureSpans(open())
    await jump(open(), 700_000_000_000)
    const engine = createPostgresEngine(open(), 4)
    const failures: unknown[] = []
    const commit = createGroupCommit({
      put: engine.put,
      repair: createSpanRepair(open(), reason => failures.push(reason)),
    })
    const results = await commit.putAll(Array.from({ length: 50 }, () => message({ orgId: 1 }, 1)))
    expect(failures).toEqual([])
    expect(results.map(result => result.status)).toEqual(Array(50).fill('fulfilled'))
    expect(await partitions(open())).toBe(18)
  })

  test('spans follow each other without a gap, so that an id drawn during a jump has its place', async () => {
    await ensureSpans(open())
    await jump(open(), 123_456_789)
    await ensureSpans(open())
    const all = await spans(open())
    for (const [index, [lo]] of all.entries()) if (index > 0) expect(lo).toBe(all[index - 1]![1])
    await open().query({ name: '', text: 'INSERT INTO posthorn.payload (id, body) VALUES (99999999, $1)' }, ['kept'])
  })

  test('a violated check is not taken for a missing partition', async () => {
    const repair = createSpanRepair(open(), () => {})
    expect(await repair({ sqlState: '23514', constraint: 'org_name_check' })).toBe(false)
    expect(await repair({ sqlState: '23514' })).toBe(true)
  })
})

async function startOver(db: Database): Promise<void> {
  for (const [lo] of await spans(db)) {
    await db.exec(`DROP TABLE posthorn.payload_${lo}, posthorn.message_done_${lo}, posthorn.attempt_${lo}`)
  }
  await db.exec(
    `TRUNCATE posthorn.span, posthorn.id_mark, posthorn.message; ALTER SEQUENCE posthorn.message_id RESTART`,
  )
}

async function spans(db: Database): Promise<[number, number][]> {
  const text = 'SELECT lo, hi FROM posthorn.span ORDER BY lo'
  return (await db.query<{ lo: number; hi: number }>({ name: '', text })).map(({ lo, hi }) => [lo, hi])
}

async function fullSpans(db: Database): Promise<{ lo: number; full_at: Date }[]> {
  return db.query({ name: '', text: 'SELECT lo, full_at FROM posthorn.span WHERE full_at IS NOT NULL ORDER BY lo' })
}

/** Attached partitions of all three tables, without the `_old` ones. */
async function partitions(db: Database): Promise<number> {
  const text = `SELECT count(*) AS n FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid
    WHERE c.relname ~ '_\\d+$' AND c.relkind = 'r'`
  const [row] = await db.query<{ n: number }>({ name: '', text })
  return row!.n
}

async function jump(db: Database, to: number): Promise<void> {
  await db.query({ name: '', text: `SELECT setval('posthorn.message_id', $1::bigint)` }, [to])
}

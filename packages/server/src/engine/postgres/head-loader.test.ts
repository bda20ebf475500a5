/**
 * Finding the next heads stays flat while nothing can be vacuumed: a snapshot is held open, so that every settled message
 * leaves dead entries behind for as long as the test runs. Cost is counted in pages looked at, not in time.
 * `HEAD_LOADER_ROWS` says how many messages go through; 6,000,000 are ten minutes at 10,000 a second.
 */
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { describePostgres, type Opened, openFresh } from '../../../test/databases.ts'
import { measured } from '../../../test/harness/scale.ts'
import { delivered, FIRST_DUE, type Fixture, message, own, retried, START } from '../fixture.suite.ts'
import type { DuePlace, Head, LaneRequest, Place, Snapshot, Tenure } from '../port.ts'
import { openFixture, SHARDS } from './database-fixture.suite.ts'
import { createPostgresEngine } from './engine.ts'
import { type Explained, explaining } from './explain.suite.ts'

const ROWS = Number(process.env.HEAD_LOADER_ROWS ?? 100_000)
/** One for each shard: a taking for the one is not one for the other. */
const QUEUES = SHARDS
const SHARD_IDS = Array.from({ length: SHARDS }, (_, shard) => shard)
const ROUND = 480
const RETRIED = 48
/** A few heads of each lane: what is paid for finding them is not to be lost in what is paid for reading them. */
const HEADS = 5
/** Rounds whose median is the measure, at the beginning and at the end. */
const MEASURED = 7

interface Served {
  readonly queueId: number
  readonly tenure: Tenure
  after: Place
  afterDue: DuePlace
}

describePostgres('with a snapshot held open', () => {
  let opened: Opened
  let f: Fixture
  let watch: Watch
  let snapshot: { touch(): Promise<unknown>; end(): Promise<void> }

  beforeAll(async () => {
    opened = await openFresh('postgres', { poolSize: 1 })
    f = await openFixture(opened)
    for (const table of ['message', 'change', 'shard'])
      await opened.db.exec(`ALTER TABLE posthorn.${table} SET (autovacuum_enabled = false)`)
    watch = watching(opened)
    snapshot = await holdSnapshot(opened)
  })
  afterAll(async () => {
    await snapshot?.end()
    await f?.close()
  })

  const law = `finding the next heads costs the same after ${ROWS.toLocaleString('en')} settled messages`
  test(law, { timeout: 7_200_000 }, async () => {
    const queues = await openQueues(f)
    const figures: Figures = { load: [], due: [], next: [], sweep: [], fromHead: [] }
    let since: Snapshot = (await f.engine.snapshot()).snapshot
    const rounds = Math.ceil(ROWS / ROUND)
    for (let round = 0; round < rounds; round++) {
      const isMeasured = round > 0 && (round <= MEASURED || round >= rounds - MEASURED)
      await f.engine.put(Array.from({ length: ROUND }, (_, nth) => message(f, queues[nth % QUEUES]!.queueId)))
      if (isMeasured) await measureReady(watch, queues, since, figures)
      since = (await f.engine.sweep(since, SHARD_IDS, [])).snapshot
      await settleReady(f, queues)
      if (isMeasured) await measureDue(watch, queues, figures)
      await settleDue(f, queues)
      if (round % 20 === 0) await snapshot.touch()
    }
    expect(await liveRows(opened)).toBe(0)
    const { fromHead, ...found } = figures
    for (const [name, pages] of Object.entries(found))
      expect(late(pages), `${name}: ${pages}`).toBeLessThanOrEqual(early(pages) * 2 + 10)
    // The measure does see the dead entries: who loads from the head walks over all of them.
    expect(late(fromHead), `from the head: ${fromHead}`).toBeGreaterThan(early(fromHead) * 10)
    measured('finding the next heads while nothing can be vacuumed', {
      settled: ROWS,
      'pages at first': early(figures.load),
      'pages at last': late(figures.load),
      'pages from the head at last': late(fromHead),
    })
  })
})

/** Pages looked at, round by round. */
type Figures = Record<'load' | 'due' | 'next' | 'sweep' | 'fromHead', number[]>

interface Watch {
  readonly engine: ReturnType<typeof createPostgresEngine>
  pagesOf(act: () => Promise<unknown>): Promise<number>
}

function watching({ db }: Opened): Watch {
  let pages = 0
  const told = (explained: Explained): void => {
    pages += explained.pages
  }
  return {
    engine: createPostgresEngine(explaining(db, told), SHARDS),
    async pagesOf(act) {
      pages = 0
      await act()
      return pages
    },
  }
}

async function openQueues(f: Fixture): Promise<Served[]> {
  const queues: Served[] = []
  for (let nth = 0; nth < QUEUES; nth++) {
    const queueId = await f.makeQueue()
    queues.push({ queueId, tenure: await own(f, queueId), after: START, afterDue: FIRST_DUE })
  }
  return queues
}

async function measureReady({ engine, pagesOf }: Watch, queues: readonly Served[], since: Snapshot, figures: Figures) {
  figures.sweep.push(await pagesOf(() => engine.sweep(since, SHARD_IDS, [])))
  figures.load.push(await pagesOf(() => engine.loadLanes(requests(queues, HEADS))))
  figures.fromHead.push(await pagesOf(() => engine.loadLanes(requests(queues, HEADS, START))))
}

async function measureDue({ engine, pagesOf }: Watch, queues: readonly Served[], figures: Figures) {
  figures.due.push(await pagesOf(() => engine.loadDue(dueRequests(queues, HEADS))))
  figures.next.push(await pagesOf(() => engine.nextDue(dueRequests(queues, 1))))
}

const median = (numbers: readonly number[]): number => [...numbers].sort((a, b) => a - b)[numbers.length >> 1]!
const early = (pages: readonly number[]): number => median(pages.slice(0, MEASURED))
const late = (pages: readonly number[]): number => median(pages.slice(-MEASURED))

const requests = (queues: readonly Served[], limit: number, after?: Place): LaneRequest[] =>
  queues.map(queue => ({ queueId: queue.queueId, lane: 0, after: after ?? queue.after, limit }))

const dueRequests = (queues: readonly Served[], limit: number) =>
  queues.map(({ queueId, afterDue }) => ({ queueId, slice: 0, after: afterDue, limit }))

/** Loads what is ready from the cursors on, and settles it: most are delivered, some are to be retried at once. */
async function settleReady(f: Fixture, queues: readonly Served[]): Promise<void> {
  const heads = await f.engine.loadLanes(requests(queues, ROUND))
  const at = (await f.now()) - 1
  const batch = heads.map((head, nth) => {
    const queue = served(queues, head)
    queue.after = head
    return nth % (ROUND / RETRIED) === 0 ? retried(head, queue.tenure, at) : delivered(head, queue.tenure)
  })
  expect(heads).toHaveLength(ROUND)
  await f.engine.settle(batch, false)
}

async function settleDue(f: Fixture, queues: readonly Served[]): Promise<void> {
  const heads = await f.engine.loadDue(dueRequests(queues, ROUND))
  const batch = heads.map(head => {
    const queue = served(queues, head)
    queue.afterDue = { dueAt: head.dueAt!, id: head.id }
    return delivered(head, queue.tenure)
  })
  await f.engine.settle(batch, false)
}

const served = (queues: readonly Served[], head: Head): Served => queues.find(one => one.queueId === head.queueId)!

async function liveRows({ db }: Opened): Promise<number> {
  const [row] = await db.rows({ name: '', text: 'SELECT count(*) FROM posthorn.message' })
  return Number(row![0])
}

/** A transaction that has looked once and stays: what is deleted from then on must be kept for it. */
async function holdSnapshot({ options }: Opened) {
  const client = new pg.Client({ connectionString: options.url })
  await client.connect()
  await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ')
  await client.query('SELECT count(*) FROM posthorn.message')
  return { touch: () => client.query('SELECT'), end: () => client.end() }
}

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type DatabaseKind, describePostgres, type Opened, openFresh } from '../../../test/databases.ts'
import { addOrg } from '../../../test/queue-room.ts'
import { migrate } from '../../db/migrate.ts'
import { silentLog } from '../../log.ts'
import { openInstallation } from '../../tenant/installation.ts'
import { dead, delivered, FIRST_DUE, message, retried, START } from '../fixture.suite.ts'
import type { PullEngine, PushEngine, Settlement } from '../port.ts'
import { ask, makeQueue } from './database-fixture.suite.ts'
import { createPostgresEngine } from './engine.ts'
import { type Explained, explaining } from './explain.suite.ts'

const SHARDS = 8
const ROWS = 40_000
const QUEUES = 100
/** Partitions of each table, a few of them in use, as after months with a long retention. */
const SPANS = 30
const SPAN_IDS = 16_000
/** Of the live messages, when a vacuum came: on the server both sorts that it led to, on the embedded database one of them. */
const LEFT = { postgres: [6, 50], embedded: [50] } as const
/** Messages that a node put since its last sweep, and transactions by which it did. */
const OWN = 1000

interface Subject {
  readonly opened: Opened
  readonly engine: PushEngine & PullEngine
  readonly orgId: number
  /** By how they are ordered. */
  readonly queues: Readonly<Record<'none' | 'queue' | 'key', number>>
  readonly seen: Explained[]
}

/** Takes what every statement of one call did. */
async function watch(subject: Subject, act: () => Promise<unknown>): Promise<Explained[]> {
  subject.seen.length = 0
  await act()
  return [...subject.seen]
}

async function open(kind: DatabaseKind): Promise<Subject> {
  const opened = await openFresh(kind, { poolSize: 1 })
  const { db } = opened
  await migrate(db, silentLog)
  await openInstallation(db, { shardCount: SHARDS })
  for (const table of ['payload', 'message_done', 'attempt'])
    for (let nth = 0; nth < SPANS; nth++) {
      const range = `FROM (${nth * SPAN_IDS}) TO (${(nth + 1) * SPAN_IDS})`
      await db.exec(`CREATE TABLE posthorn.${table}_${nth} PARTITION OF posthorn.${table} FOR VALUES ${range}`)
    }
  const orgId = await addOrg(db, 'plans')
  const queues = {
    none: await makeQueue(db, orgId),
    queue: await makeQueue(db, orgId, 'queue'),
    key: await makeQueue(db, orgId, 'key'),
  }
  for (let nth = 3; nth < QUEUES; nth++) await makeQueue(db, orgId)
  const seen: Explained[] = []
  const engine = createPostgresEngine(
    explaining(db, explained => void seen.push(explained)),
    SHARDS,
  )
  return { opened, engine, orgId, queues, seen }
}

/** Live messages of every kind, and a history of as many. */
async function fill(subject: Subject): Promise<void> {
  const { db } = subject.opened
  const first = subject.queues.none
  await fillLive(subject)
  await db.exec(
    `INSERT INTO posthorn.payload (id, body) SELECT n, 'x' FROM generate_series(1, ${ROWS}) AS n ON CONFLICT DO NOTHING`,
  )
  await db.exec(
    `INSERT INTO posthorn.attempt (message_id, queue_id, n, started_at, duration_ms, outcome, queue_version)
     SELECT n, ${first}, 1, now(), 1, 'd', 1 FROM generate_series(1, ${ROWS - 1}) AS n`,
  )
  await db.exec(
    `INSERT INTO posthorn.change (kind, queue_id) SELECT 'queue', ${first} + n % ${QUEUES} FROM generate_series(1, ${ROWS}) AS n`,
  )
}

async function fillLive({ opened: { db }, orgId, queues }: Subject): Promise<void> {
  const kinds = [
    ['ready', 'NULL, NULL, n % 2, NULL'],
    ['delayed', "now() + (n - 500) * interval '1 s', NULL, 0, NULL"],
    ['keyed', `NULL, 'k' || n % 1000, 0, now() + n * interval '1 s'`],
  ] as const
  for (const [, columns] of kinds)
    await ask(
      db,
      `INSERT INTO posthorn.message (org_id, queue_id, id, payload_id, due_at, key, lane, expires_at)
       SELECT $1::int, $2::int + n % ${QUEUES}, nextval('posthorn.message_id'), n, ${columns}
       FROM generate_series(1, ${ROWS - 1}) AS n`,
      [orgId, queues.none],
    )
}

/** Every call of the hot path, and for each of its statements the one way to the messages that it may take. */
const CALLS: readonly {
  readonly call: string
  readonly run: (subject: Subject) => Promise<unknown>
  readonly by: Readonly<Record<string, readonly string[]>>
  /** How many rows it may look at: some for each that it is asked for. Everything would be hundreds of thousands. */
  readonly rows: number
  /** What stands in its plan, where the ways to its tables are not all that matters. */
  readonly says?: RegExp
}[] = [
  {
    call: 'snapshot',
    run: ({ engine }) => engine.snapshot(),
    by: { snapshot: [] },
    rows: 10,
  },
  {
    call: 'sweep',
    run: async ({ engine, orgId, queues }) => {
      const { snapshot } = await engine.snapshot()
      await engine.put(Array.from({ length: 10 }, () => message({ orgId }, queues.none)))
      await engine.sweep({ ...snapshot, xip: [snapshot.xmin] }, [0, 1, 2], [5])
    },
    by: { snapshot: [], put_plain: [], sweep: ['message_xid'] },
    rows: 50,
  },
  {
    call: 'sweep past many of its own transactions',
    run: async ({ engine, orgId, queues }) => {
      const { snapshot } = await engine.snapshot()
      await engine.put(Array.from({ length: OWN }, () => message({ orgId }, queues.none)))
      const own = Array.from({ length: OWN }, (_, nth) => snapshot.xmax + nth)
      await engine.sweep(snapshot, [0, 1, 2], own)
    },
    by: { snapshot: [], put_plain: [], sweep: ['message_xid'] },
    rows: 4 * OWN,
    says: /hashed SubPlan/,
  },
  {
    call: 'findWork',
    run: ({ engine }) => engine.findWork([0, 1, 2, 3, 4, 5, 6, 7]),
    by: { find_lanes: ['message_lane'], find_due: ['message_due'], find_pinned: ['message_pinned'] },
    rows: 500,
  },
  {
    call: 'loadLanes',
    run: ({ engine, queues }) =>
      engine.loadLanes([0, 1, 2, 3].map(nth => ({ queueId: queues.none + nth, lane: 0, after: START, limit: 100 }))),
    by: { load_lanes: ['message_lane'] },
    rows: 1000,
  },
  {
    call: 'loadDue',
    run: ({ engine, queues }) =>
      engine.loadDue([0, 1].map(nth => ({ queueId: queues.none + nth, slice: 0, after: FIRST_DUE, limit: 100 }))),
    by: { load_due: ['message_due'] },
    rows: 400,
  },
  {
    call: 'nextDue',
    run: ({ engine, queues }) =>
      engine.nextDue(
        [0, 1].map(nth => ({ queueId: queues.none + nth, slice: 0, after: { dueAt: Date.now(), id: 0 }, limit: 1 })),
      ),
    by: { next_due: ['message_due'] },
    rows: 10,
  },
  {
    call: 'loadDue of a slice, past all that is due in others',
    run: ({ engine, queues }) => engine.loadDue([{ queueId: queues.none, slice: 1, after: FIRST_DUE, limit: 100 }]),
    by: { load_due: ['message_due'] },
    rows: 1100,
  },
  {
    call: 'fold',
    run: ({ engine, queues }) => {
      const tenure = { shard: 0, epoch: 0 }
      return engine.fold({ queueId: queues.none, slice: 1, spread: 1, after: FIRST_DUE, limit: 10, tenure })
    },
    by: { fold: ['message_due', 'message_lane', 'message_pkey'] },
    rows: 1100,
  },
  {
    call: 'loadKeys',
    run: ({ engine, queues }) => engine.loadKeys([{ queueId: queues.none, key: 'k0', after: START, limit: 100 }]),
    by: { load_keys: ['message_key'] },
    rows: 300,
  },
  {
    call: 'loadPinned',
    run: ({ engine, queues }) => engine.loadPinned([queues.queue]),
    by: { load_pinned: ['message_pinned'] },
    rows: 100,
  },
  {
    call: 'loadExpired',
    run: ({ engine }) => engine.loadExpired([0], 100),
    by: { load_expired: ['message_expiry'] },
    rows: 50,
  },
  {
    call: 'pin',
    run: ({ engine, orgId, queues }) => engine.pin(orgId, queues.queue, [1, 2, 3], { shard: 1, epoch: 0 }),
    by: { pin: ['message_pkey'] },
    rows: 20,
  },
  {
    call: 'promote',
    run: ({ engine, queues }) => engine.promote([queues.queue, queues.key], 10),
    by: { promote: ['message_due', 'message_lane', 'message_pkey'] },
    rows: 100,
  },
  {
    call: 'settle, all delivered',
    run: subject => settleSome(subject, false),
    by: { settle_delivered: ['message_pkey'] },
    rows: 300,
  },
  { call: 'settle', run: subject => settleSome(subject, true), by: { settle: ['message_pkey'] }, rows: 300 },
  {
    call: 'settle again',
    run: subject => settleSome(subject, false, true),
    by: { await_settles: [], find_recorded: [], settle_delivered: ['message_pkey'] },
    rows: 300,
  },
  {
    call: 'claim',
    run: ({ engine, queues }) => engine.claim(queues.none, 10, 1000),
    by: { ordering_of: [], claim: ['message_due', 'message_lane', 'message_pkey'] },
    rows: 100,
  },
  {
    call: 'acknowledge',
    run: ({ engine, queues }) => engine.acknowledge(queues.none, HELD),
    by: { acknowledge: ['message_pkey'] },
    rows: 10,
  },
  {
    call: 'reject',
    run: async ({ engine, queues }) => {
      await engine.reject(queues.none, HELD, { at: 0 })
      await engine.reject(queues.none, HELD, { dead: 'x', deadLetterQueueId: null, notices: null })
    },
    by: { reject_later: ['message_pkey'], reject_dead: ['message_pkey'] },
    rows: 10,
  },
  {
    call: 'extend',
    run: ({ engine, queues }) => engine.extend(queues.none, HELD, 1000),
    by: { extend: ['message_pkey'] },
    rows: 10,
  },
  {
    call: 'claim of an ordered queue',
    run: ({ engine, queues }) => engine.claim(queues.key, 10, 1000),
    by: {
      ordering_of: [],
      lock_queue: [],
      promote: ['message_due', 'message_lane', 'message_pkey'],
      claim_ordered: ['message_lane', 'message_pinned', 'message_pkey'],
    },
    rows: 2500,
  },
]

const HELD = [{ id: 1, claim: '00000000-0000-4000-8000-000000000000' }]

async function settleSome({ engine, orgId, queues }: Subject, mixed: boolean, again = false): Promise<void> {
  const tenure = { shard: queues.none % SHARDS, epoch: 0 }
  const batch: Settlement[] = Array.from({ length: 100 }, (_, nth) => {
    const head = { orgId, queueId: queues.none, id: 1 + nth * QUEUES, attempts: 0 }
    if (!mixed || nth % 3 === 0) return delivered(head, tenure)
    return nth % 3 === 1 ? retried(head, tenure, Date.now() + 1e6) : dead(head, tenure, null)
  })
  await engine.settle(batch, again)
}

/** A vacuum has plans made anew, by what it found: of an index that was large and is nearly empty, every page seems worth reading. */
async function planAnew(subject: Subject, left: number): Promise<void> {
  const { db } = subject.opened
  await db.exec(`DELETE FROM posthorn.message WHERE id % ${(3 * ROWS) / left} <> 0`)
  await db.exec('VACUUM posthorn.message')
  for (const pool of [db, db.hot]) await pool.exec('DISCARD PLANS')
  for (const { run } of CALLS) await run(subject)
  await fillLive(subject)
}

describePostgres('plans', () => plansOf('postgres'))
describe('plans of the embedded database', () => plansOf('embedded'))

function plansOf(kind: DatabaseKind): void {
  let subject: Subject
  beforeAll(async () => {
    subject = await open(kind)
    // Plans are made while there is nothing, which is the worst time, and kept.
    for (const { run } of CALLS) await run(subject)
    await subject.opened.db.exec('ANALYZE')
    for (const { run } of CALLS) await run(subject)
    await fill(subject)
  }, 120_000)
  afterAll(() => subject?.opened.remove())

  const states = {
    'planned while the tables were empty': async () => {},
    'with statistics of the full tables': async () => subject.opened.db.exec('ANALYZE'),
    ...Object.fromEntries(
      LEFT[kind].map(left => [`planned when all but ${left} had been delivered`, () => planAnew(subject, left)]),
    ),
  }
  describe.each(Object.entries(states))('%s', (_, prepare) => {
    beforeAll(prepare)
    test.each(CALLS)('$call goes by its indexes', async ({ run, by, rows, says = /^/ }) => {
      const explained = await watch(subject, () => run(subject))
      expect(explained.map(({ statement }) => statement)).toEqual(Object.keys(by))
      for (const { statement, plan, scans, visited, mostHeld } of explained) {
        const said = `${statement}\n${plan}`
        const walked = scans.filter(({ loops }) => loops > 0)
        const ways = new Set(walked.filter(({ table }) => table === 'message').map(scan => scan.by))
        expect(
          [...ways].filter(way => !by[statement]!.includes(way)),
          said,
        ).toEqual([])
        expect(
          walked.filter(scan => scan.table !== 'queue' && /Seq Scan/.test(scan.by)),
          said,
        ).toEqual([])
        expect(visited, said).toBeLessThanOrEqual(rows)
        expect(mostHeld, said).toBeLessThanOrEqual(rows)
      }
      expect(explained.at(-1)!.plan).toMatch(says)
    })
  })
}

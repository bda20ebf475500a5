import { expect, test } from 'vitest'
import { headOf } from '../../test/run-room.ts'
import { next } from '../deliver/next.ts'
import type { QueueConfig } from '../queue/book.ts'
import { FaultError, faultOf } from '../services/faults.ts'
import type { Outcome, Service } from '../services/port.ts'
import type { Assignment } from './assignments.ts'
import { type Task, Worker, type WorkerMeans } from './worker.ts'

const delivered: Outcome = { kind: 'delivered', reference: 'r', remark: null }
const failed = (code: Parameters<typeof faultOf>[0], more = {}): Outcome => ({
  kind: 'retry',
  fault: faultOf(code, `it is ${code}`, more),
})

const route = {
  id: 1,
  orgId: 1,
  version: 1,
  isPaused: false,
  ordered: 'none',
  maxRetries: 2,
  backoff: { startMs: 1000, factor: 1, maxMs: 1000, jitter: 0 },
  deadLetterQueueId: null,
  startedAt: 1,
} as QueueConfig

/** A worker before a service that takes ten at a time and does what the test says. */
class Room {
  readonly batches: number[][] = []
  readonly ends = new Map<number, { what: string; restMs: number | undefined; reason?: string }>()
  readonly notes: { inFlight: number; error: string | null }[] = []
  assignment: Assignment | null = {
    orgId: 1,
    orgName: 'acme',
    emailFrom: null,
    lender: null,
    service: { id: 1, org_id: 1, name: 'fake', host: null, username: null, password: null, path: null, version: 1 },
  }
  route: QueueConfig | null = route
  restMs = 0
  /** Why the service cannot be opened. */
  unopened: Error | null = null
  deliver: (ids: number[]) => Promise<Outcome[]> = async ids => ids.map(() => delivered)
  readonly #worker: Worker

  constructor() {
    const service = {
      type: { name: 'fake', title: 'Fake', batch: 10 },
      restMs: () => this.restMs,
    } as unknown as Service
    const means: WorkerMeans = {
      next,
      random: () => 0,
      routeOf: async () => this.route,
      assignmentOf: async () => this.assignment,
      use: async (_, __, use) => {
        if (this.unopened) throw this.unopened
        return use(service)
      },
      deliver: (_, __, tasks) => {
        const ids = tasks.map(({ head }) => head.id)
        this.batches.push(ids)
        return this.deliver(ids)
      },
      monotonic: () => 0,
      noted: (_, inFlight, error) => void this.notes.push({ inFlight, error }),
      failed: () => {},
    }
    this.#worker = new Worker('email', means)
  }

  add(from: number, count: number, nth = 1, given = route): void {
    for (let id = from; id < from + count; id++) {
      const head = headOf(id)
      const done: Task['done'] = (report, decide, restMs) => {
        expect(this.ends.has(id), 'ends once').toBe(false)
        const { verdict } = decide(0)
        const reason = 'reason' in verdict ? { reason: verdict.reason } : {}
        this.ends.set(id, { what: report === null ? 'given back' : verdict.kind, restMs, ...reason })
      }
      this.#worker.add({ route: given, head, nth, done })
    }
  }

  counts(): Record<string, number> {
    const counts: Record<string, number> = {}
    for (const { what } of this.ends.values()) counts[what] = (counts[what] ?? 0) + 1
    return counts
  }
}

const settled = async (): Promise<void> => {
  for (let i = 0; i < 20; i++) await new Promise(resolve => setImmediate(resolve))
}

test('what is started together is sent together, in batches as the service takes them', async () => {
  const room = new Room()
  room.add(1, 25)
  await settled()
  expect(room.batches.map(({ length }) => length)).toEqual([10, 10, 5])
  expect(room.counts()).toEqual({ delivered: 25 })
  expect(room.notes.at(-1)).toEqual({ inFlight: 0, error: null })
})

test('batches that are ready do not wait for one another, up to four at a time', async () => {
  const room = new Room()
  const ends: (() => void)[] = []
  room.deliver = ids => new Promise<Outcome[]>(resolve => void ends.push(() => resolve(ids.map(() => delivered))))
  room.add(1, 65)
  await settled()
  expect(room.batches.map(({ length }) => length)).toEqual([10, 10, 10, 10])
  while (ends.length > 0) {
    ends.shift()!()
    await settled()
  }
  expect(room.counts()).toEqual({ delivered: 65 })
})

test('of a batch that fails in part each message has its own end', async () => {
  const room = new Room()
  room.deliver = async ids =>
    ids.map(id =>
      id === 2 ? failed('deferred') : id === 3 ? { kind: 'dead', fault: faultOf('rejected', 'no') } : delivered,
    )
  room.add(1, 4)
  await settled()
  expect(room.counts()).toEqual({ delivered: 2, retry: 1, dead: 1 })
  expect(room.ends.get(3)).toMatchObject({ what: 'dead', reason: 'Fake: no' })
  expect(room.notes.at(-1)!.error).toBe('Fake: no')
})

test('a message dies when its retries are used up, but not of trouble that others must end', async () => {
  const room = new Room()
  room.deliver = async ids => ids.map(id => failed(id === 1 ? 'unavailable' : 'unauthorized'))
  room.add(1, 2, 3)
  await settled()
  expect(room.ends.get(1)!.what).toBe('dead')
  expect(room.ends.get(2)!.what).toBe('retry')
})

test('what a throttling service asked for holds the queue, for a minute at most at a time', async () => {
  const room = new Room()
  room.deliver = async ids => ids.map(id => failed('throttled', { retryAfterMs: id * 50_000 }))
  room.add(1, 2)
  await settled()
  expect([room.ends.get(1)!.restMs, room.ends.get(2)!.restMs]).toEqual([50_000, 60_000])
  room.restMs = 7_000
  room.add(3, 2)
  await settled()
  expect(room.batches).toHaveLength(1)
  expect(room.ends.get(3)).toMatchObject({ what: 'given back', restMs: 7_000 })
})

test.each<[string, Partial<Room>]>([
  ['changed', { route: { ...route, version: 2 } }],
  ['paused', { route: { ...route, isPaused: true } }],
  ['deleted', { route: null }],
  ['detached', { assignment: null }],
])('nothing is sent, and all is given back, once the queue is %s', async (_, change) => {
  const room = new Room()
  room.add(1, 15)
  Object.assign(room, change)
  await settled()
  expect(room.batches).toEqual([])
  expect(room.counts()).toEqual({ 'given back': 15 })
})

test('what waits behind a batch that is under way is not sent if the queue is detached meanwhile', async () => {
  const room = new Room()
  const ends: (() => void)[] = []
  room.deliver = ids => new Promise<Outcome[]>(resolve => void ends.push(() => resolve(ids.map(() => delivered))))
  room.add(1, 10)
  await settled()
  room.route = { ...route, isPaused: true }
  room.add(11, 10)
  await settled()
  for (const end of ends) end()
  await settled()
  expect(room.batches).toHaveLength(1)
  expect(room.counts()).toEqual({ delivered: 10, 'given back': 10 })
})

test('SYSTEM that stands for nothing says so, and kills nothing', async () => {
  const room = new Room()
  room.assignment = { ...room.assignment!, lender: { name: 'house', emailFrom: null }, service: null }
  room.add(1, 3, 9)
  await settled()
  expect(room.counts()).toEqual({ retry: 3 })
  expect(room.notes.at(-1)!.error).toBe('SYSTEM: org house, whose backend SYSTEM stands for, has none for email')
})

test('what fails here is given back: nothing is lost and nothing counts', async () => {
  const room = new Room()
  room.deliver = async () => {
    throw new Error('the database is away')
  }
  room.add(1, 12)
  await settled()
  expect(room.counts()).toEqual({ 'given back': 12 })
  expect(room.notes.at(-1)).toEqual({ inFlight: 0, error: expect.stringContaining('its log says what') })
})

test('a service that cannot be opened says why, at the pace of retries, and kills nothing', async () => {
  const room = new Room()
  room.unopened = new FaultError(faultOf('misconfigured', 'its password cannot be opened'))
  room.add(1, 60, 9)
  await settled()
  expect(room.counts()).toEqual({ retry: 60 })
  expect(room.notes.at(-1)).toEqual({ inFlight: 0, error: 'fake: its password cannot be opened' })
})

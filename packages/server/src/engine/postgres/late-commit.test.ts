import { afterAll, beforeAll, expect, test } from 'vitest'
import { describePostgres, openFresh } from '../../../test/databases.ts'
import { measured } from '../../../test/harness/scale.ts'
import { systemClock } from '../../clock.ts'
import { silentLog } from '../../log.ts'
import { WorkingNode } from '../../run/node.ts'
import { type Delivery, defaultLimits, type Report, type Route, silentHappenings, silentMeter } from '../../run/port.ts'
import { type Fixture, idsOf, message, type OpenTransaction } from '../fixture.suite.ts'
import type { Head, NewMessage } from '../port.ts'
import { openFixture } from './database-fixture.suite.ts'

/** How late the transaction commits. `LATE_COMMIT_MS=60000` for the full minute. */
const LATE_MS = Number(process.env.LATE_COMMIT_MS ?? 2500)
/** While an older transaction runs, each message of an ordered line has its place fixed by hand, which takes its time. */
const NEWER = { none: 3000, queue: 300, key: 300 }
const PATIENCE_MS = 20_000

const DELIVERED: Report = {
  outcome: 'delivered',
  status: 204,
  errorCode: null,
  error: null,
  excerpt: null,
  durationMs: 1,
  timedOut: false,
}

/** A receiver that takes everything, and what it has got, in order. */
class Receiver implements Delivery<Route> {
  readonly got: Head[] = []
  #looks: { readonly until: () => boolean; readonly resolve: () => void }[] = []

  attempt(_route: Route, head: Head, _nth: number, done: Parameters<Delivery<Route>['attempt']>[3]): void {
    setImmediate(() => {
      this.got.push({ ...head })
      done(DELIVERED, () => ({ verdict: { kind: 'delivered' }, pause: null }))
      for (const look of this.#looks) if (look.until()) look.resolve()
    })
  }

  async untilGot(count: number): Promise<void> {
    const until = (): boolean => this.got.length >= count
    if (until()) return
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${this.got.length} of ${count} arrived`)), PATIENCE_MS)
      const arrived = (): void => {
        clearTimeout(timer)
        resolve()
      }
      this.#looks.push({ until, resolve: arrived })
    })
  }
}

describePostgres('a put that commits late, behind newer ones', () => {
  let f: Fixture
  beforeAll(async () => {
    f = await openFixture(await openFresh('postgres'))
  })
  afterAll(() => f?.close())

  test.each(['none', 'queue', 'key'] as const)(
    `is delivered, once, though the newer ones have been for long (order: %s, ${LATE_MS} ms late)`,
    { timeout: LATE_MS + 60_000 },
    async ordered => {
      const queueId = await f.makeQueue(ordered)
      const receiver = new Receiver()
      const sweeps = { count: 0 }
      const node = openNode(f, queueId, ordered, receiver, sweeps)
      await node.start()
      try {
        const late = await f.begin()
        const [held] = await late.engine.put([newMessage(f, queueId, 'late')])
        const newer = NEWER[ordered]
        await putNewer(f, node, queueId, newer)
        await receiver.untilGot(newer)
        await stayLate(late, sweeps)
        expect(receiver.got).toHaveLength(newer)

        await late.commit()
        const committed = performance.now()
        await receiver.untilGot(newer + 1)
        const afterMs = Math.round(performance.now() - committed)
        measured(`a put that commits late (order: ${ordered})`, {
          'late by ms': LATE_MS,
          'delivered after ms': afterMs,
        })
        expect(receiver.got.at(-1)).toMatchObject({ id: held!.id, body: 'late' })
        expect(new Set(idsOf(receiver.got)).size).toBe(newer + 1)
      } finally {
        await node.stop(5000)
      }
      expect(receiver.got).toHaveLength(NEWER[ordered] + 1)
      expect(await f.engine.findWork([queueId % f.engine.shardCount])).toEqual([])
      expect(await f.history(receiver.got.at(-1)!.id)).toMatchObject({ outcome: 'delivered', attempts: 1 })
    },
  )
})

const newMessage = (f: Fixture, queueId: number, body: string): NewMessage =>
  message(f, queueId, { body, key: `k${body.length % 3}` })

/** Half of them by the node itself, which hands them over in memory, half as another node would. */
async function putNewer(f: Fixture, node: WorkingNode<Route>, queueId: number, count: number) {
  for (let nth = 0; nth < count; nth += 100) {
    const messages = Array.from({ length: 100 }, (_, more) => newMessage(f, queueId, `newer ${nth + more}`))
    if (nth % 200 === 0) await node.put(messages)
    else {
      await f.engine.put(messages)
      node.heard([queueId % f.engine.shardCount])
    }
  }
}

/** Until it is late enough, and sweeps have gone by that knew of the transaction. Its session must not look idle. */
async function stayLate(late: OpenTransaction, sweeps: { readonly count: number }): Promise<void> {
  const until = performance.now() + LATE_MS
  const swept = sweeps.count + 2
  while (performance.now() < until || sweeps.count < swept) {
    await late.engine.snapshot()
    await new Promise(resolve => setTimeout(resolve, 50))
  }
}

function openNode(
  f: Fixture,
  queueId: number,
  ordered: Route['ordered'],
  delivery: Receiver,
  sweeps: { count: number },
): WorkingNode<Route> {
  const route: Route = {
    id: queueId,
    orgId: f.orgId,
    orgWeight: 10,
    version: 1,
    callbackUrl: 'http://receiver/',
    function: null,
    ordered,
    concurrency: 50,
    rateLimit: null,
    circuitBreaker: null,
    weight: 10,
    spread: 1,
    deadLetterQueueId: null,
    isPaused: false,
  }
  return new WorkingNode<Route>({
    id: 'node',
    engine: f.engine,
    locks: f.locks,
    routes: { get: id => (id === queueId ? route : null), load: async () => {}, forget() {} },
    delivery,
    clock: systemClock,
    log: silentLog,
    meter: { ...silentMeter, swept: () => sweeps.count++ },
    happenings: silentHappenings,
    limits: defaultLimits,
    random: Math.random,
    ownershipTimeoutMs: 3000,
    pollMs: 800,
    pauseQueue: async () => {},
    announce() {},
    led() {},
  })
}

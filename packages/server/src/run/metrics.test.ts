import { expect, test } from 'vitest'
import { headOf, reportOf } from '../../test/run-room.ts'
import { meterEngine } from './metered-engine.ts'
import { METRICS, type Metric } from './metric-list.ts'
import { createMetrics } from './metrics.ts'
import { QueueCounts } from './queue-counts.ts'

const GAUGES = {
  shards: 64,
  active_queues: 3,
  attempts_in_flight: 2,
  sockets: 5,
  unsettled: 1,
  known_messages: 4,
  buffer_bytes: 1000,
  waiting_puts: 0,
  open_circuits: 0,
  workers: 1,
  leader: 1,
}

function open(queues = 10, now = () => 5000, waits = new Map<number, number>()) {
  const nameOf = (id: number) => (id === 9 ? undefined : `say "${id}"\n`)
  const metrics = createMetrics({ gauges: () => GAUGES, waits: () => waits, queues, nameOf, now, monotonic: () => 0 })
  const lines = async () => (await metrics.render()).body.split('\n')
  const value = async (series: string) => {
    const found = (await lines()).find(line => line.startsWith(`posthorn_${series} `))
    return found === undefined ? null : Number(found.slice(found.lastIndexOf(' ')))
  }
  return { metrics, lines, value }
}

/** Reads the text as Prometheus does, and refuses what it would. */
function parse(text: readonly string[]) {
  const types = new Map<string, string>()
  for (const line of text) {
    const [, name, type] = /^# TYPE (\S+) (\S+)$/.exec(line) ?? []
    if (name) {
      expect(types.has(name), `${name} twice`).toBe(false)
      types.set(name, type!)
    } else if (line !== '' && !line.startsWith('# HELP ')) {
      const sample =
        /^([a-zA-Z_][a-zA-Z0-9_]*)(\{([a-z_]+="(?:[^"\\\n]|\\[\\n"])*")(,[a-z_]+="(?:[^"\\\n]|\\[\\n"])*")*\})? [-+0-9.e]+$/.exec(
          line,
        )
      expect(sample, line).not.toBe(null)
      const base = sample![1]!.replace(/_(bucket|sum|count)$/, '')
      expect(types.has(sample![1]!) || types.get(base) === 'histogram', line).toBe(true)
    }
  }
  return types
}

test('what is told can be read, and is all that is declared', async () => {
  const { metrics, lines } = open()
  metrics.meter.attempted(headOf(1, { queueId: 7, storedAt: 4000 }), reportOf('failed'), 4200)
  metrics.engine.acted('load', 3, 20)
  const types = parse(await lines())
  expect([...types]).toEqual(
    Object.entries(METRICS).map(([name, { kind }]: [string, Metric]) => [`posthorn_${name}`, kind]),
  )
})

test('attempts are counted by outcome, and by queue', async () => {
  const { metrics, value } = open()
  for (const outcome of ['delivered', 'delivered', 'failed'] as const)
    metrics.meter.attempted(headOf(1, { queueId: 7 }), reportOf(outcome, { durationMs: 30 }), 0)
  metrics.meter.attempted(headOf(2, { queueId: 9 }), reportOf('gone', { durationMs: 2000 }), 0)
  expect(await value('attempts_total{outcome="delivered"}')).toBe(2)
  expect(await value('attempts_total{outcome="failed"}')).toBe(1)
  expect(await value('queue_attempts_total{queue="7",name="say \\"7\\"\\n",outcome="delivered"}')).toBe(2)
  expect(await value('queue_attempts_total{queue="9",name="",outcome="gone"}')).toBe(1)
  expect(await value('attempt_duration_seconds_bucket{le="0.025"}')).toBe(0)
  expect(await value('attempt_duration_seconds_bucket{le="0.05"}')).toBe(3)
  expect(await value('attempt_duration_seconds_bucket{le="+Inf"}')).toBe(4)
  expect(await value('attempt_duration_seconds_sum')).toBeCloseTo(2.09)
})

test('how long a queue lags is told of those that have series, and of the others the longest', async () => {
  const waits = new Map([
    [7, 1500],
    [8, 200],
    [9, 3000],
  ])
  const { metrics, value } = open(1, undefined, waits)
  metrics.meter.attempted(headOf(1, { queueId: 7 }), reportOf('failed'), 0)
  expect(await value('queue_lag_seconds{queue="7",name="say \\"7\\"\\n"}')).toBe(1.5)
  expect(await value('queue_lag_seconds{queue="other",name=""}')).toBe(3)
  waits.clear()
  expect(await value('queue_lag_seconds{queue="7",name="say \\"7\\"\\n"}')).toBe(0)
  expect(await value('queue_lag_seconds{queue="other",name=""}')).toBe(0)
})

test('how long messages wait and take is told of those that were handed over, and of deliveries alone', async () => {
  const { metrics, value } = open()
  const head = headOf(1, { storedAt: 4000 })
  metrics.meter.attempted(head, reportOf('delivered'), 4200)
  metrics.meter.attempted(headOf(2), reportOf('delivered'), 4200)
  metrics.meter.settled([
    { head, verdict: { kind: 'delivered' } },
    { head: headOf(2), verdict: { kind: 'delivered' } },
    { head, verdict: { kind: 'retry', at: 9000, inPlace: false } },
  ])
  expect([await value('wait_seconds_count'), await value('wait_seconds_sum')]).toEqual([1, 0.2])
  expect([await value('delivery_seconds_count'), await value('delivery_seconds_sum')]).toEqual([1, 1])
  expect([await value('settled_total'), metrics.settledHere()]).toEqual([3, 3])
})

test('each act of the engine is timed and counted, also when it fails', async () => {
  const { metrics, value } = open()
  let time = 0
  const failing = {
    put: async () => Promise.reject(new Error('no')),
    settle: async () => ({}),
    loadLanes: async () => [1, 2],
  }
  const none = async () => []
  const rest = { sweep: none, findWork: none, loadDue: none, loadKeys: none, loadPinned: none, loadExpired: none }
  const engine = meterEngine(
    { ...rest, ...failing, pin: none, promote: none, fold: none, shardCount: 4 } as never,
    metrics.engine,
    () => (time += 20),
  ) as unknown as Record<'put' | 'settle' | 'loadLanes', (list: number[]) => Promise<unknown>> & { shardCount: number }
  await engine.settle([1, 2, 3])
  expect(await engine.loadLanes([1])).toEqual([1, 2])
  await expect(engine.put([1])).rejects.toThrow('no')
  expect(engine.shardCount).toBe(4)
  expect(await value('settle_batch_size_sum')).toBe(3)
  expect(await value('loaded_total')).toBe(2)
  expect(await value('statement_seconds_sum{act="settle"}')).toBe(0.02)
  expect(await value('statement_failures_total{act="put"}')).toBe(1)
  expect(await value('puts_total')).toBe(0)
})

test('100,000 queues make no more series than they may, and nothing is lost of the sum', () => {
  const counts = new QueueCounts(
    50,
    () => 0,
    () => 'x',
  )
  for (let id = 1; id <= 100_000; id++) counts.attempted(id, 'delivered')
  const series = counts.series()
  expect(series.size).toBe(51)
  expect([...series.values()].reduce((sum, count) => sum + count)).toBe(100_000)
})

test('a queue that was idle for an hour leaves its series to another, and the sum never falls', () => {
  let now = 0
  const counts = new QueueCounts(
    2,
    () => now,
    () => '',
  )
  const sum = () => [...counts.series().values()].reduce((all, count) => all + count, 0)
  counts.attempted(1, 'delivered')
  counts.attempted(2, 'failed')
  counts.attempted(3, 'delivered')
  now = 3_000_000
  counts.attempted(2, 'failed')
  now = 3_700_000
  counts.attempted(3, 'delivered')
  expect(sum()).toBe(5)
  const queues = new Set([...counts.series().keys()].map(key => /queue="(\w+)"/.exec(key)![1]))
  expect(queues).toEqual(new Set(['2', '3', 'other']))
})

test('a queue that is forgotten for a while keeps its series; one that is renamed begins another', () => {
  let name: string | undefined = 'orders'
  const counts = new QueueCounts(
    2,
    () => 0,
    () => name,
  )
  const series = () => [...counts.series()]
  counts.attempted(1, 'delivered')
  name = undefined
  expect(series()).toEqual([['queue="1",name="orders",outcome="delivered"', 1]])
  name = 'invoices'
  counts.attempted(1, 'delivered')
  expect(series()).toEqual([['queue="1",name="invoices",outcome="delivered"', 2]])
  name = undefined
  expect(series()).toEqual([['queue="1",name="invoices",outcome="delivered"', 2]])
})

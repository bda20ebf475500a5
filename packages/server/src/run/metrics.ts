import { misfireRules, operationalEventTypes } from '@posthorn/contract'
import type { Ticked } from '../queue/cron-chain.ts'
import { CONTENT_TYPE, Exposition, label } from './exposition.ts'
import type { EngineMeter } from './metered-engine.ts'
import type { GaugeName, SeriesName } from './metric-list.ts'
import type { Meter, Report } from './port.ts'
import { QueueCounts } from './queue-counts.ts'

export interface MetricsOptions {
  /** What is so at the moment. */
  readonly gauges: () => Readonly<Record<Exclude<GaugeName, 'resident_memory_bytes'>, number>>
  /** How long the oldest message of each queue waits, in milliseconds. */
  readonly waits: () => ReadonlyMap<number, number>
  /** How many queues have series of their own. */
  readonly queues: number
  readonly nameOf: (queueId: number) => string | undefined
  /** The database's clock, as far as it is known. */
  readonly now: () => number
  readonly monotonic: () => number
}

export interface Metrics {
  readonly meter: Meter
  readonly engine: EngineMeter
  /** Outcomes recorded by this node so far. */
  settledHere(): number
  /** Counts what operators are told of. */
  told(type: string, count: number): void
  /** Counts what became of ticks of a cron. */
  ticked(tick: Ticked): void
  /** The text that Prometheus reads. */
  render(): Promise<{ readonly contentType: string; readonly body: string }>
}

/** The node's numbers for Prometheus: sums as they happen, states at the moment of asking. */
export function createMetrics(options: MetricsOptions): Metrics {
  const exposition = new Exposition()
  const queues = new QueueCounts(options.queues, options.monotonic, options.nameOf)
  let settledHere = 0
  for (const rule of misfireRules) exposition.add('cron_misfires_total', 0, label('rule', rule))
  for (const type of operationalEventTypes) exposition.add('operational_events_total', 0, label('type', type))
  const settled = (messages: number): void => {
    settledHere += messages
    exposition.add('settled_total', messages)
  }
  return {
    settledHere: () => settledHere,
    told: (type, count) => exposition.add('operational_events_total', count, label('type', type)),
    ticked({ fired, late, missed }) {
      exposition.add('cron_ticks_total', fired)
      exposition.add('cron_ticks_late_total', late)
      if (missed !== null) exposition.add('cron_misfires_total', 1, label('rule', missed))
    },
    meter: createMeter(exposition, queues, settled, options.now),
    engine: createEngineMeter(exposition),
    async render() {
      const gauges = { ...options.gauges(), resident_memory_bytes: process.memoryUsage.rss() }
      const more = new Map<SeriesName, Map<string, number>>([
        ['queue_attempts_total', queues.series()],
        ['queue_lag_seconds', queues.lags(options.waits())],
      ])
      return { contentType: CONTENT_TYPE, body: exposition.render(gauges, more) }
    },
  }
}

const OUTCOMES: readonly Report['outcome'][] = ['delivered', 'failed', 'refused', 'gone']

function createMeter(
  exposition: Exposition,
  queues: QueueCounts,
  settled: (messages: number) => void,
  now: () => number,
): Meter {
  const duration = exposition.distribution('attempt_duration_seconds')
  const wait = exposition.distribution('wait_seconds')
  const delivery = exposition.distribution('delivery_seconds')
  const labels = new Map(OUTCOMES.map(outcome => [outcome, label('outcome', outcome)]))
  return {
    attempted({ queueId, storedAt }, { outcome, durationMs }, startedAt) {
      exposition.add('attempts_total', 1, labels.get(outcome))
      queues.attempted(queueId, outcome)
      duration.observe(durationMs / 1000)
      if (storedAt !== undefined) wait.observe(Math.max(0, startedAt - storedAt) / 1000)
    },
    settled(finished) {
      settled(finished.length)
      const at = now()
      for (const { head, verdict } of finished) {
        if (head.storedAt === undefined || verdict.kind !== 'delivered') continue
        delivery.observe(Math.max(0, at - head.storedAt) / 1000)
      }
    },
    fenced: messages => exposition.add('fenced_total', messages),
    swept: found => exposition.add('sweep_findings_total', found),
  }
}

function createEngineMeter(exposition: Exposition): EngineMeter {
  const puts = exposition.distribution('put_batch_size')
  const settles = exposition.distribution('settle_batch_size')
  return {
    acted(act, ms, count) {
      exposition.distribution('statement_seconds', label('act', act)).observe(ms / 1000)
      if (act === 'load') exposition.add('loaded_total', count)
      if (act === 'settle') settles.observe(count)
      if (act !== 'put') return
      puts.observe(count)
      exposition.add('puts_total', count)
      exposition.add('put_commits_total', 1)
    },
    failed: act => exposition.add('statement_failures_total', 1, label('act', act)),
  }
}

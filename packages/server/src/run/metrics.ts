import { misfireRules, operationalEventTypes } from '@posthorn/contract'
import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { Ticked } from '../queue/cron-chain.ts'
import type { Meter } from './port.ts'

export interface NodeNumbers {
  readonly shards: number
  readonly queues: number
  readonly inFlight: number
  readonly unsettled: number
  readonly bufferBytes: number
  readonly openCircuits: number
  readonly members: number
  readonly leads: boolean
}

export interface Metrics {
  readonly meter: Meter
  /** Outcomes recorded by this node so far. */
  settledHere(): number
  /** Counts what operators are told of. */
  told(type: string, count: number): void
  /** Counts what became of ticks of a cron. */
  ticked(tick: Ticked): void
  /** Counts one commit of puts. */
  stored(messages: number): void
  /** The text that Prometheus reads. */
  render(): Promise<{ readonly contentType: string; readonly body: string }>
}

/** The node's numbers for Prometheus: sums as they happen, states at the moment of asking. */
export function createMetrics(numbers: () => NodeNumbers): Metrics {
  const registry = new Registry()
  const registers = [registry]
  const attempts = new Counter({
    name: 'posthorn_attempts_total',
    help: 'Attempts at delivery, by outcome.',
    labelNames: ['outcome'],
    registers,
  })
  const duration = new Histogram({
    name: 'posthorn_attempt_duration_seconds',
    help: 'From the start of an attempt to the end of its response.',
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
    registers,
  })
  const counter = (name: string, help: string) => new Counter({ name: `posthorn_${name}_total`, help, registers })
  const settled = counter('settled', 'Outcomes recorded.')
  const fenced = counter('fenced', 'Outcomes that came too late: another node had taken the shard.')
  const swept = counter('sweep_findings', 'Lanes in which a look at the database found something new.')
  const put = counter('puts', 'Messages stored by this node.')
  const commits = counter('put_commits', 'Commits that stored messages.')
  addGauges(registry, numbers)
  let settledHere = 0
  return {
    settledHere: () => settledHere,
    ...addSelfTold(registers),
    meter: {
      attempted(outcome, durationMs) {
        attempts.inc({ outcome })
        duration.observe(durationMs / 1000)
      },
      settled(messages) {
        settledHere += messages
        settled.inc(messages)
      },
      fenced: messages => fenced.inc(messages),
      swept: found => swept.inc(found),
    },
    stored(messages) {
      put.inc(messages)
      commits.inc()
    },
    render: async () => ({ contentType: registry.contentType, body: await registry.metrics() }),
  }
}

/** What the rooms beside the dispatcher tell of themselves. */
function addSelfTold(registers: Registry[]): Pick<Metrics, 'told' | 'ticked'> {
  const counter = <L extends string>(name: string, help: string, ...labelNames: L[]) =>
    new Counter({ name: `posthorn_${name}_total`, help, labelNames, registers })
  const events = counter('operational_events', 'Operational events that this node told of, by type.', 'type')
  const ticks = counter('cron_ticks', 'Ticks of crons whose messages are due, made up for or not.')
  const late = counter('cron_ticks_late', 'Of these, the ones whose messages were stored after their time.')
  const misfires = counter('cron_misfires', 'How often ticks of a cron were missed, by the rule for it.', 'rule')
  for (const rule of misfireRules) misfires.inc({ rule }, 0)
  for (const type of operationalEventTypes) events.inc({ type }, 0)
  return {
    told: (type, count) => events.inc({ type }, count),
    ticked(tick) {
      ticks.inc(tick.fired)
      late.inc(tick.late)
      if (tick.missed !== null) misfires.inc({ rule: tick.missed })
    },
  }
}

function addGauges(registry: Registry, numbers: () => NodeNumbers): void {
  const gauge = (name: string, help: string, read: (node: NodeNumbers) => number) =>
    new Gauge({
      name: `posthorn_${name}`,
      help,
      registers: [registry],
      collect() {
        this.set(read(numbers()))
      },
    })
  gauge('shards', 'Shards that this node owns.', node => node.shards)
  gauge('active_queues', 'Queues of these shards that have work.', node => node.queues)
  gauge('attempts_in_flight', 'Attempts under way.', node => node.inFlight)
  gauge('unsettled', 'Outcomes not yet recorded.', node => node.unsettled)
  gauge('buffer_bytes', 'Bytes of messages waiting in memory.', node => node.bufferBytes)
  gauge('open_circuits', 'Queues of these shards whose circuit breaker is open.', node => node.openCircuits)
  gauge('workers', 'Worker nodes on this database.', node => node.members)
  gauge('leader', '1 on the node that does the chores.', node => (node.leads ? 1 : 0))
  gauge('resident_memory_bytes', 'Resident memory of this process.', () => process.memoryUsage.rss())
}

/** Every metric of a node, declared once: /metrics, its help texts and docs/reference/metrics.md follow. */

export interface Metric {
  readonly kind: 'counter' | 'gauge' | 'histogram'
  readonly help: string
  readonly label?: string
  /** Upper bounds of a histogram, in its own unit. */
  readonly buckets?: readonly number[]
}

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]
const SIZES = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000]

export const METRICS = {
  attempts_total: { kind: 'counter', help: 'Attempts at delivery, by outcome.', label: 'outcome' },
  queue_attempts_total: {
    kind: 'counter',
    help: 'Attempts of a queue, by outcome; of the queues beyond metricsQueues together, as queue "other".',
    label: 'queue, name, outcome',
  },
  attempt_duration_seconds: {
    kind: 'histogram',
    help: 'From the start of an attempt to the end of its response.',
    buckets: SECONDS,
  },
  wait_seconds: {
    kind: 'histogram',
    help: 'From when a message was stored to the start of its first attempt, where the node that stored it sent it without reading it again.',
    buckets: SECONDS,
  },
  delivery_seconds: {
    kind: 'histogram',
    help: 'From when such a message was stored to when its delivery was recorded, retries among it.',
    buckets: SECONDS,
  },
  settled_total: { kind: 'counter', help: 'Outcomes recorded.' },
  fenced_total: { kind: 'counter', help: 'Outcomes that came too late: another node had taken the shard.' },
  puts_total: { kind: 'counter', help: 'Messages stored by this node.' },
  put_commits_total: { kind: 'counter', help: 'Commits that stored messages.' },
  put_batch_size: { kind: 'histogram', help: 'Messages stored by one commit.', buckets: SIZES },
  settle_batch_size: { kind: 'histogram', help: 'Outcomes recorded by one commit.', buckets: SIZES },
  statement_seconds: {
    kind: 'histogram',
    help: 'How long the database took for the acts that move messages: put, load, sweep, settle, find, pin, promote, fold.',
    label: 'act',
    buckets: SECONDS,
  },
  statement_failures_total: {
    kind: 'counter',
    help: 'Such acts that failed, and were done again or told of.',
    label: 'act',
  },
  loaded_total: { kind: 'counter', help: 'Messages read from the database to be sent.' },
  sweep_findings_total: { kind: 'counter', help: 'Lanes in which a look at the database found something new.' },
  operational_events_total: {
    kind: 'counter',
    help: 'Operational events that this node told of, by type.',
    label: 'type',
  },
  cron_ticks_total: { kind: 'counter', help: 'Ticks of crons whose messages are due, made up for or not.' },
  cron_ticks_late_total: { kind: 'counter', help: 'Of these, the ones whose messages were stored after their time.' },
  cron_misfires_total: {
    kind: 'counter',
    help: 'How often ticks of a cron were missed, by the rule for it.',
    label: 'rule',
  },
  queue_lag_seconds: {
    kind: 'gauge',
    help: 'How long the oldest message that a queue of this node could send had waited, or was overdue, when everything was last looked at (every 30 s); of the queues beyond metricsQueues the longest, as queue "other".',
    label: 'queue, name',
  },
  shards: { kind: 'gauge', help: 'Shards that this node owns.' },
  active_queues: { kind: 'gauge', help: 'Queues of these shards that have work; each slice of one that is spread.' },
  attempts_in_flight: { kind: 'gauge', help: 'Attempts under way.' },
  sockets: { kind: 'gauge', help: 'Connections to receivers, those kept without use among them.' },
  unsettled: { kind: 'gauge', help: 'Outcomes not yet recorded.' },
  known_messages: { kind: 'gauge', help: 'Messages that this node has in memory, or remembers for a load under way.' },
  buffer_bytes: { kind: 'gauge', help: 'Bytes of messages waiting in memory.' },
  waiting_puts: { kind: 'gauge', help: 'Messages that wait for their commit to begin.' },
  open_circuits: {
    kind: 'gauge',
    help: 'Queues of these shards whose circuit breaker is open; each slice of one that is spread.',
  },
  workers: { kind: 'gauge', help: 'Worker nodes on this database.' },
  leader: { kind: 'gauge', help: '1 on the node that does the chores.' },
  resident_memory_bytes: { kind: 'gauge', help: 'Resident memory of this process.' },
} as const satisfies Record<string, Metric>

export type MetricName = keyof typeof METRICS
type Of<K extends Metric['kind']> = {
  [N in MetricName]: (typeof METRICS)[N] extends { readonly kind: K } ? N : never
}[MetricName]
export type CounterName = Of<'counter'>
export type HistogramName = Of<'histogram'>
/** Told by queue, as counters are. */
type QueueGauge = 'queue_lag_seconds'
export type GaugeName = Exclude<Of<'gauge'>, QueueGauge>
/** Those with series that are counted elsewhere. */
export type SeriesName = CounterName | QueueGauge

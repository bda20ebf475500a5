/** What a node tells of itself in numbers, put together. */
import type { Config } from '@posthorn/contract'
import type { Clock } from './clock.ts'
import type { Sender } from './deliver/port.ts'
import type { GroupCommit } from './engine/group-commit.ts'
import type { QueueBook, QueueConfig } from './queue/book.ts'
import { createMetrics, type Metrics } from './run/metrics.ts'
import type { WorkingNode } from './run/node.ts'

export interface MetricsParts {
  readonly config: Config
  readonly clock: Clock
  readonly book: QueueBook
  readonly sender: Sender
  /** Asked for when numbers are, by which time they are there. */
  readonly node: () => WorkingNode<QueueConfig>
  readonly commit: () => GroupCommit
}

export function openMetrics({ config, clock, book, sender, node, commit }: MetricsParts): Metrics {
  return createMetrics({
    queues: config.metricsQueues,
    nameOf: queueId => book.get(queueId)?.name,
    waits: () => node().waits,
    now: () => node().now(),
    monotonic: () => clock.monotonic(),
    gauges() {
      const { stats } = node()
      return {
        shards: stats.shards,
        active_queues: stats.queues,
        attempts_in_flight: stats.inFlight,
        sockets: sender.sockets,
        unsettled: stats.unsettled,
        known_messages: stats.known,
        buffer_bytes: stats.bufferBytes,
        waiting_puts: commit().waiting,
        open_circuits: stats.openCircuits,
        workers: stats.members,
        leader: stats.leads ? 1 : 0,
      }
    },
  })
}

/** What sends, put together: addresses, sockets, signatures, traces. */
import type { Config } from '@posthorn/contract'
import { isLoopback } from './api/access/local.ts'
import type { Clock } from './clock.ts'
import { createGuard } from './deliver/guard.ts'
import { createSender } from './deliver/send.ts'
import { createWebhooks } from './deliver/webhook.ts'
import type { Ids } from './id.ts'
import type { Log } from './log.ts'
import type { QueueConfig } from './queue/book.ts'
import type { Delivery } from './run/port.ts'
import { planSockets, readFileLimit } from './run/sockets.ts'
import { traceDelivery } from './run/traced-delivery.ts'
import { openTracing } from './tracing.ts'

export interface DeliveryParts {
  readonly config: Config
  readonly log: Log
  readonly clock: Clock
  readonly ids: Ids
  readonly version: string
}

/** @throws Error in one sentence for an operator, if the sockets do not suffice */
export function openDelivery({ config, log, clock, ids, version }: DeliveryParts) {
  const guard = createGuard({ allowLoopback: isLoopback(config.host), allow: config.allowTargets })
  const plan = planSockets({ ...config, files: readFileLimit(), ...socketsOf(config) })
  log.info(plan, 'what this process may open, divided')
  const sender = createSender({ clock, log, guard, maxSockets: plan.sockets })
  const webhooks = createWebhooks({ sender, ids, clock, random: Math.random, version })
  const tracing = openTracing(version)
  const delivery: Delivery<QueueConfig> = tracing ? traceDelivery<QueueConfig>(webhooks, tracing) : webhooks
  return { sender, plan, guard, tracing, delivery }
}

/** Two pools, the slow one, the lock session and the listener. */
function socketsOf({ databaseUrl, databasePoolSize, roles }: Config) {
  return { database: databaseUrl === null ? 0 : 2 * databasePoolSize + 6, servesCallers: roles.includes('api') }
}

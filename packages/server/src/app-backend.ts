/** The services of a node: which there are, what they may see of the world, and where their messages come from. */
import type { Config } from '@posthorn/contract'
import { LIST_LIMIT_MS } from './app-queues.ts'
import { type Backend, openBackend } from './backend/room.ts'
import type { Clock } from './clock.ts'
import type { Database } from './db/port.ts'
import type { AddressGuard } from './deliver/guard.ts'
import { next } from './deliver/next.ts'
import { classify } from './deliver/outcome.ts'
import type { Ids } from './id.ts'
import type { Log } from './log.ts'
import type { QueueBook, QueueConfig } from './queue/book.ts'
import type { Delivery } from './run/port.ts'
import { traceDelivery } from './run/traced-delivery.ts'
import { SERVICES } from './services/catalogue.ts'
import { createOutside } from './services/outside.ts'
import type { Installation } from './tenant/installation.ts'
import type { SecretBox } from './tenant/secret-box.ts'
import type { Tracing } from './tracing.ts'

export interface NodeBackendParts {
  readonly db: Database
  readonly clock: Clock
  readonly log: Log
  readonly ids: Ids
  readonly secrets: SecretBox
  readonly book: QueueBook
  readonly guard: AddressGuard
  readonly installation: Installation
  readonly nodeId: string
  readonly version: string
  /** Null where no SDK of OpenTelemetry is registered. */
  readonly tracing: Tracing | null
  readonly config: Pick<Config, 'serviceEndpoints'>
}

/** @throws Error if an endpoint is not of the form name=URL */
export function openNodeBackend(parts: NodeBackendParts): Backend & { close(): Promise<void> } {
  const { clock, log, guard, version, installation, tracing } = parts
  const outside = createOutside({ guard, classify })
  const endpoints = readEndpoints(parts.config.serviceEndpoints)
  const backend = openBackend({
    ...parts,
    listLimitMs: LIST_LIMIT_MS,
    instanceOrgId: installation.instanceOrgId,
    shardCount: installation.shardCount,
    next,
    random: Math.random,
    types: SERVICES,
    means: { outside, clock, log, version, endpoint: name => endpoints.get(name) ?? null },
  })
  return {
    ...backend,
    delivery: tracing ? traceDelivery<QueueConfig>(backend.delivery, tracing) : backend.delivery,
    async close() {
      await backend.stop()
      await outside.close()
    },
  }
}

/** A queue with a function goes to its worker, any other to its URL. */
export function withWorkers(webhooks: Delivery<QueueConfig>, workers: Delivery<QueueConfig>): Delivery<QueueConfig> {
  return {
    attempt(route, head, nth, done) {
      if (route.function === null) webhooks.attempt(route, head, nth, done)
      else workers.attempt(route, head, nth, done)
    },
  }
}

function readEndpoints(given: readonly string[]): ReadonlyMap<string, string> {
  return new Map(
    given.map(entry => {
      const [, name = '', url = ''] = /^(\w+)=(https?:\/\/.+)$/.exec(entry) ?? []
      if (!SERVICES.some(service => service.name === name) || !URL.canParse(url))
        throw new Error(
          `serviceEndpoints: ${entry} must be the name of a service, =, and a URL, such as ses=https://mail.example.org`,
        )
      return [name, url.replace(/\/+$/, '')] as const
    }),
  )
}

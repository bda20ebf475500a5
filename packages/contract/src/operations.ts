/** All operations by name, and the types that follow. A program that serves them must give a handler for each. */
import type { Operation } from './operation.ts'
import { backendOperations } from './operations/backends.ts'
import { cronOperations } from './operations/crons.ts'
import { keyOperations } from './operations/keys.ts'
import { messageOperations } from './operations/messages.ts'
import { orgOperations } from './operations/orgs.ts'
import { pullOperations } from './operations/pull.ts'
import { queueOperations } from './operations/queues.ts'
import { serviceOperations } from './operations/services.ts'
import { attempt } from './resources/attempt.ts'
import { cron } from './resources/cron.ts'
import { key } from './resources/key.ts'
import { message } from './resources/message.ts'
import { org } from './resources/org.ts'
import { queue } from './resources/queue.ts'
import { service } from './resources/service.ts'
import { template } from './resources/template.ts'
import { worker } from './resources/worker.ts'

export const resources = { queue, message, attempt, cron, org, key, service, worker, template }
export type ResourceName = keyof typeof resources

export const operations = {
  ...queueOperations,
  ...pullOperations,
  ...messageOperations,
  ...cronOperations,
  ...orgOperations,
  ...keyOperations,
  ...serviceOperations,
  ...backendOperations,
}
export type OperationName = keyof typeof operations

type Declared = typeof operations
export type Input<K extends OperationName> = Declared[K] extends Operation<infer I, unknown> ? I : never
export type Output<K extends OperationName> = Declared[K] extends Operation<unknown, infer O> ? O : never

/** Those that need a handler: the others follow from a relation, or are another one's twin. */
export type HandledName = {
  [K in OperationName]: null extends Declared[K]['relation'] & Declared[K]['alike'] ? K : never
}[OperationName]

export const operationEntries = Object.entries(operations) as [OperationName, Operation][]

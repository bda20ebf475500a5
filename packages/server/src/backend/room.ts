/** The room put together: its operations, and the workers of this node. */
import type { Message, MessagePut } from '@posthorn/contract'
import type { Clock } from '../clock.ts'
import type { Database } from '../db/port.ts'
import type { Ids } from '../id.ts'
import type { Log } from '../log.ts'
import type { QueueBook, QueueConfig } from '../queue/book.ts'
import type { Delivery } from '../run/port.ts'
import { openService } from '../services/open.ts'
import type { Means, ServiceType } from '../services/port.ts'
import type { Caller } from '../tenant/caller.ts'
import type { SecretBox } from '../tenant/secret-box.ts'
import type { Tracing } from '../tracing.ts'
import { Assignments } from './assignments.ts'
import { createDetails } from './details.ts'
import { TemplateBook } from './email/template-book.ts'
import { createEmails } from './emails.ts'
import { createFiles } from './files.ts'
import { Inboxes } from './inboxes.ts'
import { OpenServices } from './open-services.ts'
import { backendOperations } from './operations.ts'
import type { OutcomeRules } from './outcomes.ts'
import { createProcessing } from './processing.ts'
import { createReach } from './reach.ts'
import { createServiceCalls } from './service-calls.ts'
import { createServiceUse } from './service-use.ts'
import { createServices } from './services.ts'
import { createTemplates } from './templates.ts'
import { createWorkers } from './workers.ts'
import { createWorkersAtWork } from './workers-at-work.ts'

export interface BackendOptions extends OutcomeRules {
  readonly db: Database
  readonly clock: Clock
  readonly log: Log
  readonly ids: Pick<Ids, 'webhookId'>
  readonly secrets: SecretBox
  readonly book: Pick<QueueBook, 'get' | 'find'>
  readonly nodeId: string
  /** Null where nothing is traced. */
  readonly tracing: Tracing | null
  readonly instanceOrgId: number
  readonly shardCount: number
  readonly listLimitMs: number
  /** Every service there is, and the world as services may see it. */
  readonly types: readonly ServiceType[]
  readonly means: Omit<Means, 'inbox'>
}

/** What comes from the queue room, which stands on what this one gives to the dispatcher. */
export interface BackendEdge {
  readonly put: (caller: Caller, message: MessagePut) => Promise<Message>
  /** Called after the commit of whatever other nodes must hear of; must not throw. */
  readonly changed: () => void
}

export type Backend = ReturnType<typeof openBackend>

export function openBackend(options: BackendOptions) {
  const { db, clock, log, secrets, types, means, instanceOrgId, listLimitMs } = options
  const inboxes = new Inboxes(db)
  const open = new OpenServices({
    open: (service, credentials) => {
      const type = types.find(({ name }) => name === service.name)!
      return openService(type, credentials, { ...means, inbox: inboxes.of(service) })
    },
    clock,
    log,
  })
  const assignments = new Assignments({ db, clock, instanceOrgId })
  const templates = new TemplateBook({ db, clock })
  const use = createServiceUse({ db, secrets, assignments, open })
  const reach = createReach(db, instanceOrgId)
  const files = createFiles({ use, reach })
  const atWork = createWorkersAtWork({ ...options, assignments, open, templates, files })
  return {
    /** What the dispatcher hands the messages of functions to. */
    delivery: atWork as Delivery<QueueConfig>,
    chores: inboxes.chores,
    operations: ({ put, changed }: BackendEdge) =>
      backendOperations({
        services: createServices({ db, secrets, types, reach, listLimitMs }),
        serviceCalls: createServiceCalls(use),
        workers: createWorkers({ ...options, changed }),
        processing: createProcessing({ db, types, instanceOrgId, reach, changed }),
        templates: createTemplates({ db, reach, listLimitMs }),
        emails: createEmails({ db, templates, reach, put }),
        details: createDetails({ use, reach, clock }),
        files,
      }),
    async stop(): Promise<void> {
      await atWork.stop()
      await open.stop()
    },
  }
}

/**
 * The workers of this node: what the dispatcher hands messages to whose queue has a function instead of a URL.
 *
 * A worker exists while it has messages; being attached costs nothing. Its service is opened at its first message, and
 * shared with every other org that uses it.
 */
import type { Clock } from '../clock.ts'
import type { Database } from '../db/port.ts'
import type { Ids } from '../id.ts'
import type { Log } from '../log.ts'
import type { QueueBook, QueueConfig } from '../queue/book.ts'
import type { Delivery } from '../run/port.ts'
import type { Outcome, Service } from '../services/port.ts'
import type { SecretBox } from '../tenant/secret-box.ts'
import type { Tracing } from '../tracing.ts'
import type { Assignment, Assignments } from './assignments.ts'
import { type ComposeMeans, composeEmail, readEmailInput } from './email/compose.ts'
import type { TemplateBook } from './email/template-book.ts'
import type { Files } from './files.ts'
import { hasQueue, type QueueFunction } from './functions.ts'
import { composeNote } from './notes.ts'
import type { OpenServices } from './open-services.ts'
import type { OutcomeRules } from './outcomes.ts'
import { openCredentials } from './stored-service.ts'
import { traceBatches } from './traced-batches.ts'
import { faultOutcome, type Task, Worker, type WorkerMeans } from './worker.ts'
import { WorkerNotes } from './worker-notes.ts'

export interface WorkersAtWorkOptions extends OutcomeRules {
  readonly db: Database
  readonly clock: Clock
  readonly log: Log
  readonly ids: Pick<Ids, 'webhookId'>
  readonly secrets: Pick<SecretBox, 'open'>
  readonly book: Pick<QueueBook, 'get' | 'find'>
  readonly assignments: Assignments
  readonly open: OpenServices
  readonly templates: TemplateBook
  readonly files: Files
  readonly nodeId: string
  /** Null where nothing is traced. */
  readonly tracing: Tracing | null
}

export interface WorkersAtWork extends Delivery<QueueConfig> {
  stop(): Promise<void>
}

export function createWorkersAtWork(options: WorkersAtWorkOptions): WorkersAtWork {
  const { db, clock, log, book, nodeId, tracing } = options
  const notes = new WorkerNotes({ db, clock, log, nodeId })
  const workers = new Map<number, Worker>()
  /** When each service was last started anew here, so that a restart opens it again. */
  const startedAt = new Map<number, number>()
  const send: WorkerMeans['deliver'] = (service, assignment, tasks) => deliver(options, service, assignment, tasks)
  const means: WorkerMeans = {
    next: options.next,
    random: options.random,
    routeOf: async queueId => book.get(queueId) ?? (await book.find([queueId])).get(queueId) ?? null,
    assignmentOf: (orgId, work) => options.assignments.find(orgId, work),
    use: (assignment, route, use) => {
      renew(options.open, startedAt, assignment, route)
      const stored = assignment.service!
      return options.open.use(stored, () => openCredentials(stored, options.secrets), use)
    },
    deliver: tracing ? traceBatches(send, tracing) : send,
    monotonic: () => clock.monotonic(),
    noted: (route, inFlight, error) => notes.note(route, inFlight, error),
    failed: error => log.warn({ err: error }, 'a worker could not go on; it tries again'),
  }
  return {
    attempt(route, head, nth, done) {
      let worker = workers.get(route.id)
      if (!worker) {
        forgetIdle(workers)
        worker = new Worker(route.function as QueueFunction, means)
        workers.set(route.id, worker)
      }
      worker.add({ route, head, nth, done })
    },
    stop: () => notes.stop(),
  }
}

/** With every so many new workers, those that have nothing to do are dropped. */
const KEPT = 100

function forgetIdle(workers: Map<number, Worker>): void {
  if (workers.size < KEPT || workers.size % KEPT !== 0) return
  for (const [id, worker] of workers) if (worker.isIdle) workers.delete(id)
}

/** An org's own service is opened anew when its worker is started anew; one that is lent goes on for the others. */
function renew(
  open: OpenServices,
  startedAt: Map<number, number>,
  { lender, service }: Assignment,
  route: QueueConfig,
) {
  if (lender !== null || route.startedAt === null) return
  const before = startedAt.get(route.id)
  if (before === route.startedAt) return
  startedAt.set(route.id, route.startedAt)
  if (before !== undefined) open.drop(service!.id)
}

async function deliver(
  options: WorkersAtWorkOptions,
  service: Service,
  assignment: Assignment,
  tasks: readonly Task[],
): Promise<readonly Outcome[]> {
  const { route } = tasks[0]!
  if (!hasQueue(route.function!)) throw new Error(`there is no worker for ${route.function}`)
  if (route.function === 'email') {
    const means: ComposeMeans = {
      findTemplate: (orgId, name, locale) => options.templates.find(orgId, name, locale),
      fetchFile: (orgId, path) => options.files.fetchForEmail(orgId, path),
    }
    const compose = ({ head }: Task) =>
      composeEmail(options.ids.webhookId(head.id), readEmailInput(head.body), assignment, means)
    return deliverComposed(tasks, compose, service.deliver.email!)
  }
  const compose = async ({ head }: Task) => composeNote(options.ids.webhookId(head.id), head)
  return deliverComposed(tasks, compose, service.deliver[route.function as 'push' | 'event']!)
}

/** One that cannot be composed has its outcome at once; the others go together. */
async function deliverComposed<M>(
  tasks: readonly Task[],
  compose: (task: Task) => Promise<M>,
  send: (messages: readonly M[]) => Promise<readonly Outcome[]>,
): Promise<readonly Outcome[]> {
  const composed = await Promise.all(
    tasks.map(task =>
      compose(task).then(
        message => ({ message }),
        error => ({ outcome: faultOutcome(error) }),
      ),
    ),
  )
  const messages = composed.flatMap(one => ('message' in one ? [one.message] : []))
  const sent = messages.length > 0 ? await send(messages) : []
  let next = 0
  return composed.map(one => ('outcome' in one ? one.outcome : sent[next++]!))
}

/**
 * One worker on this node: gives the messages of one function's queue to its service, in batches as the service takes them.
 *
 * The dispatcher starts attempts one by one; those that it starts together are sent together, up to a few batches at a
 * time. What is not yet sent belongs to nobody: it is given back unmade when its queue was changed, stopped or detached
 * since, when the function has no backend, or while the service asked to be left alone. So nothing is sent under a
 * configuration that is over, and nothing counts as an attempt that was none.
 *
 *   started ──▶ waiting ──a batch has room──▶ sent ──▶ settled by its outcome
 *                  └─────changed, detached, resting──▶ given back
 */
import { DatabaseError } from '../db/port.ts'
import type { Head } from '../engine/port.ts'
import type { QueueConfig } from '../queue/book.ts'
import type { Done } from '../run/port.ts'
import { FAULTS, FaultError, faultOf } from '../services/faults.ts'
import type { Outcome, Service } from '../services/port.ts'
import type { Assignment } from './assignments.ts'
import type { QueueFunction } from './functions.ts'
import { boundedRest, decideOn, type OutcomeRules, reportOf, restAfter } from './outcomes.ts'

/** A message whose attempt was started. */
export interface Task {
  readonly route: QueueConfig
  readonly head: Head
  readonly nth: number
  readonly done: Done
}

export interface WorkerMeans extends OutcomeRules {
  /** The queue as it is now; null: there is none any more. @throws DatabaseError */
  readonly routeOf: (queueId: number) => Promise<QueueConfig | null>
  /** @throws DatabaseError */
  readonly assignmentOf: (orgId: number, work: QueueFunction) => Promise<Assignment | null>
  /** Uses the open service of an assignment. @throws FaultError if it cannot be opened */
  readonly use: <T>(assignment: Assignment, route: QueueConfig, use: (service: Service) => Promise<T>) => Promise<T>
  /** Hands a batch over, each message in the form that its function has. Never throws for what is in a message. */
  readonly deliver: (service: Service, assignment: Assignment, tasks: readonly Task[]) => Promise<readonly Outcome[]>
  readonly monotonic: () => number
  /** What is to be known of the worker by whoever lists workers. */
  readonly noted: (route: QueueConfig, inFlight: number, error: string | null) => void
  readonly failed: (error: unknown) => void
}

const BATCHES_AT_ONCE = 4
/** The function turned out to have no backend; or something went wrong here, which others must end: before asking again. */
const AGAIN_MS = 250
const AFTER_ERROR_MS = 2_000
/** As many as a service that is not yet known can take at least. */
const NO_SERVICE_BATCH = 50

export class Worker {
  readonly #means: WorkerMeans
  readonly #work: QueueFunction
  #waiting: Task[] = []
  #underWay = 0
  #batches = 0
  #isDue = false

  constructor(work: QueueFunction, means: WorkerMeans) {
    this.#work = work
    this.#means = means
  }

  get isIdle(): boolean {
    return this.#waiting.length === 0 && this.#underWay === 0
  }

  add(task: Task): void {
    this.#waiting.push(task)
    if (this.#isDue) return
    this.#isDue = true
    // After all that the dispatcher starts in this turn.
    setImmediate(() => {
      this.#isDue = false
      this.#begin()
    })
  }

  #begin(): void {
    if (this.#waiting.length === 0 || this.#batches >= BATCHES_AT_ONCE) return
    this.#batches += 1
    void this.#batch().finally(() => {
      this.#batches -= 1
      this.#begin()
    })
  }

  /** Never rejects: whatever fails, each message is settled or given back. */
  async #batch(): Promise<void> {
    const [first] = this.#waiting
    if (!first) return
    const { route } = first
    let taken: readonly Task[] = []
    let name = ''
    try {
      const assignment = await this.#means.assignmentOf(route.orgId, this.#work)
      if (assignment === null) return this.#giveBack(this.#take(NO_SERVICE_BATCH), AGAIN_MS)
      if (assignment.service === null) {
        taken = this.#take(NO_SERVICE_BATCH)
        return this.#settle(
          taken,
          'SYSTEM',
          taken.map(() => withoutSystem(assignment, this.#work)),
          0,
        )
      }
      name = assignment.service.name
      await this.#means.use(assignment, route, async service => {
        const restMs = service.restMs()
        if (restMs > 0) return this.#giveBack(this.#take(NO_SERVICE_BATCH), boundedRest(restMs))
        taken = await this.#takeCurrent(service.type.batch, route.id)
        if (taken.length > 0) await this.#send(service, assignment, taken)
      })
    } catch (error) {
      const tasks = taken.length > 0 ? taken : this.#take(NO_SERVICE_BATCH)
      // A service that cannot be opened fails all of them alike.
      if (error instanceof FaultError) this.#settle(tasks, name, Array(tasks.length).fill(faultOutcome(error)), 0)
      else this.#standBack(tasks, route, error)
    }
  }

  /** Trouble of this node is no attempt. */
  #standBack(tasks: readonly Task[], route: QueueConfig, error: unknown): void {
    this.#means.failed(error)
    this.#means.noted(route, this.#underWay, HERE)
    this.#giveBack(tasks, AFTER_ERROR_MS)
  }

  async #send(service: Service, assignment: Assignment, tasks: readonly Task[]): Promise<void> {
    const startedAt = this.#means.monotonic()
    this.#underWay += tasks.length
    this.#means.noted(tasks[0]!.route, this.#underWay, null)
    // What does not fit into this batch need not wait for its end.
    this.#begin()
    try {
      const outcomes = await this.#means.deliver(service, assignment, tasks)
      this.#underWay -= tasks.length
      this.#settle(tasks, service.type.title, outcomes, Math.round(this.#means.monotonic() - startedAt))
    } catch (error) {
      this.#underWay -= tasks.length
      throw error
    }
  }

  #settle(tasks: readonly Task[], service: string, outcomes: readonly Outcome[], durationMs: number): void {
    let error: string | null = null
    for (const [i, { route, head, nth, done }] of tasks.entries()) {
      const outcome = outcomes[i]!
      const report = reportOf(service, outcome, durationMs)
      error = report.error ?? error
      done(report, decideOn(service, outcome, route, head, nth, this.#means), restAfter(outcome))
    }
    if (tasks[0]) this.#means.noted(tasks[0].route, this.#underWay, error)
  }

  #take(most: number): Task[] {
    return this.#waiting.splice(0, most)
  }

  /** Those whose queue is still as it was when they were started; the others are given back. */
  async #takeCurrent(most: number, queueId: number): Promise<readonly Task[]> {
    const route = await this.#means.routeOf(queueId)
    const tasks = this.#take(most)
    const isCurrent = (task: Task): boolean => route !== null && !route.isPaused && route.version === task.route.version
    this.#giveBack(tasks.filter(task => !isCurrent(task)))
    return tasks.filter(isCurrent)
  }

  #giveBack(tasks: readonly Task[], restMs?: number): void {
    for (const { done } of tasks) done(null, NOTHING, restMs)
  }
}

const HERE = 'something went wrong on its node; its log says what'
const NOTHING = () => ({ verdict: { kind: 'delivered' } as const, pause: null })

function withoutSystem({ lender }: Assignment, work: string): Outcome {
  const reason = `org ${lender?.name ?? ''}, whose backend SYSTEM stands for, has none for ${work}`
  return { kind: 'retry', fault: faultOf('misconfigured', reason) }
}

/** A message that cannot be composed has an outcome before any service saw it, and it alone. @throws DatabaseError, which is nobody's */
export function faultOutcome(error: unknown): Outcome {
  if (error instanceof DatabaseError) throw error
  const why = error instanceof Error ? error.message : String(error)
  const fault = error instanceof FaultError ? error.fault : faultOf('deferred', `it could not be composed: ${why}`)
  return { kind: FAULTS[fault.code].retry ? 'retry' : 'dead', fault }
}

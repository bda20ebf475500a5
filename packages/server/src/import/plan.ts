/** What an import would do: which queues and crons are taken, under which ids, and what is left behind, with its reason. */
import type { CronCreate, QueueCreate } from '@posthorn/contract'
import type { Database } from '../db/port.ts'
import { loadStatement } from '../db/statement.ts'
import { type Fit, type FitRules, fitCron, fitMessage, fitQueue } from './fit.ts'
import { checkSame, findLedger, type KnownEntry } from './ledger.ts'
import type { OldCounts, OldCron, OldQueue, PgHooksDatabase } from './pg-hooks-database.ts'

export interface Remark {
  readonly kind: 'queue' | 'cron' | 'message'
  /** In pg-hooks. */
  readonly id: number
  readonly text: string
}

export interface Planned<Old, Input> {
  readonly old: Old
  readonly input: Input
  /** Its id here; null if one is drawn because its own is taken. */
  readonly newId: number | null
  /** It was taken by an import before. */
  readonly known: KnownEntry | null
}

export type PlannedQueue = Planned<OldQueue, QueueCreate> & {
  /** By its id in pg-hooks; planned as well, and before this one. */
  readonly deadLetterQueueId: number | null
}
export type PlannedCron = Planned<OldCron, Omit<CronCreate, 'queueId'>>

export interface Plan {
  readonly fingerprint: string
  readonly counts: OldCounts
  /** Those that others send their dead letters to come before these. */
  readonly queues: readonly PlannedQueue[]
  readonly crons: readonly PlannedCron[]
  /** What stays in pg-hooks, and why. Messages are known only after a look at each. */
  readonly left: readonly Remark[]
  /** What becomes different from what it was. */
  readonly remarks: readonly Remark[]
}

export interface PlanOptions {
  readonly source: PgHooksDatabase
  /** Null if there is none yet. */
  readonly target: Database | null
  readonly rules: FitRules
  readonly now: number
}

const TAKEN_QUEUES = loadStatement(import.meta.url, './sql/taken_queue_ids.sql')
const TAKEN_CRONS = loadStatement(import.meta.url, './sql/taken_cron_ids.sql')
const LOOK_AT_ONCE = 1000

/** Reads both sides and changes nothing. @throws Error if the source is none, or not the one it was */
export async function planImport({ source, target, rules, now }: PlanOptions): Promise<Plan> {
  const fingerprint = await source.fingerprint()
  const [oldQueues, oldCrons, counts] = [await source.queues(), await source.crons(), await source.count()]
  const there = target ? await findLedger(target, fingerprint) : { ledger: null, hasQueues: false }
  const left: Remark[] = []
  const remarks: Remark[] = []

  const fittedQueues = sort('queue', oldQueues, old => fitQueue(old, rules), left, remarks)
  const knownQueues = (await there.ledger?.all('q')) ?? new Map<number, KnownEntry>()
  const takenQueues = there.hasQueues ? await taken(target!, TAKEN_QUEUES, oldQueues) : new Set<number>()
  const queues = orderByDeadLetters(place('queue', fittedQueues, knownQueues, takenQueues), remarks)

  const queueIds = new Set(queues.map(({ old }) => old.id))
  const fitOne = (old: OldCron): Fit<Omit<CronCreate, 'queueId'>> =>
    queueIds.has(old.queue_id) ? fitCron(old, now, rules) : { ok: false, problem: `its queue ${old.queue_id} is left` }
  const fittedCrons = sort('cron', oldCrons, fitOne, left, remarks)
  const knownCrons = (await there.ledger?.all('c')) ?? new Map<number, KnownEntry>()
  const takenCrons = there.hasQueues ? await taken(target!, TAKEN_CRONS, oldCrons) : new Set<number>()
  return { fingerprint, counts, queues, crons: place('cron', fittedCrons, knownCrons, takenCrons), left, remarks }
}

/** Looks at every message that waits, as an import would. */
export async function findUnfitMessages(source: PgHooksDatabase, plan: Plan, rules: FitRules): Promise<Remark[]> {
  const queueIds = new Set(plan.queues.map(({ old }) => old.id))
  const cronIds = new Set(plan.crons.map(({ old }) => old.id))
  const left: Remark[] = []
  for (let after = 0; ; ) {
    const messages = await source.waiting(after, LOOK_AT_ONCE)
    for (const old of messages) {
      const fit = fitMessage(old, rules)
      if (!queueIds.has(old.queue_id)) left.push(remark('message', old, `its queue ${old.queue_id} is left`))
      else if (old.cron_id !== null && !cronIds.has(old.cron_id))
        left.push(remark('message', old, `its cron ${old.cron_id} is left`))
      else if (!fit.ok) left.push(remark('message', old, fit.problem))
    }
    if (messages.length < LOOK_AT_ONCE) return left
    after = messages.at(-1)!.id
  }
}

const remark = (kind: Remark['kind'], { id }: { readonly id: number }, text: string): Remark => ({ kind, id, text })

async function taken(db: Database, statement: typeof TAKEN_QUEUES, old: readonly { readonly id: number }[]) {
  const rows = await db.query<{ id: number }>(statement, [old.map(({ id }) => id)])
  return new Set(rows.map(({ id }) => id))
}

interface Fitted<Old, Input> {
  readonly old: Old
  readonly input: Input
}

function sort<Old extends { readonly id: number }, Input>(
  kind: 'queue' | 'cron',
  all: readonly Old[],
  fit: (old: Old) => Fit<Input>,
  left: Remark[],
  remarks: Remark[],
): Fitted<Old, Input>[] {
  const fitted: Fitted<Old, Input>[] = []
  for (const old of all) {
    const result = fit(old)
    if (!result.ok) left.push(remark(kind, old, result.problem))
    else {
      fitted.push({ old, input: result.input })
      remarks.push(...result.remarks.map(text => remark(kind, old, text)))
    }
  }
  return fitted
}

/** Each keeps its id where that is free. */
function place<Old extends { readonly id: number; readonly created_us: number }, Input>(
  kind: 'queue' | 'cron',
  fitted: readonly Fitted<Old, Input>[],
  known: ReadonlyMap<number, KnownEntry>,
  taken: ReadonlySet<number>,
): Planned<Old, Input>[] {
  return fitted.map(({ old, input }) => {
    const entry = known.get(old.id) ?? null
    if (entry) checkSame(kind, old.id, old.created_us, entry.createdUs)
    return { old, input, newId: entry?.newId ?? (taken.has(old.id) ? null : old.id), known: entry }
  })
}

/** Puts first what others need, and cuts each circle where it closes. */
function orderByDeadLetters(queues: readonly Planned<OldQueue, QueueCreate>[], remarks: Remark[]): PlannedQueue[] {
  const byId = new Map(queues.map(queue => [queue.old.id, queue]))
  const ordered = new Map<number, PlannedQueue>()
  for (const start of queues) {
    const line: Planned<OldQueue, QueueCreate>[] = []
    for (let next: typeof start | undefined = start; next && !ordered.has(next.old.id) && !line.includes(next); ) {
      line.push(next)
      next = byId.get(next.old.dead_letter_queue_id ?? 0)
    }
    for (const queue of line.reverse()) ordered.set(queue.old.id, { ...queue, deadLetterQueueId: goal(queue, ordered) })
  }
  for (const { old, deadLetterQueueId, known } of ordered.values()) {
    if (old.dead_letter_queue_id === deadLetterQueueId || known) continue
    const why = byId.has(old.dead_letter_queue_id!) ? 'they would go in a circle' : 'that queue is left'
    remarks.push(
      remark('queue', old, `has no dead letter queue here (${old.dead_letter_queue_id} in pg-hooks): ${why}`),
    )
  }
  return [...ordered.values()]
}

function goal({ old }: Planned<OldQueue, QueueCreate>, before: ReadonlyMap<number, PlannedQueue>): number | null {
  const id = old.dead_letter_queue_id
  return id !== null && before.has(id) ? id : null
}

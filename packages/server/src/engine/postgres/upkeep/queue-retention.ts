/**
 * Retention by queue: what a queue keeps for another time than the installation does.
 *
 * Guarantees that of a queue with a rule, settled messages go when they are over by it, and before that their bodies and
 * attempts if it says so; never those of a message that lives or is dead, nor a body that another message still needs.
 *
 * Each of these (queue, what goes) is walked along the queue's own index, from two places. `front` moves on with the time:
 * it stands at the first message that was put within the time, and what it passes goes as soon as it is over. `back` goes
 * through what the front has passed, again and again: what was settled late, sent again, or lent its body. Both are kept in
 * memory; a new leader begins at the lowest id. Every page is a commit of its own, and a call looks at `limit` messages.
 */
import type { Database } from '../../../db/port.ts'
import { type ExpiredPage, type Over, readPage, removeAttempts, removeBodies, removeSettled } from './expired-page.ts'
import { statements } from './statements.ts'

const KINDS = ['messages', 'bodies', 'attempts'] as const
type Kind = (typeof KINDS)[number]

export type RemovedByQueue = Readonly<Record<Kind, number>>

export interface QueueRetentionOptions {
  /** How long the installation keeps what a queue says nothing of. */
  readonly retentionMs: number
  /** The most messages to look at in one call. */
  readonly limit: number
}

interface RuleRow {
  readonly id: number
  readonly org_id: number
  readonly message_retention_ms: number | null
  readonly body_retention_ms: number | null
  readonly attempt_retention_ms: number | null
}

interface Task {
  readonly orgId: number
  readonly queueId: number
  readonly kind: Kind
  readonly ms: number
}

interface Walk {
  front: number
  back: number
}

const PAGE = 500
/** So that a queue with a long history does not keep the others waiting. */
const FRONT_PAGES = 20
/** What a look that finds little costs beside one that finds a page; as far as the first look at the front goes. */
const LEAST_COST = 50
/** Messages that are not settled this soon after they were put are left to the second look. */
const SETTLING_MS = 60_000
/** Of what is looked at, a fifth as much again is looked at a second time. */
const BACK_SHARE = 5
const LOWEST_ID = Number.MIN_SAFE_INTEGER

/** Gives the act that removes, on its next stretch, what queues keep no longer. It rejects with DatabaseError. */
export function createQueueRetention(db: Database, { retentionMs, limit }: QueueRetentionOptions) {
  const walks = new Map<string, Walk>()
  const turns = { front: 0, back: 0 }
  return async (): Promise<RemovedByQueue> => {
    const removed = { messages: 0, bodies: 0, attempts: 0 }
    const tasks = tasksOf(await db.query<RuleRow>(statements.retentionRules), retentionMs)
    forgetOthers(walks, tasks)
    const go = async (which: keyof typeof turns, most: number): Promise<void> => {
      for (let nth = 0, left = most; nth < tasks.length && left > 0; nth++) {
        const task = tasks[turns[which]++ % tasks.length]!
        const name = nameOf(task)
        const walk = walks.get(name) ?? { front: LOWEST_ID, back: LOWEST_ID }
        walks.set(name, walk)
        const stretch = new Stretch(db, task, retentionMs)
        await (which === 'front' ? goOn(stretch, walk) : goAgain(stretch, walk))
        removed[task.kind] += stretch.removed
        left -= stretch.cost
      }
    }
    await go('front', limit)
    await go('back', limit / BACK_SHARE)
    return removed
  }
}

const nameOf = ({ queueId, kind }: Task): string => `${queueId} ${kind}`

/** What each queue keeps for a shorter time than the rest of the message, and messages for a time of their own. */
function tasksOf(rules: readonly RuleRow[], retentionMs: number): Task[] {
  return rules.flatMap(rule => {
    const messages = rule.message_retention_ms ?? retentionMs
    const shorter = (ms: number | null): number | null => ((ms ?? retentionMs) < messages ? (ms ?? retentionMs) : null)
    const times: Record<Kind, number | null> = {
      messages: rule.message_retention_ms,
      bodies: shorter(rule.body_retention_ms),
      attempts: shorter(rule.attempt_retention_ms),
    }
    const of = { orgId: rule.org_id, queueId: rule.id }
    return KINDS.flatMap(kind => (times[kind] === null ? [] : [{ ...of, kind, ms: times[kind] }]))
  })
}

function forgetOthers(walks: Map<string, Walk>, tasks: readonly Task[]): void {
  const names = new Set(tasks.map(nameOf))
  for (const name of walks.keys()) if (!names.has(name)) walks.delete(name)
}

function act(db: Database, { orgId, kind }: Task, over: Over, retentionMs: number): Promise<number> {
  if (kind === 'messages') return removeSettled(db.hot, orgId, over)
  return kind === 'bodies' ? removeBodies(db, orgId, over, retentionMs) : removeAttempts(db.hot, orgId, over)
}

/** Some pages of one task, and what they came to. */
class Stretch {
  removed = 0
  cost = 0
  readonly #db: Database
  readonly #task: Task
  readonly #retentionMs: number

  constructor(db: Database, task: Task, retentionMs: number) {
    this.#db = db
    this.#task = task
    this.#retentionMs = retentionMs
  }

  /** Removes what is over on the next page. `isLast`: nothing that is over can follow. */
  async look(after: number, size = PAGE): Promise<ExpiredPage & { readonly isLast: boolean }> {
    const params = [this.#task.queueId, after, size, this.#task.ms, SETTLING_MS].map(String)
    const page = await readPage(this.#db.hot, statements.findExpiredOfQueue, params)
    if (page.over) this.removed += await act(this.#db, this.#task, page.over, this.#retentionMs)
    this.cost += Math.max(LEAST_COST, page.seen)
    return { ...page, isLast: page.reached !== null || page.seen < size }
  }
}

/** Goes on from the front: it stays behind the first message behind which some may not be settled yet. */
async function goOn(stretch: Stretch, walk: Walk): Promise<void> {
  let at = walk.front
  let held: number | null = null
  for (let nth = 0; nth < FRONT_PAGES; nth++) {
    const page = await stretch.look(at, nth === 0 ? LEAST_COST : PAGE)
    held ??= page.settling ?? page.reached
    at = page.last ?? at
    if (page.isLast) break
  }
  walk.front = held === null ? at : Math.max(walk.front, held - 1)
}

/** Looks at another page of what the front has passed, and begins anew behind the last. */
async function goAgain(stretch: Stretch, walk: Walk): Promise<void> {
  if (walk.back >= walk.front) walk.back = LOWEST_ID
  if (walk.front === LOWEST_ID) return
  const { last, isLast } = await stretch.look(walk.back)
  walk.back = isLast || last === null ? LOWEST_ID : last
}

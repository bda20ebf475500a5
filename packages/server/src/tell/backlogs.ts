import type { Database } from '../db/port.ts'
import { loadStatement } from '../db/statement.ts'
import { alongIndexes } from '../queue/index-plans.ts'
import type { AlarmedQueue, Alarms } from './alarms.ts'
import type { Happening } from './teller.ts'

export interface BacklogsOptions {
  readonly db: Database
  readonly alarms: Pick<Alarms, 'raise' | 'clear' | 'raised'>
  /** How old a backlog may be where its queue says nothing else, in milliseconds; 0 is any age. */
  readonly limitMs: number
}

interface WaitingRow {
  readonly queue_id: number
  /** Null: not in a lane, but overdue. */
  readonly lane: number | null
  readonly xid: string | null
  readonly revived: boolean
  readonly limit_ms: number
  readonly age_ms: number
}

/** How old the head of a lane was when it was first seen there. */
interface Seen {
  readonly xid: string
  readonly ageMs: number
}

interface Age {
  readonly ms: number
  readonly limitMs: number
}

const LOOK = loadStatement(import.meta.url, './sql/look_at_backlogs.sql')
/** An installation that was down has many old backlogs when it is back: those that stay old have their turn. */
const RAISED_AT_ONCE = 100

/**
 * Backlogs: looks how long the oldest message that each queue could send has waited, and tells when that is longer than
 * the queue's bound, and when it is less than half of it again. For the leader; two at once do no harm.
 *
 * Waiting counts from when a message was put, or became due. A message that waits for its own retry is not waiting to be
 * sent, and one that was sent again (redrive) waits since it was first seen here.
 */
export class Backlogs {
  readonly #options: BacklogsOptions
  /** Heads of lanes that were sent again: when they were first seen, by how old they were then. */
  #revived = new Map<string, Seen>()

  constructor(options: BacklogsOptions) {
    this.#options = options
  }

  /** @throws DatabaseError */
  async look(): Promise<void> {
    const { db, alarms, limitMs } = this.#options
    const ages = this.#agesOf(await alongIndexes(db, tx => tx.query<WaitingRow>(LOOK, [limitMs])))
    const raised = await alarms.raised('backlog')
    const old = [...ages].filter(([id, { ms, limitMs }]) => ms > limitMs && !raised.has(id)).map(([id]) => id)
    const young = [...raised].filter(id => !isOverHalf(ages.get(id)))
    await alarms.raise('backlog', old.slice(0, RAISED_AT_ONCE), queue => oldOf(queue, ages.get(queue.queueId)!))
    await alarms.clear('backlog', young, queue => this.#recoveredOf(queue))
  }

  /** The oldest of each queue. */
  #agesOf(rows: readonly WaitingRow[]): Map<number, Age> {
    const before = this.#revived
    this.#revived = new Map()
    const ages = new Map<number, Age>()
    for (const row of rows) {
      const ms = row.revived ? this.#ageOfRevived(row, before) : row.age_ms
      if (ms >= (ages.get(row.queue_id)?.ms ?? 0)) ages.set(row.queue_id, { ms, limitMs: row.limit_ms })
    }
    return ages
  }

  #ageOfRevived({ queue_id, lane: nth, xid, age_ms }: WaitingRow, before: ReadonlyMap<string, Seen>): number {
    const lane = `${queue_id}:${nth}`
    const seen = before.get(lane)
    const first = seen?.xid === xid ? seen : { xid: xid!, ageMs: age_ms }
    this.#revived.set(lane, first)
    return Math.max(0, age_ms - first.ageMs)
  }

  #recoveredOf(queue: AlarmedQueue): Happening | null {
    const limitMs = queue.backlogAgeLimitMs ?? this.#options.limitMs
    // Deleted, or nobody asks any more how old its backlog is: nothing has recovered.
    if (queue.isDeleted || limitMs === 0) return null
    const { orgId, queueId, name, since } = queue
    return {
      type: 'backlog.recovered',
      data: { orgId, queueId, queueName: name, since: since.toISOString(), limitMs },
    }
  }
}

const isOverHalf = (age: Age | undefined): boolean => age !== undefined && age.ms > age.limitMs / 2

function oldOf({ orgId, queueId, name, pausedAt }: AlarmedQueue, { ms, limitMs }: Age): Happening {
  const data = { orgId, queueId, queueName: name, ageMs: ms, limitMs, pausedAt: pausedAt?.toISOString() ?? null }
  return { type: 'backlog.old', data }
}

/**
 * Alarms: what begins and ends, and is told once for each.
 *
 * An alarm that is raised is a row; whoever inserts it tells of its beginning, and whoever deletes it of its end, in the
 * same transaction. So however many nodes notice, and whichever dies over it, each is told once, and nothing needs a
 * leader. Logging and counting follow the commit: if that is in doubt, they may lack what the queue has.
 */
import type { Database, Executor } from '../db/port.ts'
import { loadStatement } from '../db/statement.ts'
import type { NewMessage, Notice, PutResult } from '../engine/port.ts'
import type { Happening, Teller } from './teller.ts'

export interface AlarmsOptions {
  readonly db: Database
  readonly teller: Teller
  /** The name of this node. */
  readonly node: string
  /** Stores messages within a transaction that is open. */
  readonly putWithin: (tx: Executor, messages: readonly NewMessage[]) => Promise<PutResult[]>
  /** Messages were put, and committed: their owners are to look. */
  readonly stored: () => void
}

export type QueueAlarm = 'breaker' | 'backlog'

/** A queue whose alarm was raised or has ended just now. */
export interface AlarmedQueue {
  readonly queueId: number
  readonly orgId: number
  readonly name: string
  /** When the alarm was raised. */
  readonly since: Date
  readonly pausedAt: Date | null
  readonly isDeleted: boolean
  readonly backlogAgeLimitMs: number | null
}

export interface Alarms {
  /** Raises those that are not raised. @throws DatabaseError */
  raise(kind: QueueAlarm, queueIds: readonly number[], tell: (queue: AlarmedQueue) => Happening): Promise<void>
  /** Ends those that are raised; of those for which `tell` gives null, without a word. @throws DatabaseError */
  clear(kind: QueueAlarm, queueIds: readonly number[], tell: (queue: AlarmedQueue) => Happening | null): Promise<void>
  /** The queues whose alarm is raised. @throws DatabaseError */
  raised(kind: QueueAlarm): Promise<Set<number>>
  raiseWorkers(tell: () => Happening): Promise<void>
  clearWorkers(tell: (since: Date) => Happening): Promise<void>
  /** Does something and tells of it in one transaction, once it is committed. @throws DatabaseError, and what `act` throws */
  tellOf(act: (tx: Executor) => Promise<readonly Told[]>): Promise<void>
}

interface Told {
  readonly happening: Happening
  readonly at: Date
}

interface AlarmRow {
  readonly queue_id: number
  readonly raised_at: Date
  readonly now: Date
  readonly org_id: number
  readonly name: string
  readonly paused_at?: Date | null
  readonly deleted_at?: Date | null
  readonly backlog_age_limit_ms: number | null
}

const RAISE = loadStatement(import.meta.url, './sql/raise_alarms.sql')
const CLEAR = loadStatement(import.meta.url, './sql/clear_alarms.sql')
const RAISED = { name: 'raised_alarms', text: 'SELECT queue_id FROM posthorn.alarm WHERE kind = $1::text' }
const RAISE_WORKERS = {
  name: 'raise_workers_alarm',
  text: `INSERT INTO posthorn.alarm (kind, queue_id, node) VALUES ('workers', 0, $1::text)
         ON CONFLICT (kind, queue_id) DO NOTHING RETURNING raised_at, now() AS now`,
}
const CLEAR_WORKERS = {
  name: 'clear_workers_alarm',
  text: `DELETE FROM posthorn.alarm WHERE kind = 'workers' RETURNING raised_at, now() AS now`,
}

export function createAlarms(options: AlarmsOptions): Alarms {
  const { db, teller, node } = options
  const tellOf: Alarms['tellOf'] = async act => {
    const { told, isPut } = await db.transaction(async tx => {
      const told = await act(tx)
      const notices = told.flatMap(({ happening, at }) => teller.noticeOf(happening, at) ?? [])
      if (notices.length > 0) await options.putWithin(tx, notices.map(messageOf))
      return { told, isPut: notices.length > 0 }
    })
    for (const { happening } of told) teller.told(happening)
    if (isPut) options.stored()
  }
  return {
    tellOf,
    async raise(kind, queueIds, tell) {
      if (queueIds.length === 0) return
      await tellOf(async tx => {
        const rows = await tx.query<AlarmRow>(RAISE, [kind, queueIds, node])
        return rows.map(row => ({ happening: tell(queueOf(row)), at: row.now }))
      })
    },
    async clear(kind, queueIds, tell) {
      if (queueIds.length === 0) return
      await tellOf(async tx => {
        const rows = await tx.query<AlarmRow>(CLEAR, [kind, queueIds])
        return rows.flatMap(row => {
          const happening = tell(queueOf(row))
          return happening ? { happening, at: row.now } : []
        })
      })
    },
    raised: async kind => new Set((await db.query<{ queue_id: number }>(RAISED, [kind])).map(row => row.queue_id)),
    raiseWorkers: tell =>
      tellOf(async tx => {
        const rows = await tx.query<{ raised_at: Date; now: Date }>(RAISE_WORKERS, [node])
        return rows.map(row => ({ happening: tell(), at: row.now }))
      }),
    clearWorkers: tell =>
      tellOf(async tx => {
        const rows = await tx.query<{ raised_at: Date; now: Date }>(CLEAR_WORKERS)
        return rows.map(row => ({ happening: tell(row.raised_at), at: row.now }))
      }),
  }
}

function queueOf(row: AlarmRow): AlarmedQueue {
  return {
    queueId: row.queue_id,
    orgId: row.org_id,
    name: row.name,
    since: row.raised_at,
    pausedAt: row.paused_at ?? null,
    isDeleted: Boolean(row.deleted_at),
    backlogAgeLimitMs: row.backlog_age_limit_ms,
  }
}

function messageOf({ orgId, queueId, body }: Notice): NewMessage {
  const none = { headers: null, dueAt: null, expiresAt: null, key: null, cronId: null, idempotency: null }
  return { orgId, queueId, body, priority: 0, slice: 0, ...none }
}

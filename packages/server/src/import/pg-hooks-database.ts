/**
 * A pg-hooks database, read and changed from outside.
 *
 * Handing over is the one change: a message gets `sent_at = 9999-12-31`, a time that none was ever sent at, and pg-hooks
 * sends nothing that has one. It is done for all messages in one statement, can be told from what was really sent, and
 * can be taken back. Nothing else is written there.
 */
import type { Database, Executor, LockSession, Param, Statement } from '../db/port.ts'
import { loadStatement } from '../db/statement.ts'

export interface OldQueue {
  readonly id: number
  readonly name: string
  readonly callback_url: string
  readonly method: string
  readonly headers: unknown
  readonly dead_letter_queue_id: number | null
  readonly max_retries: number
  readonly created_us: number
}

export interface OldCron {
  readonly id: number
  readonly queue_id: number
  readonly schedule: string
  readonly body: string | null
  readonly headers: unknown
  readonly created_us: number
  /** Whether a message of it waits: without one it never fires. */
  readonly waits: boolean
}

export interface OldMessage {
  readonly id: number
  readonly queue_id: number
  readonly cron_id: number | null
  /** Milliseconds since 1970; null for infinity. */
  readonly due: number | null
  readonly body: string | null
  readonly headers: unknown
  readonly retries: number
  readonly created_us: number
}

export interface OldCounts {
  readonly pending: number
  /** Of these, those that are due later. */
  readonly delayed: number
  readonly retried: number
  /** Of these, those that a cron waits with. */
  readonly ticks: number
  readonly handed_over: number
  /** Of the ids of those handed over. */
  readonly handed_over_sum: string
}

/** Where a message is, and what it takes to read it. */
export interface OldPlace {
  readonly id: number
  readonly bytes: number
  readonly created_us: number
}

const COLUMNS = {
  queues: ['id', 'name', 'callback_url', 'method', 'headers', 'dead_letter_queue_id', 'max_retries', 'created_at'],
  crons: ['id', 'queue_id', 'schedule', 'body', 'headers', 'created_at'],
  messages: ['id', 'queue_id', 'when', 'body', 'failed', 'headers', 'sent_at', 'retries', 'cron_id', 'created_at'],
  versions: ['version', 'name', 'run_at'],
} as const

const load = (name: string): Statement => loadStatement(import.meta.url, `./sql/pg_hooks_${name}.sql`)
const FIND_COLUMNS = load('columns')
const FINGERPRINT = load('fingerprint')
const QUEUES = load('queues')
const CRONS = load('crons')
const COUNT = load('count')
const HAND_OVER = load('hand_over')
const GIVE_BACK = load('give_back')
const PAGE = load('page')
const MESSAGES = load('messages')
const WAITING = load('waiting')
const MISSED_TICKS = load('missed_ticks')
const LEAD = load('lead')
const LED = load('led')
const SESSIONS = load('sessions')

/** The server ends our hold on the lock after this long without a word from us. */
const SILENCE_MS = 60_000

export class PgHooksDatabase {
  readonly #db: Database

  constructor(db: Database) {
    this.#db = db
  }

  /** @throws Error if this is no database of pg-hooks */
  async check(): Promise<void> {
    const tables = await this.#db.query<{ table: string; columns: string[] }>(FIND_COLUMNS)
    for (const [name, columns] of Object.entries(COLUMNS)) {
      const found = tables.find(({ table }) => table === name)
      if (!found) throw new Error(`this is no database of pg-hooks: it has no table "${name}"`)
      const missing = columns.filter(column => !found.columns.includes(column))
      if (missing.length > 0) {
        throw new Error(`this is no database of pg-hooks: its table "${name}" has no column "${missing[0]}"`)
      }
    }
  }

  /** Tells this database from others, also when it was moved. */
  async fingerprint(): Promise<string> {
    const [row] = await this.#db.query<{ fingerprint: string }>(FINGERPRINT)
    if (!row) throw new Error('this is no database of pg-hooks: its table "versions" is empty')
    return `pg-hooks ${row.fingerprint}`
  }

  queues(): Promise<OldQueue[]> {
    return this.#slowly(QUEUES)
  }

  crons(): Promise<OldCron[]> {
    return this.#slowly(CRONS)
  }

  async count(): Promise<OldCounts> {
    return (await this.#slowly<OldCounts>(COUNT))[0]!
  }

  /** Hands over all that wait on these queues; of what crons made, only if it was these. Gives how many. */
  async handOver(queueIds: readonly number[], cronIds: readonly number[]): Promise<number> {
    return (await this.#slowly<{ handed: number }>(HAND_OVER, [queueIds, cronIds]))[0]!.handed
  }

  async giveBack(ids: readonly number[]): Promise<void> {
    if (ids.length > 0) await this.#db.query(GIVE_BACK, [ids])
  }

  /** Of those handed over, the next ones by id. */
  page(after: number, limit: number): Promise<OldPlace[]> {
    return this.#slowly(PAGE, [after, limit])
  }

  messages(ids: readonly number[]): Promise<OldMessage[]> {
    return ids.length === 0 ? Promise.resolve([]) : this.#db.query<OldMessage>(MESSAGES, [ids])
  }

  /** Of those that wait, the next ones by id; without their bodies. */
  waiting(after: number, limit: number): Promise<OldMessage[]> {
    return this.#slowly(WAITING, [after, limit])
  }

  /** Of each cron the latest tick that was due at its time, among those handed over. */
  async missedTicks(since: ReadonlyMap<number, number>): Promise<Set<number>> {
    const rows = await this.#slowly<{ id: number }>(MISSED_TICKS, [[...since.keys()], [...since.values()]])
    return new Set(rows.map(({ id }) => id))
  }

  /** Whether a process of pg-hooks runs: how many are seen, and whether one holds the lock of the one that sends. */
  async running(): Promise<{ readonly sessions: number; readonly leads: boolean }> {
    const [seen] = await this.#db.query<{ sessions: number }>(SESSIONS)
    const [led] = await this.#db.query<{ held: boolean }>(LED)
    return { sessions: seen!.sessions, leads: led!.held }
  }

  /** Takes the lock of the one process that sends, and keeps it. Null if somebody else has it. */
  async lead(lost: (reason: Error) => void): Promise<Lead | null> {
    const session = await this.#db.openLockSession({ idleTimeoutMs: SILENCE_MS, ended: lost })
    const [row] = await session.query<{ leads: boolean }>(LEAD)
    if (row!.leads) return new Lead(session)
    await session.close()
    return null
  }

  /** Passes over a table without an index may take longer than the bound on a statement. */
  #slowly<Row>(statement: Statement, params: readonly Param[] = []): Promise<Row[]> {
    return this.#db.transaction((tx: Executor) => tx.query<Row>(statement, params), { slow: true })
  }
}

/** The place of pg-hooks' leader, kept by a word now and then. */
export class Lead {
  readonly #session: LockSession
  readonly #beat: NodeJS.Timeout

  constructor(session: LockSession) {
    this.#session = session
    // A session that is lost says so by itself.
    this.#beat = setInterval(() => session.query(LEAD_BEAT).catch(() => {}), SILENCE_MS / 4)
  }

  async leave(): Promise<void> {
    clearInterval(this.#beat)
    await this.#session.close()
  }
}

const LEAD_BEAT: Statement = { name: 'lead_beat', text: 'SELECT 1 AS beat' }

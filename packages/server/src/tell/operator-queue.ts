import type { Executor } from '../db/port.ts'
import { loadStatement } from '../db/statement.ts'
import type { Log } from '../log.ts'

export interface OperatorQueueOptions {
  readonly db: Executor
  readonly log: Log
  /** The instance org. */
  readonly orgId: number
  /** The id of the queue, or its name; null if there is to be none. */
  readonly named: string | null
}

export interface Target {
  readonly orgId: number
  readonly queueId: number
  /** The queue itself, and all to which its dead letters go: what befalls these must not be told on it. */
  readonly line: ReadonlySet<number>
}

const FIND = loadStatement(import.meta.url, './sql/find_operator_queue.sql')
const MOST_ID = 2 ** 31 - 1

/**
 * The queue that operational events are put on, in memory.
 *
 * It is looked for at the start, when a queue changes that may be it or is part of it, and now and then. While it is not
 * there nothing is put anywhere, which is logged once.
 *
 *   unknown ──look──▶ found ◀──look──▶ missing
 */
export class OperatorQueue {
  readonly #options: OperatorQueueOptions
  #target: Target | null = null
  #isMissing = false
  #looking: Promise<void> | null = null
  #isOutdated = false

  constructor(options: OperatorQueueOptions) {
    this.#options = options
  }

  get target(): Target | null {
    return this.#target
  }

  /** A queue was made, changed or deleted. */
  changed(queueId: number): void {
    if (this.#options.named === null || (this.#target && !this.#target.line.has(queueId))) return
    this.#isOutdated = true
    // If this fails, the look that is taken now and then says so.
    this.look().catch(() => {})
  }

  /** Looks whether it is there. @throws DatabaseError */
  look(): Promise<void> {
    this.#looking ??= this.#lookUntilCurrent().finally(() => {
      this.#looking = null
    })
    return this.#looking
  }

  async #lookUntilCurrent(): Promise<void> {
    const { named } = this.#options
    if (named === null) return
    do {
      this.#isOutdated = false
      await this.#lookOnce(named)
    } while (this.#isOutdated)
  }

  async #lookOnce(named: string): Promise<void> {
    const { db, log, orgId } = this.#options
    const id = /^\d{1,10}$/.test(named) && Number(named) <= MOST_ID ? Number(named) : null
    const rows = await db.query<{ id: number; is_target: boolean }>(FIND, [orgId, id, named])
    const found = rows.find(row => row.is_target)
    const before = this.#target
    this.#target = found ? { orgId, queueId: found.id, line: new Set(rows.map(row => row.id)) } : null
    if (found && found.id !== before?.queueId) log.info({ queueId: found.id }, 'operational events go to this queue')
    if (!found && !this.#isMissing)
      log.error(
        { operationalEventsQueue: named },
        'operational events are only logged: the instance org has no queue with this id or name',
      )
    this.#isMissing = !found
  }
}

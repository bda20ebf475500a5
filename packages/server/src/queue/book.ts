/**
 * The queue book: what delivery and puts need to know of a queue, in memory.
 *
 * Filled as asked for, many queues in one statement; bounded, what was not used for longest goes first. Whoever hears of
 * a change calls `forget`: an answer that was asked for before that is thrown away when it arrives, so that a change is
 * never covered by what it changed. Unknown ids are remembered for a second, so that calls for a queue that is not there
 * do not all reach the database.
 */
import type { Backoff, CircuitBreaker, GoneRule, Ordering, RateLimit } from '@posthorn/contract'
import type { Clock } from '../clock.ts'
import type { Executor } from '../db/port.ts'
import { loadStatement } from '../db/statement.ts'
import { Generations } from '../generations.ts'
import type { Log } from '../log.ts'
import { openQueueSecret } from '../tenant/sealed-columns.ts'
import type { SecretBox } from '../tenant/secret-box.ts'

export interface QueueConfig {
  readonly id: number
  readonly orgId: number
  /** Its org's share of a busy node. */
  readonly orgWeight: number
  readonly name: string
  /** Null for a pull queue. */
  readonly callbackUrl: string | null
  /** What its messages are for, if a worker gives them to a service. */
  readonly function: string | null
  /** When that worker was last started, in milliseconds since 1970; null if none is attached. */
  readonly startedAt: number | null
  readonly method: string
  readonly headers: Readonly<Record<string, string>> | null
  readonly deadLetterQueueId: number | null
  readonly maxRetries: number
  readonly backoff: Backoff
  readonly timeoutMs: number
  readonly concurrency: number
  readonly ordered: Ordering
  readonly followRedirects: boolean
  readonly onGone: GoneRule
  readonly rateLimit: RateLimit | null
  readonly circuitBreaker: CircuitBreaker | null
  readonly weight: number
  /** How many slices it has. */
  readonly spread: number
  /** Opened; newest first. */
  readonly secrets: readonly string[]
  /** Also while its signing secrets cannot be opened, and while its function has no backend. */
  readonly isPaused: boolean
  /** Takes no new messages: its function has no backend. */
  readonly isDetached: boolean
  readonly version: number
}

export interface QueueBookOptions {
  readonly db: Executor
  readonly secrets: SecretBox
  readonly clock: Clock
  readonly log: Log
  /** How many queues are kept at most; 20,000 by default. */
  readonly capacity?: number
  /** How long an unknown id is remembered as such; 1 s by default. */
  readonly missTtlMs?: number
}

const DEFAULT_CAPACITY = 20_000
const DEFAULT_MISS_TTL_MS = 1_000
/** An id that is forgotten while it is loaded is asked for again; not for ever. */
const MOST_ROUNDS = 3

const LOAD = loadStatement(import.meta.url, './sql/load_queues.sql')

type Answer = ReadonlyMap<number, QueueConfig | null>

export class QueueBook {
  readonly #options: QueueBookOptions
  readonly #known: Generations<QueueConfig>
  /** Until when (monotonic) an id counts as unknown. */
  readonly #unknown: Generations<number>
  readonly #underWay = new Map<number, Promise<Answer>>()

  constructor(options: QueueBookOptions) {
    this.#options = options
    this.#known = new Generations(options.capacity ?? DEFAULT_CAPACITY)
    this.#unknown = new Generations(options.capacity ?? DEFAULT_CAPACITY)
  }

  /** Undefined: not in memory, `load` it. Null: there is no such queue, or it is deleted. */
  get(id: number): QueueConfig | null | undefined {
    const config = this.#known.get(id)
    if (config) return config
    const until = this.#unknown.get(id)
    return until !== undefined && until > this.#options.clock.monotonic() ? null : undefined
  }

  /**
   * What these queues are; null: there is no such queue, or it is deleted. An answer that is forgotten while it is awaited
   * is good enough for whoever had asked already, and so there always is one. @throws DatabaseError
   */
  async find(ids: readonly number[]): Promise<Answer> {
    const found = new Map(ids.map(id => [id, this.get(id)]))
    const missing = ids.filter(id => found.get(id) === undefined)
    const answers = missing.length > 0 ? await this.#ask(missing) : []
    for (const id of missing) found.set(id, answers.find(answer => answer.has(id))?.get(id))
    return found as Answer
  }

  /** Asks for those that are not known, for who will `get` them. @throws DatabaseError */
  async load(ids: readonly number[]): Promise<void> {
    for (let round = 0; round < MOST_ROUNDS; round++) {
      const missing = ids.filter(id => this.get(id) === undefined)
      if (missing.length === 0) return
      await this.#ask(missing)
    }
  }

  forget(id: number): void {
    this.#known.delete(id)
    this.#unknown.delete(id)
    this.#underWay.delete(id)
  }

  /** After changes may have been missed. */
  forgetAll(): void {
    this.#known.clear()
    this.#unknown.clear()
    this.#underWay.clear()
  }

  async #ask(ids: readonly number[]): Promise<readonly Answer[]> {
    const fresh = [...new Set(ids)].filter(id => !this.#underWay.has(id))
    if (fresh.length > 0) {
      const answer = this.#read(fresh)
      for (const id of fresh) this.#underWay.set(id, answer)
    }
    return Promise.all(new Set(ids.map(id => this.#underWay.get(id)!)))
  }

  #read(ids: readonly number[]): Promise<Answer> {
    const answer: Promise<Answer> = this.#options.db.query<QueueRow>(LOAD, [ids]).then(
      rows => {
        const found = new Map<number, QueueConfig | null>(ids.map(id => [id, null]))
        for (const row of rows) found.set(row.id, this.#toConfig(row))
        for (const [id, config] of found) if (this.#arrives(id, answer)) this.#remember(id, config)
        return found
      },
      error => {
        for (const id of ids) this.#arrives(id, answer)
        throw error
      },
    )
    return answer
  }

  /** Whether this answer still counts: nobody forgot the id since it was asked for. */
  #arrives(id: number, answer: Promise<Answer>): boolean {
    return this.#underWay.get(id) === answer && this.#underWay.delete(id)
  }

  #remember(id: number, config: QueueConfig | null): void {
    const { clock, missTtlMs = DEFAULT_MISS_TTL_MS } = this.#options
    if (config) this.#known.set(id, config)
    else this.#unknown.set(id, clock.monotonic() + missTtlMs)
  }

  #toConfig(row: QueueRow): QueueConfig {
    const secrets = this.#openSecrets(row)
    const isDetached = row.function !== null && row.attached_at === null
    return {
      id: row.id,
      orgId: row.org_id,
      orgWeight: row.org_weight,
      name: row.name,
      callbackUrl: row.callback_url,
      function: row.function,
      startedAt: row.attached_at?.getTime() ?? null,
      method: row.method,
      headers: row.headers,
      deadLetterQueueId: row.dead_letter_queue_id,
      maxRetries: row.max_retries,
      backoff: row.backoff,
      timeoutMs: row.timeout_ms,
      concurrency: row.concurrency,
      ordered: row.ordered,
      followRedirects: row.follow_redirects,
      onGone: row.on_gone,
      rateLimit: row.rate_limit,
      circuitBreaker: row.circuit_breaker,
      weight: row.weight,
      spread: row.spread,
      secrets: secrets ?? [],
      isPaused: row.paused_at !== null || secrets === null || isDetached,
      isDetached,
      version: row.version,
    }
  }

  /** Null if they cannot be opened: the queue then waits, rather than send unsigned, and the others are not held up. */
  #openSecrets(row: QueueRow): string[] | null {
    try {
      return row.secrets.map(sealed => openQueueSecret(this.#options.secrets, sealed, row.org_id))
    } catch (error) {
      this.#options.log.error(
        { queueId: row.id, err: error },
        'The queue is held: its signing secrets cannot be opened',
      )
      return null
    }
  }
}

interface QueueRow {
  readonly id: number
  readonly org_id: number
  readonly org_weight: number
  readonly name: string
  readonly callback_url: string | null
  readonly function: string | null
  readonly attached_at: Date | null
  readonly method: string
  readonly headers: Record<string, string> | null
  readonly dead_letter_queue_id: number | null
  readonly max_retries: number
  readonly backoff: Backoff
  readonly timeout_ms: number
  readonly concurrency: number
  readonly ordered: Ordering
  readonly follow_redirects: boolean
  readonly on_gone: GoneRule
  readonly rate_limit: RateLimit | null
  readonly circuit_breaker: CircuitBreaker | null
  readonly weight: number
  readonly spread: number
  readonly secrets: string[]
  readonly paused_at: Date | null
  readonly version: number
}

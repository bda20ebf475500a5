/**
 * One connection at work: runs statements one after the other and tells apart how they fail.
 *
 * What a lost connection means depends on what was under way (`lossMeans`): a statement by itself, and COMMIT, may have
 * been carried out (`unknown`); a statement inside a transaction cannot have been, because its COMMIT was never sent
 * (`unsent`). So is whatever comes after the loss.
 */
import type { ClientBase, QueryConfig, QueryResult } from 'pg'
import { endsSession, isServerError, toDatabaseError } from './failure.ts'
import {
  DatabaseError,
  type Executor,
  type FailedOutcome,
  type Param,
  type RawParam,
  type Statement,
  type TextRow,
} from './port.ts'
import type { StatementTexts } from './schema.ts'
import { encodeParams, textValues, typedValues } from './values.ts'

/** The statement prepared under this name is no longer what it was: a new connection prepares it anew. */
const STALE_STATEMENT = new Set(['0A000', '26000'])

export class Connection implements Executor {
  readonly #client: ClientBase
  readonly #texts: StatementTexts
  readonly #giveUp: { readonly afterMs: number; readonly run: () => void } | undefined
  #turn: Promise<unknown> = Promise.resolve()
  lossMeans: FailedOutcome = 'unknown'
  /** The session is over: what is sent now reaches nobody. */
  #lost = false
  /** The connection must not be used by anybody else. */
  broken = false
  /** The first failure since the connection was handed out. */
  failure: DatabaseError | undefined

  /** @param giveUp how to cut the connection if a statement is not answered in time: a server cut off from us never says so */
  constructor(client: ClientBase, texts: StatementTexts, giveUp?: { afterMs: number; run: () => void }) {
    this.#client = client
    this.#texts = texts
    this.#giveUp = giveUp
  }

  query<Row = Record<string, unknown>>(statement: Statement, params: readonly Param[] = []): Promise<Row[]> {
    return this.#inTurn(() => this.#run<Row>(statement, { values: encodeParams(params), types: typedValues }))
  }

  rows(statement: Statement, params: readonly RawParam[] = []): Promise<TextRow[]> {
    return this.#inTurn(() => this.#run(statement, { values: [...params], types: textValues, rowMode: 'array' }))
  }

  exec(sql: string): Promise<void> {
    return this.#inTurn(async () => {
      await this.#ask(this.#texts.replace(sql))
    })
  }

  /** Ends the transaction. False if the server rolled it back instead, because a statement in it had failed. */
  commit(): Promise<boolean> {
    return this.#inTurn(async () => (await this.#ask('COMMIT')).command === 'COMMIT')
  }

  async #run<Row>(statement: Statement, how: Pick<QueryConfig, 'types' | 'values'> & { rowMode?: 'array' }) {
    const { rows } = await this.#ask({ ...named(statement), text: this.#texts.of(statement), ...how })
    return rows as Row[]
  }

  /**
   * By a callback: where `pg` makes the promise, queries that are over outlive the collections of the young generation,
   * and with them their rows, their values and the requests that waited for them (docs/decisions/memory.md).
   */
  #ask(query: string | QueryConfig): Promise<QueryResult> {
    return new Promise((resolve, reject) => {
      this.#client.query(query, (error, result) => {
        if (error) reject(error)
        else resolve(result)
      })
    })
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(() => this.#watch(work))
    // Not the result: a connection at rest would keep the last rows.
    this.#turn = result.then(nothing, nothing)
    return result
  }

  async #watch<T>(work: () => Promise<T>): Promise<T> {
    if (this.#lost) throw new DatabaseError('the connection was lost', 'unsent', { cause: this.failure })
    const timer = this.#giveUp && setTimeout(this.#giveUp.run, this.#giveUp.afterMs)
    try {
      return await work()
    } catch (error) {
      const failure = toDatabaseError(error, this.lossMeans)
      if (failure !== error) {
        this.#lost ||= endsSession(error)
        this.broken ||= this.#lost || isStale(error)
      }
      this.failure ??= failure
      throw failure
    } finally {
      clearTimeout(timer)
    }
  }
}

function nothing(): void {}

/** `pg` prepares under the name it is given, once per connection. */
function named({ name }: Statement): { name?: string } {
  return name === '' ? {} : { name }
}

function isStale(error: unknown): boolean {
  return isServerError(error) && STALE_STATEMENT.has(error.code)
}

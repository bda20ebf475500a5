/**
 * The database over pools of connections: what PostgreSQL and the embedded one have in common.
 *
 * A statement takes a connection, a transaction holds one until it has ended. A connection that was lost is thrown away
 * and the pool opens another one: nothing has to be restarted when the server comes back. `stop` refuses new work,
 * lets what is running finish and closes the connections.
 */
import type { Duplex } from 'node:stream'
import type { Pool, PoolClient } from 'pg'
import { Connection } from './connection.ts'
import { toDatabaseError } from './failure.ts'
import { FORCE_PLANS_OF_SESSION, LET_PLANS_GO } from './forced-plans.ts'
import {
  type Database,
  DatabaseError,
  type Executor,
  type Listening,
  type LockSession,
  type LockSessionOptions,
  type Param,
  type RawParam,
  type Statement,
  type TextRow,
} from './port.ts'
import { lockSpaceOf, StatementTexts } from './schema.ts'
import { TransactionGuard } from './transaction-guard.ts'

export interface Pools {
  /** Statements and transactions. */
  readonly ordinary: Pool
  /** Statements with forced plans. */
  readonly hot: Pool
  /** `exec` outside of a transaction: VACUUM and the like, which may take long. */
  readonly slow: Pool
}

export interface Adapter {
  readonly kind: Database['kind']
  readonly schema: string
  readonly lockKey?: number | undefined
  readonly pools: Pools
  /** Cuts a connection whose statement is not answered within this time; 0 waits for ever. Not for the slow pool. */
  readonly giveUpAfterMs: number
  /** All connections are one session: a statement beside one's own transaction would wait for itself. */
  readonly singleSession: boolean
  /** Listens until it is told to stop, or the signal says so. */
  listen(channel: string, heard: (payload: string) => void, missed: () => void, signal: AbortSignal): Promise<Listening>
  openLockSession(options: LockSessionOptions, texts: StatementTexts): Promise<LockSession>
  /** Closes what is not a pool. */
  close(): Promise<void>
}

export class PooledDatabase implements Database {
  readonly kind: Database['kind']
  readonly schema: string
  readonly lockSpace: number
  readonly hot: Executor
  readonly #adapter: Adapter
  readonly #texts: StatementTexts
  readonly #guard: TransactionGuard | undefined
  /** Statements and transactions under way. Counted: a set of their promises would keep what they brought. */
  #running = 0
  #finished: (() => void) | null = null
  readonly #clients = new Set<PoolClient>()
  /** Of one session for everything: while its plans are forced. */
  #forced: PoolClient | null = null
  readonly #stopping = new AbortController()
  #stopped: Promise<void> | undefined

  constructor(adapter: Adapter) {
    this.kind = adapter.kind
    this.schema = adapter.schema
    this.lockSpace = adapter.lockKey ?? lockSpaceOf(adapter.schema)
    this.#adapter = adapter
    this.#texts = new StatementTexts(adapter.schema)
    this.#guard = adapter.singleSession ? new TransactionGuard() : undefined
    this.hot = this.#hotExecutor(adapter.pools.hot)
    for (const pool of new Set<Pool>([adapter.pools.ordinary, adapter.pools.hot])) {
      pool.on('connect', client => this.#clients.add(client))
      pool.on('remove', client => this.#clients.delete(client))
    }
  }

  cutConnections(): void {
    if (this.#adapter.singleSession) return // its connection is a thread of this process
    // One that waits in the pool is thrown away by its pool when it hears of the error, one that is lent out when it is given back.
    for (const client of this.#clients) streamOf(client).destroy(new Error('the database did not answer in time'))
  }

  query<Row = Record<string, unknown>>(statement: Statement, params?: readonly Param[]): Promise<Row[]> {
    return this.#lend(this.#adapter.pools.ordinary, connection => connection.query<Row>(statement, params))
  }

  rows(statement: Statement, params?: readonly RawParam[]): Promise<TextRow[]> {
    return this.#lend(this.#adapter.pools.ordinary, connection => connection.rows(statement, params))
  }

  exec(sql: string): Promise<void> {
    return this.#lend(this.#adapter.pools.slow, connection => connection.exec(sql))
  }

  transaction<T>(work: (tx: Executor) => Promise<T>, options?: { readonly slow?: boolean }): Promise<T> {
    const { slow, ordinary } = this.#adapter.pools
    return this.#lend(options?.slow ? slow : ordinary, connection => this.#transact(connection, work))
  }

  listen(channel: string, heard: (payload: string) => void, missed: () => void): Promise<Listening> {
    return this.#adapter.listen(channel, heard, missed, this.#stopping.signal)
  }

  openLockSession(options: LockSessionOptions): Promise<LockSession> {
    return this.#adapter.openLockSession(options, this.#texts)
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#finish()
    return this.#stopped
  }

  async #finish(): Promise<void> {
    this.#stopping.abort()
    if (this.#running > 0)
      await new Promise<void>(resolve => {
        this.#finished = resolve
      })
    await Promise.all([...new Set<Pool>(Object.values(this.#adapter.pools))].map(pool => pool.end()))
    await this.#adapter.close()
  }

  #hotExecutor(pool: Pool): Executor {
    const lend = <T>(work: (connection: Connection) => Promise<T>): Promise<T> => this.#lend(pool, work, true)
    return {
      query: <Row>(statement: Statement, params?: readonly Param[]) =>
        lend(connection => connection.query<Row>(statement, params)),
      rows: (statement, params) => lend(connection => connection.rows(statement, params)),
      exec: sql => lend(connection => connection.exec(sql)),
    }
  }

  async #transact<T>(connection: Connection, work: (tx: Executor) => Promise<T>): Promise<T> {
    connection.lossMeans = 'unsent'
    const tx = new Transaction(connection)
    try {
      await connection.exec('BEGIN')
      const result = await (this.#guard ? this.#guard.run(() => work(tx)) : work(tx))
      tx.end()
      connection.lossMeans = 'unknown'
      if (await connection.commit()) return result
    } catch (error) {
      tx.end()
      if (!connection.broken) await connection.exec('ROLLBACK').catch(() => {})
      throw error
    }
    const { message, sqlState, constraint } = connection.failure ?? { message: 'a statement in it failed' }
    throw new DatabaseError(`the transaction was rolled back: ${message}`, 'rejected', {
      ...(sqlState === undefined ? {} : { sqlState }),
      ...(constraint === undefined ? {} : { constraint }),
      cause: connection.failure,
    })
  }

  async #lend<T>(pool: Pool, work: (connection: Connection) => Promise<T>, isHot = false): Promise<T> {
    if (this.#stopped) throw new DatabaseError('the database has been stopped', 'unsent')
    if (this.#guard?.isInside()) throw this.#guard.refusal()
    this.#running += 1
    try {
      return await this.#useClient(pool, work, isHot)
    } finally {
      this.#running -= 1
      if (this.#running === 0) this.#finished?.()
    }
  }

  async #useClient<T>(pool: Pool, work: (connection: Connection) => Promise<T>, isHot: boolean): Promise<T> {
    let client: PoolClient
    try {
      client = await pool.connect()
    } catch (error) {
      throw toDatabaseError(error, 'unsent')
    }
    const afterMs = pool === this.#adapter.pools.slow ? 0 : this.#adapter.giveUpAfterMs
    const connection = new Connection(
      client,
      this.#texts,
      afterMs > 0 ? { afterMs, run: () => cut(client) } : undefined,
    )
    try {
      if (this.#adapter.singleSession) await this.#plan(client, connection, isHot)
      return await work(connection)
    } finally {
      client.release(connection.broken)
    }
  }

  /** One session is the hot one and the ordinary one in turn. */
  async #plan(client: PoolClient, connection: Connection, isHot: boolean): Promise<void> {
    if ((this.#forced === client) === isHot) return
    await connection.exec(isHot ? FORCE_PLANS_OF_SESSION : LET_PLANS_GO)
    this.#forced = isHot ? client : null
  }
}

function streamOf(client: PoolClient): Duplex {
  return (client as unknown as { readonly connection: { readonly stream: Duplex } }).connection.stream
}

/** Closes the socket of a client that is in the middle of a statement; the statement then fails as lost. */
function cut(client: PoolClient): void {
  ;(client as unknown as { end(done: () => void): void }).end(() => {})
}

/** The executor that `work` gets: of no use after the transaction has ended, when the connection is another's. */
class Transaction implements Executor {
  readonly #connection: Connection
  #ended = false

  constructor(connection: Connection) {
    this.#connection = connection
  }

  end(): void {
    this.#ended = true
  }

  query<Row = Record<string, unknown>>(statement: Statement, params?: readonly Param[]): Promise<Row[]> {
    return this.#ended ? refuseEnded() : this.#connection.query<Row>(statement, params)
  }

  rows(statement: Statement, params?: readonly RawParam[]): Promise<TextRow[]> {
    return this.#ended ? refuseEnded() : this.#connection.rows(statement, params)
  }

  exec(sql: string): Promise<void> {
    return this.#ended ? refuseEnded() : this.#connection.exec(sql)
  }
}

function refuseEnded(): Promise<never> {
  return Promise.reject(new DatabaseError('this transaction has ended; its statements must be awaited', 'unsent'))
}

/**
 * The database: one small port over PostgreSQL (≥ 14) and the embedded PostgreSQL.
 *
 * Statements name their tables `posthorn.…`; the port replaces that with the configured schema once per statement.
 * Both databases give the same values: int2/int4/int8/xid8/float8 as number (2^53 is far enough), bool as boolean, numeric as string,
 * timestamptz as Date, json/jsonb parsed, bytea as Buffer, arrays of these as arrays, everything else as text.
 * Parameters go the other way with the same rules; objects are sent as JSON text, arrays as PostgreSQL arrays.
 */
export interface Statement {
  /** Unique in the program; the statement is prepared under it, once per connection. Empty: made up as asked, never prepared. */
  readonly name: string
  readonly text: string
}

export type Param = string | number | bigint | boolean | null | Date | Uint8Array | object | readonly Param[]

/** A parameter as it is sent: text, or a Buffer in the binary format of the parameter's type. */
export type RawParam = string | Buffer | null

/** A row as PostgreSQL prints it, column by column. */
export type TextRow = (string | null)[]

export interface Executor {
  /** Runs one statement and gives its rows as objects keyed by column name. @throws DatabaseError */
  query<Row = Record<string, unknown>>(statement: Statement, params?: readonly Param[]): Promise<Row[]>
  /** Runs one statement and gives its rows unparsed, for the hot path: no value is converted that nobody reads. @throws DatabaseError */
  rows(statement: Statement, params?: readonly RawParam[]): Promise<TextRow[]>
  /**
   * Runs SQL text that has no parameters and may hold several statements, outside of a transaction on a connection
   * without a bound on the duration (VACUUM, DDL). @throws DatabaseError
   */
  exec(sql: string): Promise<void>
}

export interface Database extends Executor {
  readonly kind: 'postgres' | 'embedded'
  readonly schema: string
  /** The same database with plans forced for the hot tables (see forced-plans.ts). */
  readonly hot: Executor
  /**
   * Runs `work` in one transaction on one connection; commits when it resolves, rolls back when it rejects.
   * Its statements go through `tx`, not through the database. `slow`: without the bound of 30 s on a statement.
   * @throws DatabaseError if it could not be committed, or whatever `work` rejects with
   */
  transaction<T>(work: (tx: Executor) => Promise<T>, options?: { readonly slow?: boolean }): Promise<T>
  /**
   * Listens on a channel over a connection of its own that heals by itself. `heard` gets each payload, and `missed` is
   * called after every (re)connection, because what was notified in between is lost.
   */
  listen(channel: string, heard: (payload: string) => void, missed: () => void): Promise<Listening>
  /** Opens a session of its own for locks, over the direct URL where one is configured. Postgres only. @throws DatabaseError */
  openLockSession(options: LockSessionOptions): Promise<LockSession>
  /** First key of two-part advisory locks: the one configured, else a 32-bit number that differs between schemas. */
  readonly lockSpace: number
  /**
   * Cuts every connection of the pools: statements under way end as lost, and the next ones open connections anew. For when
   * the network has gone silent, which a connection that waits for an answer cannot notice by itself.
   */
  cutConnections(): void
  stop(): Promise<void>
}

export interface Listening {
  stop(): Promise<void>
}

export interface LockSessionOptions {
  /** The server itself ends the session after this long without a statement. */
  readonly idleTimeoutMs: number
  /** Called once, when the session has ended for whatever reason but `close`. */
  readonly ended: (reason: Error) => void
}

export interface LockSession extends Executor {
  /** Ends the session; its advisory locks are free when this resolves or the connection is gone. Never rejects. */
  close(): Promise<void>
}

/**
 * What became of a statement that failed:
 * `rejected` the server (or a check before it) refused it, nothing happened · `unsent` it never reached the server · `unknown` the connection
 * was lost after it was sent: it may have committed.
 */
export type FailedOutcome = 'rejected' | 'unsent' | 'unknown'

export class DatabaseError extends Error {
  readonly outcome: FailedOutcome
  /** SQLSTATE, where the server gave one. */
  readonly sqlState: string | undefined
  readonly constraint: string | undefined

  constructor(
    message: string,
    outcome: FailedOutcome,
    details: { sqlState?: string; constraint?: string; cause?: unknown } = {},
  ) {
    super(message, { cause: details.cause })
    this.name = 'DatabaseError'
    this.outcome = outcome
    this.sqlState = details.sqlState
    this.constraint = details.constraint
  }
}

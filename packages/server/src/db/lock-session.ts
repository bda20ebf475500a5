/**
 * A session for advisory locks: a connection of its own that holds them until it ends.
 *
 * The server itself ends a session that has been silent for `idleTimeoutMs`, so a frozen or cut-off node loses its
 * locks without anybody's help. `ended` is called once, on the first sign of the loss, whatever it is.
 *
 *   opening ──answered──▶ open ──lost──▶ over (`ended` called)        opening, open ──close()──▶ over (not called)
 */
import { Socket } from 'node:net'
import pg from 'pg'
import { Connection } from './connection.ts'
import { toDatabaseError } from './failure.ts'
import {
  DatabaseError,
  type LockSession,
  type LockSessionOptions,
  type Param,
  type RawParam,
  type Statement,
  type TextRow,
} from './port.ts'
import type { StatementTexts } from './schema.ts'
import { loadStatement } from './statement.ts'

/** How long a closing session may wait for the server's goodbye before its socket is cut. */
const GOODBYE_MS = 1_000

const idleTimeout = loadStatement(import.meta.url, './sql/lock_session_idle_timeout.sql')

/** @throws DatabaseError if the session cannot be opened, or something in between keeps the server from watching over it */
export async function openLockSession(
  config: pg.ClientConfig,
  options: LockSessionOptions,
  texts: StatementTexts,
): Promise<LockSession> {
  const session = new PostgresLockSession(config, options.ended, texts)
  try {
    await session.open(options.idleTimeoutMs)
  } catch (error) {
    await session.close()
    throw toDatabaseError(error, 'unsent')
  }
  return session
}

class PostgresLockSession implements LockSession {
  readonly #socket = new Socket()
  readonly #client: pg.Client
  readonly #connection: Connection
  readonly #ended: (reason: Error) => void
  #state: 'opening' | 'open' | 'over' = 'opening'

  constructor(config: pg.ClientConfig, ended: (reason: Error) => void, texts: StatementTexts) {
    this.#client = new pg.Client({ ...config, application_name: 'posthorn locks', stream: () => this.#socket })
    this.#client.on('error', error => this.#end(error))
    this.#client.on('end', () => this.#end(new Error('the connection was closed')))
    this.#connection = new Connection(this.#client, texts)
    this.#ended = ended
  }

  async open(idleTimeoutMs: number): Promise<void> {
    await this.#client.connect()
    const [row] = await this.#connection.query<{ ms: number }>(idleTimeout)
    if (row!.ms !== idleTimeoutMs) {
      throw new DatabaseError(
        'lock sessions need a direct connection to the server: something in between drops idle_session_timeout (configure the direct url)',
        'rejected',
      )
    }
    if (this.#state === 'over') throw new DatabaseError('the lock session was lost as it opened', 'unsent')
    this.#state = 'open'
  }

  query<Row = Record<string, unknown>>(statement: Statement, params?: readonly Param[]): Promise<Row[]> {
    return this.#connection.query<Row>(statement, params)
  }

  rows(statement: Statement, params?: readonly RawParam[]): Promise<TextRow[]> {
    return this.#connection.rows(statement, params)
  }

  exec(sql: string): Promise<void> {
    return this.#connection.exec(sql)
  }

  async close(): Promise<void> {
    this.#state = 'over'
    const cut = setTimeout(() => this.#socket.destroy(), GOODBYE_MS)
    await this.#client.end().catch(() => {})
    clearTimeout(cut)
  }

  #end(reason: Error): void {
    const wasOpen = this.#state === 'open'
    this.#state = 'over'
    if (wasOpen) this.#ended(reason)
  }
}

/** A server that cannot be reached yet is waited for: a node may start before its database. */
import { setTimeout as delay } from 'node:timers/promises'
import type { Log } from '../log.ts'
import { DatabaseError } from './port.ts'

const FIRST_DELAY_MS = 100
export const LONGEST_DELAY_MS = 2_000

/** Network, name resolution, socket file: what a server or a network that comes up later cures. */
const NOT_THERE_YET = /^(ECONN|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EHOST|ENET|ENOENT|EPIPE)/
/** Of the errors that `pg` gives without a code, those that are not about SSL or passwords. */
const BROKEN_OFF = /terminated|timeout/
/** Starting up or shutting down, out of connections, connection failures. */
const NOT_READY_YET = /^(57P0[1-3]|53300|08...)$/

/** Milliseconds to wait before try number `attempt` + 1. */
export function reconnectDelay(attempt: number): number {
  return Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** attempt)
}

/**
 * Calls `connect` until it succeeds.
 * @param place host and database, for the log
 * @throws Error of a failure that waiting does not cure (a wrong password, a database that does not exist) or of the aborted signal
 */
export async function waitForServer(
  connect: () => Promise<void>,
  place: string,
  log: Log,
  signal: AbortSignal | undefined,
): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    signal?.throwIfAborted()
    try {
      return await connect()
    } catch (error) {
      if (!mayPass(error)) throw new Error(`cannot use the database ${place}: ${hint(error)}`, { cause: error })
      const delayMs = reconnectDelay(attempt)
      log.warn({ error: (error as Error).message, retryInMs: delayMs }, `waiting for the database ${place}`)
      await delay(delayMs, undefined, { signal })
    }
  }
}

function mayPass(error: unknown): boolean {
  if (!(error instanceof DatabaseError)) return false
  if (error.sqlState !== undefined) return NOT_READY_YET.test(error.sqlState) && !isRefusedOption(error)
  const code = networkCode(error.cause)
  if (code !== undefined) return NOT_THERE_YET.test(code)
  return error.outcome !== 'rejected' && (error.cause === undefined || BROKEN_OFF.test(error.message))
}

function networkCode(cause: unknown): string | undefined {
  const first = cause instanceof AggregateError ? (cause.errors as unknown[])[0] : cause
  return first instanceof Error && 'code' in first ? String(first.code) : undefined
}

function isRefusedOption(error: DatabaseError): boolean {
  return error.message.includes('startup parameter')
}

function hint(error: unknown): string {
  const message = (error as Error).message
  if (!(error instanceof DatabaseError) || !isRefusedOption(error)) return message
  return `${message} (PgBouncer needs ignore_startup_parameters = options)`
}

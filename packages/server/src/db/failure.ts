/** What an error of `pg` means for the statement that met it. */
import { DatabaseError, type FailedOutcome } from './port.ts'

/** Reported as the server ends the session, whatever severity a translated message shows. */
const ENDS_THE_SESSION = /^(08...|57P0[1-5]|25P0[34]|40003)$/

/** The connection was known to be gone before anything was written to it. */
const NEVER_WRITTEN = /not queryable/

interface ServerError extends Error {
  readonly code: string
  readonly severity?: string
  readonly constraint?: string
}

/** An error with an SQLSTATE came from the server; every other error of a running statement is a lost connection. */
export function isServerError(error: unknown): error is ServerError {
  return error instanceof Error && 'severity' in error && 'code' in error && typeof error.code === 'string'
}

/** Whether the connection is of no further use. */
export function endsSession(error: unknown): boolean {
  if (!isServerError(error)) return true
  return error.severity === 'FATAL' || error.severity === 'PANIC' || ENDS_THE_SESSION.test(error.code)
}

/** @param lossMeans what becomes of the statement if the connection was lost after it was written */
export function toDatabaseError(error: unknown, lossMeans: FailedOutcome): DatabaseError {
  if (error instanceof DatabaseError) return error
  const message = error instanceof Error ? error.message : String(error)
  if (!isServerError(error)) {
    return new DatabaseError(message, NEVER_WRITTEN.test(message) ? 'unsent' : lossMeans, { cause: error })
  }
  return new DatabaseError(message, endsSession(error) ? lossMeans : 'rejected', {
    sqlState: error.code,
    ...(error.constraint === undefined ? {} : { constraint: error.constraint }),
    cause: error,
  })
}

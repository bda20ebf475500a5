import type { ErrorCode } from './generated/types.ts'

export type PosthornErrorCode =
  | ErrorCode
  /** No answer came: nobody listens there, the connection broke, or it took too long. */
  | 'unreachable'
  /** Something answered that is not Posthorn. */
  | 'unknown_answer'

/** Whatever kept a call from succeeding. */
export class PosthornError extends Error {
  readonly code: PosthornErrorCode
  /** The HTTP status; 0 where no answer came. */
  readonly status: number
  /** What the code's text names: ids, fields, limits. */
  readonly details: Readonly<Record<string, string | number>>

  constructor(
    code: PosthornErrorCode,
    message: string,
    status: number,
    details: Readonly<Record<string, string | number>> = {},
    options?: ErrorOptions,
  ) {
    super(message, options)
    this.name = 'PosthornError'
    this.code = code
    this.status = status
    this.details = details
  }
}

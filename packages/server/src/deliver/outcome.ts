import type { Outcome } from './port.ts'

/** Every `errorCode` that an attempt can end with. */
export const ERROR_CODES = {
  http_status: 'The receiver answered with a status other than 2xx.',
  redirect: 'The receiver redirected, and the redirect could not be followed: too many, downgraded or invalid.',
  timeout: 'The attempt took longer than the queue allows.',
  busy: 'No connection to the receiver became free within the time of the attempt.',
  dns: "The receiver's name could not be resolved.",
  connect: 'No connection to the receiver could be made: refused or unreachable.',
  connect_timeout: 'The receiver did not accept a connection in time.',
  tls: 'No trusted connection could be made: certificate, name or protocol.',
  reset: 'The receiver closed the connection before its response was complete.',
  protocol: 'What the receiver answered is not HTTP, or too large to be its headers.',
  address_refused: 'The target is not an address that this installation may send to.',
  invalid_request: 'The request cannot be sent as it is configured: URL, method or headers.',
  resources: 'This node ran out of sockets or memory.',
  shutdown: 'This node stopped before the receiver answered.',
  unknown: 'The attempt failed in a way that has no code of its own.',
} as const

export type ErrorCode = keyof typeof ERROR_CODES

/** A failure as the attempt's record shows it: one sentence without secrets, so never a URL, a header or a body. */
export interface Failure {
  readonly code: ErrorCode
  readonly error: string
}

/** How an attempt ended without a complete response. */
export function failedOutcome(failure: Failure, durationMs: number, status: number | null = null): Outcome {
  return {
    kind: failure.code === 'address_refused' ? 'refused' : 'failed',
    status,
    errorCode: failure.code,
    error: failure.error,
    excerpt: null,
    retryAfterMs: null,
    durationMs,
  }
}

const BY_CODE: Readonly<Record<string, ErrorCode>> = {
  address_refused: 'address_refused',
  ENOTFOUND: 'dns',
  ENODATA: 'dns',
  ESERVFAIL: 'dns',
  ETIMEOUT: 'dns',
  ECONNREFUSED: 'connect',
  // Every local port is taken by connections to this receiver: nobody else's affair.
  EADDRNOTAVAIL: 'connect',
  EHOSTUNREACH: 'connect',
  EHOSTDOWN: 'connect',
  ENETUNREACH: 'connect',
  ENETDOWN: 'connect',
  EACCES: 'connect',
  EPERM: 'connect',
  ETIMEDOUT: 'connect_timeout',
  UND_ERR_CONNECT_TIMEOUT: 'connect_timeout',
  ECONNRESET: 'reset',
  ECONNABORTED: 'reset',
  EPIPE: 'reset',
  UND_ERR_SOCKET: 'reset',
  EPROTO: 'tls',
  UND_ERR_HEADERS_OVERFLOW: 'protocol',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'reset',
  UND_ERR_INVALID_ARG: 'invalid_request',
  UND_ERR_NOT_SUPPORTED: 'invalid_request',
  UND_ERR_REQ_CONTENT_LENGTH_MISMATCH: 'invalid_request',
  UND_ERR_DESTROYED: 'shutdown',
  UND_ERR_CLOSED: 'shutdown',
  EMFILE: 'resources',
  ENFILE: 'resources',
  ENOBUFS: 'resources',
  ENOMEM: 'resources',
}

const TLS_CODE =
  /^(ERR_TLS_|ERR_SSL_|CERT_|CRL_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|INVALID_(CA|PURPOSE)|HOSTNAME_MISMATCH|PATH_LENGTH_)/

/**
 * Classifies an error of undici or Node.
 * @param host what was called, for the sentence
 * @param sent whether the request was on its way: before that a closed connection was none
 */
export function classify(error: unknown, host: string, sent: boolean): Failure {
  const { name, code, message } = readError(error)
  const known = codeOf(name, code, message)
  if (known === 'reset' && !sent) return failure('connect', host, code)
  if (known === 'connect_timeout' && sent) return failure('reset', host, code)
  // These say which header or address it was, in our own words or undici's, and hold no values.
  if (known === 'address_refused' || known === 'invalid_request') return { code: known, error: message }
  return failure(known, host, code)
}

function codeOf(name: string, code: string, message: string): ErrorCode {
  if (code === 'UND_ERR_SOCKET' && message.startsWith('bad ')) return 'protocol'
  // The parser's errors have names of their own but no codes.
  if (name === 'HTTPParserError') return message.includes('EOF') ? 'reset' : 'protocol'
  if (code.startsWith('EAI_')) return 'dns'
  if (TLS_CODE.test(code)) return 'tls'
  return BY_CODE[code] ?? 'unknown'
}

function failure(code: ErrorCode, host: string, detail: string): Failure {
  return { code, error: `${host}: ${ERROR_CODES[code]}${detail === '' ? '' : ` (${detail})`}` }
}

function readError(error: unknown): { name: string; code: string; message: string } {
  if (!(error instanceof Error)) return { name: '', code: '', message: '' }
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  // Happy eyeballs fail with one error per address; the first tells the story.
  if (code === '' && error instanceof AggregateError) return readError(error.errors[0])
  return { name: error.name, code, message: error.message }
}

/** Every way in which a service can fail: said in one word, with what follows from it. */

interface FaultRule {
  /** Whether the same message can succeed later. */
  readonly retry: boolean
  /** Whether the service as a whole is in trouble (so that others need not be tried), or this message alone. */
  readonly about: 'service' | 'message'
  readonly text: string
}

export const FAULTS = {
  rejected: { retry: false, about: 'message', text: 'The service refuses it for good.' },
  invalid: { retry: false, about: 'message', text: 'It cannot be given to this service as it is.' },
  too_large: { retry: false, about: 'message', text: 'It is larger than the service or this installation takes.' },
  not_found: { retry: false, about: 'message', text: 'The service does not know what was asked for.' },
  deferred: { retry: true, about: 'message', text: 'The service does not take this message now.' },
  unauthorized: { retry: true, about: 'service', text: 'The service does not accept the credentials.' },
  misconfigured: {
    retry: true,
    about: 'service',
    text: 'The service is there, but what its settings name in it (queue, sender, bucket) is not, or not usable.',
  },
  throttled: { retry: true, about: 'service', text: 'The service asks to be called less often.' },
  unavailable: { retry: true, about: 'service', text: 'The service answers that it cannot work now.' },
  wrong_answer: { retry: true, about: 'service', text: 'The service answers something else than it should.' },
  timeout: { retry: true, about: 'service', text: 'The service did not answer in time.' },
  dns: { retry: true, about: 'service', text: "The service's name could not be resolved." },
  connect: { retry: true, about: 'service', text: 'No connection to the service could be made.' },
  tls: { retry: true, about: 'service', text: 'No trusted connection to the service could be made.' },
  reset: { retry: true, about: 'service', text: 'The connection ended before the answer was complete.' },
  protocol: { retry: true, about: 'service', text: 'What the service answers is not the protocol it should speak.' },
  address_refused: {
    retry: false,
    about: 'service',
    text: 'The service is not at an address that this installation may send to.',
  },
  closed: { retry: true, about: 'service', text: 'The service was closed here before it answered.' },
  unknown: { retry: true, about: 'service', text: 'It failed in a way that has no word of its own.' },
} as const satisfies Record<string, FaultRule>

export type FaultCode = keyof typeof FAULTS

export interface Fault {
  readonly code: FaultCode
  /** For a person; the service's own words where it had any. Without secrets once it has left `openService`. */
  readonly reason: string
  /** The service's own code: `card_declined`, `MessageRejected`, `550 5.1.1`. */
  readonly serviceCode: string | null
  readonly status: number | null
  /** How long the service asked to be left alone. */
  readonly retryAfterMs: number | null
}

/** An answer that can also be a failure. */
export type Answer<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly fault: Fault }

export class FaultError extends Error {
  readonly fault: Fault

  constructor(fault: Fault) {
    super(fault.reason)
    this.name = 'FaultError'
    this.fault = fault
  }
}

export function faultOf(code: FaultCode, reason: string, more: Partial<Omit<Fault, 'code' | 'reason'>> = {}): Fault {
  return { code, reason: reason || FAULTS[code].text, serviceCode: null, status: null, retryAfterMs: null, ...more }
}

/** Ends an adapter's act with a fault. */
export function fail(code: FaultCode, reason: string, more?: Partial<Omit<Fault, 'code' | 'reason'>>): never {
  throw new FaultError(faultOf(code, reason, more))
}

/** What a status other than 2xx means where a service's documentation says nothing else. */
export function faultCodeOf(status: number): FaultCode {
  if (status === 401 || status === 403) return 'unauthorized'
  if (status === 404 || status === 410) return 'not_found'
  if (status === 408 || status === 504) return 'timeout'
  if (status === 425 || status >= 500) return 'unavailable'
  if (status === 413) return 'too_large'
  if (status === 429) return 'throttled'
  return status < 400 ? 'wrong_answer' : 'rejected'
}

const LONGEST_RETRY_AFTER_MS = 86_400_000

/** Reads Retry-After: seconds or an HTTP date. Milliseconds from `now`, at most a day; null where it is neither. */
export function readRetryAfter(value: string | null | undefined, now: number): number | null {
  const text = value?.trim() ?? ''
  if (/^\d+(\.\d+)?$/.test(text)) return Math.min(Math.ceil(Number(text) * 1000), LONGEST_RETRY_AFTER_MS)
  if (!/^[A-Za-z]{3,9},? /.test(text)) return null
  const at = Date.parse(text)
  return Number.isNaN(at) ? null : Math.min(Math.max(0, at - now), LONGEST_RETRY_AFTER_MS)
}

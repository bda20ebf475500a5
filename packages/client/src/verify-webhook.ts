/**
 * Verification of received webhooks, as https://www.standardwebhooks.com defines their signatures. WebCrypto only, so
 * that it runs in Node, in browsers and at the edge; `crypto.subtle.verify` compares in constant time.
 */

export interface VerifyOptions {
  /** How far the request's time may be from now, either way. 300 if not given. */
  readonly toleranceSeconds?: number
  /** Milliseconds since 1970, in place of Date.now(). */
  readonly now?: number
}

export interface VerifiedWebhook {
  /** The same in every attempt: remember it to do nothing twice. */
  readonly id: string
  readonly timestamp: Date
}

export type WebhookErrorCode =
  | 'header_missing'
  | 'timestamp_invalid'
  | 'timestamp_too_old'
  | 'timestamp_too_new'
  | 'signature_wrong'
  | 'secret_invalid'

/** Why a request must not be trusted. */
export class WebhookError extends Error {
  readonly code: WebhookErrorCode

  constructor(code: WebhookErrorCode, message: string) {
    super(message)
    this.name = 'WebhookError'
    this.code = code
  }
}

/** A `Headers` object, or Node's `request.headers`. */
export type ReceivedHeaders =
  | { get(name: string): string | null }
  | Readonly<Record<string, string | readonly string[] | undefined>>

const DEFAULT_TOLERANCE_SECONDS = 300

/**
 * Verifies that a request came from who knows the secret, unchanged and lately.
 *
 * @param secrets `whsec_…`; several while a secret is being replaced
 * @param rawBody the very bytes that were received: parsed and printed again they are others
 * @throws WebhookError
 * @example
 * const { id } = await verifyWebhook('whsec_…', request.headers, rawBody)
 */
export async function verifyWebhook(
  secrets: string | readonly string[],
  headers: ReceivedHeaders,
  rawBody: string | Uint8Array,
  options: VerifyOptions = {},
): Promise<VerifiedWebhook> {
  const id = read(headers, 'webhook-id')
  const time = read(headers, 'webhook-timestamp')
  const signatures = read(headers, 'webhook-signature')
  const timestamp = checkTime(time, options)
  const body = typeof rawBody === 'string' ? new TextEncoder().encode(rawBody) : rawBody
  const signed = concatenate(new TextEncoder().encode(`${id}.${time}.`), body)
  const given = signatures
    .split(' ')
    .flatMap(part => (part.startsWith('v1,') ? (decodeBase64(part.slice(3)) ?? []) : []))
  for (const secret of [secrets].flat()) {
    const key = await importSecret(secret)
    for (const signature of given) {
      if (await crypto.subtle.verify('HMAC', key, signature, signed)) return { id, timestamp }
    }
  }
  throw new WebhookError('signature_wrong', 'no signature of the request was made with this secret')
}

function read(headers: ReceivedHeaders, name: string): string {
  const value = typeof headers.get === 'function' ? headers.get(name) : (headers as Record<string, unknown>)[name]
  if (typeof value === 'string' && value !== '') return value
  throw new WebhookError('header_missing', `the request has no header ${name}`)
}

function checkTime(
  text: string,
  { toleranceSeconds = DEFAULT_TOLERANCE_SECONDS, now = Date.now() }: VerifyOptions,
): Date {
  if (!/^\d{1,15}$/.test(text))
    throw new WebhookError('timestamp_invalid', 'webhook-timestamp must be seconds since 1970')
  const age = now / 1000 - Number(text)
  if (age > toleranceSeconds)
    throw new WebhookError('timestamp_too_old', `the request is over ${toleranceSeconds} s old`)
  if (age < -toleranceSeconds) {
    throw new WebhookError('timestamp_too_new', `the request is over ${toleranceSeconds} s ahead of this clock`)
  }
  return new Date(Number(text) * 1000)
}

async function importSecret(secret: string): ReturnType<typeof crypto.subtle.importKey> {
  const bytes = secret.startsWith('whsec_') ? decodeBase64(secret.slice(6)) : null
  if (!bytes || bytes.length === 0) throw new WebhookError('secret_invalid', 'a secret must be whsec_ and base64')
  return crypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, ['verify'])
}

function decodeBase64(text: string): Uint8Array<ArrayBuffer> | null {
  try {
    return Uint8Array.from(atob(text), character => character.charCodeAt(0))
  } catch {
    return null
  }
}

function concatenate(head: Uint8Array, tail: Uint8Array): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(head.length + tail.length)
  whole.set(head)
  whole.set(tail, head.length)
  return whole
}

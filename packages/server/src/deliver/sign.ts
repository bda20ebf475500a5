import * as crypto from 'node:crypto'

/**
 * Signatures as https://www.standardwebhooks.com defines them: `v1,` and base64 of HMAC-SHA256 over
 * `id.timestamp.body`, one per secret.
 */
export interface SigningKey {
  /** The key in the two forms that HMAC hashes (RFC 2104), made once: each a full block of SHA-256. */
  readonly inner: Buffer
  readonly outer: Buffer
  readonly object: crypto.KeyObject
}

export type ParsedSecret =
  | { readonly ok: true; readonly key: SigningKey }
  | { readonly ok: false; readonly problem: string }

export interface Signed {
  /** The bytes that were signed, to be sent as they are. */
  readonly body: Buffer | null
  /** Value of `webhook-signature`. */
  readonly signature: string
}

const PREFIX = 'whsec_'
const MIN_KEY_BYTES = 24
const MAX_KEY_BYTES = 64
const BLOCK_BYTES = 64
const DIGEST_BYTES = 32
/** From here on hashing dominates, and copying the body in front of it would only cost. */
const LARGE_BODY_BYTES = 16_384
/** Node 21 had it only from 21.7 on. */
const HAS_ONE_SHOT_HASH = typeof crypto.hash === 'function'

/** Reads `whsec_` + base64 of 24 to 64 bytes. A problem never contains the secret. */
export function parseSecret(secret: string): ParsedSecret {
  if (!secret.startsWith(PREFIX)) return { ok: false, problem: `a secret must begin with ${PREFIX}` }
  const text = secret.slice(PREFIX.length)
  // Buffer.from skips what is not base64: only a secret that is written back the same was read whole.
  const bytes = Buffer.from(text, 'base64')
  if (bytes.toString('base64').replace(/=+$/, '') !== text.replace(/=+$/, '')) {
    return { ok: false, problem: `a secret must be base64 after ${PREFIX}` }
  }
  if (bytes.length < MIN_KEY_BYTES || bytes.length > MAX_KEY_BYTES) {
    const problem = `a secret must hold ${MIN_KEY_BYTES} to ${MAX_KEY_BYTES} bytes, this one holds ${bytes.length}`
    return { ok: false, problem }
  }
  return { ok: true, key: signingKey(bytes) }
}

/** A new secret of 32 random bytes, in the form that `parseSecret` reads. */
export function newSecret(): string {
  return PREFIX + crypto.randomBytes(32).toString('base64')
}

function signingKey(bytes: Buffer): SigningKey {
  const inner = Buffer.alloc(BLOCK_BYTES, 0x36)
  const outer = Buffer.alloc(BLOCK_BYTES + DIGEST_BYTES, 0x5c)
  for (let i = 0; i < bytes.length; i++) {
    inner[i] = 0x36 ^ bytes[i]!
    outer[i] = 0x5c ^ bytes[i]!
  }
  return { inner, outer, object: crypto.createSecretKey(bytes) }
}

/**
 * Signs a body with every key, in the order given (the newest first).
 *
 * The body is encoded once: what was signed is what is sent.
 * @param timestamp seconds since 1970, as in `webhook-timestamp`
 */
export function sign(
  keys: readonly SigningKey[],
  webhookId: string,
  timestamp: string,
  body: string | Buffer | null,
): Signed {
  const bodyBytes = body === null ? 0 : typeof body === 'string' ? Buffer.byteLength(body) : body.length
  if (!HAS_ONE_SHOT_HASH || bodyBytes >= LARGE_BODY_BYTES) {
    return signByParts(keys, `${webhookId}.${timestamp}.`, body)
  }
  const start = BLOCK_BYTES + webhookId.length + timestamp.length + 2
  const message = Buffer.allocUnsafe(start + bodyBytes)
  message.write(`${webhookId}.${timestamp}.`, BLOCK_BYTES, 'latin1')
  if (typeof body === 'string') message.write(body, start, 'utf8')
  else if (body !== null) message.set(body, start)
  let signature = ''
  for (let i = 0; i < keys.length; i++) {
    signature += (i === 0 ? 'v1,' : ' v1,') + signInPlace(keys[i]!, message)
  }
  return { body: body === null ? null : message.subarray(start), signature }
}

/**
 * HMAC by two one-shot hashes: 1.6 µs for 500 bytes, where createHmac takes 2.1 to 2.3.
 * @param message its first block is overwritten with the key
 */
function signInPlace(key: SigningKey, message: Buffer): string {
  message.set(key.inner, 0)
  key.outer.write(crypto.hash('sha256', message, 'binary'), BLOCK_BYTES, 'latin1')
  return crypto.hash('sha256', key.outer, 'base64')
}

function signByParts(keys: readonly SigningKey[], prefix: string, body: string | Buffer | null): Signed {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body
  const signatures = keys.map(key => {
    const hmac = crypto.createHmac('sha256', key.object).update(prefix)
    return `v1,${(bytes === null ? hmac : hmac.update(bytes)).digest('base64')}`
  })
  return { body: bytes, signature: signatures.join(' ') }
}

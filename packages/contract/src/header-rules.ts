/** What a queue's or a message's headers may hold. */

export const MAX_HEADERS = 64
export const MAX_HEADER_NAME = 256
/** Characters of all names and values together: receivers commonly refuse more than 16 KiB of headers. */
export const MAX_HEADERS_LENGTH = 16_384

export const HEADER_NAME = "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$"
export const HEADER_VALUE = '^[\\t\\x20-\\x7e\\x80-\\xff]*$'

/** Names that the sender, the connection or the signature own. */
const RESERVED = new Set([
  'webhook-id',
  'webhook-timestamp',
  'webhook-signature',
  'host',
  'content-length',
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'transfer-encoding',
  'te',
  'trailer',
  'upgrade',
  'http2-settings',
  'expect',
])
const RESERVED_PREFIX = 'posthorn-'

export function isReservedHeader(name: string): boolean {
  const lower = name.toLowerCase()
  return RESERVED.has(lower) || lower.startsWith(RESERVED_PREFIX)
}

/** What the schema cannot say of headers that fit it: the sentence after the field's name, or null if all is well. */
export function objectToHeaders(headers: Readonly<Record<string, string>>): string | null {
  const seen = new Set<string>()
  let length = 0
  for (const name of Object.keys(headers)) {
    const lower = name.toLowerCase()
    if (isReservedHeader(lower)) return `must not have ${name}: Posthorn sets it`
    if (seen.has(lower)) return `must not have ${name} twice: names differ by more than case`
    seen.add(lower)
    length += name.length + headers[name]!.length
  }
  if (length <= MAX_HEADERS_LENGTH) return null
  return `must not have more than ${MAX_HEADERS_LENGTH} characters in all, they have ${length}`
}

/** What a queue's or a message's headers may hold. */

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

/** Those of the reserved that no request may carry at all: the connection sets them itself, or they would break it. */
const HOP_BY_HOP = new Set([...RESERVED].filter(name => !name.startsWith('webhook-')))

const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/
const MAX_HEADERS = 64
const MAX_NAME_LENGTH = 256
const MAX_TOTAL_LENGTH = 16_384

/** A header's value as it is sent: null is empty, and what is not a string becomes one, as pg-hooks has it. */
export function headerText(value: unknown): string {
  return value === null || value === undefined ? '' : String(value)
}

/** What is wrong with headers that a user gave, naming the header and the bound; null if nothing is. */
export function checkHeaders(headers: Readonly<Record<string, unknown>>): string | null {
  const names = Object.keys(headers)
  if (names.length > MAX_HEADERS) return `headers must be at most ${MAX_HEADERS}, there are ${names.length}`
  const seen = new Set<string>()
  let total = 0
  for (const name of names) {
    const value = headerText(headers[name])
    const problem = checkHeader(name, value)
    if (problem !== null) return problem
    const lower = name.toLowerCase()
    if (seen.has(lower)) return `headers.${name} is given twice; case makes no difference in a header's name`
    seen.add(lower)
    total += name.length + value.length
  }
  return total > MAX_TOTAL_LENGTH
    ? `headers must have at most ${MAX_TOTAL_LENGTH} characters, they have ${total}`
    : null
}

function checkHeader(name: string, value: string): string | null {
  if (name.length > MAX_NAME_LENGTH) {
    return `headers.${name.slice(0, 32)}…: a header's name must have at most ${MAX_NAME_LENGTH} characters`
  }
  if (!NAME.test(name)) return `headers: ${JSON.stringify(name)} is not a valid header name`
  if (isReserved(name)) return `headers.${name} is set by Posthorn and cannot be given`
  if (!VALUE.test(value)) return `headers.${name} must not contain control characters or characters beyond Latin-1`
  return null
}

function isReserved(name: string): boolean {
  const lower = name.toLowerCase()
  return RESERVED.has(lower) || lower.startsWith(RESERVED_PREFIX)
}

/** Names that were looked at before: every request brings the same few. */
const harmless = new Set<string>()
const MOST_HARMLESS = 1000

/** The first header of a flat list that may not be on a request, or null. Values are checked when they are written. */
export function findHopByHop(flat: readonly string[]): string | null {
  for (let i = 0; i < flat.length; i += 2) {
    const name = flat[i]!
    if (harmless.has(name)) continue
    if (HOP_BY_HOP.has(name.toLowerCase())) return name
    if (harmless.size < MOST_HARMLESS) harmless.add(name)
  }
  return null
}

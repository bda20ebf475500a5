import { carrierAlone } from '../tracing.ts'
import { headerText } from './header-rules.ts'

/** What a queue gives to each of its requests, read once. Flat: name, value, name, value. */
export interface CompiledHeaders {
  /** Headers of a message that brings none: the queue's and the defaults. */
  readonly plain: readonly string[]
  readonly queue: readonly HeaderField[]
  readonly userAgent: string
  /** The queue itself names a trace: that of a message replaces it. */
  readonly isTraced: boolean
}

interface HeaderField {
  readonly name: string
  readonly lower: string
  readonly value: string
}

/** What differs from one attempt to the next. */
export interface AttemptHeaders {
  readonly webhookId: string
  /** Seconds since 1970, as it was signed. */
  readonly timestamp: string
  /** Null where the queue has no secret. */
  readonly signature: string | null
  /** 1 for the first. */
  readonly attempt: number
  /** The message's place in its queue, where the queue is ordered. */
  readonly sequence: string | null
  /** The message's own headers, JSON text of an object, as stored. */
  readonly headers: string | null
}

const TRACE = 'traceparent'
const DEFAULT_CONTENT_TYPE: HeaderField = field('content-type', 'application/json')

/** Reads a queue's headers; `version` is Posthorn's, for the user agent. */
export function compileHeaders(headers: Readonly<Record<string, unknown>> | null, version: string): CompiledHeaders {
  const queue = fieldsOf(headers)
  const userAgent = `Posthorn/${version}`
  const isTraced = queue.some(({ lower }) => lower === TRACE)
  return { plain: flatten(queue, [], userAgent), queue, userAgent, isTraced }
}

/**
 * The headers of one request. A message's header replaces the queue's of the same name in any case, and its spelling
 * wins. `content-type` and `user-agent` are defaults; the rest of what is added here cannot be given by users.
 */
export function requestHeaders(compiled: CompiledHeaders, attempt: AttemptHeaders): string[] {
  const given = attempt.headers === null ? compiled.plain : givenHeaders(compiled, attempt.headers)
  const { webhookId, timestamp, signature, sequence } = attempt
  const nth = String(attempt.attempt)
  const ours =
    signature === null
      ? ['webhook-id', webhookId, 'webhook-timestamp', timestamp, 'posthorn-attempt', nth]
      : [
          'webhook-id',
          webhookId,
          'webhook-timestamp',
          timestamp,
          'webhook-signature',
          signature,
          'posthorn-attempt',
          nth,
        ]
  if (sequence !== null) ours.push('posthorn-sequence', sequence)
  return given.concat(ours)
}

/** Headers that hold a trace and nothing else need not be merged. */
function givenHeaders({ plain, queue, userAgent, isTraced }: CompiledHeaders, headers: string): string[] {
  const traceparent = isTraced ? null : carrierAlone(headers)
  return traceparent === null ? flatten(queue, parseFields(headers), userAgent) : [...plain, TRACE, traceparent]
}

function flatten(under: readonly HeaderField[], over: readonly HeaderField[], userAgent: string): string[] {
  const given = new Set<string>()
  for (const { lower } of over) given.add(lower)
  const flat: string[] = []
  for (const { name, lower, value } of under) {
    if (!given.has(lower)) flat.push(name, value)
  }
  for (const { lower } of under) given.add(lower)
  for (const { name, value } of over) flat.push(name, value)
  if (!given.has(DEFAULT_CONTENT_TYPE.lower)) flat.push(DEFAULT_CONTENT_TYPE.name, DEFAULT_CONTENT_TYPE.value)
  if (!given.has('user-agent')) flat.push('user-agent', userAgent)
  return flat
}

/** Message headers were checked when they were put: text that is no object can only be an empty one. */
function parseFields(json: string): HeaderField[] {
  const parsed: unknown = JSON.parse(json)
  return fieldsOf(parsed !== null && typeof parsed === 'object' ? (parsed as Record<string, unknown>) : null)
}

/** Where one object spells a name in two ways, the last one counts. */
function fieldsOf(headers: Readonly<Record<string, unknown>> | null): HeaderField[] {
  const fields = new Map<string, HeaderField>()
  for (const [name, value] of Object.entries(headers ?? {})) {
    const next = field(name, headerText(value))
    fields.set(next.lower, next)
  }
  return [...fields.values()]
}

function field(name: string, value: string): HeaderField {
  return { name, lower: name.toLowerCase(), value }
}

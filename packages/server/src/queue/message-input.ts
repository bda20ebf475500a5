/** What callers say of a message, in the form in which it is stored. */
import { createHash } from 'node:crypto'
import { type MessagePut, type MessageUpdate, Problem, parseTimestamp } from '@posthorn/contract'
import type { Body, NewMessage } from '../engine/port.ts'
import { type Carrier, carrierIn, withCarrier } from '../tracing.ts'
import type { QueueConfig } from './book.ts'
import { type CheckHeaders, storedHeaders } from './queue-input.ts'

export interface MessageInputRules {
  readonly checkHeaders: CheckHeaders
  /** How long an idempotency key is remembered, in milliseconds. */
  readonly idempotencyTtlMs: number
  /** From 0 up to 1: which slice of a queue that is spread takes a message. */
  readonly random: () => number
}

/** @throws Problem validation_failed, queue_is_ordered, function_detached */
export function newMessage(
  queue: QueueConfig,
  input: MessagePut,
  rules: MessageInputRules,
  trace?: Carrier,
): NewMessage {
  if (queue.isDetached) throw new Problem('function_detached', { who: `Queue ${queue.id}`, function: queue.function! })
  const priority = input.priority ?? 0
  if (priority !== 0 && queue.ordered !== 'none') throw new Problem('queue_is_ordered', { id: queue.id })
  const message = {
    orgId: queue.orgId,
    queueId: queue.id,
    body: storedBody(input) ?? null,
    headers: headersText(input.headers ?? null, rules.checkHeaders),
    dueAt: storedTime(input.when ?? null, 'when'),
    expiresAt: storedTime(input.expiresAt ?? null, 'expiresAt'),
    priority,
    slice: queue.spread === 1 ? 0 : Math.floor(rules.random() * queue.spread),
    key: storedKey(input.key ?? null),
    cronId: null,
  }
  const key = input.idempotencyKey
  const { idempotencyTtlMs: ttlMs } = rules
  // Not the trace: a call that is repeated belongs to another one, and puts the same message.
  const idempotency = key === undefined ? null : { key, bodyHash: contentHash(message), ttlMs }
  return withTrace({ ...message, idempotency }, trace)
}

/** One that names a trace itself keeps it. */
export function withTrace(message: NewMessage, trace: Carrier | undefined): NewMessage {
  if (trace === undefined || carrierIn(message.headers) !== null) return message
  return { ...message, headers: withCarrier(message.headers, trace) }
}

/** Undefined where neither form of the body is given. @throws Problem validation_failed */
export function storedBody(input: Pick<MessageUpdate, 'body' | 'bodyBase64'>): Body | undefined {
  const { body, bodyBase64 } = input
  if (bodyBase64 === undefined || bodyBase64 === null) return typeof body === 'string' ? storedText(body) : body
  if (typeof body === 'string')
    throw new Problem('validation_failed', { problem: 'body must have body or bodyBase64, not both' })
  return Buffer.from(bodyBase64, 'base64')
}

/** The database's text has no NUL: a body with one is kept as bytes. */
function storedText(body: string): Body {
  return body.includes('\0') ? Buffer.from(body) : body
}

/** JSON text of an object of strings. @throws Problem validation_failed */
export function headersText(headers: Readonly<Record<string, unknown>> | null, check: CheckHeaders): string | null {
  return headers === null ? null : JSON.stringify(storedHeaders(headers, check))
}

/** Milliseconds since 1970. @throws Problem validation_failed */
export function storedTime(text: string | null, field: string): number | null {
  if (text === null) return null
  const time = parseTimestamp(text)
  if (time === null) {
    throw new Problem('validation_failed', { problem: `body/${field} must be a date, or a date with time` })
  }
  return time
}

function storedKey(key: string | null): string | null {
  if (key?.includes('\0')) throw new Problem('validation_failed', { problem: 'body/key must not contain NUL' })
  return key
}

/** Says whether a repeated put is the same put: all that makes the message, and nothing that only looks different. */
function contentHash(message: Omit<NewMessage, 'idempotency'>): Buffer {
  const { body, headers, dueAt, key, priority, expiresAt } = message
  const names = headers === null ? null : Object.entries(JSON.parse(headers) as object).sort(byName)
  const hash = createHash('sha256').update(JSON.stringify([names, dueAt, key, priority, expiresAt, typeof body]))
  return (body === null ? hash : hash.update(body)).digest()
}

const byName = ([a]: [string, unknown], [b]: [string, unknown]): number => (a < b ? -1 : a > b ? 1 : 0)

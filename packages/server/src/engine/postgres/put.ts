import type { Executor } from '../../db/port.ts'
import type { NewMessage, PutResult } from '../port.ts'
import { column, textColumn } from './encode.ts'
import { statements } from './statements.ts'

const SEPARATOR = '\x01'

/** Stores all in one statement, and so in one commit. */
export async function put(db: Executor, messages: readonly NewMessage[]): Promise<PutResult[]> {
  if (messages.every(isPlain)) return putPlain(db, messages)
  const { first, later } = splitRepeatedKeys(messages)
  const results: PutResult[] = new Array(messages.length)
  const stored = await putAll(
    db,
    first.map(index => messages[index]!),
  )
  for (const [nth, index] of first.entries()) results[index] = stored[nth]!
  for (const { index, earlier } of later)
    results[index] = repeat(messages[index]!, messages[earlier]!, results[earlier]!)
  return results
}

/** Ready at once, non-empty text without the separator, nothing else set: by far the most common put. */
function isPlain(message: NewMessage): boolean {
  return (
    typeof message.body === 'string' &&
    message.body !== '' &&
    message.headers === null &&
    message.dueAt === null &&
    message.expiresAt === null &&
    message.priority === 0 &&
    message.key === null &&
    message.cronId === null &&
    message.idempotency === null &&
    !message.body.includes(SEPARATOR)
  )
}

async function putPlain(db: Executor, messages: readonly NewMessage[]): Promise<PutResult[]> {
  let orgs = ''
  let queues = ''
  let bodies = ''
  let separator = ''
  for (const message of messages) {
    orgs += (separator && ',') + message.orgId
    queues += (separator && ',') + message.queueId
    bodies += separator + (message.body as string)
    separator = SEPARATOR
  }
  const [row] = await db.rows(statements.putPlain, [`{${orgs}}`, `{${queues}}`, bodies])
  const xid = Number(row![0])
  const createdAt = Number(row![1])
  return row![2]!.split(',').map(id => ({ kind: 'stored', id: Number(id), xid, createdAt }))
}

async function putAll(db: Executor, messages: readonly NewMessage[]): Promise<PutResult[]> {
  const rows = await db.rows(statements.put, [
    column(messages, message => message.orgId),
    column(messages, message => message.queueId),
    textColumn(messages, message => (typeof message.body === 'string' ? message.body : null)),
    column(messages, message => (Buffer.isBuffer(message.body) ? quotedHex(message.body) : null)),
    textColumn(messages, message => message.headers),
    column(messages, message => message.dueAt),
    column(messages, message => message.expiresAt),
    column(messages, message => message.priority),
    textColumn(messages, message => message.key),
    column(messages, message => message.cronId),
    textColumn(messages, message => message.idempotency?.key ?? null),
    column(messages, message => (message.idempotency ? quotedHex(message.idempotency.bodyHash) : null)),
    column(messages, message => message.idempotency?.ttlMs ?? null),
  ])
  const results: PutResult[] = []
  const lost: number[] = []
  for (const [index, row] of rows.entries()) {
    if (row[3] === null) lost.push(index)
    results.push({ kind: 'stored', id: Number(row[2]), xid: Number(row[0]), createdAt: Number(row[1]) })
  }
  if (lost.length > 0) await recall(db, messages, lost, results)
  return results
}

/** Quoted, because the hex of no bytes is the empty word. */
function quotedHex(bytes: Buffer): string {
  return `"${bytes.toString('hex')}"`
}

async function recall(db: Executor, messages: readonly NewMessage[], lost: readonly number[], results: PutResult[]) {
  const rows = await db.rows(statements.recall, [
    column(lost, index => messages[index]!.queueId),
    textColumn(lost, index => messages[index]!.idempotency!.key),
  ])
  const missing = new Set(lost)
  for (const [ord, messageId, hash] of rows) {
    const index = lost[Number(ord) - 1]!
    const same = hash === messages[index]!.idempotency!.bodyHash.toString('hex')
    results[index] = { kind: same ? 'repeated' : 'conflict', id: Number(messageId) }
    missing.delete(index)
  }
  // The winner's key expired and was cleared away between the two statements: the key is free, so put once more.
  if (missing.size === 0) return
  const again = [...missing]
  const stored = await putAll(
    db,
    again.map(index => messages[index]!),
  )
  for (const [nth, index] of again.entries()) results[index] = stored[nth]!
}

/** One statement can claim a key once: of messages with the same key in one batch, the first is put. */
function splitRepeatedKeys(messages: readonly NewMessage[]) {
  const firstOf = new Map<string, number>()
  const first: number[] = []
  const later: { index: number; earlier: number }[] = []
  for (const [index, message] of messages.entries()) {
    const key = message.idempotency && `${message.queueId}:${message.idempotency.key}`
    const earlier = key === null ? undefined : firstOf.get(key)
    if (earlier !== undefined) later.push({ index, earlier })
    else {
      if (key !== null) firstOf.set(key, index)
      first.push(index)
    }
  }
  return { first, later }
}

function repeat(message: NewMessage, earlier: NewMessage, result: PutResult): PutResult {
  const same = message.idempotency!.bodyHash.equals(earlier.idempotency!.bodyHash)
  if (result.kind === 'conflict') return same ? result : { kind: 'conflict', id: result.id }
  return { kind: same ? 'repeated' : 'conflict', id: result.id }
}

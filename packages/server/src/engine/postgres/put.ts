import { DatabaseError, type Executor } from '../../db/port.ts'
import { laneOf } from '../lane.ts'
import type { NewMessage, PutResult } from '../port.ts'
import { column, textColumn, wholeMs } from './encode.ts'
import { statements } from './statements.ts'

const SEPARATOR = '\x01'

/** Stores all in one statement, and so in one commit. */
export async function put(db: Executor, messages: readonly NewMessage[]): Promise<PutResult[]> {
  if (messages.length === 0) return []
  if (messages.every(isPlain)) return putPlain(db, messages)
  const { first, later } = splitRepeatedKeys(messages)
  const results: PutResult[] = new Array(messages.length)
  const lost = [...(await putAll(db, messages, first, results)), ...later]
  if (lost.length > 0) await recallAfterCommit(db, messages, lost, results)
  return results
}

/** Ready at once, non-empty text without the separator, no more than headers beside it: by far the most common put. */
function isPlain(message: NewMessage): boolean {
  return (
    typeof message.body === 'string' &&
    message.body !== '' &&
    message.dueAt === null &&
    message.expiresAt === null &&
    message.priority === 0 &&
    message.key === null &&
    message.cronId === null &&
    message.idempotency === null &&
    !message.body.includes(SEPARATOR) &&
    (message.headers === null || (message.headers !== '' && !message.headers.includes(SEPARATOR)))
  )
}

const inLane = ({ slice, priority }: NewMessage): number => laneOf(slice, priority)

async function putPlain(db: Executor, messages: readonly NewMessage[]): Promise<PutResult[]> {
  let orgs = ''
  let queues = ''
  let bodies = ''
  let isSpread = false
  let separator = ''
  for (const message of messages) {
    orgs += (separator && ',') + message.orgId
    queues += (separator && ',') + message.queueId
    bodies += separator + (message.body as string)
    isSpread ||= message.slice > 0
    separator = SEPARATOR
  }
  const [row] = await db.rows(statements.putPlain, [
    `{${orgs}}`,
    `{${queues}}`,
    bodies,
    isSpread ? column(messages, inLane) : null,
    messages.some(({ headers }) => headers !== null)
      ? messages.map(({ headers }) => headers ?? '').join(SEPARATOR)
      : null,
  ])
  const xid = Number(row![0])
  const createdAt = Number(row![1])
  return row![2]!.split(',').map(id => ({ kind: 'stored', id: Number(id), xid, createdAt }))
}

/** Stores those at `picked` of `messages`, and gives the ones whose keys were used before. */
async function putAll(
  db: Executor,
  messages: readonly NewMessage[],
  picked: readonly number[],
  results: PutResult[],
): Promise<number[]> {
  const lost: number[] = []
  const rows = await db.rows(statements.put, columnsOf(picked.map(index => messages[index]!)))
  for (const [nth, [xid, createdAt, id, isStored]] of rows.entries()) {
    const index = picked[nth]!
    if (isStored === null) lost.push(index)
    else results[index] = { kind: 'stored', id: Number(id), xid: Number(xid), createdAt: Number(createdAt) }
  }
  return lost
}

function columnsOf(messages: readonly NewMessage[]) {
  return [
    column(messages, message => message.orgId),
    column(messages, message => message.queueId),
    textColumn(messages, message => (typeof message.body === 'string' ? message.body : null)),
    column(messages, message => (Buffer.isBuffer(message.body) ? quotedHex(message.body) : null)),
    textColumn(messages, message => message.headers),
    column(messages, message => wholeMs(message.dueAt)),
    column(messages, message => message.expiresAt),
    column(messages, inLane),
    textColumn(messages, message => message.key),
    column(messages, message => message.cronId),
    textColumn(messages, message => message.idempotency?.key ?? null),
    column(messages, message => (message.idempotency ? quotedHex(message.idempotency.bodyHash) : null)),
    column(messages, message => message.idempotency?.ttlMs ?? null),
  ]
}

/** Quoted, because the hex of no bytes is the empty word. */
function quotedHex(bytes: Buffer): string {
  return `"${bytes.toString('hex')}"`
}

/** The rest of the batch is committed by now: whatever fails here, the put as a whole cannot be said to have stored nothing. */
async function recallAfterCommit(
  db: Executor,
  messages: readonly NewMessage[],
  lost: readonly number[],
  results: PutResult[],
): Promise<void> {
  try {
    for (let left = lost; left.length > 0; ) {
      const free = await recall(db, messages, left, results)
      left = free.length > 0 ? await putAll(db, messages, free, results) : []
    }
  } catch (error) {
    throw new DatabaseError(`looking up a used idempotency key failed: ${(error as Error).message}`, 'unknown', {
      cause: error,
    })
  }
}

/** Gives the ones whose key has expired and been cleared away since it was lost: it is free. */
async function recall(
  db: Executor,
  messages: readonly NewMessage[],
  lost: readonly number[],
  results: PutResult[],
): Promise<number[]> {
  const rows = await db.rows(statements.recall, [
    column(lost, index => messages[index]!.queueId),
    textColumn(lost, index => messages[index]!.idempotency!.key),
  ])
  const missing = new Set(lost)
  for (const [ord, messageId, hash] of rows) {
    const index = lost[Number(ord) - 1]!
    // The hash of one that was expunged is gone: nobody can tell whether this is the same put, and nothing may be stored anew.
    const same = hash === '' || hash === messages[index]!.idempotency!.bodyHash.toString('hex')
    results[index] = { kind: same ? 'repeated' : 'conflict', id: Number(messageId) }
    missing.delete(index)
  }
  return [...missing]
}

/** One statement can claim a key once: of messages with the same key in one batch the first is put, the later are recalled. */
function splitRepeatedKeys(messages: readonly NewMessage[]) {
  const seen = new Set<string>()
  const first: number[] = []
  const later: number[] = []
  for (const [index, message] of messages.entries()) {
    const key = message.idempotency && `${message.queueId}:${message.idempotency.key}`
    if (key !== null && seen.has(key)) later.push(index)
    else first.push(index)
    if (key !== null) seen.add(key)
  }
  return { first, later }
}

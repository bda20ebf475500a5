import type { Message } from '@posthorn/contract'
import type { NewMessage, PutResult } from '../engine/port.ts'

type Stored = Extract<PutResult, { kind: 'stored' }>

/** A message just stored, as a list would give it, without reading it back. */
export function storedMessage(message: NewMessage, { id, createdAt }: Stored, webhookId: string): Message {
  const created = iso(createdAt)
  return {
    id,
    queueId: message.queueId,
    when: message.dueAt === null ? created : iso(message.dueAt),
    body: typeof message.body === 'string' ? message.body : null,
    failed: false,
    headers: message.headers === null ? null : JSON.parse(message.headers),
    sentAt: null,
    retries: 0,
    cronId: message.cronId,
    createdAt: created,
    updatedAt: created,
    bodyBase64: Buffer.isBuffer(message.body) ? message.body.toString('base64') : null,
    status: 'pending',
    reason: null,
    attempts: 0,
    priority: message.priority,
    key: message.key,
    expiresAt: message.expiresAt === null ? null : iso(message.expiresAt),
    originId: null,
    expungedAt: null,
    webhookId,
  }
}

let lastTime = Number.NaN
let lastText = ''

/** Messages of one commit were created at the same time: its text is made once. */
function iso(time: number): string {
  if (time !== lastTime) {
    lastText = new Date(time).toISOString()
    lastTime = time
  }
  return lastText
}

import { laneOf } from '../engine/lane.ts'
import type { Head, NewMessage, PutResult } from '../engine/port.ts'

/** A message as its own node has just stored it; null if it was not stored (a repeated key). One object, and no other: there is one for every put. */
export function headOfNew(message: NewMessage, result: PutResult): Head | null {
  if (result.kind !== 'stored') return null
  const { createdAt } = result
  // As the put decided it: a load looks for the message where that put it.
  const isDue = message.dueAt === null || message.dueAt <= createdAt
  return {
    id: result.id,
    xid: result.xid,
    orgId: message.orgId,
    queueId: message.queueId,
    lane: laneOf(message.slice, message.priority),
    key: message.key,
    dueAt: isDue ? null : message.dueAt,
    expiresAt: message.expiresAt,
    body: message.body,
    headers: message.headers,
    attempts: 0,
    forgiven: 0,
    retryAt: null,
    pin: null,
    lost: false,
    slot: -1,
    storedAt: isDue ? createdAt : undefined,
  }
}

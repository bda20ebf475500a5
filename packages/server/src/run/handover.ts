import { laneOf } from '../engine/lane.ts'
import type { Head, NewMessage, PutResult } from '../engine/port.ts'

/** A message as its own node has just stored it: none if it was not stored (a repeated key). */
export function headOfNew(message: NewMessage, result: PutResult): Head[] {
  if (result.kind !== 'stored') return []
  const { orgId, queueId, key, expiresAt, body, headers } = message
  const lane = laneOf(message.slice, message.priority)
  // As the put decided it: a load looks for the message where that put it.
  const dueAt = message.dueAt !== null && message.dueAt > result.createdAt ? message.dueAt : null
  const fresh = { attempts: 0, forgiven: 0, retryAt: null, pin: null, lost: false, slot: -1 }
  const { id, xid, createdAt: storedAt } = result
  const head = { id, xid, orgId, queueId, lane, key, dueAt, expiresAt, body, headers, ...fresh }
  return [dueAt === null ? { ...head, storedAt } : head]
}

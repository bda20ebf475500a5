import { type MessageUpdate, type Ordering, Problem } from '@posthorn/contract'
import type { Executor } from '../db/port.ts'
import { loadStatement } from '../db/statement.ts'
import { Params } from './condition.ts'
import { headersText, type MessageInputRules, storedBody, storedTime } from './message-input.ts'

const LOCK = loadStatement(import.meta.url, './sql/lock_message.sql')

interface LockedRow {
  readonly queue_id: number
  readonly payload_id: number
  readonly ordered: Ordering
}

/**
 * Changes a live message within a transaction: what is left out keeps its value, and without `when` no time changes.
 * Gives false if it is not live. With another time or priority it takes its place anew, on an ordered queue at the end of
 * the line; with another content it keeps its place, and its owner, told of the change, reads it again.
 * @throws Problem validation_failed, queue_is_ordered
 */
export async function changeMessage(
  tx: Executor,
  orgId: number,
  id: number,
  patch: MessageUpdate,
  rules: MessageInputRules,
): Promise<boolean> {
  const [row] = await tx.query<LockedRow>(LOCK, [orgId, id])
  if (!row) return false
  if (patch.priority && row.ordered !== 'none') throw new Problem('queue_is_ordered', { id: row.queue_id })
  const params = new Params()
  const sets = assignments(patch, params)
  const payloadId = await copyPayload(tx, row.payload_id, patch, rules)
  if (payloadId !== null) sets.push(`payload_id = ${params.add(payloadId, 'bigint')}`)
  if (sets.length === 0) return true
  if (patch.when !== undefined || patch.priority !== undefined) sets.push('xid = pg_current_xact_id()')
  const where = `org_id = ${params.add(orgId, 'int')} AND id = ${params.add(id, 'bigint')}`
  const { text, values } = params.finish(`
    WITH altered AS (
      UPDATE posthorn.message SET ${sets.join(', ')} WHERE ${where} RETURNING queue_id, id
    )
    INSERT INTO posthorn.change (kind, queue_id, message_id) SELECT 'message', queue_id, id FROM altered`)
  await tx.query({ name: '', text }, values)
  return true
}

function assignments(patch: MessageUpdate, params: Params): string[] {
  const sets: string[] = []
  if (patch.priority !== undefined) sets.push(`priority = ${params.add(patch.priority, 'smallint')}`)
  if (patch.expiresAt !== undefined) sets.push(`expires_at = ${timeParam(patch.expiresAt, 'expiresAt', params)}`)
  if (patch.when !== undefined) {
    const at = timeParam(patch.when, 'when', params)
    // Only a time to come is waited for; what waited for a retry or was claimed, or had its place, starts over.
    sets.push(`due_at = CASE WHEN ${at} > now() THEN ${at} END`, `scheduled_at = ${at}`)
    sets.push('retry_at = NULL', 'claim = NULL', `pin = CASE WHEN ${at} > now() THEN NULL ELSE pin END`)
  }
  return sets
}

function timeParam(text: string | null, field: string, params: Params): string {
  const time = storedTime(text, field)
  return params.add(time === null ? null : new Date(time), 'timestamptz')
}

/** A payload is never written over: a dead letter or another queue may share it, and an attempt may be reading it. */
async function copyPayload(
  tx: Executor,
  payloadId: number,
  patch: MessageUpdate,
  rules: MessageInputRules,
): Promise<number | null> {
  const body = storedBody(patch)
  if (body === undefined && patch.headers === undefined) return null
  const params = new Params()
  const text = body === undefined ? 'p.body' : params.add(typeof body === 'string' ? body : null, 'text')
  const bytes = body === undefined ? 'p.bytes' : params.add(typeof body === 'string' ? null : body, 'bytea')
  const headers =
    patch.headers === undefined ? 'p.headers' : params.add(headersText(patch.headers, rules.checkHeaders), 'text')
  const copy = params.finish(`
    INSERT INTO posthorn.payload (id, body, bytes, headers)
    SELECT nextval('posthorn.message_id'), ${text}, ${bytes}, ${headers}
    FROM (VALUES (${params.add(payloadId, 'bigint')})) AS old (id) LEFT JOIN posthorn.payload AS p ON p.id = old.id
    RETURNING id`)
  const [row] = await tx.query<{ id: number }>({ name: '', text: copy.text }, copy.values)
  return row!.id
}

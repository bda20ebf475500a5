import { type MessageUpdate, type Ordering, Problem } from '@posthorn/contract'
import type { Executor } from '../db/port.ts'
import { loadStatement } from '../db/statement.ts'
import { Params } from '../list/condition.ts'
import { headersText, type MessageInputRules, storedBody, storedTime } from './message-input.ts'

const LOCK = loadStatement(import.meta.url, './sql/lock_message.sql')
const DROP_PAYLOADS = loadStatement(import.meta.url, './sql/drop_payloads.sql')
const LOCK_FREE = loadStatement(import.meta.url, './sql/lock_messages.sql')

/** A live message that the transaction holds. */
export interface LockedMessage {
  readonly id: number
  readonly queue_id: number
  readonly payload_id: number
  readonly ordered: Ordering
}

/** Changes a live message within a transaction. Gives false if it is not live. @throws Problem as `changeMessages` */
export async function changeMessage(
  tx: Executor,
  orgId: number,
  id: number,
  patch: MessageUpdate,
  rules: MessageInputRules,
): Promise<boolean> {
  const rows = await tx.query<LockedMessage>(LOCK, [orgId, id])
  if (rows.length === 0) return false
  await changeMessages(tx, orgId, rows, patch, rules)
  return true
}

/** Holds those of the messages that are live and that nobody else holds. */
export function lockFree(tx: Executor, orgId: number, ids: readonly number[]): Promise<LockedMessage[]> {
  return tx.query<LockedMessage>(LOCK_FREE, [orgId, ids])
}

/**
 * Changes live messages that are held: what is left out keeps its value, and without `when` no time changes. With another
 * time or priority a message takes its place anew, on an ordered queue at the end of the line; with another content it
 * keeps its place, and its owner, told of the change, reads it again.
 * @throws Problem validation_failed, queue_is_ordered
 */
export async function changeMessages(
  tx: Executor,
  orgId: number,
  rows: readonly LockedMessage[],
  patch: MessageUpdate,
  rules: MessageInputRules,
): Promise<void> {
  const ordered = patch.priority ? rows.find(row => row.ordered !== 'none') : undefined
  if (ordered) throw new Problem('queue_is_ordered', { id: ordered.queue_id })
  const params = new Params()
  const sets = assignments(patch, params)
  const copies = await copyPayloads(tx, rows, patch, rules)
  if (copies !== null) sets.push('payload_id = u.copy')
  if (sets.length === 0 || rows.length === 0) return
  if (patch.when !== undefined || patch.priority !== undefined) sets.push('xid = pg_current_xact_id()')
  const ids = params.add(copies?.map(({ id }) => id) ?? rows.map(({ id }) => id), 'bigint[]')
  const copied = params.add(copies?.map(({ copy }) => copy) ?? [], 'bigint[]')
  const { text, values } = params.finish(`
    WITH altered AS (
      UPDATE posthorn.message AS m SET ${sets.join(', ')}
      FROM unnest(${ids}, ${copied}) AS u (id, copy)
      WHERE m.org_id = ${params.add(orgId, 'int')} AND m.id = u.id AND m.id = ANY (${ids})
      RETURNING m.queue_id, m.id
    )
    INSERT INTO posthorn.change (kind, queue_id, message_id) SELECT 'message', queue_id, id FROM altered`)
  await tx.query({ name: '', text }, values)
  if (copies !== null) await tx.query(DROP_PAYLOADS, [orgId, rows.map(row => row.payload_id)])
}

function assignments(patch: MessageUpdate, params: Params): string[] {
  const sets: string[] = []
  if (patch.priority !== undefined) sets.push(`lane = m.lane - m.lane % 10 + ${params.add(patch.priority, 'smallint')}`)
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

interface Copy {
  readonly id: number
  readonly copy: number
}

/**
 * A payload is never written over: a dead letter or another queue may share it, and an attempt may be reading it.
 * Null where the content stays.
 */
async function copyPayloads(
  tx: Executor,
  rows: readonly LockedMessage[],
  patch: MessageUpdate,
  rules: MessageInputRules,
): Promise<Copy[] | null> {
  const body = storedBody(patch)
  if (body === undefined && patch.headers === undefined) return null
  const params = new Params()
  const text = body === undefined ? 'p.body' : params.add(typeof body === 'string' ? body : null, 'text')
  const bytes = body === undefined ? 'p.bytes' : params.add(typeof body === 'string' ? null : body, 'bytea')
  const headers =
    patch.headers === undefined ? 'p.headers' : params.add(headersText(patch.headers, rules.checkHeaders), 'text')
  const ids = params.add(
    rows.map(({ id }) => id),
    'bigint[]',
  )
  const payloads = params.add(
    rows.map(row => row.payload_id),
    'bigint[]',
  )
  const copy = params.finish(`
    WITH drawn AS MATERIALIZED (
      SELECT id, payload_id, nextval('posthorn.message_id') AS copy FROM unnest(${ids}, ${payloads}) AS m (id, payload_id)
    ), copied AS (
      INSERT INTO posthorn.payload (id, body, bytes, headers)
      SELECT d.copy, ${text}, ${bytes}, ${headers}
      FROM drawn AS d LEFT JOIN posthorn.payload AS p ON p.id = d.payload_id AND p.id = ANY (${payloads})
    )
    SELECT id, copy FROM drawn`)
  return tx.query<Copy>({ name: '', text: copy.text }, copy.values)
}

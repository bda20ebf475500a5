/**
 * Queues: their configuration, and the changes of it.
 *
 * Every change is written together with a note (`change`) that makes each node look again; `changed` is called after the
 * commit and hurries that. What would send dead letters in a circle, or to a queue that is not there, is refused: these
 * changes lock the org's row, so that two of them cannot close a circle between them.
 */

import type { Found, QueueCreate, QueueUpdate } from '@posthorn/contract'
import { type Output, type Page, Problem, type Queue } from '@posthorn/contract'
import type { Database, Executor, Param, Statement } from '../db/port.ts'
import { loadStatement } from '../db/statement.ts'
import { Params } from '../list/condition.ts'
import { type AnyQuery, type ById, findById, listPage } from '../list/page.ts'
import { withinLimit } from '../list/time-limit.ts'
import type { Caller } from '../tenant/caller.ts'
import { lockOrg } from '../tenant/lock-org.ts'
import { cancelBatch, reviveBatch } from './batches.ts'
import { findAgain, findTogether, readTogether } from './found.ts'
import { checkDeletable, checkFunctionQueues } from './function-queue-rules.ts'
import { atPlace } from './place.ts'
import { createParams, type QueueInputRules, updateParts } from './queue-input.ts'
import { checkRetention, checkRetentionChange, saysRetention } from './queue-retention.ts'
import { queueSource } from './queue-source.ts'
import { checkSpread, checkSpreadChange, saysSpread, wholeSpreading } from './queue-spread.ts'

export interface QueuesOptions extends QueueInputRules {
  readonly db: Database
  /** Called after the commit of whatever other nodes must hear of; must not throw. */
  readonly changed: () => void
  /** Bound on lists that no index serves, in milliseconds. */
  readonly listLimitMs: number
  /** How long history is kept where a queue says nothing of it. */
  readonly retentionMs: number
}

const DEAD_LETTER_LINE = loadStatement(import.meta.url, './sql/dead_letter_line.sql')
const CREATE = loadStatement(import.meta.url, './sql/create_queue.sql')
const HOLD: Statement = {
  name: 'hold_queues_to_change',
  text: `SELECT id FROM posthorn.queue
    WHERE org_id = $1::int AND id = ANY ($2::int[]) AND deleted_at IS NULL ORDER BY id FOR NO KEY UPDATE`,
}
const DELETE = loadStatement(import.meta.url, './sql/delete_queue.sql')
const DELETE_CRONS: Statement = {
  name: 'delete_crons_of_queue',
  text: 'DELETE FROM posthorn.cron WHERE queue_id = $1::int',
}
const PREVIEW_DELETE = loadStatement(import.meta.url, './sql/preview_queue_delete.sql')
const DELETED_WITH_LIVE = loadStatement(import.meta.url, './sql/deleted_with_live.sql')
const DEFAULT_LIMIT = 1000
const ALL = Number.MAX_SAFE_INTEGER
const DELETED = 'queue deleted'

export type Queues = ReturnType<typeof createQueues>

/** The operations on queues, as the contract has them. All throw Problems of the catalogue, and DatabaseError. */
export function createQueues(room: QueuesOptions) {
  return {
    list: ({ orgId }: Caller, query: AnyQuery): Promise<Page<Queue>> =>
      listPage(room.db, queueSource(orgId), query, room.listLimitMs),
    get: ({ orgId }: Caller, { id }: ById) => getQueue(room, orgId, id),
    create: (caller: Caller, input: QueueCreate) => createQueue(room, caller, input),
    createMany: (caller: Caller, input: { readonly queues: readonly QueueCreate[] }) =>
      createTogether(room, caller, input.queues),
    update: (caller: Caller, input: QueueUpdate & ById) => updateQueue(room, caller, input),
    updateMany: (caller: Caller, input: QueueUpdate & Found) => updateFound(room, caller, input),
    delete: (caller: Caller, { id }: ById) => deleteQueue(room, caller, id),
    previewDelete: (caller: Caller, { id }: ById) => previewDelete(room, caller, id),
    pause: (caller: Caller, input: ById & { readonly reason?: string }) => pauseQueue(room, caller, input),
    resume: (caller: Caller, { id }: ById) => resumeQueue(room, caller, id),
    purge: (caller: Caller, input: ById & { readonly reason?: string; readonly limit?: number }) =>
      purgeQueue(room, caller, input),
    redrive: (caller: Caller, input: ById & { readonly limit?: number }) => redriveQueue(room, caller, input),
  }
}

async function getQueue(room: QueuesOptions, orgId: number, id: number): Promise<Queue> {
  const found = await findById(room.db, queueSource(orgId), id)
  if (!found) throw new Problem('queue_not_found', { id })
  return found
}

async function createQueue(room: QueuesOptions, { orgId }: Caller, input: QueueCreate): Promise<Queue> {
  const insert = inserter(room, orgId, input)
  const id = await (input.deadLetterQueueId == null ? insert(room.db) : room.db.transaction(insert))
  room.changed()
  return getQueue(room, orgId, id)
}

/** All of them or none. @throws Problem of the first that is refused */
async function createTogether(room: QueuesOptions, { orgId }: Caller, inputs: readonly QueueCreate[]) {
  const inserts = inputs.map((input, i) => {
    try {
      return inserter(room, orgId, input)
    } catch (error) {
      throw atPlace(error, `body/queues/${i}`)
    }
  })
  const ids = await room.db.transaction(async tx => {
    const made: number[] = []
    for (const insert of inserts) made.push(await insert(tx))
    return made
  })
  room.changed()
  return { results: ids.map(id => ({ result: 'stored' as const, id })) }
}

/** Checks an input, and gives what stores it. @throws Problem validation_failed */
function inserter(room: QueuesOptions, orgId: number, input: QueueCreate): (executor: Executor) => Promise<number> {
  checkRetention(input, input, room.retentionMs)
  checkSpread(input, wholeSpreading(input))
  const params = createParams(orgId, input, room)
  return async executor => {
    if (input.deadLetterQueueId != null) await checkDeadLetters(executor, orgId, [], input.deadLetterQueueId)
    return insertQueue(executor, params, null)
  }
}

/**
 * Writes a queue down and gives its id.
 * @param params of `createParams`
 * @param id one that the sequence has passed and nobody has; null draws one
 */
export async function insertQueue(db: Executor, params: readonly Param[], id: number | null): Promise<number> {
  const [row] = await db.query<{ id: number }>(CREATE, [...params, id])
  return row!.id
}

async function updateQueue(room: QueuesOptions, { orgId }: Caller, input: QueueUpdate & ById): Promise<Queue> {
  const { id, ...patch } = input
  const params = new Params()
  const sets = updateParts(orgId, patch, params, room)
  if (sets.length > 0) {
    await room.db.transaction(async tx => {
      if (patch.deadLetterQueueId != null) await checkDeadLetters(tx, orgId, [id], patch.deadLetterQueueId)
      await checkFunctionQueues(tx, orgId, [id], patch)
      if (saysSpread(patch)) await checkSpreadChange(tx, orgId, id, patch)
      if (saysRetention(patch)) await checkRetentionChange(tx, orgId, id, patch, room.retentionMs)
      await alterQueue(tx, orgId, id, sets.join(', '), params)
    })
    room.changed()
  }
  return getQueue(room, orgId, id)
}

/** Changes all queues that are found, or none. @throws Problem also where_missing, too_many_found */
async function updateFound(room: QueuesOptions, { orgId }: Caller, input: QueueUpdate & Found): Promise<Queue[]> {
  const { where, anyOf, fields: _, ...patch } = input
  const source = queueSource(orgId)
  const params = new Params()
  const sets = updateParts(orgId, patch, params, room)
  const first = await findTogether(room.db, source, { where, anyOf }, room.listLimitMs)
  if (first.length === 0) return []
  const changed = await room.db.transaction(async tx => {
    const held = first.map(({ id }) => id)
    if (patch.deadLetterQueueId != null) await checkDeadLetters(tx, orgId, held, patch.deadLetterQueueId)
    await tx.query(HOLD, [orgId, held])
    const ids = (await findAgain(tx, source, { where, anyOf }, held)).map(({ id }) => id)
    await checkFunctionQueues(tx, orgId, ids, patch)
    if (saysSpread(patch)) for (const id of ids) await checkSpreadChange(tx, orgId, id, patch)
    if (saysRetention(patch)) for (const id of ids) await checkRetentionChange(tx, orgId, id, patch, room.retentionMs)
    if (sets.length > 0) await alterQueues(tx, orgId, ids, sets.join(', '), params)
    return readTogether(tx, source, ids)
  })
  room.changed()
  return changed
}

/** Gives the queue as it was. Its crons go with it. Its live messages are cancelled, each on record; new ones are refused at once. */
async function deleteQueue(room: QueuesOptions, { orgId }: Caller, id: number): Promise<Queue> {
  const last = await getQueue(room, orgId, id)
  await room.db.transaction(async tx => {
    await lockOrg(tx, orgId)
    await checkDeletable(tx, orgId, id)
    await tx.query(DELETE, [orgId, id])
    await tx.query(DELETE_CRONS, [id])
  })
  room.changed()
  await cancelBatch(room.db, id, ALL, DELETED)
  return last
}

async function previewDelete(room: QueuesOptions, { orgId }: Caller, id: number) {
  await getQueue(room, orgId, id)
  const [counts] = await withinLimit(room.db, room.listLimitMs, ['the number of its messages'], tx =>
    tx.query<Output<'queues.previewDelete'>>(PREVIEW_DELETE, [id]),
  )
  return counts!
}

async function pauseQueue(
  room: QueuesOptions,
  { orgId }: Caller,
  { id, reason }: ById & { readonly reason?: string },
): Promise<Queue> {
  const params = new Params()
  const kept = params.add(reason ?? null, 'text')
  await alterQueue(room.db, orgId, id, `paused_at = coalesce(paused_at, now()), pause_reason = ${kept}`, params)
  room.changed()
  return getQueue(room, orgId, id)
}

async function resumeQueue(room: QueuesOptions, { orgId }: Caller, id: number): Promise<Queue> {
  await alterQueue(room.db, orgId, id, 'paused_at = NULL, pause_reason = NULL', new Params())
  room.changed()
  return getQueue(room, orgId, id)
}

async function purgeQueue(
  room: QueuesOptions,
  { orgId }: Caller,
  { id, reason = 'purged', limit = DEFAULT_LIMIT }: ById & { readonly reason?: string; readonly limit?: number },
): Promise<{ cancelled: number; more: boolean }> {
  await getQueue(room, orgId, id)
  const { count, more } = await cancelBatch(room.db, id, limit, reason)
  if (count > 0) room.changed()
  return { cancelled: count, more }
}

async function redriveQueue(
  room: QueuesOptions,
  { orgId }: Caller,
  { id, limit = DEFAULT_LIMIT }: ById & { readonly limit?: number },
): Promise<{ redriven: number; more: boolean }> {
  await getQueue(room, orgId, id)
  const { count, more } = await reviveBatch(room.db, id, limit)
  if (count > 0) room.changed()
  return { redriven: count, more }
}

/**
 * Cancels what reached a queue while it was being deleted, or was left when the process died over it: for the leader's
 * round of chores. Gives how many it cancelled. @throws DatabaseError
 */
export async function cancelOnDeletedQueues(db: Database): Promise<number> {
  const queues = await db.query<{ id: number }>(DELETED_WITH_LIVE)
  let cancelled = 0
  for (const { id } of queues) cancelled += (await cancelBatch(db, id, ALL, DELETED)).count
  return cancelled
}

/** @throws Problem queue_not_found */
async function alterQueue(db: Executor, orgId: number, id: number, sets: string, params: Params): Promise<void> {
  const altered = await alterQueues(db, orgId, [id], sets, params)
  if (altered === 0) throw new Problem('queue_not_found', { id })
}

/** Gives how many of them there are. */
async function alterQueues(
  db: Executor,
  orgId: number,
  ids: readonly number[],
  sets: string,
  params: Params,
): Promise<number> {
  const where = `org_id = ${params.add(orgId, 'int')} AND id = ANY (${params.add(ids, 'int[]')}) AND deleted_at IS NULL`
  const { text, values } = params.finish(`
    WITH altered AS (
      UPDATE posthorn.queue SET ${sets}, version = version + 1, updated_at = now() WHERE ${where} RETURNING id
    ), noted AS (
      INSERT INTO posthorn.change (kind, queue_id) SELECT 'queue', id FROM altered
    )
    SELECT id FROM altered`)
  return (await db.query({ name: '', text }, values)).length
}

/** Holds the org's row until the transaction ends. @throws Problem dead_letter_queue_unknown, dead_letter_circle */
async function checkDeadLetters(tx: Executor, orgId: number, ids: readonly number[], target: number): Promise<void> {
  await lockOrg(tx, orgId)
  const line = await tx.query<{ id: number }>(DEAD_LETTER_LINE, [orgId, target])
  if (line.length === 0) throw new Problem('dead_letter_queue_unknown', { id: target })
  const back = line.find(({ id }) => ids.includes(id))
  if (back) throw new Problem('dead_letter_circle', { id: back.id })
}

/**
 * Crons: their configuration, and the changes of it. How they tick: cron-chain.ts.
 *
 * A cron that is not paused always has the message of its next tick. Whatever changes what that message says or when it
 * is due replaces it in the same transaction, so there is one chain and never two. A deleted cron is gone; the messages
 * of its ticks stay under its id.
 */
import {
  type Cron,
  type CronCreate,
  type CronUpdate,
  type Message,
  type Output,
  type Page,
  Problem,
} from '@posthorn/contract'
import type { Database, Statement } from '../db/port.ts'
import { loadStatement } from '../db/statement.ts'
import type { NewMessage, PutResult } from '../engine/port.ts'
import type { Ids } from '../id.ts'
import type { Caller } from '../tenant/orgs.ts'
import { type PutWithin, type TickSource, tickMessage } from './cron-chain.ts'
import { changedContent, newContent, ticksDiffer } from './cron-input.ts'
import { firstTick, readSchedule } from './cron-schedule.ts'
import { cronSource } from './cron-source.ts'
import {
  contentColumns,
  holdCron,
  holdQueue,
  removeTick,
  replaceTick,
  storeTick,
  tickOf,
  untilInTime,
  writeCron,
} from './cron-tick.ts'
import { type AnyQuery, findRow, listPage } from './list.ts'
import { withinLimit } from './list-limit.ts'
import type { CheckHeaders } from './queue-input.ts'
import { storedMessage } from './stored-message.ts'

export interface CronsOptions {
  readonly db: Database
  readonly ids: Pick<Ids, 'webhookId'>
  readonly checkHeaders: CheckHeaders
  /** Stores one message durably. */
  readonly put: (message: NewMessage) => Promise<PutResult>
  readonly putWithin: PutWithin
  /** Called after the commit of whatever other nodes must hear of; must not throw. */
  readonly changed: () => void
  /** Bound on lists that no index serves, in milliseconds. */
  readonly listLimitMs: number
}

interface ById {
  readonly id: number
}

const DRAW = loadStatement(import.meta.url, './sql/draw_cron.sql')
const CREATE = loadStatement(import.meta.url, './sql/create_cron.sql')
const MESSAGE = loadStatement(import.meta.url, './sql/cron_message.sql')
const PREVIEW_DELETE = loadStatement(import.meta.url, './sql/preview_cron_delete.sql')
const DELETE: Statement = { name: 'delete_cron', text: 'DELETE FROM posthorn.cron WHERE id = $1::int' }

export type Crons = ReturnType<typeof createCrons>

/** The operations on crons, as the contract has them. All throw Problems of the catalogue, and DatabaseError. */
export function createCrons(room: CronsOptions) {
  return {
    list: ({ orgId }: Caller, query: AnyQuery): Promise<Page<Cron>> =>
      listPage(room.db, cronSource(orgId, query), query, room.listLimitMs),
    get: ({ orgId }: Caller, { id }: ById) => getCron(room, orgId, id),
    create: (caller: Caller, input: CronCreate) => createCron(room, caller, input),
    update: (caller: Caller, input: CronUpdate & ById) => updateCron(room, caller, input),
    delete: (caller: Caller, { id }: ById) => deleteCron(room, caller, id),
    previewDelete: (caller: Caller, { id }: ById) => previewDelete(room, caller, id),
    run: (caller: Caller, { id }: ById) => runCron(room, caller, id),
    pause: (caller: Caller, { id }: ById) => pauseCron(room, caller, id),
    resume: (caller: Caller, { id }: ById) => resumeCron(room, caller, id),
  }
}

async function getCron(room: CronsOptions, orgId: number, id: number): Promise<Cron> {
  const found = await findRow(room.db, cronSource(orgId, { fields: null }), [{ field: 'id', op: 'eq', value: id }])
  if (!found) throw new Problem('cron_not_found', { id })
  return found
}

async function createCron(room: CronsOptions, { orgId }: Caller, input: CronCreate): Promise<Cron> {
  const content = newContent(input, room.checkHeaders)
  const id = await room.db.transaction(async tx => {
    const ordering = await holdQueue(tx, orgId, content.queue_id)
    if (ordering !== 'none' && content.priority !== 0) throw new Problem('queue_is_ordered', { id: content.queue_id })
    const [drawn] = await tx.query<{ id: number; now: Date }>(DRAW)
    const record = { ...content, id: drawn!.id, org_id: orgId }
    const tick = await storeTick(tx, room.putWithin, record, drawn!.now.getTime())
    await tx.query(CREATE, [record.id, orgId, ...contentColumns(content), tick.at, tick.messageId])
    return record.id
  })
  room.changed()
  return getCron(room, orgId, id)
}

async function updateCron(room: CronsOptions, { orgId }: Caller, input: CronUpdate & ById): Promise<Cron> {
  const { id, ...patch } = input
  const queueId = patch.queueId ?? (await getCron(room, orgId, id)).queueId
  await untilInTime(() =>
    room.db.transaction(async tx => {
      const ordering = await holdQueue(tx, orgId, queueId)
      const cron = await holdCron(tx, orgId, id)
      const changed = changedContent(cron, patch, room.checkHeaders)
      const content = { ...changed, priority: patch.priority || ordering === 'none' ? changed.priority : 0 }
      if (ordering !== 'none' && content.priority !== 0) throw new Problem('queue_is_ordered', { id: queueId })
      firstTick(readSchedule(content.schedule, content.time_zone, id), cron.now.getTime())
      if (cron.paused_at === null && ticksDiffer(cron, content)) return replaceTick(tx, room.putWithin, cron, content)
      return writeCron(tx, id, content, tickOf(cron), { pausedAt: cron.paused_at })
    }),
  )
  room.changed()
  return getCron(room, orgId, id)
}

/** Gives the cron as it was. */
async function deleteCron(room: CronsOptions, { orgId }: Caller, id: number): Promise<Cron> {
  const last = await getCron(room, orgId, id)
  await room.db.transaction(async tx => {
    await removeTick(tx, await holdCron(tx, orgId, id))
    await tx.query(DELETE, [id])
  })
  room.changed()
  return last
}

async function previewDelete(room: CronsOptions, { orgId }: Caller, id: number) {
  await getCron(room, orgId, id)
  const [counts] = await withinLimit(room.db, room.listLimitMs, ['the number of its messages'], tx =>
    tx.query<Output<'crons.previewDelete'>>(PREVIEW_DELETE, [id]),
  )
  return counts!
}

/** The message goes through the same commit as any other put; the chain has no part in it. */
async function runCron(room: CronsOptions, { orgId }: Caller, id: number): Promise<Message> {
  const [source] = await room.db.query<TickSource>(MESSAGE, [orgId, id])
  if (!source) throw new Problem('queue_not_found', { id: (await getCron(room, orgId, id)).queueId })
  const message = tickMessage(source, id, null)
  const result = await room.put(message)
  if (result.kind !== 'stored') throw new Error('a message without an idempotency key was not stored')
  return storedMessage(message, result, room.ids.webhookId(result.id))
}

async function pauseCron(room: CronsOptions, { orgId }: Caller, id: number): Promise<Cron> {
  await room.db.transaction(async tx => {
    const cron = await holdCron(tx, orgId, id)
    if (cron.paused_at !== null) return
    await removeTick(tx, cron)
    await writeCron(tx, id, cron, null, { pausedAt: cron.now })
  })
  room.changed()
  return getCron(room, orgId, id)
}

async function resumeCron(room: CronsOptions, { orgId }: Caller, id: number): Promise<Cron> {
  const { queueId } = await getCron(room, orgId, id)
  await room.db.transaction(async tx => {
    await holdQueue(tx, orgId, queueId)
    const cron = await holdCron(tx, orgId, id)
    if (cron.paused_at === null) return
    const tick = await storeTick(tx, room.putWithin, cron, cron.now.getTime())
    await writeCron(tx, id, cron, tick, { pausedAt: null })
  })
  room.changed()
  return getCron(room, orgId, id)
}

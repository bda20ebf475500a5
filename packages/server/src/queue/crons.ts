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
  type Found,
  type Message,
  type Output,
  type Page,
  Problem,
} from '@posthorn/contract'
import type { Executor, Statement } from '../db/port.ts'
import { loadStatement } from '../db/statement.ts'
import type { NewMessage, PutResult } from '../engine/port.ts'
import type { Ids } from '../id.ts'
import { type AnyQuery, type ById, findById, listPage } from '../list/page.ts'
import { withinLimit } from '../list/time-limit.ts'
import type { Caller } from '../tenant/caller.ts'
import { type TickSource, tickMessage } from './cron-chain.ts'
import { cronSource } from './cron-source.ts'
import {
  type HeldCron,
  holdCrons,
  holdQueues,
  refuseDetached,
  removeTicks,
  storeTicks,
  untilInTime,
  writeCrons,
} from './cron-tick.ts'
import { type Changed, type CronWriteRoom, changeCrons, storeCrons } from './cron-writes.ts'
import { findAgain, findTogether, mostChanged, readTogether } from './found.ts'
import { withTrace } from './message-input.ts'
import { storedMessage } from './stored-message.ts'

export interface CronsOptions extends CronWriteRoom {
  readonly ids: Pick<Ids, 'webhookId'>
  /** Stores one message durably. */
  readonly put: (message: NewMessage) => Promise<PutResult>
  /** Called after the commit of whatever other nodes must hear of; must not throw. */
  readonly changed: () => void
  /** Bound on lists that no index serves, in milliseconds. */
  readonly listLimitMs: number
}

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
    createMany: (caller: Caller, input: { readonly crons: readonly CronCreate[] }) =>
      createTogether(room, caller, input.crons),
    update: (caller: Caller, input: CronUpdate & ById) => updateCron(room, caller, input),
    updateMany: (caller: Caller, input: CronUpdate & Found) => updateFound(room, caller, input),
    delete: (caller: Caller, { id }: ById) => deleteCron(room, caller, id),
    previewDelete: (caller: Caller, { id }: ById) => previewDelete(room, caller, id),
    run: (caller: Caller, { id }: ById) => runCron(room, caller, id),
    pause: (caller: Caller, { id }: ById) => pauseCron(room, caller, id),
    resume: (caller: Caller, { id }: ById) => resumeCron(room, caller, id),
  }
}

async function getCron(room: CronsOptions, orgId: number, id: number): Promise<Cron> {
  const found = await findById(room.db, cronSource(orgId, { fields: null }), id)
  if (!found) throw new Problem('cron_not_found', { id })
  return found
}

async function createCron(room: CronsOptions, { orgId }: Caller, input: CronCreate): Promise<Cron> {
  const [id] = await storeCrons(room, orgId, [input], false)
  room.changed()
  return getCron(room, orgId, id!)
}

/** All of them or none. @throws Problem of the first that is refused */
async function createTogether(room: CronsOptions, { orgId }: Caller, inputs: readonly CronCreate[]) {
  const ids = await storeCrons(room, orgId, inputs, true)
  room.changed()
  return { results: ids.map(id => ({ result: 'stored' as const, id })) }
}

async function updateCron(room: CronsOptions, { orgId }: Caller, input: CronUpdate & ById): Promise<Cron> {
  const { id, ...patch } = input
  await untilInTime(async () => {
    const { queueId } = await getCron(room, orgId, id)
    const one: Changed = { ids: [id], queueIds: [queueId], keep: async (_, held) => held.map(cron => cron.id) }
    const changed = await room.db.transaction(tx => changeCrons(tx, room, orgId, one, patch))
    if (changed.length === 0) throw new Problem('cron_not_found', { id })
  })
  room.changed()
  return getCron(room, orgId, id)
}

/** Changes all crons that are found, or none. @throws Problem also where_missing, too_many_found */
async function updateFound(room: CronsOptions, { orgId }: Caller, input: CronUpdate & Found): Promise<Cron[]> {
  const { where, anyOf, fields, ...patch } = input
  const found = { where, anyOf }
  const light = cronSource(orgId, { fields: ['id'] })
  const crons = await untilInTime(async () => {
    const first = await findTogether(room.db, light, found, room.listLimitMs, mostChanged(patch))
    if (first.length === 0) return []
    const keep: Changed['keep'] = async (tx, held) => {
      const again = await findAgain(tx, light, found, idsOf(held))
      return idsOf(again)
    }
    const all: Changed = { ids: idsOf(first), queueIds: first.map(({ queueId }) => queueId), keep }
    return room.db.transaction(async tx => {
      const ids = await changeCrons(tx, room, orgId, all, patch)
      return readTogether(tx, cronSource(orgId, { fields }), ids)
    })
  })
  if (crons.length > 0) room.changed()
  return crons
}

const idsOf = (rows: readonly ById[]): number[] => rows.map(({ id }) => id)

/** Gives the cron as it was. */
async function deleteCron(room: CronsOptions, { orgId }: Caller, id: number): Promise<Cron> {
  const last = await getCron(room, orgId, id)
  await room.db.transaction(async tx => {
    await removeTicks(tx, orgId, [await holdCron(tx, orgId, id)])
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
async function runCron(room: CronsOptions, { orgId, trace }: Caller, id: number): Promise<Message> {
  const [source] = await room.db.query<TickSource & { detached: string | null }>(MESSAGE, [orgId, id])
  if (!source) throw new Problem('queue_not_found', { id: (await getCron(room, orgId, id)).queueId })
  refuseDetached(source.queue_id, source.detached)
  const message = withTrace(tickMessage(source, id, null), trace)
  const result = await room.put(message)
  if (result.kind !== 'stored') throw new Error('a message without an idempotency key was not stored')
  return storedMessage(message, result, room.ids.webhookId(result.id))
}

async function pauseCron(room: CronsOptions, { orgId }: Caller, id: number): Promise<Cron> {
  await room.db.transaction(async tx => {
    const cron = await holdCron(tx, orgId, id)
    if (cron.paused_at !== null) return
    await removeTicks(tx, orgId, [cron])
    await writeCrons(tx, [{ id, content: cron, tick: null, pausedAt: cron.now }])
  })
  room.changed()
  return getCron(room, orgId, id)
}

async function resumeCron(room: CronsOptions, { orgId }: Caller, id: number): Promise<Cron> {
  const { queueId } = await getCron(room, orgId, id)
  await room.db.transaction(async tx => {
    const queues = await holdQueues(tx, orgId, [queueId])
    if (queues.size === 0) throw new Problem('queue_not_found', { id: queueId })
    const cron = await holdCron(tx, orgId, id)
    if (cron.paused_at === null) return
    const [tick] = await storeTicks(tx, room.putWithin, [cron], cron.now.getTime())
    await writeCrons(tx, [{ id, content: cron, tick: tick!, pausedAt: null }])
  })
  room.changed()
  return getCron(room, orgId, id)
}

/** @throws Problem cron_not_found */
async function holdCron(tx: Executor, orgId: number, id: number): Promise<HeldCron> {
  const [cron] = await holdCrons(tx, orgId, [id])
  if (!cron) throw new Problem('cron_not_found', { id })
  return cron
}

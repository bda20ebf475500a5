/**
 * The next tick of one cron, within a transaction that changes the cron.
 *
 * Held first is the queue, then the cron, then its message: everybody keeps this order. A tick that is about to be due is
 * not replaced: its message may be on its way by the time of the commit, and the tick would be sent twice.
 */
import { type Ordering, Problem } from '@posthorn/contract'
import type { Executor } from '../db/port.ts'
import { loadStatement } from '../db/statement.ts'
import { type PutWithin, tickMessage } from './cron-chain.ts'
import type { CronContent } from './cron-input.ts'
import { firstTick, readSchedule } from './cron-schedule.ts'

export interface HeldCron extends CronContent {
  readonly id: number
  readonly org_id: number
  readonly paused_at: Date | null
  readonly next_at: Date | null
  readonly message_id: number | null
  /** The database's clock when it was held. */
  readonly now: Date
}

/** A tick that has its message. */
export interface Tick {
  readonly at: Date
  readonly messageId: number
}

const HOLD_QUEUE = loadStatement(import.meta.url, './sql/hold_queue.sql')
const HOLD = loadStatement(import.meta.url, './sql/hold_cron.sql')
const UPDATE = loadStatement(import.meta.url, './sql/update_cron.sql')
const REMOVE_TICK = loadStatement(import.meta.url, './sql/remove_tick.sql')
/** A tick this near is left alone, and so is one that came this near while it was being replaced. */
const NEAR_MS = 250
const TOO_NEAR_MS = 100
const TRIES = 3

/** @throws Problem queue_not_found */
export async function holdQueue(tx: Executor, orgId: number, id: number): Promise<Ordering> {
  const [queue] = await tx.query<{ ordered: Ordering }>(HOLD_QUEUE, [orgId, id])
  if (!queue) throw new Problem('queue_not_found', { id })
  return queue.ordered
}

/** @throws Problem cron_not_found */
export async function holdCron(tx: Executor, orgId: number, id: number): Promise<HeldCron> {
  const [cron] = await tx.query<HeldCron>(HOLD, [orgId, id])
  if (!cron) throw new Problem('cron_not_found', { id })
  return cron
}

/** Stores the message of the first tick after a time. @throws Problem validation_failed */
export async function storeTick(
  tx: Executor,
  putWithin: PutWithin,
  cron: CronContent & { readonly id: number; readonly org_id: number },
  after: number,
): Promise<Tick> {
  const at = firstTick(readSchedule(cron.schedule, cron.time_zone, cron.id), after)
  const [stored] = await putWithin(tx, [tickMessage(cron, cron.id, at)])
  return { at: new Date(at), messageId: stored!.id }
}

/** Takes away the message of the next tick, unless it is due. */
export async function removeTick(tx: Executor, { org_id, message_id }: HeldCron): Promise<void> {
  await tx.query(REMOVE_TICK, [org_id, message_id])
}

/**
 * Writes a cron anew, with the message of its next tick. If the pending one stays, the next after it follows what is
 * written now, when it is due. @throws TickCameNear: everything is to be done again
 */
export async function replaceTick(
  tx: Executor,
  putWithin: PutWithin,
  cron: HeldCron,
  content: CronContent,
): Promise<void> {
  const now = cron.now.getTime()
  const pending = cron.next_at?.getTime() ?? Number.POSITIVE_INFINITY
  if (pending < now + NEAR_MS) return writeCron(tx, cron.id, content, tickOf(cron), { pausedAt: null })
  await removeTick(tx, cron)
  const tick = await storeTick(tx, putWithin, { ...content, id: cron.id, org_id: cron.org_id }, now)
  const deadline = Number.isFinite(pending) ? new Date(pending - TOO_NEAR_MS) : null
  await writeCron(tx, cron.id, content, tick, { pausedAt: null, deadline })
}

/** @throws TickCameNear if it is later than `deadline` */
export async function writeCron(
  tx: Executor,
  id: number,
  content: CronContent,
  tick: Tick | null,
  { pausedAt, deadline = null }: { readonly pausedAt: Date | null; readonly deadline?: Date | null },
): Promise<void> {
  const columns = contentColumns(content)
  const rows = await tx.query(UPDATE, [id, ...columns, tick?.at ?? null, tick?.messageId ?? null, deadline, pausedAt])
  if (rows.length === 0) throw new TickCameNear()
}

/** In the order of create_cron.sql and update_cron.sql. */
export function contentColumns(content: CronContent) {
  const { queue_id, schedule, time_zone, body, headers, misfire, priority } = content
  return [queue_id, schedule, time_zone, body, headers, misfire, priority]
}

/** The tick that a cron waits for; null while it is paused. */
export function tickOf({ next_at, message_id }: HeldCron): Tick | null {
  return next_at && message_id !== null ? { at: next_at, messageId: message_id } : null
}

class TickCameNear extends Error {
  constructor() {
    super('the tick came too near while it was being replaced')
    this.name = 'TickCameNear'
  }
}

/** Runs a transaction again if the tick that it replaces came too near: the next time it is left alone. */
export async function untilInTime(transaction: () => Promise<void>): Promise<void> {
  for (let left = TRIES; ; left--) {
    try {
      return await transaction()
    } catch (error) {
      if (!(error instanceof TickCameNear) || left === 1) throw error
    }
  }
}

/**
 * The chain of a cron: one message for every tick.
 *
 * `cron.next_at` is the latest tick that has its message; the messages of the ticks up to the next one to come are stored
 * in the transaction that moves it on, and only if it still is what was read. So whoever does it, and however many at
 * once, a tick has one message: there is nothing to elect, and a leader that dies between two ticks leaves nothing half.
 * What becomes of the message (its retries, its death, a cancel) has no part in the chain.
 *
 * Rows are held in the order queue, cron, message, as by everybody; a cron that is just being changed is passed over.
 */
import type { MisfireRule } from '@posthorn/contract'
import { type Database, DatabaseError, type Executor } from '../db/port.ts'
import { loadStatement } from '../db/statement.ts'
import type { NewMessage, PutResult } from '../engine/port.ts'
import type { Log } from '../log.ts'
import { type Plan, planTicks } from './cron-plan.ts'
import { readSchedule } from './cron-schedule.ts'

/** Stores messages within a transaction that is open. */
export type PutWithin = (tx: Executor, messages: readonly NewMessage[]) => Promise<PutResult[]>

/** What became of the ticks of one cron. */
export interface Ticked {
  /** Those whose messages are due by now. */
  readonly fired: number
  /** Of these, the ones whose messages were stored after their time. */
  readonly late: number
  /** The rule that was applied, if ticks were missed. */
  readonly missed: MisfireRule | null
}

export interface CronChainOptions {
  readonly db: Database
  readonly putWithin: PutWithin
  /** Told after the commit; must not throw. */
  readonly ticked: (ticked: Ticked) => void
  readonly log: Log
  /** The message of a tick was stored. */
  readonly told?: (orgId: number, messageId: number) => void
}

export interface CronChain {
  /** The database's clock, and when the next tick is due; null if no cron ticks. @throws DatabaseError */
  look(): Promise<{ readonly now: number; readonly nextAt: number | null }>
  /**
   * Stores what follows every tick that is due. Gives how many crons moved on: none, if those that are due could not be
   * moved now. @throws DatabaseError
   */
  advance(): Promise<number>
}

const CLOCK = loadStatement(import.meta.url, './sql/cron_clock.sql')
const DUE = loadStatement(import.meta.url, './sql/due_crons.sql')
const HOLD = loadStatement(import.meta.url, './sql/hold_due_crons.sql')
const ADVANCE = loadStatement(import.meta.url, './sql/advance_crons.sql')
const CANCEL = loadStatement(import.meta.url, './sql/cancel_message.sql')
const MISSED = 'missed'
const BATCH = 100
const BATCH_BYTES = 16 * 1024 * 1024

interface DueRow {
  readonly id: number
  readonly schedule: string
  readonly time_zone: string
  readonly misfire: MisfireRule
  readonly next_at: Date
  readonly version: number
  readonly now: Date
  readonly size: number
}

interface HeldRow {
  readonly id: number
  readonly org_id: number
  readonly queue_id: number
  readonly body: string | null
  readonly headers: string | null
  readonly message_id: number
  readonly priority: number
  readonly waiting: boolean
}

interface Move {
  readonly cron: DueRow
  readonly plan: Plan
}

interface Moved extends Move {
  readonly ticked: Ticked
}

export function createCronChain(options: CronChainOptions): CronChain {
  const room = { ...options, complained: new Map<number, number>() }
  return {
    async look() {
      const [row] = await room.db.query<{ now: Date; next_at: Date | null }>(CLOCK)
      return { now: row!.now.getTime(), nextAt: row!.next_at?.getTime() ?? null }
    },
    advance: () => advance(room),
  }
}

interface Room extends CronChainOptions {
  /** Crons that could not move on, with the version that was complained of: once is enough. */
  readonly complained: Map<number, number>
}

async function advance(room: Room): Promise<number> {
  let moved = 0
  let place = { at: new Date(0), id: 0 }
  for (;;) {
    const due = await room.db.query<DueRow>(DUE, [place.at, place.id, BATCH])
    const moves: Move[] = []
    for (const cron of due) {
      const plan = await planned(room, cron)
      if (plan) moves.push({ cron, plan })
    }
    for (const batch of cut(moves)) moved += await storeOrHalve(room, batch)
    const last = due.at(-1)
    if (!last || due.length < BATCH) return moved
    place = { at: last.next_at, id: last.id }
  }
}

/** Null if its schedule cannot be read, which keeps no other from ticking. */
async function planned(room: Room, cron: DueRow): Promise<Plan | null> {
  try {
    const schedule = readSchedule(cron.schedule, cron.time_zone, cron.id)
    const due = { schedule, misfire: cron.misfire, nextAt: cron.next_at.getTime(), size: cron.size }
    return await planTicks(due, cron.now.getTime())
  } catch (error) {
    complain(room, cron, error, 'a cron does not tick: its schedule cannot be read here')
    return null
  }
}

function complain({ log, complained }: Room, { id, version }: DueRow, err: unknown, message: string): void {
  if (complained.get(id) === version) return
  complained.set(id, version)
  log.error({ err, cronId: id }, message)
}

/** Batches that are not too large for one transaction; a cron is never divided. */
function* cut(moves: readonly Move[]): Generator<Move[]> {
  let batch: Move[] = []
  let bytes = 0
  for (const move of moves) {
    const size = (move.plan.ticks.length + 1) * move.cron.size
    if (batch.length > 0 && bytes + size > BATCH_BYTES) {
      yield batch
      batch = []
      bytes = 0
    }
    batch.push(move)
    bytes += size
  }
  if (batch.length > 0) yield batch
}

/** One cron that the database refuses does not keep the others from ticking. */
async function storeOrHalve(room: Room, batch: readonly Move[]): Promise<number> {
  try {
    const { moved, stored } = await room.db.transaction(tx => store(tx, room.putWithin, batch))
    for (const move of moved) tell(room, move)
    for (const { orgId, id } of stored) room.told?.(orgId, id)
    return moved.length
  } catch (error) {
    if (!(error instanceof DatabaseError) || error.outcome !== 'rejected') throw error
    if (batch.length === 1) {
      complain(room, batch[0]!.cron, error, 'the next tick of a cron could not be stored; it is tried again')
      return 0
    }
    const half = batch.length >> 1
    return (await storeOrHalve(room, batch.slice(0, half))) + (await storeOrHalve(room, batch.slice(half)))
  }
}

interface StoredTicks {
  readonly moved: readonly Moved[]
  readonly stored: readonly { readonly orgId: number; readonly id: number }[]
}

/** Gives those that moved on: the others were moved or changed by somebody else, or are just being changed. */
async function store(tx: Executor, putWithin: PutWithin, batch: readonly Move[]): Promise<StoredTicks> {
  const held = await tx.query<HeldRow>(HOLD, [
    batch.map(({ cron }) => cron.id),
    batch.map(({ cron }) => cron.version),
    batch.map(({ cron }) => cron.next_at),
  ])
  if (held.length === 0) return { moved: [], stored: [] }
  const byId = new Map(batch.map(move => [move.cron.id, move]))
  const moved = held.map(({ id }) => byId.get(id)!)
  const messages = held.flatMap((row, i) => ticksOf(row, moved[i]!.plan).map(tick => tickMessage(row, row.id, tick)))
  const results = await putWithin(tx, messages)
  // The last message of each cron is that of the tick to come.
  const ahead = new Map(messages.map(({ cronId, dueAt }, i) => [cronId, { at: new Date(dueAt!), id: results[i]!.id }]))
  for (const [i, { org_id, message_id, waiting }] of held.entries()) {
    if (waiting && moved[i]!.plan.dropWaiting) await tx.query(CANCEL, [org_id, message_id, MISSED])
  }
  await tx.query(ADVANCE, [
    held.map(({ id }) => id),
    held.map(({ id }) => ahead.get(id)?.at ?? null),
    held.map(({ id }) => ahead.get(id)?.id ?? null),
  ])
  const stored = messages.map(({ orgId }, i) => ({ orgId, id: results[i]!.id }))
  return { moved: held.map((row, i) => ({ ...moved[i]!, ticked: tickedOf(row, moved[i]!) })), stored }
}

/** The tick that was due had its message, sent by now or not; the last of those stored now is still to come. */
function tickedOf(row: HeldRow, { cron, plan }: Move): Ticked {
  const late = ticksOf(row, plan).filter(tick => tick <= cron.now.getTime()).length
  const isDropped = row.waiting && plan.dropWaiting
  return { fired: late + (isDropped ? 0 : 1), late, missed: plan.isMisfire ? cron.misfire : null }
}

function ticksOf(row: HeldRow, { ticks, unlessWaiting }: Plan): readonly number[] {
  return unlessWaiting === null || row.waiting ? ticks : [unlessWaiting, ...ticks]
}

function tell({ log, ticked }: Room, { cron, plan, ticked: what }: Moved): void {
  ticked(what)
  if (plan.ticks.length === 0) log.error({ cronId: cron.id }, 'a cron has ended: its schedule has no further tick')
  if (!plan.isMisfire) return
  const fields = { cronId: cron.id, since: cron.next_at, until: cron.now, misfire: cron.misfire }
  log.warn(
    { ...fields, stored: plan.ticks.length },
    'ticks of a cron were missed: nothing ran, or its queue took nothing',
  )
}

/** What a tick's message is made of. */
export interface TickSource {
  readonly org_id: number
  readonly queue_id: number
  readonly body: string | null
  readonly headers: string | null
  readonly priority: number
}

/** @param dueAt the tick, or null for a message besides those of the ticks */
export function tickMessage(source: TickSource, cronId: number, dueAt: number | null): NewMessage {
  const { org_id: orgId, queue_id: queueId, body, headers, priority } = source
  return {
    orgId,
    queueId,
    body,
    headers,
    priority,
    slice: 0,
    dueAt,
    cronId,
    expiresAt: null,
    key: null,
    idempotency: null,
  }
}

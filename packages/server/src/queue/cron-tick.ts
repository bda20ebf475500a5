/**
 * The next ticks of crons, within a transaction that creates or changes the crons.
 *
 * Held first are the queues, then the crons, then their messages, each by id: everybody keeps this order. A tick that is
 * about to be due is not replaced: its message may be on its way by the time of the commit, and the tick would be sent
 * twice. So the crons are written last, and whoever writes them commits at once.
 */
import { setImmediate as breathe } from 'node:timers/promises'
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

const HOLD_QUEUES = loadStatement(import.meta.url, './sql/hold_queues.sql')
const HOLD = loadStatement(import.meta.url, './sql/hold_crons.sql')
const UPDATE = loadStatement(import.meta.url, './sql/update_crons.sql')
const REMOVE_TICKS = loadStatement(import.meta.url, './sql/remove_ticks.sql')
/** A tick this near is left alone (nearer by so much for each cron, as many take longer), and so is one that came near meanwhile. */
const NEAR_MS = 250
const NEAR_MS_EACH = 2
const TOO_NEAR_MS = 100
const TRIES = 3
const AT_A_STRETCH = 50

interface HeldQueue {
  readonly id: number
  readonly ordered: Ordering
  /** The function that the queue is for, if it has no backend. */
  readonly detached: string | null
}

/** @throws Problem function_detached */
export function refuseDetached(queueId: number, detached: string | null): void {
  if (detached !== null) throw new Problem('function_detached', { who: `Queue ${queueId}`, function: detached })
}

/** Holds those of the queues that there are; gives how each is ordered. @throws Problem function_detached: they take nothing */
export async function holdQueues(tx: Executor, orgId: number, ids: readonly number[]): Promise<Map<number, Ordering>> {
  const queues = await tx.query<HeldQueue>(HOLD_QUEUES, [orgId, ids])
  for (const { id, detached } of queues) refuseDetached(id, detached)
  return new Map(queues.map(({ id, ordered }) => [id, ordered]))
}

/** Holds those of the crons that there are, by id. */
export function holdCrons(tx: Executor, orgId: number, ids: readonly number[]): Promise<HeldCron[]> {
  return tx.query<HeldCron>(HOLD, [orgId, ids])
}

type Ticking = CronContent & { readonly id: number; readonly org_id: number }

/** Stores the message of the first tick after a time for each cron. @throws Problem validation_failed */
export async function storeTicks(
  tx: Executor,
  putWithin: PutWithin,
  crons: readonly Ticking[],
  after: number,
  refused?: Refused,
): Promise<Tick[]> {
  if (crons.length === 0) return []
  const ticks = await firstTicks(crons, after, refused)
  const stored = await putWithin(
    tx,
    crons.map((cron, i) => tickMessage(cron, cron.id, ticks[i]!)),
  )
  return ticks.map((at, i) => ({ at: new Date(at), messageId: stored[i]!.id }))
}

/** What is thrown where a schedule is refused. */
type Refused = (error: unknown, nth: number) => unknown

/** The first tick of each cron after a time; lets others in between. @throws Problem validation_failed */
export async function firstTicks(
  crons: readonly Ticking[],
  after: number,
  refused: Refused = error => error,
): Promise<number[]> {
  const ticks: number[] = []
  for (const [i, { schedule, time_zone: timeZone, id }] of crons.entries()) {
    try {
      ticks.push(firstTick(readSchedule(schedule, timeZone, id), after))
    } catch (error) {
      throw refused(error, i)
    }
    if (ticks.length % AT_A_STRETCH === 0) await breathe()
  }
  return ticks
}

/** Takes away the messages of the next ticks, unless they are due. */
export async function removeTicks(tx: Executor, orgId: number, crons: readonly HeldCron[]): Promise<void> {
  const ids = crons.flatMap(({ message_id: id }) => id ?? [])
  if (ids.length > 0) await tx.query(REMOVE_TICKS, [orgId, ids])
}

/** A cron that is held, and what it is to be. */
export interface CronChange {
  readonly cron: HeldCron
  readonly content: CronContent
}

/**
 * Makes of crons what they are to be from now on: those whose ticks differ get the message of the next one anew. If a
 * pending one stays, the next after it follows what is written now, when it is due.
 * @throws TryAgain: everything is to be done again
 */
export async function writeChanges(
  tx: Executor,
  putWithin: PutWithin,
  orgId: number,
  changes: readonly CronChange[],
  differ: (change: CronChange) => boolean,
): Promise<void> {
  const now = Math.max(...changes.map(({ cron }) => cron.now.getTime()))
  const near = now + NEAR_MS + changes.length * NEAR_MS_EACH
  const pendingAt = ({ cron }: CronChange): number => cron.next_at?.getTime() ?? Number.POSITIVE_INFINITY
  const replaced = changes.filter(
    change => change.cron.paused_at === null && differ(change) && pendingAt(change) >= near,
  )
  await removeTicks(
    tx,
    orgId,
    replaced.map(({ cron }) => cron),
  )
  const ticking = replaced.map(({ cron, content }) => ({ ...content, id: cron.id, org_id: orgId }))
  const ticks = await storeTicks(tx, putWithin, ticking, now)
  const tickBy = new Map(replaced.map(({ cron }, i) => [cron.id, ticks[i]!]))
  const rows = changes.map(change => {
    const { cron, content } = change
    const tick = tickBy.get(cron.id)
    const pending = pendingAt(change)
    const deadline = tick && Number.isFinite(pending) ? new Date(pending - TOO_NEAR_MS) : null
    return { id: cron.id, content, tick: tick ?? tickOf(cron), pausedAt: cron.paused_at, deadline }
  })
  await writeCrons(tx, rows)
}

export interface CronRow {
  readonly id: number
  readonly content: CronContent
  readonly tick: Tick | null
  readonly pausedAt: Date | null
  readonly deadline?: Date | null
}

/** @throws TryAgain if it is later than a `deadline` */
export async function writeCrons(tx: Executor, rows: readonly CronRow[]): Promise<void> {
  const written = await tx.query(UPDATE, [
    rows.map(({ id }) => id),
    ...contentColumns(rows.map(({ content }) => content)),
    ...tickColumns(rows.map(({ tick }) => tick)),
    rows.map(({ pausedAt }) => pausedAt),
    rows.map(({ deadline }) => deadline ?? null),
  ])
  if (written.length < rows.length) throw new TryAgain()
}

/** In the order of create_crons.sql and update_crons.sql. */
export function contentColumns(contents: readonly CronContent[]) {
  const names = ['queue_id', 'schedule', 'time_zone', 'body', 'headers', 'misfire', 'priority'] as const
  return names.map(name => contents.map(content => content[name]))
}

export function tickColumns(ticks: readonly (Tick | null)[]) {
  return [ticks.map(tick => tick?.at ?? null), ticks.map(tick => tick?.messageId ?? null)]
}

/** The tick that a cron waits for; null while it is paused. */
function tickOf({ next_at, message_id }: HeldCron): Tick | null {
  return next_at && message_id !== null ? { at: next_at, messageId: message_id } : null
}

/** Time went on, or a cron was moved: what was read does not hold any more. */
export class TryAgain extends Error {
  constructor() {
    super('crons were overtaken by their ticks or by another change while they were being changed')
    this.name = 'TryAgain'
  }
}

/** Runs a transaction again if it asks for it: the next time, a tick that came too near is left alone. */
export async function untilInTime<T>(transaction: () => Promise<T>): Promise<T> {
  for (let left = TRIES; ; left--) {
    try {
      return await transaction()
    } catch (error) {
      if (!(error instanceof TryAgain) || left === 1) throw error
    }
  }
}

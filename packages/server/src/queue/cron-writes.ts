/** Crons created and changed, one or many, in one commit with the messages of their next ticks. */
import { type CronCreate, type CronUpdate, type Ordering, Problem } from '@posthorn/contract'
import type { Database, Executor } from '../db/port.ts'
import { loadStatement } from '../db/statement.ts'
import type { PutWithin } from './cron-chain.ts'
import { type CronContent, changedContent, newContent, ticksDiffer } from './cron-input.ts'
import {
  contentColumns,
  firstTicks,
  type HeldCron,
  holdCrons,
  holdQueues,
  storeTicks,
  TryAgain,
  tickColumns,
  writeChanges,
  writeCrons,
} from './cron-tick.ts'
import { atPlace } from './place.ts'
import type { CheckHeaders } from './queue-input.ts'

export interface CronWriteRoom {
  readonly db: Database
  readonly checkHeaders: CheckHeaders
  readonly putWithin: PutWithin
}

const DRAW = loadStatement(import.meta.url, './sql/draw_crons.sql')
const CREATE = loadStatement(import.meta.url, './sql/create_crons.sql')

/**
 * Gives the new crons' ids.
 * @param together whether they are many: then what is wrong is said of the one that is meant
 * @throws Problem queue_not_found, queue_is_ordered, validation_failed: none is created
 */
export async function storeCrons(
  room: CronWriteRoom,
  orgId: number,
  inputs: readonly CronCreate[],
  together: boolean,
): Promise<number[]> {
  const refused = (error: unknown, i: number): unknown => (together ? atPlace(error, `body/crons/${i}`) : error)
  const contents = inputs.map((input, i) => {
    try {
      return newContent(input, room.checkHeaders)
    } catch (error) {
      throw refused(error, i)
    }
  })
  return room.db.transaction(async tx => {
    const orderings = await holdQueues(tx, orgId, queuesOf(contents))
    for (const { queue_id: id, priority } of contents) {
      const ordering = orderings.get(id)
      if (ordering === undefined) throw new Problem('queue_not_found', { id })
      if (ordering !== 'none' && priority !== 0) throw new Problem('queue_is_ordered', { id })
    }
    const drawn = await tx.query<{ id: number; now: Date }>(DRAW, [contents.length])
    const crons = contents.map((content, i) => ({ ...content, id: drawn[i]!.id, org_id: orgId }))
    const ticks = await storeTicks(tx, room.putWithin, crons, drawn[0]!.now.getTime(), refused)
    const ids = crons.map(({ id }) => id)
    await tx.query(CREATE, [orgId, ids, ...contentColumns(contents), ...tickColumns(ticks)])
    return ids
  })
}

/**
 * Writes down one cron, with the message of its first tick after `since`; within a transaction that holds its queue.
 * @param id one that the sequence has passed and nobody has; null draws one
 */
export async function insertCron(
  tx: Executor,
  putWithin: PutWithin,
  orgId: number,
  content: CronContent,
  { id: wanted, paused }: { readonly id: number | null; readonly paused: boolean },
): Promise<{ readonly id: number; readonly since: number }> {
  const [drawn] = await tx.query<{ id: number; now: Date }>(DRAW, [1])
  const { id, now } = { ...drawn!, ...(wanted !== null && { id: wanted }) }
  const ticks = paused ? [null] : await storeTicks(tx, putWithin, [{ ...content, id, org_id: orgId }], now.getTime())
  await tx.query(CREATE, [orgId, [id], ...contentColumns([content]), ...tickColumns(ticks)])
  if (paused) await writeCrons(tx, [{ id, content, tick: null, pausedAt: now }])
  return { id, since: now.getTime() }
}

/** Which crons a change is for. */
export interface Changed {
  readonly ids: readonly number[]
  /** The queues that they are on, as far as was known before they were held. */
  readonly queueIds: readonly number[]
  /** Of those that are held, the ids of those that are to be changed. */
  readonly keep: (tx: Executor, held: readonly HeldCron[]) => Promise<readonly number[]>
}

/** Changes crons within a transaction. Gives their ids. @throws Problem, TryAgain: none is changed */
export async function changeCrons(
  tx: Executor,
  room: CronWriteRoom,
  orgId: number,
  { ids, queueIds, keep }: Changed,
  patch: CronUpdate,
): Promise<readonly number[]> {
  const orderings = await holdQueues(tx, orgId, patch.queueId === undefined ? queueIds : [patch.queueId])
  if (patch.queueId !== undefined && orderings.size === 0) throw new Problem('queue_not_found', { id: patch.queueId })
  const held = await holdCrons(tx, orgId, ids)
  const kept = new Set(await keep(tx, held))
  const crons = held.filter(({ id }) => kept.has(id))
  const changes = crons.map(cron => ({ cron, content: contentOf(cron, patch, orderings, room.checkHeaders) }))
  if (changes.length === 0) return []
  const ticking = changes.map(({ cron, content }) => ({ ...content, id: cron.id, org_id: orgId }))
  await firstTicks(ticking, Math.max(...crons.map(({ now }) => now.getTime())))
  await writeChanges(tx, room.putWithin, orgId, changes, ({ cron, content }) => ticksDiffer(cron, content))
  return crons.map(({ id }) => id)
}

/** What a cron is to be. On an ordered queue nothing goes first: a priority that it has is dropped, one that is given is refused. */
function contentOf(
  cron: HeldCron,
  patch: CronUpdate,
  orderings: ReadonlyMap<number, Ordering>,
  check: CheckHeaders,
): CronContent {
  const changed = changedContent(cron, patch, check)
  const ordering = orderings.get(changed.queue_id)
  if (ordering === undefined) throw new TryAgain()
  const content = { ...changed, priority: patch.priority || ordering === 'none' ? changed.priority : 0 }
  if (ordering !== 'none' && content.priority !== 0) throw new Problem('queue_is_ordered', { id: changed.queue_id })
  return content
}

const queuesOf = (crons: readonly { readonly queue_id: number }[]): number[] => [
  ...new Set(crons.map(({ queue_id }) => queue_id)),
]

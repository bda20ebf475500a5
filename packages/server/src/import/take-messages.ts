/**
 * Messages, batch by batch: what was handed over there is stored here, together with its entry in the ledger.
 *
 * A batch is one transaction. However an import ends, the next one walks over all that was handed over again, passes by what
 * the ledger has, and stores the rest. What cannot be stored is given back to pg-hooks after its batch.
 *
 * Of crons: a tick that is to come is stored here by the cron itself, so the one of pg-hooks is only noted. Of ticks that were
 * due and never tried, one of each cron is sent, as pg-hooks would; any more of them come from its faults.
 */
import type { Database } from '../db/port.ts'
import { loadStatement } from '../db/statement.ts'
import type { NewMessage } from '../engine/port.ts'
import type { PutWithin } from '../queue/cron-chain.ts'
import { holdQueues } from '../queue/cron-tick.ts'
import { type FitRules, fitMessage } from './fit.ts'
import type { Entry, Ledger } from './ledger.ts'
import type { OldMessage, OldPlace, PgHooksDatabase } from './pg-hooks-database.ts'
import type { Remark } from './plan.ts'
import type { TakenCron } from './take-crons.ts'

export interface TakeMessages {
  readonly source: PgHooksDatabase
  readonly target: Database
  readonly orgId: number
  readonly ledger: Ledger
  readonly rules: Pick<FitRules, 'checkHeaders'>
  readonly putWithin: PutWithin
  /** Partitions for the ids to come. */
  readonly makeRoom: () => Promise<void>
  readonly batchSize: number
  /** Between two batches. @throws if the import is to end here */
  readonly goOn: () => void
  /** How many were passed, of all that were handed over. */
  readonly passed: (messages: number) => void
}

export interface Homes {
  readonly queues: ReadonlyMap<number, number>
  readonly crons: ReadonlyMap<number, TakenCron>
}

export interface TakenMessages {
  /** In this run. */
  readonly stored: number
  /** Ticks to come, that crons store here by themselves. */
  readonly ticks: number
  /** Stored by an import before. */
  readonly before: number
}

/** A batch is not larger: bodies have up to a megabyte. */
const BATCH_BYTES = 8 * 1024 * 1024
const NOTE_RETRIES = loadStatement(import.meta.url, './sql/note_retries.sql')

export async function takeMessages(room: TakeMessages, homes: Homes, left: Remark[]): Promise<TakenMessages> {
  const missed = await room.source.missedTicks(new Map([...homes.crons].map(([id, { since }]) => [id, since])))
  const taken = { stored: 0, ticks: 0, before: 0 }
  let passed = 0
  for (let after = 0; ; ) {
    room.goOn()
    await room.makeRoom()
    const batch = cut(await room.source.page(after, room.batchSize))
    const last = batch.at(-1)
    if (!last) return taken
    const known = await room.ledger.known(batch)
    const ids = batch.map(({ id }) => id).filter(id => !known.has(id))
    const done = await takeBatch(room, homes, missed, await room.source.messages(ids))
    await room.source.giveBack(done.left.map(({ id }) => id))
    left.push(...done.left)
    taken.stored += done.stored
    taken.ticks += done.ticks
    taken.before += known.size
    after = last.id
    passed += batch.length
    room.passed(passed)
  }
}

function cut(page: readonly OldPlace[]): readonly OldPlace[] {
  let bytes = 0
  const end = page.findIndex(place => {
    bytes += place.bytes
    return bytes > BATCH_BYTES
  })
  return end < 0 ? page : page.slice(0, Math.max(1, end))
}

interface Ready {
  readonly old: OldMessage
  readonly message: NewMessage
  readonly attempts: number
}

async function takeBatch(room: TakeMessages, homes: Homes, missed: ReadonlySet<number>, batch: readonly OldMessage[]) {
  const left: Remark[] = []
  const refuse = (id: number, text: string): void => void left.push({ kind: 'message', id, text })
  const ready: Ready[] = []
  const ticks: Entry[] = []
  for (const old of batch) {
    const isTick = old.cron_id !== null && old.retries === 0 && homes.crons.has(old.cron_id)
    if (isTick && !missed.has(old.id)) ticks.push({ oldId: old.id, createdUs: old.created_us, newId: null })
    else {
      const found = prepare(room, homes, old)
      if (typeof found === 'string') refuse(old.id, found)
      else ready.push(found)
    }
  }
  const stored = await room.target.transaction(async tx => {
    const live = await holdQueues(tx, room.orgId, [...new Set(ready.map(({ message }) => message.queueId))])
    const able = ready.filter(({ message }) => live.has(message.queueId))
    const results = await room.putWithin(
      tx,
      able.map(({ message }) => message),
    )
    const made = able.map(({ old }, i) => ({ oldId: old.id, createdUs: old.created_us, newId: results[i]!.id }))
    await room.ledger.record(tx, 'm', [...made, ...ticks])
    const tried = able
      .map(({ attempts }, i) => ({ id: results[i]!.id, attempts }))
      .filter(({ attempts }) => attempts > 0)
    if (tried.length > 0)
      await tx.query(NOTE_RETRIES, [room.orgId, tried.map(({ id }) => id), tried.map(({ attempts }) => attempts)])
    for (const { old, message } of ready) {
      if (!live.has(message.queueId)) refuse(old.id, `its queue (${message.queueId} here) has been deleted here`)
    }
    return able.length
  })
  return { stored, ticks: ticks.length, left }
}

/** The message as it is stored here, or why it cannot be. */
function prepare({ orgId, rules }: TakeMessages, { queues, crons }: Homes, old: OldMessage): Ready | string {
  const queueId = queues.get(old.queue_id)
  if (queueId === undefined) return `its queue ${old.queue_id} is left`
  const cron = old.cron_id === null ? null : crons.get(old.cron_id)
  if (cron === undefined) return `its cron ${old.cron_id} is left`
  const fit = fitMessage(old, rules)
  if (!fit.ok) return fit.problem
  const { attempts, ...message } = fit.input
  return { old, message: { ...message, orgId, queueId, cronId: cron?.id ?? null }, attempts }
}

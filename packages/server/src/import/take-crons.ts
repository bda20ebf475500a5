import { Problem } from '@posthorn/contract'
import type { Database } from '../db/port.ts'
import { loadStatement } from '../db/statement.ts'
import type { PutWithin } from '../queue/cron-chain.ts'
import { newContent } from '../queue/cron-input.ts'
import { holdQueues } from '../queue/cron-tick.ts'
import { insertCron } from '../queue/cron-writes.ts'
import type { FitRules } from './fit.ts'
import type { Ledger } from './ledger.ts'
import type { PlannedCron, Remark } from './plan.ts'

export interface TakeCrons {
  readonly target: Database
  readonly orgId: number
  readonly ledger: Ledger
  readonly rules: FitRules
  readonly putWithin: PutWithin
}

export interface TakenCron {
  readonly id: number
  /** It ticks here after this time, in milliseconds since 1970; its ticks until then were pg-hooks'. */
  readonly since: number
}

const ADVANCE = loadStatement(import.meta.url, './sql/advance_cron_ids.sql')

/**
 * Stores the crons that are not there yet, each with its first tick in one transaction. Gives all, by their old ids; those
 * whose queue has been deleted here go to `left`.
 */
export async function takeCrons(
  room: TakeCrons,
  crons: readonly PlannedCron[],
  queueIds: ReadonlyMap<number, number>,
  left: Remark[],
): Promise<Map<number, TakenCron>> {
  const taken = new Map<number, TakenCron>()
  for (const { old, known } of crons) if (known?.newId) taken.set(old.id, { id: known.newId, since: known.importedAt })
  const fresh = crons.filter(({ known }) => known === null)
  if (fresh.length > 0) await room.target.query(ADVANCE, [Math.max(...fresh.map(({ old }) => old.id))])
  for (const cron of fresh) {
    try {
      taken.set(cron.old.id, await store(room, cron, queueIds.get(cron.old.queue_id)!))
    } catch (error) {
      if (!(error instanceof Problem)) throw error
      left.push({ kind: 'cron', id: cron.old.id, text: error.message })
    }
  }
  return taken
}

function store(room: TakeCrons, { old, input, newId }: PlannedCron, queueId: number): Promise<TakenCron> {
  const { target, orgId, ledger, rules, putWithin } = room
  const content = newContent({ ...input, queueId }, rules.checkHeaders)
  return target.transaction(async tx => {
    if (!(await holdQueues(tx, orgId, [queueId])).has(queueId)) throw new Problem('queue_not_found', { id: queueId })
    const { id, since } = await insertCron(tx, putWithin, orgId, content, { id: newId, paused: !old.waits })
    await ledger.record(tx, 'c', [{ oldId: old.id, createdUs: old.created_us, newId: id }], since)
    return { id, since }
  })
}

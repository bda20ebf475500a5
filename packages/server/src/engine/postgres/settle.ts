import type { Executor } from '../../db/port.ts'
import type { Settled, Settlement, Tenure, Verdict } from '../port.ts'
import { column, list, textColumn } from './encode.ts'
import { statements } from './statements.ts'

/** Two statements at most: the delivered, which are nearly all, and the others. Each is one commit. */
export async function settle(db: Executor, batch: readonly Settlement[], again: boolean): Promise<Settled> {
  const delivered: Settlement[] = []
  const others: Settlement[] = []
  for (const settlement of batch) (settlement.verdict.kind === 'delivered' ? delivered : others).push(settlement)
  const [first, second] = await Promise.all([
    delivered.length > 0 ? settleDelivered(db, delivered, again) : NOTHING,
    others.length > 0 ? settleOthers(db, others, again) : NOTHING,
  ])
  return { fenced: [...first.fenced, ...second.fenced], deadLettered: second.deadLettered }
}

const NOTHING: Settled = { fenced: [], deadLettered: [] }

async function settleDelivered(db: Executor, batch: readonly Settlement[], again: boolean): Promise<Settled> {
  const { tenures, nth } = numberTenures(batch)
  const rows = await db.rows(statements.settleDelivered, [
    ...tenureColumns(tenures),
    column(batch, nth),
    ...messageColumns(batch),
    ...attemptColumns(batch),
    again ? 't' : 'f',
  ])
  return { fenced: voidOf(tenures, new Set(rows.map(row => Number(row[0])))), deadLettered: [] }
}

async function settleOthers(db: Executor, batch: readonly Settlement[], again: boolean): Promise<Settled> {
  const { tenures, nth } = numberTenures(batch)
  const rows = await db.rows(statements.settle, [
    ...tenureColumns(tenures),
    column(batch, nth),
    ...messageColumns(batch),
    ...attemptColumns(batch),
    textColumn(batch, settlement => settlement.attempt?.errorCode ?? null),
    textColumn(batch, settlement => settlement.attempt?.error ?? null),
    column(batch, settlement => verdictLetter(settlement.verdict)),
    column(batch, ({ verdict }) => (verdict.kind === 'retry' ? verdict.at : null)),
    textColumn(batch, ({ verdict }) => ('reason' in verdict ? verdict.reason : null)),
    column(batch, ({ verdict }) => (verdict.kind === 'dead' ? verdict.deadLetterQueueId : null)),
    again ? 't' : 'f',
  ])
  const held = new Set<number>()
  const deadLettered: number[] = []
  for (const [tag, value] of rows) {
    if (tag === 'f') held.add(Number(value))
    else deadLettered.push(Number(value))
  }
  return { fenced: voidOf(tenures, held), deadLettered }
}

export async function pin(
  db: Executor,
  orgId: number,
  queueId: number,
  ids: readonly number[],
  tenure: Tenure,
): Promise<number[]> {
  const params = [`${tenure.shard}`, `${tenure.epoch}`, `${queueId}`, list(ids), `${orgId}`]
  return (await db.rows(statements.pin, params)).map(row => Number(row[0]))
}

function verdictLetter(verdict: Verdict): string {
  if (verdict.kind === 'retry') return verdict.inPlace ? 'i' : 'r'
  return { delivered: 'd', dead: 'x', expired: 'e', cancelled: 'c' }[verdict.kind]
}

/** The batch's tenures, counted from 1, and each settlement's number among them. */
function numberTenures(batch: readonly Settlement[]) {
  const numbers = new Map<string, number>()
  const tenures: Tenure[] = []
  for (const { tenure } of batch) {
    const name = tenureName(tenure)
    if (!numbers.has(name)) numbers.set(name, tenures.push(tenure))
  }
  return { tenures, nth: (settlement: Settlement) => numbers.get(tenureName(settlement.tenure))! }
}

const tenureName = (tenure: Tenure): string => `${tenure.shard}:${tenure.epoch}`

function voidOf(tenures: readonly Tenure[], held: ReadonlySet<number>): Tenure[] {
  return tenures.filter((_, index) => !held.has(index + 1))
}

function tenureColumns(tenures: readonly Tenure[]) {
  return [column(tenures, tenure => tenure.shard), column(tenures, tenure => tenure.epoch)]
}

function messageColumns(batch: readonly Settlement[]) {
  return [
    column(batch, settlement => settlement.orgId),
    column(batch, settlement => settlement.queueId),
    column(batch, settlement => settlement.id),
    column(batch, settlement => settlement.attempts),
  ]
}

function attemptColumns(batch: readonly Settlement[]) {
  return [
    column(batch, settlement => settlement.attempt?.startedAt ?? null),
    column(batch, settlement => settlement.attempt?.durationMs ?? null),
    column(batch, settlement => settlement.attempt?.status ?? null),
    column(batch, settlement => settlement.attempt?.queueVersion ?? null),
    textColumn(batch, settlement => settlement.attempt?.excerpt ?? null),
  ]
}

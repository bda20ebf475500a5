import type { Executor } from '../../db/port.ts'
import type { Folded, FoldRequest, Settled, Settlement, Tenure, Verdict } from '../port.ts'
import { column, list, textColumn, wholeMs } from './encode.ts'
import { bigints, doubles, integers, smallints } from './number-arrays.ts'
import { statements } from './statements.ts'

/**
 * One statement, one commit: a shorter one if all are delivered, which is the most common by far.
 *
 * `again`: the earlier try may still be under way on a connection that was given up for lost. It holds its shards' rows
 * until it ends, so those are waited for; then what it recorded can be seen. Nothing is held between the statements: a
 * node that freezes there holds up nobody.
 */
export async function settle(db: Executor, batch: readonly Settlement[], again: boolean): Promise<Settled> {
  if (batch.length === 0) return { fenced: [], deadLettered: [], dead: [] }
  const recorded = again ? await findRecorded(db, batch) : null
  return batch.every(isDelivered) ? settleDelivered(db, batch, recorded) : settleAny(db, batch, recorded)
}

const isDelivered = ({ verdict, attempt }: Settlement): boolean => verdict.kind === 'delivered' && attempt !== null

/** Which of the batch's attempts are on record, as a column; null if none is. */
async function findRecorded(db: Executor, batch: readonly Settlement[]): Promise<string | null> {
  await db.rows(statements.awaitSettles, [list([...new Set(batch.map(({ tenure }) => tenure.shard))])])
  const rows = await db.rows(statements.findRecorded, [
    integers(batch, settlement => settlement.queueId),
    bigints(batch, settlement => settlement.id),
    smallints(batch, settlement => settlement.attempts + 1),
  ])
  const recorded = new Set(rows.map(([ord]) => batch[Number(ord) - 1]))
  return column(batch, settlement => (recorded.has(settlement) ? 't' : null))
}

async function settleDelivered(db: Executor, batch: readonly Settlement[], recorded: string | null): Promise<Settled> {
  const { tenures, numbers } = numberTenures(batch)
  const rows = await db.rows(statements.settleDelivered, [
    ...tenureColumns(tenures),
    numbers,
    ...messageColumns(batch),
    ...attemptColumns(batch),
    recorded,
  ])
  return { fenced: voidOf(tenures, new Set(rows.map(row => Number(row[0])))), deadLettered: [], dead: [] }
}

async function settleAny(db: Executor, batch: readonly Settlement[], recorded: string | null): Promise<Settled> {
  const { tenures, numbers } = numberTenures(batch)
  const rows = await db.rows(statements.settle, [
    ...tenureColumns(tenures),
    numbers,
    ...messageColumns(batch),
    ...attemptColumns(batch),
    recorded,
    textColumn(batch, settlement => settlement.attempt?.errorCode ?? null),
    textColumn(batch, settlement => settlement.attempt?.error ?? null),
    column(batch, settlement => verdictLetter(settlement.verdict)),
    doubles(batch, ({ verdict }) => (verdict.kind === 'retry' ? wholeMs(verdict.at) : null)),
    textColumn(batch, ({ verdict }) => ('reason' in verdict ? verdict.reason : null)),
    integers(batch, ({ verdict }) => (verdict.kind === 'dead' ? verdict.deadLetterQueueId : null)),
    integers(batch, ({ notice }) => notice?.queueId ?? null),
    textColumn(batch, ({ notice }) => notice?.body ?? null),
  ])
  const tagged = (tag: string): Set<number> =>
    new Set(rows.flatMap(([given, value]) => (given === tag ? Number(value) : [])))
  return { fenced: voidOf(tenures, tagged('f')), deadLettered: [...tagged('q')], dead: [...tagged('x')] }
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

export async function fold(db: Executor, request: FoldRequest): Promise<Folded> {
  const { tenure, queueId, slice, spread, after, limit } = request
  const params = [tenure.shard, tenure.epoch, queueId, slice, spread, after.dueAt, after.id, limit].map(String)
  const [row] = await db.rows(statements.fold, params)
  const [ready, delayed, dueAt, id, held] = row!.map(Number) as [number, number, number, number, number]
  if (held === 0) return { last: null, more: true }
  return { last: delayed > 0 ? { dueAt, id } : null, more: ready === limit || delayed === limit }
}

function verdictLetter(verdict: Verdict): string {
  if (verdict.kind === 'retry') return verdict.inPlace ? 'i' : 'r'
  return { delivered: 'd', dead: 'x', expired: 'e', cancelled: 'c' }[verdict.kind]
}

/** The batch's tenures, counted from 1, and each settlement's number among them. Those of one tenure mostly stand together. */
function numberTenures(batch: readonly Settlement[]) {
  const numbers = new Map<string, number>()
  const tenures: Tenure[] = []
  let last: Tenure | null = null
  let number = 0
  const nth = ({ tenure }: Settlement): number => {
    if (tenure === last) return number
    last = tenure
    const name = `${tenure.shard}:${tenure.epoch}`
    number = numbers.get(name) ?? tenures.push(tenure)
    numbers.set(name, number)
    return number
  }
  return { tenures, numbers: integers(batch, nth) }
}

function voidOf(tenures: readonly Tenure[], held: ReadonlySet<number>): Tenure[] {
  return tenures.filter((_, index) => !held.has(index + 1))
}

function tenureColumns(tenures: readonly Tenure[]) {
  return [smallints(tenures, tenure => tenure.shard), bigints(tenures, tenure => tenure.epoch)]
}

function messageColumns(batch: readonly Settlement[]) {
  return [
    integers(batch, settlement => settlement.orgId),
    integers(batch, settlement => settlement.queueId),
    bigints(batch, settlement => settlement.id),
    smallints(batch, settlement => settlement.attempts),
  ]
}

function attemptColumns(batch: readonly Settlement[]) {
  return [
    doubles(batch, ({ attempt }) => attempt?.startedAt ?? null),
    integers(batch, ({ attempt }) => attempt?.durationMs ?? null),
    smallints(batch, ({ attempt }) => attempt?.status ?? null),
    integers(batch, ({ attempt }) => attempt?.queueVersion ?? null),
    textColumn(batch, ({ attempt }) => attempt?.excerpt ?? null),
  ]
}

/**
 * The records that are changed together: found first, then held, then looked at again.
 *
 * What is found is bounded, and read before anything is locked. Once the records are held, those that do not hold the
 * conditions any more are left out; the others cannot change until the commit, which is one for all of them.
 */
import { type Found, Problem } from '@posthorn/contract'
import type { Database, Executor } from '../db/port.ts'
import { type AnyQuery, findRows, type ListSource, listPage } from '../list/page.ts'

const MOST = 1000
/** Of the texts that are written, and of those that are given back: all of them are in memory at once. */
const MOST_BYTES = 64 * 1024 * 1024
const PAGE = 100

type Conditions = Pick<Found, 'where' | 'anyOf'>

interface WithId {
  readonly id: number
}

/** A body is written as often as there are records: of large ones, fewer are changed at once. */
export function mostChanged(patch: { readonly body?: string | null; readonly bodyBase64?: string | null }): number {
  const bytes = (patch.body?.length ?? 0) + (patch.bodyBase64?.length ?? 0)
  return Math.max(1, Math.min(MOST, Math.floor(MOST_BYTES / (bytes + 1))))
}

/** By id. @throws Problem where_missing, too_many_found, list_too_slow, validation_failed */
export async function findTogether<Row>(
  db: Database,
  source: ListSource<Row>,
  { where, anyOf }: Conditions,
  limitMs: number,
  most = MOST,
): Promise<readonly Row[]> {
  if (where.length === 0 && anyOf.length === 0) throw new Problem('where_missing', {})
  const { items } = await listPage(db, source, { ...everything, where, anyOf, limit: most + 1 }, limitMs)
  if (items.length > most) throw new Problem('too_many_found', { limit: most })
  return items
}

const everything: Omit<AnyQuery, 'where' | 'anyOf' | 'limit'> = {
  offset: 0,
  orderBy: [],
  startAfter: null,
  endBefore: null,
  fields: ['id'],
  totalCount: false,
}

/** Those of the records that still hold the conditions; they are to be held by the transaction. */
export function findAgain<Row>(
  tx: Executor,
  source: ListSource<Row>,
  { where, anyOf }: Conditions,
  ids: readonly number[],
): Promise<Row[]> {
  return findRows(tx, source, { where: [...where, { field: 'id', op: 'in', value: ids }], anyOf, limit: ids.length })
}

/** The records as they are now, by id. @throws Problem too_many_found where they are too large to be given back */
export async function readTogether<Row extends WithId>(
  tx: Executor,
  source: ListSource<Row>,
  ids: readonly number[],
): Promise<Row[]> {
  const rows: Row[] = []
  let bytes = 0
  for (let start = 0; start < ids.length; start += PAGE) {
    const where = [{ field: 'id', op: 'in' as const, value: ids.slice(start, start + PAGE) }]
    for (const row of await findRows(tx, source, { where, anyOf: [], limit: PAGE })) {
      bytes += textOf(row)
      if (bytes > MOST_BYTES) throw new Problem('too_many_found', { limit: rows.length })
      rows.push(row)
    }
  }
  return rows
}

function textOf(row: object): number {
  return Object.values(row).reduce((sum: number, value) => sum + (typeof value === 'string' ? value.length : 0), 0)
}

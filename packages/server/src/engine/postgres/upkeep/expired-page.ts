/** A page of settled messages, of which some are over, and what is done with those. */
import type { Database, Executor, Statement } from '../../../db/port.ts'
import { statements } from './statements.ts'

export interface ExpiredPage {
  readonly seen: number
  /** The last id that was looked at; null on an empty page. */
  readonly last: number | null
  /** The first message put within the time: nothing that follows can be over. */
  readonly reached: number | null
  /** The first message put so lately that of those behind it some may not be settled yet; null also where it is not asked. */
  readonly settling: number | null
  readonly over: Over | null
}

/** Messages whose time is over, if they are still what they were. */
export interface Over {
  /** In ascending order, as an array of the database. */
  readonly ids: string
  readonly lowest: string
  readonly highest: string
  /** All of them were settled by then, on the database's clock. */
  readonly until: string
}

export async function readPage(db: Executor, statement: Statement, params: string[]): Promise<ExpiredPage> {
  const [row] = await db.rows(statement, params)
  const [seen, last, reached, ids, until, settling] = row!
  const numberOf = (text: string | null | undefined): number | null => (text == null ? null : Number(text))
  const places = { last: numberOf(last), reached: numberOf(reached), settling: numberOf(settling) }
  const counted = { seen: Number(seen), ...places }
  if (ids == null || until == null) return { ...counted, over: null }
  const [, lowest, highest] = /^\{(-?\d+)(?:.*,(-?\d+))?\}$/.exec(ids)!
  return { ...counted, over: { ids, lowest: lowest!, highest: highest ?? lowest!, until } }
}

/** Removes them with their attempts, and with the payloads that no message refers to any more. Gives how many. */
export async function removeSettled(db: Executor, orgId: number, over: Over): Promise<number> {
  return countOf(await db.rows(statements.removeSettled, paramsOf(orgId, over)))
}

/** Removes their payloads, but for those that another message needs. Gives how many. @param retentionMs of the installation */
export async function removeBodies(db: Database, orgId: number, over: Over, retentionMs: number): Promise<number> {
  return db.transaction(async tx => {
    await tx.exec('SET LOCAL enable_seqscan = off; SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off')
    const held = await tx.rows(statements.lockBodies, paramsOf(orgId, over))
    if (held.length === 0) return 0
    const params = [`${orgId}`, `{${held.map(row => row[0]).join(',')}}`, `${retentionMs}`]
    return countOf(await tx.rows(statements.removeBodies, params))
  })
}

/** Gives how many attempts it removed. */
export async function removeAttempts(db: Executor, orgId: number, over: Over): Promise<number> {
  return countOf(await db.rows(statements.removeAttempts, paramsOf(orgId, over)))
}

const paramsOf = (orgId: number, { ids, until, lowest, highest }: Over): string[] => [
  `${orgId}`,
  ids,
  until,
  lowest,
  highest,
]

const countOf = (rows: readonly (readonly (string | null)[])[]): number => Number(rows[0]![0])

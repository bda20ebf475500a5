/**
 * The one list query: a resource, the tables it lives in, and what was asked for, to SQL.
 *
 * A resource in several tables is one branch each; every branch orders and cuts off by itself before they are merged, so
 * that a page costs its rows and not the tables'. Branches that the filters rule out are left away. What no index serves
 * runs under a time limit and says which field was to blame.
 *
 * Statements are made up as asked and therefore have no name: the database plans each with its values at hand.
 */
import { type Condition, type ListQuery, type Order, type Page, Problem, type Resource } from '@posthorn/contract'
import type { Database, Executor, Param, Statement } from '../db/port.ts'
import { allOf, anyOf, Params, type Sql } from './condition.ts'
import { type Column, type Columns, compare } from './filter.ts'
import { behind, orderSql, reverse, totalOrder } from './order.ts'
import { withinLimit } from './time-limit.ts'

export type AnyQuery = ListQuery<string>

/** One table that rows of the resource come from; its columns are named in the same way in all branches. */
export interface Branch {
  readonly from: string
  readonly columns: Columns
  /** What the caller may see of it at all. */
  readonly scope: (params: Params) => Sql
  /** Columns that are read but belong to no field. */
  readonly hidden?: Columns
}

/** What is fetched for the rows of the page only; `page` is their alias. */
export interface Supplement {
  readonly columns: string
  readonly join: string
}

export interface ListSource<Row> {
  readonly resource: Pick<Resource, 'primaryKey'>
  readonly branches: readonly Branch[]
  readonly supplement: Supplement | null
  /** Whether an index leads to the rows that hold a condition. */
  readonly serves: (condition: Condition) => boolean
  /** Fields that an index can order by. */
  readonly sorts: ReadonlySet<string>
  readonly decode: (row: Record<string, unknown>) => Row
}

/**
 * Lists one page.
 * @throws Problem validation_failed, cursor_invalid, list_too_slow
 * @throws DatabaseError
 */
export async function listPage<Row>(
  db: Database,
  source: ListSource<Row>,
  query: AnyQuery,
  limitMs: number,
): Promise<Page<Row>> {
  const unserved = unservedParts(source, query)
  const work = (executor: Executor): Promise<Page<Row>> => readPage(executor, source, query)
  return unserved.length === 0 ? work(db) : withinLimit(db, limitMs, unserved, work)
}

/** What an operation on one record is told. */
export interface ById {
  readonly id: number
}

/** Reads one record, if the caller may see it. */
export async function findById<Row>(db: Executor, source: ListSource<Row>, id: number): Promise<Row | undefined> {
  const [row] = await findRows(db, source, { where: [{ field: 'id', op: 'eq', value: id }], anyOf: [], limit: 1 })
  return row
}

/** Reads at most `limit` rows that hold all of `where` and, unless it is empty, one of `anyOf`, by the primary key. */
export async function findRows<Row>(
  db: Executor,
  source: ListSource<Row>,
  question: Pick<AnyQuery, 'where' | 'anyOf' | 'limit'>,
): Promise<Row[]> {
  return [...(await readPage(db, source, { ...oneRow, ...question })).items]
}

const oneRow: Omit<AnyQuery, 'where'> = {
  limit: 1,
  offset: 0,
  anyOf: [],
  orderBy: [],
  startAfter: null,
  endBefore: null,
  fields: null,
  totalCount: false,
}

async function readPage<Row>(db: Executor, source: ListSource<Row>, query: AnyQuery): Promise<Page<Row>> {
  const totalCount = query.totalCount ? await countRows(db, source, query) : null
  if (query.limit === 0) return { items: [], totalCount }
  const { statement, params } = pageStatement(source, query)
  const rows = await db.query(statement, params)
  const items = rows.map(source.decode)
  return { items: query.endBefore ? items.reverse() : items, totalCount }
}

/** The statement of one page; for a page that ends before a place, in reverse order. */
export function pageStatement(source: ListSource<never> | ListSource<unknown>, query: AnyQuery): Question {
  const params = new Params()
  const asked = totalOrder(source.resource, query.orderBy)
  const order = query.endBefore ? reverse(asked) : asked
  const branches = openBranches(source, query, order, params)
  const sorted = orderSql(order, quote)
  const rows = params.add(query.limit, 'int8')
  const skipped = params.add(query.offset, 'int8')
  const parts = branches.map(({ branch, condition }) => {
    const read = Object.entries({ ...branch.columns, ...branch.hidden }).filter(([, { unread }]) => !unread)
    const list = read.map(([name, { sql }]) => `${sql} AS ${quote(name)}`)
    const by = orderSql(order, field => columnOf(branch, field, 'orderby').sql)
    const bound = branches.length === 1 ? `LIMIT ${rows} OFFSET ${skipped}` : `LIMIT ${rows} + ${skipped}`
    return `SELECT ${list.join(', ')} FROM ${branch.from}${whereSql(condition)} ORDER BY ${by} ${bound}`
  })
  const merged =
    parts.length === 1
      ? parts[0]!
      : `SELECT * FROM (${parts.map(part => `(${part})`).join(' UNION ALL ')}) AS parts ORDER BY ${sorted} LIMIT ${rows} OFFSET ${skipped}`
  const text = source.supplement
    ? `SELECT page.*, ${source.supplement.columns} FROM (${merged}) AS page ${source.supplement.join} ORDER BY ${sorted}`
    : merged
  return unnamed(text, params)
}

async function countRows(db: Executor, source: ListSource<unknown>, query: AnyQuery): Promise<number> {
  const params = new Params()
  const everywhere: AnyQuery = { ...query, startAfter: null, endBefore: null }
  const counts = openBranches(source, everywhere, [], params).map(
    ({ branch, condition }) => `(SELECT count(*) FROM ${branch.from}${whereSql(condition)})`,
  )
  const { statement, params: values } = unnamed(`SELECT ${counts.join(' + ')} AS total`, params)
  const [row] = await db.query<{ total: number }>(statement, values)
  return row?.total ?? 0
}

interface Question {
  readonly statement: Statement
  readonly params: readonly Param[]
}

function unnamed(text: string, params: Params): Question {
  const finished = params.finish(text)
  return { statement: { name: '', text: finished.text }, params: finished.values }
}

interface OpenBranch {
  readonly branch: Branch
  readonly condition: Sql
}

/** The branches that may have rows; the first one if none may, so that there is something to ask for nothing. */
function openBranches(
  source: ListSource<unknown>,
  query: AnyQuery,
  order: readonly Order[],
  params: Params,
): readonly OpenBranch[] {
  const decided = source.branches.map(branch => ({ branch, condition: branchCondition(branch, query, order, params) }))
  const open = decided.filter(({ condition }) => condition !== false)
  return open.length > 0 ? open : decided.slice(0, 1)
}

function branchCondition(branch: Branch, query: AnyQuery, order: readonly Order[], params: Params): Sql {
  const condition = (one: Condition): Sql => compare(columnOf(branch, one.field, 'where'), one, params)
  return allOf([
    branch.scope(params),
    ...query.where.map(condition),
    query.anyOf.length === 0 || anyOf(query.anyOf.map(condition)),
    query.startAfter === null || behind(order, branch.columns, query.startAfter, 'startAfter', params),
    // The order is already the reverse of what was asked: before there is behind here.
    query.endBefore === null || behind(order, branch.columns, query.endBefore, 'endBefore', params),
  ])
}

function columnOf(branch: Branch, field: string, parameter: string): Column {
  const column = Object.hasOwn(branch.columns, field) ? branch.columns[field] : undefined
  if (!column)
    throw new Problem('validation_failed', { problem: `${parameter}.${field}: there is no such field to go by` })
  return column
}

function unservedParts(source: ListSource<unknown>, query: AnyQuery): string[] {
  const parts = [
    ...query.where.filter(one => !source.serves(one)).map(({ field, op }) => `where.${field}.${op}`),
    ...query.anyOf.map(({ field, op }) => `where.or (${field}.${op})`),
    ...query.orderBy.filter(({ field }) => !source.sorts.has(field)).map(({ field }) => `orderby.${field}`),
  ]
  if (query.totalCount) parts.push('totalCount')
  if (query.offset > LARGE_OFFSET) parts.push('offset')
  return [...new Set(parts)]
}

/** Skipped rows are read and thrown away, about a million a second. */
const LARGE_OFFSET = 10_000

const whereSql = (condition: Sql): string =>
  condition === true ? '' : ` WHERE ${condition === false ? 'false' : condition}`

const quote = (name: string): string => `"${name}"`

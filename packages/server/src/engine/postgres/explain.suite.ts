/** An executor that shows how the server carries out what an engine asks of it: by which plan, and at what cost. */
import type { Database, Executor, RawParam, Statement } from '../../db/port.ts'

export interface Explained {
  readonly statement: string
  /** For a person. */
  readonly plan: string
  /** Every scan of a table, as `index` of the table, or how else it was read. */
  readonly scans: readonly Scan[]
  /** Rows of tables that were looked at, whether of use or not. */
  readonly visited: number
  /** The most rows that any step had to hold in memory at once: sorted, hashed, materialized. */
  readonly mostHeld: number
  /** Pages of tables and indexes that were looked at: unlike a time, the same on every machine. */
  readonly pages: number
}

export interface Scan {
  readonly table: string
  readonly by: string
  /** How often, and rows given each time. */
  readonly loops: number
}

interface PlanNode {
  readonly 'Node Type': string
  readonly 'Relation Name'?: string
  readonly 'Index Name'?: string
  readonly 'CTE Name'?: string
  readonly Filter?: string
  readonly 'Actual Rows': number
  readonly 'Actual Loops': number
  readonly 'Rows Removed by Filter'?: number
  readonly 'Rows Removed by Join Filter'?: number
  readonly 'Shared Hit Blocks': number
  readonly 'Shared Read Blocks': number
  readonly Plans?: readonly PlanNode[]
}

const HOLDS = /^(Sort|Incremental Sort|Hash|Materialize)$/
const SCANS = /Scan$/

/**
 * The database with every statement of the hot connections, and of transactions, explained as it is run. With ANALYZE a
 * statement is carried out: what changes something is carried out once for the plan and once for its caller.
 *
 * Plans are those that a prepared statement gets, as on a connection that lives. Give it a database with a pool of one.
 */
export function explaining(db: Database, told: (explained: Explained) => void): Database {
  const prepared = new Map<string, Set<string>>()
  const over = (executor: Executor, connection: string): Executor => ({
    query: (statement, params) => executor.query(statement, params),
    exec: sql => executor.exec(sql),
    async rows(statement, params = []) {
      const known = prepared.get(connection) ?? new Set()
      prepared.set(connection, known)
      const name = `explained_${connection}_${statement.name}`
      if (!known.has(name)) await executor.exec(`PREPARE ${name} AS ${statement.text}`)
      known.add(name)
      told(await explain(executor, statement, name, params))
      return executor.rows(statement, params)
    },
  })
  return {
    kind: db.kind,
    hot: over(db.hot, 'hot'),
    transaction: (work: (tx: Executor) => Promise<unknown>) => db.transaction(tx => work(over(tx, 'ordinary'))),
  } as unknown as Database
}

async function explain(
  db: Executor,
  statement: Statement,
  prepared: string,
  params: readonly RawParam[],
): Promise<Explained> {
  const texts = await Promise.all(params.map(param => (Buffer.isBuffer(param) ? textOf(db, param) : param)))
  const values = texts.map(value => (value === null ? 'NULL' : `'${value.replaceAll("'", "''")}'`)).join(', ')
  const text = `EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) EXECUTE ${prepared}${values && `(${values})`}`
  const [row] = await db.rows({ name: '', text })
  const [{ Plan: root }] = JSON.parse(row![0]!) as [{ Plan: PlanNode }]
  const nodes = flatten(root)
  return {
    statement: statement.name,
    plan: describe(root).join('\n'),
    scans: nodes.filter(isTableScan).map(node => ({
      table: node['Relation Name'] ?? tableOfIndex(node['Index Name']!),
      by: node['Index Name'] ?? node['Node Type'],
      loops: node['Actual Loops'],
    })),
    visited: sum(nodes.map(visitedBy)),
    mostHeld: Math.max(0, ...nodes.filter(node => HOLDS.test(node['Node Type'])).map(node => node['Actual Rows'])),
    pages: root['Shared Hit Blocks'] + root['Shared Read Blocks'],
  }
}

const ARRAY_TYPES = new Map([
  [20, 'bigint[]'],
  [21, 'smallint[]'],
  [23, 'int[]'],
  [701, 'float8[]'],
])

/** EXPLAIN takes its values as text: the server says what an array in its binary format is (see number-arrays.ts). */
async function textOf(db: Executor, array: Buffer): Promise<string> {
  const text = `SELECT $1::${ARRAY_TYPES.get(array.readInt32BE(8))}::text`
  return (await db.rows({ name: '', text }, [array]))[0]![0]!
}

/** Rows are averages over the loops; what a join threw away was looked at for nothing, too. */
function visitedBy(node: PlanNode): number {
  const passed = isTableScan(node) ? node['Actual Rows'] : 0
  const each = passed + (node['Rows Removed by Filter'] ?? 0) + (node['Rows Removed by Join Filter'] ?? 0)
  return Math.ceil(each * node['Actual Loops'])
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0)

const isTableScan = (node: PlanNode): boolean =>
  SCANS.test(node['Node Type']) && (node['Relation Name'] ?? node['Index Name']) !== undefined

const tableOfIndex = (index: string): string => index.split('_')[0]!

function flatten(node: PlanNode): PlanNode[] {
  return [node, ...(node.Plans ?? []).flatMap(flatten)]
}

/** The steps that were taken, one a line: what a test says when it does not like the plan. */
function describe(node: PlanNode, depth = 0): string[] {
  const by = node['Index Name'] ?? node['Relation Name'] ?? node['CTE Name'] ?? ''
  const size = `${node['Actual Rows']} rows × ${node['Actual Loops']}`
  const line = `${'  '.repeat(depth)}${node['Node Type']} ${by}: ${[size, node.Filter ?? []].flat().join(' where ')}`
  const below = (node.Plans ?? []).flatMap(plan => describe(plan, depth + 1))
  return node['Actual Loops'] === 0 ? [] : [line, ...below]
}

/**
 * The ledger of imports: what of another system was taken over, and as what.
 *
 * An entry is written in the transaction that stores what it speaks of, so that whatever ends an import, the next one knows
 * what is done. An entry stays when its record is settled, changed or deleted: it is not taken over a second time.
 */
import type { Database, Executor, Statement } from '../db/port.ts'
import { quoteIdentifier } from '../db/schema.ts'
import { loadStatement } from '../db/statement.ts'

export type Kind = 'q' | 'c' | 'm'

export interface Entry {
  readonly oldId: number
  /** When the other system made it, in microseconds since 1970. */
  readonly createdUs: number
  /** Null for a tick that the cron stores here by itself. */
  readonly newId: number | null
}

export interface KnownEntry extends Entry {
  readonly importedAt: number
}

export interface LedgerCount {
  readonly messages: number
  /** Of their old ids. */
  readonly sum: string
  readonly ticks: number
  readonly waiting: number
  readonly settled: number
}

interface Row {
  readonly old_id: number
  readonly old_created_us: number
  readonly new_id: number | null
  readonly imported_at: Date
}

const load = (name: string): Statement => loadStatement(import.meta.url, `./sql/${name}.sql`)
const ADD_SOURCE = load('add_import_source')
const ALL = load('imported_all')
const SOME = load('imported_some')
const RECORD = load('record_imported')
const COUNT = load('count_imported')
const HAS_TABLES = load('has_tables')
const FIND_SOURCE: Statement = {
  name: 'find_import_source',
  text: 'SELECT id FROM posthorn.import_source WHERE fingerprint = $1::text',
}

export class Ledger {
  readonly #db: Database
  readonly #sourceId: number

  constructor(db: Database, sourceId: number) {
    this.#db = db
    this.#sourceId = sourceId
  }

  /** The queues or crons taken over, by their old ids. */
  async all(kind: 'q' | 'c'): Promise<Map<number, KnownEntry>> {
    const rows = await this.#db.query<Row>(ALL, [this.#sourceId, kind])
    return new Map(rows.map(row => [row.old_id, entryOf(row)]))
  }

  /** Which of these messages were taken over. @throws Error if one of them is another that has the same id */
  async known(messages: readonly { readonly id: number; readonly created_us: number }[]): Promise<Set<number>> {
    const rows = await this.#db.query<Row>(SOME, [this.#sourceId, messages.map(({ id }) => id)])
    const made = new Map(messages.map(({ id, created_us }) => [id, created_us]))
    for (const row of rows) checkSame('message', row.old_id, made.get(row.old_id)!, row.old_created_us)
    return new Set(rows.map(row => row.old_id))
  }

  /** Within the transaction that stores them. @param at what they count from, in milliseconds since 1970; now if left out */
  async record(tx: Executor, kind: Kind, entries: readonly Entry[], at?: number): Promise<void> {
    if (entries.length === 0) return
    await tx.query(RECORD, [
      this.#sourceId,
      kind,
      entries.map(({ oldId }) => oldId),
      entries.map(({ createdUs }) => createdUs),
      entries.map(({ newId }) => newId),
      at === undefined ? null : new Date(at),
    ])
  }

  async count(orgId: number): Promise<LedgerCount> {
    const rows = await this.#db.transaction(tx => tx.query<LedgerCount>(COUNT, [this.#sourceId, orgId]), { slow: true })
    return rows[0]!
  }
}

/** The ledger of a source, begun if there is none. */
export async function openLedger(db: Database, fingerprint: string): Promise<Ledger> {
  const [row] = await db.query<{ id: number }>(ADD_SOURCE, [fingerprint])
  return new Ledger(db, row!.id)
}

/** The ledger of a source, and whether there are queues to make room for; for a look that changes nothing. */
export async function findLedger(
  db: Database,
  fingerprint: string,
): Promise<{ readonly ledger: Ledger | null; readonly hasQueues: boolean }> {
  const schema = quoteIdentifier(db.schema)
  const [has] = await db.query<{ queue: boolean; imported: boolean }>(HAS_TABLES, [
    `${schema}.queue`,
    `${schema}.imported`,
  ])
  const [row] = has!.imported ? await db.query<{ id: number }>(FIND_SOURCE, [fingerprint]) : []
  return { ledger: row ? new Ledger(db, row.id) : null, hasQueues: has!.queue }
}

/**
 * @throws Error if ids were given out twice: a copy of the database that has lived on by itself, which must not be taken for
 * the one whose messages were imported
 */
export function checkSame(what: string, id: number, createdUs: number, recordedUs: number): void {
  if (createdUs === recordedUs) return
  const [now, then] = [createdUs, recordedUs].map(us => new Date(us / 1000).toISOString())
  throw new Error(
    `${what} ${id} of pg-hooks was made at ${now}, but the one that was imported under this id at ${then}: this is another copy of that database. Nothing more is imported from it`,
  )
}

function entryOf(row: Row): KnownEntry {
  return {
    oldId: row.old_id,
    createdUs: row.old_created_us,
    newId: row.new_id,
    importedAt: row.imported_at.getTime(),
  }
}

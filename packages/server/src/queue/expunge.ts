/**
 * Expunging: the content of a message goes for good, what became of it stays on record.
 *
 * Guarantees that, once it is committed, no table has the body, the headers, the key, the words of a caller, a consumer or
 * a receiver, or a hash of the content of the message, nor of any other that has or had the same content: what it was
 * forwarded from, its dead letters, whoever shares its payload. Those that live are cancelled, or they would have to be
 * sent without their body.
 *
 * Found and marked in turns until all are marked: a settle may forward one meanwhile, a redrive may bring one back. Whoever
 * comes later finds a live row gone or a settled one marked, and does nothing. The answer to an attempt under way is not
 * recorded when its message is gone (engine/postgres/sql/settle.sql).
 */
import type { Database, Executor } from '../db/port.ts'
import { loadStatement } from '../db/statement.ts'
import { alongIndexes } from './index-plans.ts'

const KIN = loadStatement(import.meta.url, './sql/find_kin.sql')
const EXPUNGE_LIVE = loadStatement(import.meta.url, './sql/expunge_live.sql')
const EXPUNGE_SETTLED = loadStatement(import.meta.url, './sql/expunge_settled.sql')
const EXPUNGE_CONTENT = loadStatement(import.meta.url, './sql/expunge_content.sql')

interface Kin {
  readonly id: number
  readonly queue_id: number
  readonly payload_id: number
  readonly is_expunged: boolean
}

/** Gives false if there is no such message. Done again it does no harm. @throws DatabaseError */
export function expunge(db: Database, orgId: number, id: number): Promise<boolean> {
  // All that is asked here is asked by key.
  return alongIndexes(db, async tx => {
    const kin = await markAll(tx, orgId, id)
    const payloads = new Set(kin.flatMap(one => [one.id, one.payload_id]))
    const params = [kin.map(one => one.queue_id), kin.map(one => one.id), [...payloads]]
    if (kin.length > 0) await tx.query(EXPUNGE_CONTENT, params)
    return kin.length > 0
  })
}

async function markAll(tx: Executor, orgId: number, id: number): Promise<readonly Kin[]> {
  for (;;) {
    const kin = await tx.query<Kin>(KIN, [orgId, id])
    const open = kin.filter(one => !one.is_expunged).map(one => one.id)
    if (open.length === 0) return kin
    await tx.query(EXPUNGE_LIVE, [orgId, open])
    await tx.query(EXPUNGE_SETTLED, [orgId, open])
  }
}

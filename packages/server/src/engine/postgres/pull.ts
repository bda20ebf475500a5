import type { Database, Executor, Statement, TextRow } from '../../db/port.ts'
import type { Claim, PullEngine } from '../port.ts'
import { headOf } from './decode.ts'
import { column, list } from './encode.ts'
import { statements } from './statements.ts'

type Held = readonly { readonly id: number; readonly claim: string }[]

export function createPull(db: Database): PullEngine {
  const change = async (statement: Statement, queueId: number, held: Held, ...rest: (string | null)[]) => {
    const params = [`${queueId}`, column(held, ({ id }) => id) ?? '{}', column(held, ({ claim }) => claim) ?? '{}']
    return (await db.hot.rows(statement, [...params, ...rest])).map(row => Number(row[0]))
  }
  return {
    claim: (queueId, limit, visibilityMs) => claim(db, queueId, limit, visibilityMs),
    acknowledge: (queueId, held) => change(statements.acknowledge, queueId, held),
    reject: (queueId, held, next) =>
      'at' in next
        ? change(statements.rejectLater, queueId, held, `${next.at}`)
        : change(statements.rejectDead, queueId, held, next.dead, numberText(next.deadLetterQueueId)),
    extend: (queueId, held, visibilityMs) => change(statements.extend, queueId, held, `${visibilityMs}`),
  }
}

async function claim(db: Database, queueId: number, limit: number, visibilityMs: number): Promise<Claim[]> {
  return db.transaction(async tx => {
    const ordered = (await tx.rows(statements.lockQueue, [`${queueId}`]))[0]?.[0] ?? 'none'
    return (await take(tx, ordered, queueId, limit, visibilityMs)).map(claimOf)
  })
}

async function take(
  tx: Executor,
  ordered: string,
  queueId: number,
  limit: number,
  visibilityMs: number,
): Promise<TextRow[]> {
  const params = [`${queueId}`, `${limit}`, `${visibilityMs}`]
  if (ordered === 'none') return tx.rows(statements.claim, params)
  await tx.rows(statements.promote, [list([queueId]), '1000'])
  return tx.rows(statements.claimOrdered, [...params, ordered])
}

function claimOf(row: TextRow): Claim {
  const head = headOf(row)
  return { ...head, claim: row[16]!, until: (head.dueAt ?? head.retryAt)! }
}

const numberText = (value: number | null): string | null => (value === null ? null : `${value}`)

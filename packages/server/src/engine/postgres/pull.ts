import { FORCED_PLANS } from '../../db/forced-plans.ts'
import type { Database, Statement, TextRow } from '../../db/port.ts'
import type { Burial, Claim, PullEngine } from '../port.ts'
import { headOf } from './decode.ts'
import { column, list, textColumn, wholeMs } from './encode.ts'
import { statements } from './statements.ts'

type Held = readonly { readonly id: number; readonly claim: string }[]

const isClaim = ({ claim }: Held[number]): boolean => UUID.test(claim)
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
const PROMOTED_AT_ONCE = '1000'
const PLANS = JSON.stringify(FORCED_PLANS)

export function createPull(db: Database): PullEngine {
  const change = async (statement: Statement, queueId: number, held: Held, ...rest: (string | null)[]) => {
    // Anything else was never given out as a claim, and nobody holds it.
    const claims = held.filter(isClaim)
    if (claims.length === 0) return []
    const params = [`${queueId}`, column(claims, ({ id }) => id), column(claims, ({ claim }) => claim)]
    return (await db.hot.rows(statement, [...params, ...rest])).map(row => Number(row[0]))
  }
  const bury = (queueId: number, held: Held, { dead, deadLetterQueueId, notices }: Burial) => {
    const told = new Map(held.map(({ id }, nth) => [id, notices?.[nth] ?? null]))
    const claims = held.filter(isClaim)
    return change(
      statements.rejectDead,
      queueId,
      claims,
      dead,
      numberText(deadLetterQueueId),
      column(claims, ({ id }) => told.get(id)?.queueId ?? null),
      textColumn(claims, ({ id }) => told.get(id)?.body ?? null),
    )
  }
  return {
    claim: async (queueId, limit, visibilityMs) => (await claim(db, queueId, limit, visibilityMs)).map(claimOf),
    acknowledge: (queueId, held) => change(statements.acknowledge, queueId, held),
    reject: (queueId, held, next) =>
      'at' in next ? change(statements.rejectLater, queueId, held, `${wholeMs(next.at)}`) : bury(queueId, held, next),
    extend: (queueId, held, visibilityMs) => change(statements.extend, queueId, held, `${visibilityMs}`),
  }
}

async function claim(db: Database, queueId: number, limit: number, visibilityMs: number): Promise<TextRow[]> {
  const params = [`${queueId}`, `${limit}`, `${visibilityMs}`]
  const [queue] = await db.hot.rows(statements.orderingOf, [`${queueId}`])
  if (!queue || queue[0] === 'none') return db.hot.rows(statements.claim, params)
  return db.transaction(async tx => {
    const [locked] = await tx.rows(statements.lockQueue, [`${queueId}`, PLANS])
    await tx.rows(statements.promote, [list([queueId]), PROMOTED_AT_ONCE])
    return tx.rows(statements.claimOrdered, [...params, locked![0]!])
  })
}

function claimOf(row: TextRow): Claim {
  const head = headOf(row)
  return { ...head, claim: row[16]!, until: (head.dueAt ?? head.retryAt)! }
}

const numberText = (value: number | null): string | null => (value === null ? null : `${value}`)

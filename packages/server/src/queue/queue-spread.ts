import { type Ordering, Problem, type Queue, type QueueCreate, queue } from '@posthorn/contract'
import type { Executor, Statement } from '../db/port.ts'

/** What has to fit together where a queue is spread over several slices. */
export interface Spreading {
  readonly spread: number
  readonly concurrency: number
  readonly ordered: Ordering
  readonly callbackUrl: string | null
}

const FIELDS = ['spread', 'concurrency', 'ordered', 'callbackUrl'] as const

const HOLD: Statement = {
  name: 'hold_queue_spread',
  text: `SELECT spread, concurrency, ordered, callback_url AS "callbackUrl"
    FROM posthorn.queue WHERE org_id = $1::int AND id = $2::int AND deleted_at IS NULL FOR NO KEY UPDATE`,
}

/**
 * Several owners cannot keep one order, nor share fewer attempts than they are; and consumers of a pull queue share it anyway.
 * @param given what the caller says of it, `kept` with all that was said before
 * @throws Problem validation_failed, naming the field that the caller gave
 */
export function checkSpread(given: Partial<Spreading>, { spread, concurrency, ordered, callbackUrl }: Spreading): void {
  if (spread === 1) return
  const refuse = (other: keyof Spreading, ofSpread: string, ofOther: string): never => {
    const field = given.spread === undefined ? other : 'spread'
    const problem = field === 'spread' ? ofSpread : `${ofOther}: the queue has a spread of ${spread}`
    throw new Problem('validation_failed', { problem: `body/${field} ${problem}`, field: `body/${field}` })
  }
  if (ordered !== 'none') refuse('ordered', 'must be 1: an ordered queue has one owner, who keeps it', 'must be none')
  if (callbackUrl === null)
    refuse('callbackUrl', 'must be 1: only a queue with a callbackUrl can be spread', 'must not be null')
  if (spread > concurrency)
    refuse('concurrency', `must be <= ${concurrency}, the concurrency that its slices share`, `must be >= ${spread}`)
}

/** Of a queue that is made: what the caller leaves out is as usual. */
export function wholeSpreading({ spread, concurrency, ordered, callbackUrl }: QueueCreate): Spreading {
  const defaults = queue.defaults as Pick<Queue, 'spread' | 'concurrency' | 'ordered'>
  return {
    spread: spread ?? defaults.spread,
    concurrency: concurrency ?? defaults.concurrency,
    ordered: ordered ?? defaults.ordered,
    callbackUrl: callbackUrl ?? null,
  }
}

/** Checks an update against what the queue has, which it holds until the transaction ends. */
export async function checkSpreadChange(
  tx: Executor,
  orgId: number,
  id: number,
  patch: Partial<Spreading>,
): Promise<void> {
  const given = Object.fromEntries(Object.entries(patch).filter(([, value]) => value !== undefined))
  const [row] = await tx.query<Spreading>(HOLD, [orgId, id])
  if (!row) throw new Problem('queue_not_found', { id })
  checkSpread(given, { ...row, ...given })
}

/** Whether anything of it is said that a spread might not go with. */
export const saysSpread = (patch: Partial<Spreading>): boolean => FIELDS.some(field => patch[field] !== undefined)

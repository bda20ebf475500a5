/**
 * An import from pg-hooks. At no moment can both sides send a message, and what was begun can always be finished.
 *
 *   waits in pg-hooks ──handed over──▶ sent by nobody ──stored, with its entry in the ledger──▶ Posthorn's
 *                     ◀──given back── (cannot be stored)
 *
 * The lock by which pg-hooks has one process that sends is held throughout, so none of them sends meanwhile. All that waits is
 * handed over in one statement before anything is stored here: from there on pg-hooks sends none of it, whether this process
 * lives or not. Then queues, crons and messages are stored, each with its entry in the ledger in one transaction. A process
 * that is killed leaves messages that nobody sends; the next import stores them. In the end both sides are counted.
 */
import { type LedgerCount, openLedger } from './ledger.ts'
import type { Lead, OldCounts, PgHooksDatabase } from './pg-hooks-database.ts'
import type { Plan, Remark } from './plan.ts'
import { type TakeCrons, takeCrons } from './take-crons.ts'
import { type TakeMessages, type TakenMessages, takeMessages } from './take-messages.ts'
import { takeQueues } from './take-queues.ts'

export type PgHooksImport = Omit<TakeMessages & TakeCrons, 'ledger' | 'passed'> & {
  readonly progress: (passed: number, all: number) => void
}

export interface Moved {
  readonly from: number
  readonly to: number
}

export interface Outcome {
  readonly taken: TakenMessages
  /** Ids that could not be kept. */
  readonly movedQueues: readonly Moved[]
  readonly movedCrons: readonly Moved[]
  readonly left: readonly Remark[]
  /** pg-hooks, after all of it. */
  readonly there: OldCounts
  /** Posthorn, after all of it. */
  readonly here: LedgerCount
  /** What the counts of both sides tell against each other; null if they agree. */
  readonly disagreement: string | null
}

/** Makes sure that no process of pg-hooks sends. @throws Error if one is there, unless it is to be overlooked */
export async function leadPgHooks(
  source: PgHooksDatabase,
  force: boolean,
  lost: (reason: Error) => void,
): Promise<Lead | null> {
  const lead = await source.lead(lost)
  if (force) return lead
  const { sessions } = await source.running()
  if (lead && sessions === 0) return lead
  await lead?.leave()
  throw new Error(
    lead
      ? `pg-hooks still runs (${sessions} of its processes are connected to this database): stop it first. Its clients would go on putting messages there that nobody sends`
      : 'pg-hooks still runs: one of its processes holds the lock under which it sends. Stop it first (or another import is at work)',
  )
}

/** Carries a plan out, from where an import before it has got to. The lock must be held. @throws Error what `goOn` throws */
export async function importPgHooks(room: PgHooksImport, plan: Plan): Promise<Outcome> {
  const left = [...plan.left]
  const ledger = await openLedger(room.target, plan.fingerprint)
  await room.makeRoom()
  room.goOn()
  await room.source.handOver(
    plan.queues.map(({ old }) => old.id),
    plan.crons.map(({ old }) => old.id),
  )
  const { handed_over: all } = await room.source.count()
  const queues = await takeQueues({ ...room, ledger }, plan.queues)
  const crons = await takeCrons({ ...room, ledger }, plan.crons, queues, left)
  const passed = (messages: number): void => room.progress(messages, all)
  const taken = await takeMessages({ ...room, ledger, passed }, { queues, crons }, left)
  const [there, here] = [await room.source.count(), await ledger.count(room.orgId)]
  const cronIds = new Map([...crons].map(([from, { id }]) => [from, id]))
  return {
    taken,
    movedQueues: moved(queues),
    movedCrons: moved(cronIds),
    left,
    there,
    here,
    disagreement: compare(there, here),
  }
}

function moved(ids: ReadonlyMap<number, number>): Moved[] {
  return [...ids].flatMap(([from, to]) => (from === to ? [] : [{ from, to }]))
}

/** Rows may have been removed in pg-hooks since an import before; there must be no more of them than were stored here. */
function compare(there: OldCounts, here: LedgerCount): string | null {
  const numbers = `${there.handed_over} messages are marked as handed over in pg-hooks, ${here.messages} are in the ledger here`
  if (there.handed_over > here.messages) return numbers
  const differ = there.handed_over === here.messages && there.handed_over_sum !== here.sum
  return differ ? `${numbers}, but they are not the same` : null
}

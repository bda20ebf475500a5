import type { Database } from '../../../db/port.ts'
import type { Log } from '../../../log.ts'
import type { Chore } from '../../chore.ts'
import { forgetChanges, forgetKeys } from './forget.ts'
import { createQueueRetention } from './queue-retention.ts'
import { expireHistory, type HistoryPlace } from './retention.ts'
import { retireSpans } from './retire.ts'
import { ensureSpans } from './spans.ts'
import { createLiveVacuum } from './vacuum.ts'

export interface UpkeepOptions {
  /** How long settled messages are kept; dead ones are kept until they are deleted. */
  readonly retentionMs: number
  /** Messages settled by this node so far. */
  readonly settledHere: () => number
  /** Cancels what is left on deleted queues; gives how many messages. */
  readonly cancelOnDeletedQueues: () => Promise<number>
  readonly log: Log
}

const SECOND_MS = 1000
const MINUTE_MS = 60_000
/** Of history, at most this much is looked at in one go: about two seconds if all of it has to go. */
const HISTORY_AT_ONCE = 50_000

/** Spans are retired once a minute. */
const REST_RUNS = 60

/** Everything that keeps the tables well. */
export function upkeepChores(db: Database, options: UpkeepOptions): Chore[] {
  const vacuum = createLiveVacuum(db, options.settledHere)
  return [
    { name: 'spans', on: 'leader', everyMs: MINUTE_MS, run: () => ensureSpans(db) },
    { name: 'history', on: 'leader', everyMs: 10 * SECOND_MS, run: createHistoryWalk(db, options) },
    { name: 'history of queues', on: 'leader', everyMs: 10 * SECOND_MS, run: createQueueWalk(db, options) },
    { name: 'retire spans', on: 'leader', everyMs: MINUTE_MS, run: createRetirement(db, options) },
    { name: 'idempotency keys', on: 'leader', everyMs: MINUTE_MS, run: ignore(() => forgetKeys(db)) },
    { name: 'changes', on: 'leader', everyMs: MINUTE_MS, run: ignore(() => forgetChanges(db)) },
    { name: 'deleted queues', on: 'leader', everyMs: MINUTE_MS, run: ignore(options.cancelOnDeletedQueues) },
    { name: 'neglected vacuum', on: 'leader', everyMs: MINUTE_MS, run: () => vacuum.ifNeglected() },
    { name: 'vacuum', on: 'node', everyMs: SECOND_MS, run: () => vacuum.afterSettling() },
  ]
}

/** One stretch of the walk through history a run, each where the last one ended. */
function createHistoryWalk(db: Database, { retentionMs, log }: UpkeepOptions): () => Promise<void> {
  let from: HistoryPlace | null = null
  return async () => {
    const { removed, next } = await expireHistory(db, { retentionMs, limit: HISTORY_AT_ONCE, from })
    from = next
    if (removed > 0) log.debug({ removed }, 'settled messages were removed: their time was over')
  }
}

/** The same for queues that keep something for a time of their own. */
function createQueueWalk(db: Database, { retentionMs, log }: UpkeepOptions): () => Promise<void> {
  const walk = createQueueRetention(db, { retentionMs, limit: HISTORY_AT_ONCE })
  return async () => {
    const removed = await walk()
    if (Object.values(removed).some(count => count > 0)) log.debug(removed, 'what queues keep no longer was removed')
  }
}

/** Says once of each span that has to stay why it does, and lets it rest for an hour: counting what is in it takes time. */
function createRetirement(db: Database, { retentionMs, log }: UpkeepOptions): () => Promise<void> {
  const said = new Set<number>()
  const runsToRest = new Map<number, number>()
  return async () => {
    for (const [lo, runs] of runsToRest) runs > 1 ? runsToRest.set(lo, runs - 1) : runsToRest.delete(lo)
    const { spans, stay } = await retireSpans(db, { retentionMs, resting: new Set(runsToRest.keys()) })
    if (spans > 0) log.info({ spans }, 'spans of history were dropped: their time was over')
    for (const one of stay) {
      if (one.reason !== 'full of survivors') continue
      const { span, atLeast } = one
      runsToRest.set(span.lo, REST_RUNS)
      if (said.has(span.lo)) continue
      said.add(span.lo)
      log.warn({ span, atLeast }, 'a span of history stays: too much in it must be kept; the rest goes one by one')
    }
  }
}

function ignore(run: () => Promise<unknown>): () => Promise<void> {
  return async () => {
    await run()
  }
}

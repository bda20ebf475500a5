/** What tells the operator, put together: docs/guides/operational-events.md. */
import type { OperationalEventType } from '@posthorn/contract'
import type { Clock } from '../clock.ts'
import type { Database, Executor } from '../db/port.ts'
import type { Chore } from '../engine/chore.ts'
import type { NewMessage, PutResult } from '../engine/port.ts'
import type { Ids } from '../id.ts'
import type { Log } from '../log.ts'
import type { Deaths } from '../queue/deaths.ts'
import { pauseGone } from '../queue/pause-gone.ts'
import { type Alarms, createAlarms } from './alarms.ts'
import { Backlogs } from './backlogs.ts'
import { Breakers } from './breakers.ts'
import { createDeaths } from './deaths.ts'
import { OperatorQueue } from './operator-queue.ts'
import { createTeller } from './teller.ts'
import { Workers } from './workers.ts'

export interface TellingOptions {
  readonly db: Database
  readonly clock: Clock
  readonly log: Log
  readonly ids: Pick<Ids, 'webhookId'>
  /** The name of this node. */
  readonly node: string
  readonly instanceOrgId: number
  readonly shardCount: number
  /** The id or the name of the operator's queue; null if there is to be none. */
  readonly queue: string | null
  /** Which events are put on it. */
  readonly types: readonly OperationalEventType[]
  readonly backlogAgeLimitMs: number
  readonly ownershipTimeoutMs: number
  /** The name of a queue, if it is at hand. */
  readonly nameOf: (queueId: number) => string | null
  /** How many worker nodes there are. */
  readonly countWorkers: () => Promise<number>
  readonly putWithin: (tx: Executor, messages: readonly NewMessage[]) => Promise<PutResult[]>
  /** Messages were put, or a queue was changed, and it is committed: owners are to look. */
  readonly changed: () => void
  readonly counted: (type: OperationalEventType, count: number) => void
}

export interface Telling {
  /** What befalls queues and messages on this node. */
  readonly happenings: Deaths & {
    breakerOpened(queueId: number, reason: string): void
    breakerClosed(queueId: number): void
  }
  /** Pauses a queue whose receiver answered 410, and tells of it. @throws DatabaseError */
  pauseGone(queueId: number, reason: string): Promise<void>
  /** A queue was made, changed or deleted, on whichever node. */
  queueChanged(queueId: number): void
  readonly chores: readonly Chore[]
  /** Looks for the operator's queue. @throws DatabaseError */
  start(): Promise<void>
  stop(): Promise<void>
}

const SECOND_MS = 1000
const BACKLOG_LOOK_MS = { most: 15 * SECOND_MS, least: SECOND_MS }
/** So long without a worker is an alarm: by then every queue would have been taken over, and a restart is over. */
const workersGraceMs = (ownershipTimeoutMs: number): number => Math.max(5 * SECOND_MS, 3 * ownershipTimeoutMs)

export function createTelling(options: TellingOptions): Telling {
  const { db, clock, log, instanceOrgId, types, counted, node, changed, putWithin } = options
  const queue = new OperatorQueue({ db, log, orgId: instanceOrgId, named: options.queue })
  const teller = createTeller({ log, types, target: () => queue.target, counted })
  const alarms = createAlarms({ db, teller, node, putWithin, stored: changed })
  const breakers = new Breakers({ db, alarms, shardCount: options.shardCount, clock, log })
  return {
    happenings: {
      ...createDeaths({ teller, ids: options.ids, nameOf: options.nameOf, counted, clock, log }),
      breakerOpened: (queueId, reason) => breakers.opened(queueId, reason),
      breakerClosed: queueId => breakers.closed(queueId),
    },
    async pauseGone(queueId, reason) {
      await tellPaused(alarms, queueId, reason)
      changed()
    },
    queueChanged: queueId => queue.changed(queueId),
    chores: choresOf(options, queue, alarms, breakers),
    start: () => queue.look(),
    stop: () => breakers.stop(),
  }
}

function tellPaused(alarms: Alarms, queueId: number, reason: string): Promise<void> {
  return alarms.tellOf(async tx => {
    const paused = await pauseGone(tx, queueId, reason)
    if (!paused) return []
    const { orgId, name, pausedAt } = paused
    return [{ happening: { type: 'queue.paused', data: { orgId, queueId, queueName: name, reason } }, at: pausedAt }]
  })
}

function choresOf(options: TellingOptions, queue: OperatorQueue, alarms: Alarms, breakers: Breakers): Chore[] {
  const { db, clock, backlogAgeLimitMs: limitMs, countWorkers: count } = options
  const backlogs = new Backlogs({ db, alarms, limitMs })
  const workers = new Workers({ count, alarms, clock, graceMs: workersGraceMs(options.ownershipTimeoutMs) })
  const { most, least } = BACKLOG_LOOK_MS
  const backlogsEveryMs = limitMs === 0 ? most : Math.min(most, Math.max(least, limitMs / 4))
  return [
    { name: 'workers', on: 'node', everyMs: SECOND_MS, run: () => workers.look() },
    { name: 'operational events queue', on: 'node', everyMs: 30 * SECOND_MS, run: () => queue.look() },
    { name: 'backlogs', on: 'leader', everyMs: backlogsEveryMs, run: () => backlogs.look() },
    { name: 'orphaned breakers', on: 'leader', everyMs: 15 * SECOND_MS, run: () => breakers.endOrphans() },
  ]
}

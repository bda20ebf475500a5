/** What tells operators in a test: over a database, with a log and counts to look at, and what was put. */
import { randomBytes } from 'node:crypto'
import { type OperationalEventType, operationalEventTypes } from '@posthorn/contract'
import type { Database } from '../src/db/port.ts'
import { put } from '../src/engine/postgres/put.ts'
import { createIds } from '../src/id.ts'
import type { Log } from '../src/log.ts'
import { createTelling, type TellingOptions } from '../src/tell/telling.ts'
import { addOrg } from './queue-room.ts'
import { HandClock } from './run-room.ts'

export const MINUTE = 60_000
/** The only shard. */
const SHARDS = 1

export interface Line {
  readonly level: string
  readonly fields: Readonly<Record<string, unknown>>
  readonly words: string
}

export function keepLog(): Log & { readonly lines: Line[] } {
  const lines: Line[] = []
  const keep = (level: string) => (fields: object, words: string) =>
    void lines.push({ level, fields: { ...fields }, words })
  return { lines, debug() {}, info: keep('info'), warn: keep('warn'), error: keep('error') }
}

/** An org of its own, which is the instance's, and a queue of it for events. */
export async function openTellRoom(db: Database, more: Partial<TellingOptions> = {}) {
  const orgId = more.instanceOrgId ?? (await addOrg(db, `tell${randomBytes(6).toString('hex')}`))
  const clock = new HandClock()
  const log = keepLog()
  const counts = new Map<OperationalEventType, number>()
  const state = { changes: 0, workers: 1 }
  const ids = createIds(randomBytes(16))
  const telling = createTelling({
    db,
    clock,
    log,
    ids,
    node: 'node a',
    instanceOrgId: orgId,
    shardCount: SHARDS,
    queue: 'events',
    types: operationalEventTypes,
    backlogAgeLimitMs: 10 * MINUTE,
    ownershipTimeoutMs: 3000,
    nameOf: () => 'its name',
    countWorkers: async () => state.workers,
    putWithin: put,
    changed: () => void state.changes++,
    counted: (type, count) => void counts.set(type, (counts.get(type) ?? 0) + count),
    ...more,
  })
  const chore = (name: string): Promise<void> => telling.chores.find(one => one.name === name)!.run()
  return { db, orgId, clock, log, counts, state, ids, telling, chore }
}

export type TellRoom = Awaited<ReturnType<typeof openTellRoom>>

interface EventBody {
  readonly type: string
  readonly timestamp: string
  readonly data: Readonly<Record<string, unknown>>
}

/** The events on a queue, in their order. */
export async function eventsOn(db: Database, queueId: number): Promise<EventBody[]> {
  const text = `SELECT p.body FROM posthorn.message AS m JOIN posthorn.payload AS p ON p.id = m.payload_id
                WHERE m.queue_id = $1::int ORDER BY m.id`
  const rows = await db.query<{ body: string }>({ name: '', text }, [queueId])
  return rows.map(({ body }) => JSON.parse(body))
}

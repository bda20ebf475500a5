import type { Executor } from '../db/port.ts'
import { loadStatement } from '../db/statement.ts'

const PAUSE = loadStatement(import.meta.url, './sql/pause_gone.sql')

export interface PausedQueue {
  readonly orgId: number
  readonly name: string
  readonly pausedAt: Date
}

/** Pauses a queue whose receiver is gone. Null if it was paused before, or is not there. @throws DatabaseError */
export async function pauseGone(tx: Executor, queueId: number, reason: string): Promise<PausedQueue | null> {
  const [row] = await tx.query<{ org_id: number; name: string; paused_at: Date }>(PAUSE, [queueId, reason])
  return row ? { orgId: row.org_id, name: row.name, pausedAt: row.paused_at } : null
}

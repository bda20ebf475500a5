import type { Tenure } from '../engine/port.ts'

/**
 * A share of the queues as this node holds it. One object lives through one holding, from `own` to the last settled
 * attempt; attempts keep a reference to it, and so always settle under the epoch that is right for them.
 *
 *   owned ──release──▶ draining ──last attempt settled──▶ gone
 *   owned ──session ended──▶ lost ──taken again, nobody in between──▶ owned (with the new epoch)
 *                              └──somebody in between──▶ gone: its settles will be fenced
 */
export interface Shard extends Tenure {
  epoch: number
  state: 'owned' | 'draining' | 'lost' | 'gone'
  /** The last ticket (known.ts) when it was taken. */
  takenAt: number
  /** What was in it when it was taken has been looked for: before that, nothing of it is started. */
  isScanned: boolean
  /** Attempts under way or not yet settled. */
  busy: number
  /** Called once when a draining shard has nothing busy any more. */
  drained: (() => void) | null
}

export function newShard({ shard, epoch }: Tenure, takenAt: number): Shard {
  return { shard, epoch, state: 'owned', takenAt, isScanned: false, busy: 0, drained: null }
}

export function leaveBusy(shard: Shard): void {
  shard.busy -= 1
  if (shard.busy === 0 && shard.drained) {
    shard.drained()
    shard.drained = null
  }
}

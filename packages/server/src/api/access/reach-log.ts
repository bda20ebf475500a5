import type { Log } from '../../log.ts'

/** Says once that somebody else does not answer, and once that they do again: callers decide how often it is tried. */
export interface ReachLog {
  failed(error: unknown): void
  well(): void
}

/** @param who as in "the authorization webhook" */
export function createReachLog(log: Log, who: string): ReachLog {
  let failing = false
  return {
    failed(error) {
      if (!failing) log.warn({ err: error }, `${who} cannot be asked: whoever depends on it is refused`)
      failing = true
    },
    well() {
      if (failing) log.info({}, `${who} can be asked again`)
      failing = false
    },
  }
}

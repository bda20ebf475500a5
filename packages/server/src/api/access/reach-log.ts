import type { Log } from '../../log.ts'

/** Says once that somebody else does not answer, and once that they do again: callers decide how often it is tried. */
export interface ReachLog {
  failed(error: unknown): void
  well(): void
}

export function createReachLog(log: Log, message: string): ReachLog {
  let failing = false
  return {
    failed(error) {
      if (!failing) log.warn({ err: error }, message)
      failing = true
    },
    well() {
      if (failing) log.info({}, `no longer: ${message}`)
      failing = false
    },
  }
}

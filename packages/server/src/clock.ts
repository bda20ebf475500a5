/** Time as the node sees it. Everything that waits or measures takes a Clock, so that a test or the simulation can turn it by hand. */
export interface Clock {
  /** Wall clock, milliseconds since 1970. May jump. */
  now(): number
  /** Milliseconds since an arbitrary start. Never jumps, never runs backwards. */
  monotonic(): number
  /** Runs `run` once after `delayMs`. */
  setTimer(run: () => void, delayMs: number): Timer
}

export interface Timer {
  cancel(): void
}

/** setTimeout counts in 32 bits; a longer delay would fire at once. */
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimer(run, delayMs) {
    let handle: NodeJS.Timeout
    const arm = (leftMs: number): void => {
      const stepMs = Math.min(leftMs, LONGEST_TIMEOUT_MS)
      handle = setTimeout(() => (leftMs > stepMs ? arm(leftMs - stepMs) : run()), stepMs)
    }
    arm(Math.max(0, delayMs))
    return { cancel: () => clearTimeout(handle) }
  },
}

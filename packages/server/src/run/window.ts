const FAILURES = 5

/**
 * How many attempts of a queue may be under way at once: earned by successes, one more for each, so that it doubles with
 * every round; halved by a failure, and back to one after a timeout. A receiver that hangs from the start holds one socket.
 */
export class Window {
  #failuresInARow = 0
  /** What has been earned. */
  size = 1
  /** The receiver did not answer the last attempt in time. */
  isSilent = false
  /** It did answer the last one, well or not, or was known at once not to be there. */
  hasAnswered = false

  /** It has done nothing but fail for a while. */
  get isFailing(): boolean {
    return this.#failuresInARow >= FAILURES
  }

  /** At most `most`, the queue's configured concurrency. */
  allows(inFlight: number, most: number): boolean {
    return inFlight < Math.min(this.size, most)
  }

  succeeded(most: number): void {
    this.#failuresInARow = 0
    this.isSilent = false
    this.hasAnswered = true
    if (this.size < most) this.size += 1
  }

  failed(timedOut: boolean): void {
    this.#failuresInARow += 1
    this.isSilent = timedOut
    this.hasAnswered = !timedOut
    this.size = timedOut ? 1 : Math.max(1, this.size >> 1)
  }
}

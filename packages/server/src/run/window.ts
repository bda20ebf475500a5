/**
 * How many attempts of a queue may be under way at once: earned by successes, one more for each, so that it doubles with
 * every round; halved by a failure, and back to one after a timeout. A receiver that hangs from the start holds one socket.
 */
export class Window {
  /** What has been earned. */
  size = 1
  /** The receiver did not answer the last attempt in time. */
  isSilent = false

  /** At most `most`, the queue's configured concurrency. */
  allows(inFlight: number, most: number): boolean {
    return inFlight < Math.min(this.size, most)
  }

  succeeded(most: number): void {
    this.isSilent = false
    if (this.size < most) this.size += 1
  }

  failed(timedOut: boolean): void {
    this.isSilent = timedOut
    this.size = timedOut ? 1 : Math.max(1, this.size >> 1)
  }
}

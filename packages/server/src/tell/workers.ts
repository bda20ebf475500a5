import type { Clock } from '../clock.ts'
import type { Alarms } from './alarms.ts'

export interface WorkersOptions {
  /** How many worker nodes there are. @throws DatabaseError */
  readonly count: () => Promise<number>
  readonly alarms: Pick<Alarms, 'raiseWorkers' | 'clearWorkers'>
  readonly clock: Clock
  /** So long it must be so before it is told: a restart is no alarm, nor is a worker that comes and goes. */
  readonly graceMs: number
}

/**
 * Workers: tells when there is no worker node, and when there is one again. Every node looks, so that one that delivers
 * nothing itself can tell; which of them does, the alarm's row decides.
 */
export class Workers {
  readonly #options: WorkersOptions
  #areThere: boolean | null = null
  /** Since when it has been so, on the monotonic clock, and whether that is told. */
  #since = 0
  #isTold = false
  #lookedAt = Number.NEGATIVE_INFINITY

  constructor(options: WorkersOptions) {
    this.#options = options
  }

  /** To be called much more often than `graceMs`. @throws DatabaseError */
  async look(): Promise<void> {
    const { clock, graceMs } = this.#options
    const workers = await this.#count()
    const now = clock.monotonic()
    // Nobody knows what was in between: this node slept.
    const isGap = now - this.#lookedAt > graceMs
    this.#lookedAt = now
    const areThere = workers > 0
    if (areThere !== this.#areThere || isGap) {
      this.#areThere = areThere
      this.#since = now
      this.#isTold = false
    }
    if (this.#isTold || now - this.#since < graceMs) return
    await (areThere ? this.#tellAvailable(workers) : this.#tellGone(now - this.#since))
    this.#isTold = true
  }

  async #count(): Promise<number> {
    try {
      return await this.#options.count()
    } catch (error) {
      // The locks of all workers are gone with the database, and come back soon after it.
      this.#areThere = null
      throw error
    }
  }

  #tellGone(goneMs: number): Promise<void> {
    return this.#options.alarms.raiseWorkers(() => ({
      type: 'workers.gone',
      data: { goneMs: Math.round(goneMs) },
    }))
  }

  #tellAvailable(workers: number): Promise<void> {
    return this.#options.alarms.clearWorkers(since => ({
      type: 'workers.available',
      data: { since: since.toISOString(), workers },
    }))
  }
}

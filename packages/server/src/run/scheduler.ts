import type { Clock, Timer } from '../clock.ts'
import type { Log } from '../log.ts'

/** The crons' chains of ticks, at rest. */
export interface Chain {
  /** The clock that ticks go by, and when the next one is due; null if there is none. */
  look(): Promise<{ readonly now: number; readonly nextAt: number | null }>
  /** Stores what follows every tick that is due. Gives how many crons moved on. */
  advance(): Promise<number>
}

export interface SchedulerOptions {
  readonly chain: Chain
  /** Whether this node is the leader at this moment. */
  readonly leads: () => boolean
  /** Messages were stored: their owners are to look. */
  readonly stored: () => void
  readonly clock: Clock
  readonly log: Log
}

/** How late a cron that another node has made is noticed: less than the second that lies between two ticks at least. */
const LOOK_MS = 500
/** How soon a node that has just become the leader begins. */
const FOLLOW_MS = 200
/** After a failure, or when what is due cannot be moved on at this moment. */
const AGAIN_MS = 250
/** Another node may be catching up with the same crons. */
const CATCH_UP_TRIES = 8

/**
 * The scheduler: stores the message of each cron's next tick when the one before is due.
 *
 * It works while this node leads. That a tick has one message is not its doing but the chain's, which moves on only from
 * where it is: two schedulers at once do no harm, and one that stops half way leaves nothing half. As each tick is stored
 * when the one before it is due, a change of leaders has that much time before any tick is late; a late one is stored all
 * the same. A failure is logged and tried again.
 *
 *   waiting ──timer──▶ looking ──due──▶ advancing ──▶ looking ──not due──▶ waiting
 */
export class Scheduler {
  readonly #options: SchedulerOptions
  #timer: Timer | null = null
  #running: Promise<void> | null = null
  #stopped = false

  constructor(options: SchedulerOptions) {
    this.#options = options
  }

  /**
   * Stores what is due, whoever leads: before a node that starts serves any queue, so that the rules for missed ticks
   * apply to the messages that waited. @throws DatabaseError
   */
  async catchUp(): Promise<void> {
    const { clock } = this.#options
    for (let left = CATCH_UP_TRIES; left > 0 && !this.#stopped; left--) {
      const { isDue, waitMs } = await this.#step()
      if (!isDue) return
      if (waitMs > 0) await new Promise<void>(resolve => clock.setTimer(resolve, waitMs))
    }
  }

  start(): void {
    this.#look()
  }

  /** Resolves when what is under way, if anything, is over. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#timer?.cancel()
    await this.#running
  }

  #look(): void {
    const { clock, log } = this.#options
    this.#running = this.#run()
      .catch(error => {
        if (!this.#stopped) log.warn({ err: error }, 'the next ticks of crons could not be stored; tried again')
        return AGAIN_MS
      })
      .then(waitMs => {
        this.#running = null
        if (!this.#stopped) this.#timer = clock.setTimer(() => this.#look(), waitMs)
      })
  }

  /** Gives how long to wait before the next look, in milliseconds. */
  async #run(): Promise<number> {
    let waitMs = FOLLOW_MS
    while (this.#options.leads() && !this.#stopped) {
      ;({ waitMs } = await this.#step())
      if (waitMs > 0) break
    }
    return waitMs
  }

  /** Stores what is due, if anything is; without progress, it is to be tried again after a while. */
  async #step(): Promise<{ readonly isDue: boolean; readonly waitMs: number }> {
    const { chain, stored } = this.#options
    const { now, nextAt } = await chain.look()
    if (nextAt === null || nextAt > now) return { isDue: false, waitMs: Math.min(LOOK_MS, (nextAt ?? Infinity) - now) }
    if ((await chain.advance()) === 0) return { isDue: true, waitMs: AGAIN_MS }
    stored()
    return { isDue: true, waitMs: 0 }
  }
}

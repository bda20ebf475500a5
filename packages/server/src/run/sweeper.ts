import type { Clock, Timer } from '../clock.ts'
import type { PushEngine, Snapshot, Sweep } from '../engine/port.ts'
import type { Log } from '../log.ts'

export interface SweeperOptions {
  readonly engine: Pick<PushEngine, 'snapshot' | 'sweep'>
  readonly clock: Clock
  readonly log: Log
  /** The shards whose news this node wants, asked at each sweep. */
  readonly shards: () => readonly number[]
  readonly swept: (sweep: Sweep) => void
  /** How long news may take when nobody calls `soon`. */
  readonly pollMs: number
}

/** A look that failed is repeated soon: what it would have found must not wait for the next poll. */
const AGAIN_MS = 200

/**
 * Finds what became visible in the database since the last look: messages put by other nodes or by transactions that
 * committed late, retries redriven, changes of queues.
 *
 * Guarantees that nothing is missed, whatever the order of commits, because each look asks for exactly those transactions
 * that had not ended at the last one. A look that fails is repeated with the same question.
 */
export class Sweeper {
  readonly #options: SweeperOptions
  #since: Snapshot | null = null
  #now = { database: 0, monotonic: 0 }
  #running: Promise<void> | null = null
  #again = false
  #timer: Timer | null = null
  #stopped = false
  /** Transactions of this node's own puts, whose messages were handed over in memory. */
  readonly #handedOver = new Set<number>()

  constructor(options: SweeperOptions) {
    this.#options = options
  }

  /** Takes the first snapshot; must come before the first scan for work. @throws DatabaseError */
  async start(): Promise<void> {
    const { snapshot, now } = await this.#options.engine.snapshot()
    this.#since = snapshot
    this.#setClock(now)
    this.#arm(this.#options.pollMs)
  }

  stop(): void {
    this.#stopped = true
    this.#timer?.cancel()
  }

  /** The database's clock now, as far as it is known without asking. */
  now(): number {
    return this.#now.database + (this.#options.clock.monotonic() - this.#now.monotonic)
  }

  /** Every transaction below has ended, as of the last look. */
  get xmin(): number {
    return this.#since?.xmin ?? 0
  }

  /** Looks now; if a look is under way, once more after it. */
  soon(): void {
    this.#again = true
    if (!this.#running && this.#since && !this.#stopped) this.#running = this.#run()
  }

  /** Resolves when the look that is under way, if any, is over. */
  async settled(): Promise<void> {
    await this.#running
  }

  handedOver(xid: number): void {
    this.#handedOver.add(xid)
  }

  async #run(): Promise<void> {
    let nextMs = this.#options.pollMs
    while (this.#again && !this.#stopped) {
      this.#again = false
      try {
        await this.#look()
      } catch (error) {
        if (!this.#stopped) this.#options.log.warn({ err: error }, 'looking for new messages failed; trying again')
        nextMs = Math.min(nextMs, AGAIN_MS)
        break
      }
    }
    this.#running = null
    this.#arm(nextMs)
  }

  async #look(): Promise<void> {
    const { engine, shards, swept } = this.#options
    const sweep = await engine.sweep(this.#since!, shards(), [...this.#handedOver])
    this.#since = sweep.snapshot
    this.#setClock(sweep.now)
    const { xmax, xip } = sweep.snapshot
    for (const xid of this.#handedOver) if (xid < xmax && !xip.includes(xid)) this.#handedOver.delete(xid)
    swept(sweep)
  }

  #setClock(database: number): void {
    this.#now = { database, monotonic: this.#options.clock.monotonic() }
  }

  #arm(delayMs: number): void {
    this.#timer?.cancel()
    if (!this.#stopped) this.#timer = this.#options.clock.setTimer(() => this.soon(), delayMs)
  }
}

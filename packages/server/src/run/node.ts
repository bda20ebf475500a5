import type { Timer } from '../clock.ts'
import { shardOf } from '../engine/lane.ts'
import type { Change, Head, Locks, NewMessage, PutResult, Sweep } from '../engine/port.ts'
import { Dispatcher } from './dispatcher.ts'
import { headOfNew } from './handover.ts'
import { OwnedClock } from './owned-clock.ts'
import { Ownership } from './ownership.ts'
import type { DispatcherOptions, Route } from './port.ts'
import { Sweeper } from './sweeper.ts'

type FromNode = 'sweeper' | 'mayAct' | 'deadLettered' | 'fenced'

/** What the dispatcher is handed in, less what it has from the node itself; and what the node needs besides. */
export interface WorkingNodeOptions<R extends Route> extends Omit<DispatcherOptions<R>, FromNode> {
  readonly id: string
  /** Null for a node that delivers nothing (role `api` alone). */
  readonly locks: Locks | null
  readonly random: () => number
  readonly ownershipTimeoutMs: number
  /** How long another node's message may take to be found when no announcement of it arrives. */
  readonly pollMs: number
  /** Tells the other nodes that there are messages for these shards, or (null) that a configuration changed. */
  readonly announce: (shards: readonly number[] | null) => void
  readonly led: (leads: boolean) => void
  /** Called with every change that is heard of, whatever it is of. */
  readonly heardOf?: (change: Change) => void
  /** The database did not answer the lock session in time. */
  readonly unanswered?: () => void
}

const EXPIRY_MS = 1000
/** The last net, and the one look that walks the dead entries of all that was settled: a fiftieth of the time at most. */
const RESCAN_MS = 30_000
const RESCAN_SHARE = 50
const EXPIRED_AT_ONCE = 1000

/**
 * A node at work: hears of news (sweeper), serves the shards that it owns (ownership, dispatcher), and hands over in
 * memory what it has stored itself. Other nodes' messages reach it by an announcement, or by its own poll without one.
 */
export class WorkingNode<R extends Route> {
  readonly #options: WorkingNodeOptions<R>
  readonly #sweeper: Sweeper
  readonly #dispatcher: Dispatcher<R>
  readonly #ownership: Ownership | null
  /** Everything at work here waits by it, so that nothing goes on after `stop`. */
  readonly #clock: OwnedClock
  #stopped = false

  constructor(options: WorkingNodeOptions<R>) {
    this.#options = options
    const { engine, log, locks } = options
    const clock = new OwnedClock(options.clock)
    this.#clock = clock
    this.#sweeper = new Sweeper({
      engine,
      clock,
      log,
      shards: () => this.#dispatcher.shards,
      swept: sweep => this.#swept(sweep),
      pollMs: options.pollMs,
    })
    this.#dispatcher = new Dispatcher({
      ...options,
      clock,
      sweeper: this.#sweeper,
      mayAct: () => this.#ownership?.mayAct() ?? false,
      deadLettered: queueIds => this.#deadLettered(queueIds),
      fenced: shard => void this.#ownership?.retake(shard),
    })
    this.#ownership =
      locks &&
      new Ownership({
        ...options,
        clock,
        locks,
        nodeId: options.id,
        shardCount: engine.shardCount,
        timeoutMs: options.ownershipTimeoutMs,
        taken: shards => this.#dispatcher.own(shards),
        release: shard => this.#dispatcher.release(shard),
        lost: () => this.#dispatcher.lose(),
        resumed: () => this.#dispatcher.resume(),
      })
  }

  get stats() {
    return { ...this.#dispatcher.stats, members: this.#ownership?.members ?? 0, leads: this.#ownership?.leads ?? false }
  }

  /** How long the oldest message of each queue had waited, as far as it did, when everything was last looked at. */
  get waits(): ReadonlyMap<number, number> {
    return this.#dispatcher.waits
  }

  /** The database's clock, as far as it is known without asking. */
  now(): number {
    return this.#sweeper.now()
  }

  /** Whether this node does what its roles say: for a worker, that its ownership is confirmed. */
  get isReady(): boolean {
    return !this.#stopped && (this.#ownership?.mayAct() ?? true)
  }

  /** @throws DatabaseError */
  async start(): Promise<void> {
    const clock = this.#clock
    await this.#sweeper.start()
    if (!this.#ownership) return
    this.#ownership.start()
    this.#every(EXPIRY_MS, 'expiry', () => this.#expire())
    this.#every(RESCAN_MS, 'rescan', async () => {
      this.#dispatcher.forgetIdle()
      const began = clock.monotonic()
      await this.#dispatcher.rescan()
      return (clock.monotonic() - began) * RESCAN_SHARE
    })
  }

  /**
   * Stores all in one commit, and hands over in memory what this node serves itself, before the caller is answered.
   * @throws as the engine's put does
   */
  async put(messages: readonly NewMessage[]): Promise<PutResult[]> {
    const ticket = this.#dispatcher.putStarted()
    try {
      const results = await this.#options.engine.put(messages)
      this.#stored(messages, results, ticket)
      return results
    } finally {
      this.#dispatcher.putEnded(ticket)
    }
  }

  #stored(messages: readonly NewMessage[], results: readonly PutResult[], ticket: number): void {
    const heads: Head[] = []
    const xids = new Set<number>()
    const shards = new Set<number>()
    const { shardCount } = this.#options.engine
    for (const [index, message] of messages.entries()) {
      const head = headOfNew(message, results[index]!)
      if (head === null) continue
      heads.push(head)
      xids.add(head.xid)
      shards.add(shardOf(head.queueId, message.slice, shardCount))
    }
    if (heads.length === 0) return
    for (const xid of xids) this.#sweeper.handedOver(xid)
    this.#dispatcher.offer(heads, ticket)
    for (const shard of this.#dispatcher.shards) shards.delete(shard)
    if (shards.size > 0) this.#options.announce([...shards])
  }

  /** This node has changed a queue, or put messages back: it and the others look at once. */
  changed(): void {
    this.#sweeper.soon()
    this.#options.announce(null)
  }

  /** Another node announced something; `shards` is null for changes. */
  heard(shards: readonly number[] | null): void {
    if (shards === null || this.#dispatcher.shards.some(shard => shards.includes(shard))) this.#sweeper.soon()
  }

  /** Stops in order: attempts under way are settled, shards handed over; after `deadlineMs` whatever is left is cut off. */
  async stop(deadlineMs: number): Promise<void> {
    const { clock } = this.#options
    let timer: Timer | undefined
    const deadline = new Promise<void>(resolve => {
      timer = clock.setTimer(resolve, deadlineMs)
    })
    await Promise.race([this.#ownership?.stop(), deadline])
    timer?.cancel()
    this.#stopped = true
    this.#sweeper.stop()
    this.#dispatcher.stop()
    this.#clock.stop()
    await this.#ownership?.abandon()
  }

  /** Stops as a crash would: nothing is settled, nothing handed over. */
  async crash(): Promise<void> {
    await this.stop(0)
  }

  #swept(sweep: Sweep): void {
    for (const change of sweep.changes) {
      this.#options.heardOf?.(change)
      if (change.kind === 'queue') this.#options.routes.forget(change.queueId)
      this.#dispatcher.changed(change)
    }
    this.#dispatcher.found(sweep)
  }

  #deadLettered(queueIds: readonly number[]): void {
    this.#sweeper.soon()
    const shards = new Set(queueIds.map(queueId => shardOf(queueId, 0, this.#options.engine.shardCount)))
    const others = [...shards].filter(shard => !this.#dispatcher.shards.includes(shard))
    if (others.length > 0) this.#options.announce(others)
  }

  async #expire(): Promise<number> {
    if (this.#ownership?.mayAct()) await this.#dispatcher.expire(EXPIRED_AT_ONCE)
    return 0
  }

  /** Runs again and again, each after `delayMs`, or the time that the last one gave back. A failure is logged and not the end. */
  #every(delayMs: number, chore: string, run: () => Promise<number>): void {
    const { log } = this.#options
    const turn = async (): Promise<void> => {
      let restMs = 0
      try {
        restMs = await run()
      } catch (error) {
        if (!this.#stopped) log.warn({ err: error, chore }, 'a chore failed; it is done again')
      }
      this.#clock.setTimer(() => void turn(), Math.max(delayMs, restMs))
    }
    this.#clock.setTimer(() => void turn(), delayMs)
  }
}

import type { Clock, Timer } from '../clock.ts'
import type { LockHold, Locks, Taken } from '../engine/port.ts'
import type { Log } from '../log.ts'

export interface OwnershipOptions {
  readonly locks: Locks
  readonly clock: Clock
  readonly log: Log
  /** Gives 0 ≤ x < 1. */
  readonly random: () => number
  readonly nodeId: string
  readonly shardCount: number
  /** Within this time of a node's death, freeze or isolation, its shards are served by others. */
  readonly timeoutMs: number
  readonly taken: (shards: readonly Taken[]) => void
  /** Resolves when nothing of the shard is under way here. */
  readonly release: (shard: number) => Promise<void>
  readonly lost: () => void
  /** The session did not answer in time: the network may have gone silent for every connection that was open then. */
  readonly unanswered?: () => void
  /** May act again after having been silent. */
  readonly resumed: () => void
  readonly led: (leads: boolean) => void
}

/** Shares of the timeout. The server ends a silent session after `idle`; the node falls silent earlier, after `act`. */
const IDLE = 0.56
const ACT = 0.42
const BEAT = 0.08

/**
 * Ownership: which node serves which shard.
 *
 * A node owns a shard while its lock session holds the shard's lock, and acts on it only until `ACT` of the timeout after
 * its last confirmed heartbeat was sent, by both of its clocks (one stands still while a machine is suspended, the other
 * may be set). The server ends a session that is silent for `IDLE` of it. Taking a shard bumps its epoch, in the session
 * that holds the lock, and every settle names the epoch: a node that wakes up late changes nothing.
 *
 *   free ──lock, take──▶ owned ──more than its share──▶ draining ──settled, unlock──▶ free
 *   owned ──no heartbeat confirmed in time──▶ silent ──confirmed──▶ owned
 *                                               └──session ended──▶ lost: free for anyone
 */
export class Ownership {
  readonly #options: OwnershipOptions
  #hold: LockHold | null = null
  readonly #owned = new Set<number>()
  readonly #draining = new Map<number, Promise<void>>()
  #confirmed: { readonly monotonic: number; readonly wall: number } | null = null
  #timer: Timer | null = null
  #beating: Promise<void> | null = null
  #wasSilent = false
  #leads = false
  #stopping = false
  #isOver = false
  #members = 0

  constructor(options: OwnershipOptions) {
    this.#options = options
  }

  get shards(): readonly number[] {
    return [...this.#owned]
  }

  get leads(): boolean {
    return this.#leads && this.mayAct()
  }

  /** Workers on this database, as of the last heartbeat. */
  get members(): number {
    return this.#members
  }

  start(): void {
    this.#beat()
  }

  /** Whether attempts may be started at this moment. */
  mayAct(): boolean {
    if (!this.#confirmed || !this.#hold) return false
    const { clock, timeoutMs } = this.#options
    const since = clock.monotonic() - this.#confirmed.monotonic
    const sinceByWall = Math.abs(clock.now() - this.#confirmed.wall)
    const may = Math.max(since, sinceByWall) < timeoutMs * ACT
    if (!may) this.#wasSilent = true
    return may
  }

  /** Hands everything over: each shard is free for others as soon as its attempts are settled. */
  async stop(): Promise<void> {
    this.#stopping = true
    await this.#beating
    await this.#hold?.leave().catch(() => {})
    await Promise.all([...this.#owned].map(shard => this.#drain(shard)))
    await this.abandon()
  }

  /** Ends at once, as a crash would: for whoever cannot wait any longer. */
  async abandon(): Promise<void> {
    this.#stopping = true
    this.#isOver = true
    this.#timer?.cancel()
    const hold = this.#hold
    this.#hold = null
    if (this.#leads) this.#options.led(false)
    this.#leads = false
    await hold?.close().catch(() => {})
  }

  #beat(): void {
    // A session that ended while stopping is not replaced: another one would count as a worker and own nothing.
    if (this.#isOver || (this.#stopping && !this.#hold)) return
    const { clock, timeoutMs, log } = this.#options
    this.#beating = this.#round()
      .catch(error => {
        if (!this.#stopping) log.warn({ err: error }, 'the heartbeat failed')
        this.#drop(this.#hold, error)
      })
      .finally(() => {
        this.#beating = null
        if (this.#isOver) return
        this.#timer = clock.setTimer(() => this.#beat(), timeoutMs * BEAT)
      })
  }

  async #round(): Promise<void> {
    const { clock } = this.#options
    const hold = this.#hold ?? (await this.#open())
    const sent = { monotonic: clock.monotonic(), wall: clock.now() }
    const { members, locked } = await this.#inTime(hold.look())
    if (this.#hold !== hold) return
    this.#confirmed = sent
    this.#members = members
    if (this.#wasSilent) {
      this.#wasSilent = false
      this.#options.resumed()
    }
    if (this.#stopping) return
    await this.#balance(hold, members, locked)
    await this.#lead(hold)
  }

  async #open(): Promise<LockHold> {
    const { locks, timeoutMs } = this.#options
    let opened: LockHold | null = null
    const hold = await locks.open(Math.round(timeoutMs * IDLE), reason => this.#drop(opened, reason))
    opened = hold
    if (this.#isOver) {
      await hold.close()
      throw new Error('this node has stopped')
    }
    this.#hold = hold
    await this.#inTime(hold.join())
    return hold
  }

  /** A heartbeat that is not answered is a lost session: the server may be cut off without our noticing. */
  async #inTime<T>(answer: Promise<T>): Promise<T> {
    const { clock, timeoutMs } = this.#options
    let timer: Timer | undefined
    const late = new Promise<never>((_, reject) => {
      timer = clock.setTimer(() => {
        reject(new Error('the lock session does not answer'))
        this.#options.unanswered?.()
      }, timeoutMs * IDLE)
    })
    try {
      return await Promise.race([answer, late])
    } finally {
      timer?.cancel()
    }
  }

  async #balance(hold: LockHold, members: number, locked: readonly number[]): Promise<void> {
    const { shardCount, random } = this.#options
    const share = Math.ceil(shardCount / Math.max(1, members))
    const excess = this.#owned.size - this.#draining.size - share
    if (excess > 0) {
      const staying = [...this.#owned].filter(shard => !this.#draining.has(shard))
      for (const shard of staying.slice(-excess)) void this.#drain(shard)
    }
    const room = share - this.#owned.size
    if (room <= 0) return
    const taken = new Set(locked)
    const free = Array.from({ length: shardCount }, (_, shard) => shard).filter(
      shard => !taken.has(shard) && !this.#owned.has(shard),
    )
    if (free.length > 0) await this.#take(hold, pickSome(free, room, random))
  }

  async #take(hold: LockHold, shards: readonly number[]): Promise<void> {
    const got = await this.#inTime(hold.lock(shards))
    if (got.length === 0) return
    const taken = await this.#inTime(hold.take(got, this.#options.nodeId))
    if (this.#hold !== hold) return
    for (const { shard } of taken) this.#owned.add(shard)
    this.#options.log.info({ shards: taken.length, owned: this.#owned.size }, 'took shards')
    this.#options.taken(taken)
  }

  /** The record says that somebody else took this shard although its lock is ours: take it anew. */
  async retake(shard: number): Promise<void> {
    const hold = this.#hold
    if (!hold || !this.#owned.has(shard) || this.#draining.has(shard)) return
    try {
      const taken = await this.#inTime(hold.take([shard], this.#options.nodeId))
      if (this.#hold === hold && this.#owned.has(shard)) this.#options.taken(taken)
    } catch (error) {
      // Its lock is ours and nobody serves it: whoever gets it next takes it.
      this.#drop(hold, error as Error)
    }
  }

  /** Resolves when the shard is free for others, also for those who ask again. */
  #drain(shard: number): Promise<void> {
    const draining = this.#draining.get(shard) ?? this.#handOver(shard)
    this.#draining.set(shard, draining)
    return draining
  }

  async #handOver(shard: number): Promise<void> {
    const hold = this.#hold
    await this.#options.release(shard)
    if (!hold || this.#hold !== hold) return
    try {
      await this.#inTime(hold.unlock([shard]))
    } catch (error) {
      return this.#drop(hold, error as Error)
    }
    this.#owned.delete(shard)
    this.#draining.delete(shard)
  }

  async #lead(hold: LockHold): Promise<void> {
    const leads = await this.#inTime(hold.lead())
    if (this.#hold !== hold || leads === this.#leads) return
    this.#leads = leads
    this.#options.led(leads)
  }

  /** The session is gone, or as good as gone: so are its locks. The next heartbeat opens another. */
  #drop(hold: LockHold | null, reason: Error): void {
    if (this.#hold !== hold || hold === null) return
    this.#hold = null
    this.#confirmed = null
    this.#owned.clear()
    this.#draining.clear()
    if (!this.#stopping) this.#options.log.warn({ err: reason }, 'the lock session ended; its shards are free')
    if (this.#leads) this.#options.led(false)
    this.#leads = false
    this.#options.lost()
    hold.close().catch(() => {})
  }
}

/** Random ones, so that nodes that start together do not all reach for the same. */
function pickSome(from: readonly number[], most: number, random: () => number): number[] {
  const left = [...from]
  const picked: number[] = []
  while (picked.length < most && left.length > 0) {
    const index = Math.floor(random() * left.length)
    picked.push(left[index]!)
    left[index] = left.at(-1)!
    left.pop()
  }
  return picked.sort((a, b) => a - b)
}

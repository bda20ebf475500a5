import { MOST_SLICES, shardOf, sliceKey, sliceOf } from '../engine/lane.ts'
import type { Taken } from '../engine/port.ts'
import type { Known } from './known.ts'
import type { Pantry } from './pantry.ts'
import type { Route } from './port.ts'
import { QueueRun } from './queue-run.ts'
import { newShard, type Shard } from './shard.ts'

export interface HoldingsOptions<R extends Route> {
  readonly shardCount: number
  readonly known: Known
  readonly pantry: Pantry
  /** A queue is served from here on: it needs its configuration. */
  readonly opened: (queue: QueueRun<R>) => void
  /** A queue is served no longer. */
  readonly closed: (queue: QueueRun<R>) => void
}

/** The shards that this node holds, and their queues, or slices of queues that are spread, as far as they have work. */
export class Holdings<R extends Route> {
  readonly #options: HoldingsOptions<R>
  readonly #shards = new Map<number, Shard>()
  /** By their slice's key (lane.ts). */
  readonly #queues = new Map<number, QueueRun<R>>()

  constructor(options: HoldingsOptions<R>) {
    this.#options = options
  }

  get size(): { readonly shards: number; readonly queues: number } {
    return { shards: this.#shards.size, queues: this.#queues.size }
  }

  /** The shards that are held and not on their way out. */
  get owned(): number[] {
    return [...this.#shards.values()].filter(({ state }) => state === 'owned').map(({ shard }) => shard)
  }

  holds(shard: number): boolean {
    return this.#shards.get(shard)?.state === 'owned'
  }

  /** Attempts of an earlier holding go on as part of this one, if nobody held the shard in between. */
  take({ shard, epoch, previousEpoch }: Taken): void {
    const before = this.#shards.get(shard)
    const takenAt = this.#options.known.lastTicket
    if (before?.state === 'lost' && before.epoch === previousEpoch) {
      Object.assign(before, { epoch, state: 'owned', takenAt, isScanned: false })
      return
    }
    if (before) this.#leave(before)
    this.#shards.set(shard, newShard({ shard, epoch }, takenAt))
  }

  /** What was in these shards when they were taken has been looked for. Gives the queues that may start now. */
  scanned(ids: readonly number[]): QueueRun<R>[] {
    const fresh = new Set<Shard>()
    for (const id of ids) {
      const shard = this.#shards.get(id)
      if (!shard || shard.isScanned) continue
      shard.isScanned = true
      fresh.add(shard)
    }
    return [...this.#queues.values()].filter(({ shard }) => fresh.has(shard))
  }

  /** The queues in memory that belong to these shards. */
  ofShards(ids: readonly number[]): QueueRun<R>[] {
    const shards = new Set(ids)
    return [...this.#queues.values()].filter(({ shard }) => shards.has(shard.shard))
  }

  /** How long the oldest message of each queue that is served had waited when last looked at, in milliseconds; of those that had. */
  get waits(): Map<number, number> {
    const waits = new Map<number, number>()
    for (const { id, isServed, waitedMs } of this.#queues.values())
      if (isServed && waitedMs > (waits.get(id) ?? 0)) waits.set(id, waitedMs)
    return waits
  }

  /** Stops serving a shard in peace: resolves when nothing of it is under way. */
  async release(id: number): Promise<void> {
    const shard = this.#shards.get(id)
    if (shard?.state !== 'owned') return
    shard.state = 'draining'
    this.#clear(shard)
    if (shard.busy > 0)
      await new Promise<void>(resolve => {
        shard.drained = resolve
      })
    if (shard.state === 'draining') this.#leave(shard)
  }

  /** The locks are gone: nothing more is started, what is under way goes on. */
  lose(): void {
    for (const shard of this.#shards.values()) if (shard.state === 'owned') shard.state = 'lost'
    for (const queue of this.#queues.values()) queue.backlog?.clear()
  }

  loseOne(shard: Shard): void {
    shard.state = 'lost'
    this.#clear(shard)
  }

  /** The queues in memory that belong to this org. */
  ofOrg(orgId: number): QueueRun<R>[] {
    return [...this.#queues.values()].filter(({ route }) => route?.orgId === orgId)
  }

  /** What serves this lane, if it is in memory. */
  get(queueId: number, lane: number): QueueRun<R> | undefined {
    return this.#queues.get(sliceKey(queueId, sliceOf(lane)))
  }

  /** Those slices of a queue that are in memory. */
  ofQueue(queueId: number): QueueRun<R>[] {
    const runs: QueueRun<R>[] = []
    for (let slice = 0; slice < MOST_SLICES; slice++) {
      const run = this.#queues.get(sliceKey(queueId, slice))
      if (run) runs.push(run)
    }
    return runs
  }

  /** What serves this lane, from now on in memory; null if its shard is not held here. */
  open(queueId: number, lane: number): QueueRun<R> | null {
    const slice = sliceOf(lane)
    const shard = this.#shards.get(shardOf(queueId, slice, this.#options.shardCount))
    if (shard?.state !== 'owned') return null
    const key = sliceKey(queueId, slice)
    const known = this.#queues.get(key)
    if (known) return known
    const queue = new QueueRun<R>(queueId, shard, this.#options.pantry, slice)
    this.#queues.set(key, queue)
    this.#options.opened(queue)
    return queue
  }

  /** Takes queues that have been idle since the last call out of memory, and shards that are lost for good. `now`: monotonic. */
  forgetIdle(now: number): void {
    for (const shard of this.#shards.values()) if (shard.state === 'lost' && shard.busy === 0) this.#leave(shard)
    for (const [id, queue] of this.#queues) {
      const isIdle = queue.isIdle && (queue.gate?.isAtRest(now) ?? true)
      if (isIdle && queue.wasIdle) this.#queues.delete(id)
      queue.wasIdle = isIdle
    }
  }

  #clear(shard: Shard): void {
    for (const queue of this.#queues.values()) if (queue.shard === shard) queue.backlog?.clear()
  }

  /** This holding is over. Its messages still under way belong to whoever comes next. */
  #leave(shard: Shard): void {
    shard.state = 'gone'
    if (this.#shards.get(shard.shard) === shard) this.#shards.delete(shard.shard)
    for (const [id, queue] of this.#queues) {
      if (queue.shard !== shard) continue
      queue.backlog?.clear()
      for (const head of queue.out) this.#options.known.release(head.id)
      this.#queues.delete(id)
      this.#options.closed(queue)
    }
  }
}

import type { Clock } from '../clock.ts'
import type { PushEngine } from '../engine/port.ts'
import type { Log } from '../log.ts'
import type { Route } from './port.ts'
import type { QueueRun } from './queue-run.ts'
import type { Sweeper } from './sweeper.ts'

const SECOND_LOOK_MS = 5
const RETRY_MS = 200

export interface UnsureOptions<R extends Route> {
  readonly engine: Pick<PushEngine, 'pin'>
  readonly sweeper: Pick<Sweeper, 'soon' | 'xmin'>
  readonly clock: Clock
  readonly log: Log
  /** Its places may be fixed now: give it its turn. */
  readonly fixed: (queue: QueueRun<R>) => void
}

/**
 * Ordered queues whose next message has no fixed place yet: a transaction older than its own still runs and might put
 * something before it.
 *
 * Most often that transaction is another put that ends within the millisecond, so two looks are waited for; then the
 * places are pinned, of all that were in memory when the second look began. That look has found whatever was acknowledged
 * before one of them was put. A transaction that runs for an hour, whoever's it is, therefore holds nothing up.
 */
export class Unsure<R extends Route> {
  readonly #options: UnsureOptions<R>
  /** How many looks each has waited for; pinning at the second. */
  readonly #looks = new Map<QueueRun<R>, number>()

  constructor(options: UnsureOptions<R>) {
    this.#options = options
  }

  add(queue: QueueRun<R>): void {
    if (this.#looks.has(queue)) return
    this.#looks.set(queue, 0)
    this.#options.sweeper.soon()
  }

  /** A look is over. */
  swept(): void {
    const { sweeper, clock, fixed } = this.#options
    for (const [queue, looks] of this.#looks) {
      if (!queue.isServed || !queue.backlog?.isUnsure(sweeper.xmin)) {
        this.#looks.delete(queue)
        fixed(queue)
      } else if (looks === 0) {
        this.#looks.set(queue, 1)
        queue.backlog.beginLook(sweeper.xmin)
        fixed(queue)
        clock.setTimer(() => sweeper.soon(), SECOND_LOOK_MS)
      } else if (looks === 1) {
        this.#looks.set(queue, 2)
        void this.#pin(queue)
      }
    }
  }

  async #pin(queue: QueueRun<R>): Promise<void> {
    const { engine, sweeper, clock, log, fixed } = this.#options
    const { backlog, shard, id, route } = queue
    if (!backlog || !route) return
    const ids = backlog.beginPin(sweeper.xmin).map(head => head.id)
    const done = (pinned: ReadonlySet<number> | null): void => {
      backlog.endPin(pinned)
      this.#looks.delete(queue)
      fixed(queue)
    }
    try {
      const tenure = { shard: shard.shard, epoch: shard.epoch }
      done(new Set(ids.length === 0 ? [] : await engine.pin(route.orgId, id, ids, tenure)))
    } catch (error) {
      log.warn({ queueId: id, err: error }, 'fixing the order failed; trying again')
      clock.setTimer(() => done(null), RETRY_MS)
    }
  }
}

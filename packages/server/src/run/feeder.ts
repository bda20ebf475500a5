import type { Clock } from '../clock.ts'
import { Alarm } from './alarm.ts'
import type { Load } from './backlog.ts'
import type { Loader } from './loader.ts'
import type { Pantry } from './pantry.ts'
import type { Route } from './port.ts'
import type { QueueRun } from './queue-run.ts'

export interface FeederOptions<R extends Route> {
  readonly loader: Pick<Loader, 'run'>
  readonly pantry: Pantry
  readonly clock: Clock
  /** The database's clock. */
  readonly now: () => number
  readonly mayAct: () => boolean
  /** Something was loaded for this queue, or its time has come. */
  readonly fed: (queue: QueueRun<R>) => void
}

const LOADS_AT_ONCE = 2
const QUEUES_PER_LOAD = 500
/** What one round of loads may weigh, as far as is known: the queues beyond it have their turn in the next. */
const BYTES_PER_LOAD = 16 * 1024 * 1024

/**
 * Keeps the backlogs fed: runs the loads that they want, those of many queues together, and wakes them when a time comes
 * that they wait for. Never for a queue that may not send now.
 */
export class Feeder<R extends Route> {
  readonly #options: FeederOptions<R>
  readonly #wanting = new Set<QueueRun<R>>()
  readonly #alarm: Alarm<QueueRun<R>>
  #loading = 0
  #isScheduled = false
  #stopped = false

  constructor(options: FeederOptions<R>) {
    this.#options = options
    const { clock, now, fed } = options
    this.#alarm = new Alarm({ clock, now, ring: fed })
  }

  /** This queue may want a load, or wait for another time than before. */
  want(queue: QueueRun<R>): void {
    if (!queue.isServed || !queue.backlog) return
    const now = this.#options.now()
    this.#alarm.set(queue, queue.backlog.nextAt(now))
    if (queue.backlog.isFed(now)) return
    this.#wanting.add(queue)
    this.resume()
  }

  forget(queue: QueueRun<R>): void {
    this.#alarm.set(queue, null)
    this.#wanting.delete(queue)
  }

  /** Goes on loading, after a pause in which this node could not act. */
  resume(): void {
    if (this.#isScheduled || this.#loading >= LOADS_AT_ONCE || this.#wanting.size === 0) return
    this.#isScheduled = true
    queueMicrotask(() => {
      this.#isScheduled = false
      void this.#load()
    })
  }

  stop(): void {
    this.#stopped = true
    this.#alarm.stop()
  }

  async #load(): Promise<void> {
    if (this.#stopped || !this.#options.mayAct()) return
    const loads = this.#collect()
    if (loads.size === 0) return
    this.#loading += 1
    await this.#options.loader.run([...loads.keys()], over => {
      for (const { bytes } of over) this.#options.pantry.loaded(bytes)
      for (const queue of new Set(over.map(load => loads.get(load)!))) this.#options.fed(queue)
    })
    this.#loading -= 1
    this.resume()
  }

  #collect(): Map<Load, QueueRun<R>> {
    const now = this.#options.now()
    const loads = new Map<Load, QueueRun<R>>()
    let queues = 0
    let bytes = 0
    for (const queue of this.#wanting) {
      this.#wanting.delete(queue)
      const wanted = queue.loads(now)
      if (wanted.length === 0) continue
      for (const load of wanted) {
        loads.set(load, queue)
        bytes += load.bytes
        // At once: the next queue's share is of what this one leaves.
        this.#options.pantry.loading(load.bytes)
      }
      queues += 1
      if (queues >= QUEUES_PER_LOAD || bytes >= BYTES_PER_LOAD) break
    }
    return loads
  }
}

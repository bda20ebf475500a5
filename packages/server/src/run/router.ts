import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'
import type { Route, Routes } from './port.ts'
import type { QueueRun } from './queue-run.ts'

export interface RouterOptions<R extends Route> {
  readonly routes: Routes<R>
  readonly clock: Clock
  readonly log: Log
  /** Its configuration is here. */
  readonly routed: (queue: QueueRun<R>) => void
}

const AT_ONCE = 500
const RETRY_MS = 500
/** Before asking again for those that were forgotten as soon as they were there. */
const AGAIN_MS = 50

/** Gives queues their configuration: at once if it is in memory, else soon, those of many queues together. */
export class Router<R extends Route> {
  readonly #options: RouterOptions<R>
  readonly #waiting = new Set<QueueRun<R>>()
  #isLoading = false
  #stopped = false

  constructor(options: RouterOptions<R>) {
    this.#options = options
  }

  route(queue: QueueRun<R>): void {
    const route = this.#options.routes.get(queue.id)
    if (route === undefined) {
      this.#waiting.add(queue)
      if (!this.#isLoading) void this.#load()
      return
    }
    this.#waiting.delete(queue)
    if (route) queue.configure(route)
    else queue.close()
  }

  stop(): void {
    this.#stopped = true
  }

  async #load(): Promise<void> {
    this.#isLoading = true
    while (this.#waiting.size > 0 && !this.#stopped) {
      const queues = [...this.#waiting].slice(0, AT_ONCE)
      if (!(await this.#ask(queues))) continue
      for (const queue of queues) if (this.#waiting.delete(queue)) this.#apply(queue)
      if (queues.every(queue => this.#waiting.has(queue))) await this.#pause(AGAIN_MS)
    }
    this.#isLoading = false
  }

  async #ask(queues: readonly QueueRun<R>[]): Promise<boolean> {
    const { routes, log } = this.#options
    try {
      await routes.load(queues.map(({ id }) => id))
      return true
    } catch (error) {
      if (!this.#stopped) log.warn({ err: error }, 'loading queues failed; trying again')
      await this.#pause(RETRY_MS)
      return false
    }
  }

  #pause(ms: number): Promise<void> {
    return new Promise(resolve => {
      this.#options.clock.setTimer(resolve, ms)
    })
  }

  /** One that was forgotten again while it was loaded is asked for once more at its next change or find. */
  #apply(queue: QueueRun<R>): void {
    const route = this.#options.routes.get(queue.id)
    if (route) queue.configure(route)
    else if (route === null) queue.close()
    else this.#waiting.add(queue)
    if (route) this.#options.routed(queue)
  }
}

/**
 * Steady load: callers that put one message after the other, each on a lane of its own, through any node that is up.
 *
 * A put that fails is not repeated (it may have been stored): its token stays unacknowledged and the caller goes on with
 * the next. So what the ledger calls lost was really promised.
 */
import type { Api } from './api.ts'
import type { Ledger } from './ledger.ts'

export interface Lane {
  readonly queueId: number
  /** For order by key. */
  readonly key?: string
  /** Null if its order does not matter. */
  readonly name: string | null
}

/** How long a caller waits after a failed put, in milliseconds. */
const PAUSE_AFTER_FAILURE_MS = 25
const MORE_TIMEOUT_MS = 30_000

export class Load {
  failed = 0
  put = 0
  #stopping = false
  readonly #callers: Promise<void>[]

  /**
   * Starts one caller a lane. `apis` is asked before every put, so that a story can take nodes out and in;
   * `paceMs` is the pause between two puts of a caller.
   */
  constructor(apis: () => readonly Api[], ledger: Ledger, lanes: readonly Lane[], paceMs = 0) {
    this.#callers = lanes.map((lane, i) => this.#call(apis, ledger, lane, paceMs, i))
  }

  /** Resolves when so many more puts have been acknowledged. @throws Error after a while without */
  async more(puts: number): Promise<void> {
    const goal = this.put + puts
    for (const deadline = performance.now() + MORE_TIMEOUT_MS; this.put < goal; await pause(5)) {
      if (performance.now() > deadline) throw new Error(`${goal - this.put} of ${puts} puts are missing`)
    }
  }

  async stop(): Promise<void> {
    this.#stopping = true
    await Promise.all(this.#callers)
  }

  async #call(apis: () => readonly Api[], ledger: Ledger, lane: Lane, paceMs: number, turn: number): Promise<void> {
    while (!this.#stopping) {
      const choices = apis()
      const api = choices[turn++ % Math.max(1, choices.length)]
      if (!api) {
        await pause(PAUSE_AFTER_FAILURE_MS)
        continue
      }
      const token = ledger.open(lane.name)
      try {
        await api.put(lane.queueId, token, lane.key === undefined ? {} : { key: lane.key })
        ledger.acknowledge(token)
        this.put += 1
        if (paceMs > 0) await pause(paceMs)
      } catch {
        this.failed += 1
        await pause(PAUSE_AFTER_FAILURE_MS)
      }
    }
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms))
}

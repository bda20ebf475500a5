import type { Log } from './log.ts'

interface Step {
  readonly name: string
  readonly run: () => Promise<unknown>
}

/** What has to be ended, last opened first. One that fails does not keep the others; who asks again waits for the same end. */
export class Closing {
  readonly #steps: Step[] = []
  readonly #first: Step[] = []
  #ended: Promise<void> | undefined

  add(name: string, run: () => Promise<unknown>): void {
    this.#steps.push({ name, run })
  }

  /** Ended before all others, though opened before some of them. */
  addFirst(name: string, run: () => Promise<unknown>): void {
    this.#first.push({ name, run })
  }

  run(log: Log): Promise<void> {
    this.#ended ??= this.#end(log)
    return this.#ended
  }

  async #end(log: Log): Promise<void> {
    const next = (): Step | undefined => this.#first.pop() ?? this.#steps.pop()
    for (let step = next(); step; step = next()) {
      const { name, run } = step
      await run().catch((error: unknown) => log.error({ err: error, part: name }, 'stopping a part failed'))
    }
  }
}

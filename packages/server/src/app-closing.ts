import type { Log } from './log.ts'

/** What has to be ended, last opened first. One that fails does not keep the others. */
export class Closing {
  readonly #steps: { readonly name: string; readonly run: () => Promise<unknown> }[] = []

  add(name: string, run: () => Promise<unknown>): void {
    this.#steps.push({ name, run })
  }

  async run(log: Log): Promise<void> {
    for (let step = this.#steps.pop(); step; step = this.#steps.pop()) {
      const { name, run } = step
      await run().catch((error: unknown) => log.error({ err: error, part: name }, 'stopping a part failed'))
    }
  }
}

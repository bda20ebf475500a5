/** Something that has to be done again and again for the data to stay well; run/janitor.ts does it. */
export interface Chore {
  readonly name: string
  /** From the end of one run to the beginning of the next. */
  readonly everyMs: number
  /** `leader`: one node alone, at a time. `node`: each for itself. */
  readonly on: 'leader' | 'node'
  /** Takes no more than some seconds, so that others have their turn. A rejection is logged; it is run again in time. */
  run(): Promise<void>
}

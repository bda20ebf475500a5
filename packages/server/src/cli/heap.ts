import { setFlagsFromString } from 'node:v8'

/** How much the old generation may grow, of what is in use, before it is collected. */
const GROWTH_PERCENT = 30

/**
 * Keeps what is over from piling up in this process, which is ours alone; a host of the library decides for itself.
 *
 * By itself V8 lets the old generation grow to up to four times what was in use after the last collection, as if the
 * machine were the program's own. docs/decisions/memory.md has what this takes and costs.
 */
export function boundHeap(): void {
  setFlagsFromString(`--heap-growing-percent=${GROWTH_PERCENT}`)
}

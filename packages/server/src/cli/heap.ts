import { PerformanceObserver } from 'node:perf_hooks'
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8'

/** For whoever embeds a node as well: `node` takes it too, and the guide to embedding tells of it. */
export const HEAP_FLAGS = ['--no-allocation-site-pretenuring']

/** Of what is in use. */
const GROWTH_PERCENT = 35

/** Of each half of the young generation. Node 20 has it by itself, Node 26 twice as much. */
const MAX_SEMI_SPACE_MB = 16

/**
 * Keeps what is over from piling up in this process, which is ours alone; a host of the library decides for itself.
 *
 * By itself V8 makes objects of a kind that has lived long before in the old generation from the start. Messages live
 * long whenever much waits, and not else; once such an object is over, everything that it points to, a whole bulk, counts
 * as in use until the next full collection. And V8 lets the old generation grow to up to four times what was in use, as if
 * the machine were the program's own. docs/decisions/memory.md has what either takes.
 */
export function tendHeap(): void {
  for (const flag of [...HEAP_FLAGS, `--heap-growing-percent=${GROWTH_PERCENT}`]) setFlagsFromString(flag)
  boundYoungGeneration()
}

/**
 * The greatest size of a heap's young generation is read when the heap is made, which the main thread's was long ago; by how
 * much it grows is read whenever it does. It doubles, and is filled little by little: once it is larger than half of what it
 * may be, it has doubled for the last time.
 */
function boundYoungGeneration(): void {
  // A worker thread, which the embedded database is, would be kept from growing as well: its heap begins full grown.
  for (const bound of ['min', 'max']) setFlagsFromString(`--${bound}-semi-space-size=${MAX_SEMI_SPACE_MB}`)
  const observer = new PerformanceObserver(() => {
    if (youngMegabytes() <= MAX_SEMI_SPACE_MB) return
    setFlagsFromString('--semi-space-growth-factor=1')
    observer.disconnect()
  })
  observer.observe({ entryTypes: ['gc'] })
}

/** Both halves. */
function youngMegabytes(): number {
  const young = getHeapSpaceStatistics().find(space => space.space_name === 'new_space')
  return (young?.space_size ?? 0) / 1_048_576
}

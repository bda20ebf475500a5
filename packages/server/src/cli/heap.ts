import { setFlagsFromString } from 'node:v8'

/** `node` takes them too, and the guide to embedding tells of them. The percentage is of what is in use. */
export const HEAP_FLAGS = ['--no-allocation-site-pretenuring', '--heap-growing-percent=50']

/**
 * Keeps what is over from piling up in this process, which is ours alone; a host of the library decides for itself.
 *
 * By itself V8 makes objects of a kind that has lived long before in the old generation from the start. Messages live
 * long whenever much waits, and not else; once such an object is over, everything that it points to, a whole bulk, counts
 * as in use until the next full collection. And V8 lets the old generation grow to up to four times what was in use, as if
 * the machine were the program's own. docs/decisions/memory.md has what either takes.
 */
export function tendHeap(): void {
  for (const flag of HEAP_FLAGS) setFlagsFromString(flag)
}

import type { Head } from '../engine/port.ts'
import type { Known } from './known.ts'

/** Bytes that one waiting message costs beside its body: the head, its strings, its place in sets. */
const OVERHEAD_BYTES = 400
/** What a message weighs is taken to be this before any has come, and then the mean of about so many. */
const FIRST_GUESS_BYTES = 16 * 1024
const MEAN_OF = 64
/** Of the limit, what the queues share that read ahead more than their least. The rest is for that least, and for what is large. */
const AHEAD = 1 / 8
const LEAST_AHEAD = 16

/** What the node holds in memory, all queues together: which messages, and how many bytes. */
export class Pantry {
  readonly known: Known
  readonly limitBytes: number
  #bytes = 0
  /** What loads under way will bring, as far as is known. */
  #comingBytes = 0
  #meanBytes = FIRST_GUESS_BYTES

  constructor(known: Known, limitBytes: number) {
    this.known = known
    this.limitBytes = limitBytes
  }

  get bytes(): number {
    return this.#bytes
  }

  get isFull(): boolean {
    return this.#bytes >= this.limitBytes
  }

  /**
   * How many messages each queue may read ahead: as many as there is room left for. So one alone has half of the room, a
   * hundred come to equal shares of all of it, and there is always some left for one more, whoever was first. What is read
   * too early is not only held: it lives long enough to be moved into the old generation.
   */
  get share(): number {
    const room = this.limitBytes * AHEAD - this.#bytes - this.#comingBytes
    return Math.max(LEAST_AHEAD, Math.floor(room / this.#meanBytes))
  }

  /** What a message weighs, as far as the last ones tell. */
  get meanBytes(): number {
    return this.#meanBytes
  }

  /** Loads that will bring so much have begun. */
  loading(bytes: number): void {
    this.#comingBytes += bytes
  }

  /** They are over: what they brought has been added. */
  loaded(bytes: number): void {
    this.#comingBytes -= bytes
  }

  /** False if the node has this message already. */
  add(head: Head): boolean {
    if (this.known.has(head)) return false
    this.known.add(head.id)
    const bytes = sizeOf(head)
    this.#bytes += bytes
    this.#meanBytes += (bytes - this.#meanBytes) / MEAN_OF
    return true
  }

  /** The message goes on to be sent: it stays known. */
  started(head: Head): void {
    this.#bytes -= sizeOf(head)
  }

  /** The message is put out of memory, to be loaded again when its turn comes. */
  drop(head: Head): void {
    this.#bytes -= sizeOf(head)
    this.known.release(head.id)
  }
}

function sizeOf(head: Head): number {
  return OVERHEAD_BYTES + (head.body?.length ?? 0) + (head.headers?.length ?? 0)
}

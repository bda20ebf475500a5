interface Entry<Key> {
  readonly at: number
  readonly key: Key
}

/** Below this many, what is left behind is not worth clearing away. */
const FEW = 64

/**
 * What is to happen when: a binary heap of times. An entry that was rescheduled is left behind and skipped when it
 * surfaces; when most have been left behind, the heap is made anew, so that it never holds more than twice what is set.
 */
export class Timetable<Key> {
  #heap: Entry<Key>[] = []
  readonly #due = new Map<Key, number>()

  /** Sets the only time of `key`; null takes it away. */
  set(key: Key, at: number | null): void {
    if (at === null) {
      this.#due.delete(key)
      return
    }
    if (this.#due.get(key) === at) return
    this.#due.set(key, at)
    this.#push({ at, key })
    if (this.#heap.length > FEW + 2 * this.#due.size) this.#clear()
  }

  /** Entries in memory, those left behind included. */
  get size(): number {
    return this.#heap.length
  }

  next(): number | null {
    for (let top = this.#heap[0]; top; top = this.#heap[0]) {
      if (this.#due.get(top.key) === top.at) return top.at
      this.#pop()
    }
    return null
  }

  /** Takes away and gives back everything that is due. */
  take(now: number): Key[] {
    const keys: Key[] = []
    for (let at = this.next(); at !== null && at <= now; at = this.next()) {
      const { key } = this.#pop()
      this.#due.delete(key)
      keys.push(key)
    }
    return keys
  }

  /** A list in ascending order is a heap. */
  #clear(): void {
    this.#heap = [...this.#due].map(([key, at]) => ({ at, key })).sort((a, b) => a.at - b.at)
  }

  #push(entry: Entry<Key>): void {
    const heap = this.#heap
    let index = heap.push(entry) - 1
    while (index > 0) {
      const parent = (index - 1) >> 1
      if (heap[parent]!.at <= entry.at) break
      heap[index] = heap[parent]!
      index = parent
    }
    heap[index] = entry
  }

  #pop(): Entry<Key> {
    const heap = this.#heap
    const top = heap[0]!
    const last = heap.pop()!
    if (heap.length === 0) return top
    let index = 0
    for (;;) {
      let child = 2 * index + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && heap[child + 1]!.at < heap[child]!.at) child += 1
      if (heap[child]!.at >= last.at) break
      heap[index] = heap[child]!
      index = child
    }
    heap[index] = last
    return top
  }
}

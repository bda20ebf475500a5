/** What is to happen when: a binary heap of times. An entry that was rescheduled is left behind and skipped when it surfaces. */
export class Timetable<Key> {
  readonly #heap: { readonly at: number; readonly key: Key }[] = []
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

  #push(entry: { at: number; key: Key }): void {
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

  #pop(): { at: number; key: Key } {
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

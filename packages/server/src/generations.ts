/**
 * A bounded map that drops what was not used for longest, roughly: entries live in a young and an old half, a use in the
 * old half moves an entry to the young one, and when that is full the old half is dropped. A hit costs one lookup.
 */
export class Generations<V, K = number> {
  readonly #half: number
  #young = new Map<K, V>()
  #old = new Map<K, V>()

  constructor(capacity: number) {
    this.#half = Math.max(1, Math.ceil(capacity / 2))
  }

  get(key: K): V | undefined {
    const value = this.#young.get(key)
    if (value !== undefined || this.#old.size === 0) return value
    const older = this.#old.get(key)
    if (older !== undefined) this.set(key, older)
    return older
  }

  set(key: K, value: V): void {
    if (this.#young.size >= this.#half && !this.#young.has(key)) {
      this.#old = this.#young
      this.#young = new Map()
    }
    this.#old.delete(key)
    this.#young.set(key, value)
  }

  delete(key: K): void {
    this.#young.delete(key)
    this.#old.delete(key)
  }

  /** Goes through all of them. */
  deleteWhere(matches: (value: V) => boolean): void {
    for (const half of [this.#young, this.#old]) for (const [key, value] of half) if (matches(value)) half.delete(key)
  }

  clear(): void {
    this.#young.clear()
    this.#old.clear()
  }
}

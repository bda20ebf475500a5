import type { Store } from '../../src/engine/memory/store.ts'

export interface Put {
  readonly id: number
  /** Messages of one line go one after another; null: no order. */
  readonly line: string | null
  readonly calledAt: number
  readonly acknowledgedAt: number
}

interface Start {
  readonly id: number
  readonly node: number
  readonly at: number
  /** When the receiver took it; null while it has not, or if it refused. */
  acceptedAt: number | null
}

/** Writes down what happened and says which of the guarantees it breaks. */
export class Ledger {
  readonly violations: string[] = []
  readonly #store: Store
  readonly #puts = new Map<number, Put>()
  readonly #lines = new Map<string, Put[]>()
  readonly #starts = new Map<number, Start[]>()
  /** Messages that were started and are not known to be settled, by line. */
  readonly #open = new Map<string, Set<number>>()
  readonly #settledAt = new Map<number, number>()
  readonly #faults: { readonly node: number; readonly at: number }[] = []

  constructor(store: Store) {
    this.#store = store
  }

  starts(id: number) {
    return { put: this.#puts.get(id), starts: this.#starts.get(id) }
  }
  faultList() {
    return this.#faults
  }
  get acknowledged(): number {
    return this.#puts.size
  }

  acknowledge(put: Put): void {
    this.#puts.set(put.id, put)
    if (put.line === null) return
    const line = this.#lines.get(put.line) ?? []
    line.push(put)
    this.#lines.set(put.line, line)
  }

  fault(node: number, at: number): void {
    this.#faults.push({ node, at })
  }

  start(id: number, line: string | null, node: number, at: number): Start {
    const start: Start = { id, node, at, acceptedAt: null }
    const before = this.#starts.get(id) ?? []
    this.#starts.set(id, [...before, start])
    if (this.#settledAt.has(id)) this.#break(at, `message ${id} was started after it had been settled`)
    if (line !== null) this.#checkOrder(id, line, at)
    return start
  }

  accepted(start: Start, at: number): void {
    for (const other of this.#starts.get(start.id) ?? []) {
      if (other === start || other.acceptedAt === null) continue
      const [first, second] = other.at <= start.at ? [other, start] : [start, other]
      if (!this.#faultBetween(first.node, first.at, second.at))
        this.#break(at, `message ${start.id} was delivered twice (${first.at}, ${second.at}) without a fault`)
    }
    start.acceptedAt = at
  }

  /** The settle of a delivered, dead or expired message was reported as committed. */
  settled(id: number, line: string | null, at: number): void {
    this.#settledAt.set(id, at)
    if (line !== null) this.#open.get(line)?.delete(id)
  }

  /** At the end, when everything should be over. */
  close(at: number): void {
    for (const { id } of this.#puts.values()) {
      const done = this.#store.done.get(id)
      if (!done) this.#break(at, `message ${id} was acknowledged and is ${this.#store.live.has(id) ? 'stuck' : 'lost'}`)
      else if (done.outcome === 'delivered' && !this.#starts.get(id)?.some(({ acceptedAt }) => acceptedAt !== null))
        this.#break(at, `message ${id} counts as delivered and never arrived`)
    }
  }

  #checkOrder(id: number, line: string, at: number): void {
    const own = this.#puts.get(id)
    for (const put of this.#lines.get(line) ?? [])
      if (own && put.acknowledgedAt < own.calledAt && !this.#store.done.has(put.id))
        this.#break(at, `message ${id} was started before ${put.id}, which was put before it (line ${line})`)
    const open = this.#open.get(line) ?? new Set()
    for (const other of open)
      if (other !== id && !this.#store.done.has(other))
        this.#break(at, `message ${id} was started while ${other} was not settled (line ${line})`)
    open.add(id)
    this.#open.set(line, open)
  }

  #faultBetween(node: number, from: number, to: number): boolean {
    return this.#faults.some(fault => fault.node === node && fault.at >= from && fault.at <= to)
  }

  #break(at: number, what: string): void {
    if (this.violations.length < 20) this.violations.push(`${at.toFixed(1)} ms: ${what}`)
  }
}

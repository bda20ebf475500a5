/**
 * The book of a story: what was put and acknowledged, what arrived, and what the laws say about the difference.
 *
 * Every put has a token of its own as the message's body. A story tells the ledger of every fault (a kill, a cut), since
 * a second delivery is lawful only if the first was under way, or just answered and not yet settled, when a fault struck.
 */
import type { Arrival, Receiver } from './receiver.ts'

interface Put {
  readonly token: string
  /** Messages of one lane must keep their order; null where order was not asked for. */
  readonly lane: string | null
  acknowledged: boolean
}

export interface Verdict {
  readonly acknowledged: number
  readonly arrived: number
  /** Acknowledged and never answered 2xx. */
  readonly lost: readonly string[]
  /** Delivered again although no fault excuses it. */
  readonly doubled: readonly string[]
  /** Delivered again after a fault caught the first delivery in flight. */
  readonly excused: number
  /** Came before an earlier message of its lane was delivered. */
  readonly misplaced: readonly string[]
  /** Arrived without ever having been put. */
  readonly strangers: readonly string[]
}

/** An answered attempt is settled within this time, in milliseconds; until then a fault makes it come again. */
const SETTLE_MS = 1000
const SHOWN = 10

export class Ledger {
  readonly #puts = new Map<string, Put>()
  readonly #faults: { readonly from: number; readonly until: number }[] = []

  /** Gives back a fresh token; to be called before the put is sent. */
  open(lane: string | null = null): string {
    const token = `${lane ?? 'm'}-${this.#puts.size}`
    this.#puts.set(token, { token, lane, acknowledged: false })
    return token
  }

  /** The put was answered 2xx. */
  acknowledge(token: string): void {
    const put = this.#puts.get(token)
    if (!put) throw new Error(`no put was opened for ${token}`)
    put.acknowledged = true
  }

  /**
   * Something was killed, cut or frozen, at this moment of performance.now(). For `lastsMs` after it, a node may still
   * start what it does not know that it has lost.
   */
  fault(at = performance.now(), lastsMs = 0): void {
    this.#faults.push({ from: at, until: at + lastsMs })
  }

  get acknowledged(): string[] {
    return [...this.#puts.values()].filter(put => put.acknowledged).map(put => put.token)
  }

  /** How many acknowledged messages have not been delivered yet. */
  missing(arrivals: readonly Arrival[]): number {
    const delivered = new Set(arrivals.filter(isDelivery).map(tokenOf))
    return this.acknowledged.filter(token => !delivered.has(token)).length
  }

  judge(arrivals: readonly Arrival[]): Verdict {
    const visits = groupByToken(arrivals)
    const acknowledged = this.acknowledged
    const repeats = [...visits].flatMap(([token, list]) => this.#repeats(token, list))
    return {
      acknowledged: acknowledged.length,
      arrived: arrivals.length,
      lost: acknowledged.filter(token => !visits.get(token)?.some(isDelivery)),
      doubled: repeats.filter(({ excused }) => !excused).map(({ token }) => token),
      excused: repeats.filter(({ excused }) => excused).length,
      misplaced: this.#misplaced(arrivals, visits),
      strangers: [...visits.keys()].filter(token => !this.#puts.has(token)),
    }
  }

  #repeats(token: string, visits: readonly Arrival[]): { token: string; excused: boolean }[] {
    return visits.slice(1).flatMap((again, i) => {
      const before = visits[i] as Arrival
      if (before.answeredAt !== undefined && !isDelivery(before)) return [] // a retry
      const until = before.answeredAt === undefined ? again.at : before.answeredAt + SETTLE_MS
      return [{ token, excused: this.#faults.some(fault => fault.until >= before.at && fault.from <= until) }]
    })
  }

  /** The puts of a lane were made one after the other, each after the acknowledgement of the one before. */
  #misplaced(arrivals: readonly Arrival[], visits: ReadonlyMap<string, readonly Arrival[]>): string[] {
    const before = new Map<string, string>()
    const last = new Map<string, string>()
    for (const { token, lane, acknowledged } of this.#puts.values()) {
      if (lane === null || !acknowledged) continue
      const previous = last.get(lane)
      if (previous !== undefined) before.set(token, previous)
      last.set(lane, token)
    }
    return arrivals.flatMap(arrival => {
      const previous = before.get(tokenOf(arrival))
      if (previous === undefined) return []
      const first = visits.get(previous)?.find(isDelivery)
      const inOrder = first !== undefined && (first.answeredAt as number) <= arrival.at
      return inOrder ? [] : [`${tokenOf(arrival)} came before ${previous} was delivered`]
    })
  }
}

/** Waits until whatever was acknowledged has come. */
export function everyArrived(ledger: Ledger, receiver: Receiver, withinMs = 30_000): Promise<void> {
  return receiver.waitFor(({ arrivals }) => ledger.missing(arrivals) === 0, 'every acknowledged message', withinMs)
}

/** Waits for all that was acknowledged, and gives the verdict of what came. Throws unless it is lawful. */
export async function demandAll(ledger: Ledger, receiver: Receiver, withinMs?: number): Promise<Verdict> {
  await everyArrived(ledger, receiver, withinMs)
  const verdict = ledger.judge(receiver.arrivals)
  demandLawful(verdict)
  return verdict
}

/** Throws unless nothing is lost, nothing doubled without a fault, nothing out of order. */
export function demandLawful(verdict: Verdict): void {
  const breaches = [
    breach('lost', verdict.lost),
    breach('delivered twice without a fault', verdict.doubled),
    breach('out of order', verdict.misplaced),
    breach('never put', verdict.strangers),
  ].filter(text => text !== '')
  if (breaches.length === 0) return
  const { acknowledged, arrived, excused } = verdict
  throw new Error(
    `${acknowledged} acknowledged, ${arrived} arrived, ${excused} doubled by a fault\n${breaches.join('\n')}`,
  )
}

function breach(what: string, tokens: readonly string[]): string {
  if (tokens.length === 0) return ''
  const more = tokens.length > SHOWN ? ` and ${tokens.length - SHOWN} more` : ''
  return `${tokens.length} ${what}: ${tokens.slice(0, SHOWN).join(', ')}${more}`
}

function groupByToken(arrivals: readonly Arrival[]): Map<string, Arrival[]> {
  const visits = new Map<string, Arrival[]>()
  for (const arrival of arrivals) {
    const list = visits.get(tokenOf(arrival))
    if (list) list.push(arrival)
    else visits.set(tokenOf(arrival), [arrival])
  }
  return visits
}

function tokenOf(arrival: Arrival): string {
  return arrival.body.toString()
}

function isDelivery(arrival: Arrival): boolean {
  return (
    arrival.answeredAt !== undefined && arrival.status !== undefined && arrival.status >= 200 && arrival.status < 300
  )
}

import { type LookupAddress, lookup } from 'node:dns'
import type { Clock } from '../clock.ts'
import { dnsTtl, type TtlSource } from './name-ttl.ts'

/**
 * Names: the addresses of a host, kept no longer than the DNS allows.
 *
 * The addresses are always the system's (getaddrinfo), so that /etc/hosts, search domains and whatever else a machine goes
 * by hold here too. It does not say how long they are good for: that is asked of the DNS itself, and believed only if it
 * knows the same addresses. All others are kept for a second.
 *
 *   unknown ──asked──▶ kept for a second ──the DNS has the same addresses──▶ kept for their TTL
 *
 * A name that cannot be resolved is remembered too: its lookup holds one of the two threads that Node has for lookups, so
 * it rests for four times as long as it took. Callers that ask while a lookup is under way share its answer.
 */
export type Resolver = (host: string, done: (error: Error | null, addresses: readonly LookupAddress[]) => void) => void

export interface NamesOptions {
  readonly clock: Clock
  /** Instead of the system's. */
  readonly lookup?: Resolver
  readonly ttl?: TtlSource
  /** Most names that are kept. */
  readonly capacity?: number
}

interface Kept {
  readonly error: Error | null
  readonly addresses: readonly LookupAddress[]
  readonly until: number
}

type Answer = Parameters<Resolver>[1]

const CAPACITY = 10_000
const BRIEF_MS = 1000
/** A name that moves is followed after a minute, whatever its TTL says. */
const LONGEST_MS = 60_000
const FAILURE = { restFactor: 4, longestMs: 30_000 }

const systemLookup: Resolver = (host, done) => lookup(host, { all: true }, done)

/** Resolves names; never calls `done` before it returns. */
export function createNames(options: NamesOptions): Resolver {
  const { clock, capacity = CAPACITY, ttl = dnsTtl() } = options
  const ask = options.lookup ?? systemLookup
  const kept = new Map<string, Kept>()
  const waiting = new Map<string, Answer[]>()

  const keep = (host: string, one: Kept): void => {
    kept.delete(host)
    const [oldest] = kept.keys()
    if (kept.size >= capacity && oldest !== undefined) kept.delete(oldest)
    kept.set(host, one)
  }
  const answered = (host: string, askedAt: number, error: Error | null, addresses: readonly LookupAddress[]): void => {
    const now = clock.monotonic()
    const all = waiting.get(host) ?? []
    waiting.delete(host)
    const brief = { error, addresses, until: now + (error ? restOf(now - askedAt) : BRIEF_MS) }
    keep(host, brief)
    if (error === null && addresses.length > 0) {
      ttl(host, addresses, seconds => {
        if (seconds === null || kept.get(host) !== brief) return
        kept.set(host, { ...brief, until: now + Math.min(seconds * 1000, LONGEST_MS) })
      })
    }
    for (const answer of all) answer(error, addresses)
  }
  return (host, done) => {
    const known = kept.get(host)
    if (known && known.until > clock.monotonic()) {
      process.nextTick(done, known.error, known.addresses)
      return
    }
    const others = waiting.get(host)
    if (others) {
      others.push(done)
      return
    }
    waiting.set(host, [done])
    const askedAt = clock.monotonic()
    ask(host, (error, addresses) => answered(host, askedAt, error, addresses ?? []))
  }
}

function restOf(tookMs: number): number {
  return Math.min(Math.max(BRIEF_MS, tookMs * FAILURE.restFactor), FAILURE.longestMs)
}

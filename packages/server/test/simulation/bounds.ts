import type { Route } from '../../src/run/port.ts'

/** An attempt under way. */
interface Attempt {
  readonly queueId: number
  readonly slice: number
  readonly node: number
}

/** What one node did with one slice of a queue since it took the slice's shard. */
interface Tenure {
  version: number
  readonly underWay: Set<Attempt>
  /** When attempts were started under this version of the queue. */
  starts: number[]
  failures: number
  /** Null while the circuit must let everything through; else the probes under way. */
  probes: Set<Attempt> | null
  notBefore: number
}

/** Rounding. */
const SLACK = 1e-6

/**
 * Holds every node to the bounds of the queues that it serves: concurrency, rate, circuit breaker.
 *
 * Each by itself and for each epoch of the shard, since what was spent and what had failed is known to the owner alone: a
 * new owner begins afresh. So does this book at every change of a queue, where a node may (and after a resume must) too;
 * where they differ, it demands less. It is written down from the definitions, without a look at how nodes do it.
 */
export class Bounds {
  readonly #tenures = new Map<string, Map<number, Tenure>>()
  /** Attempts under way of all slices, by queue and version. */
  readonly #together = new Map<string, Set<Attempt>>()

  /** What is broken by all slices together: without a fault, the concurrency is that of the whole queue. */
  together(attempt: Attempt, { id, version, concurrency }: Route): string | null {
    const underWay = this.#together.get(`${id}/${version}`) ?? new Set()
    this.#together.set(`${id}/${version}`, underWay.add(attempt))
    return underWay.size > concurrency ? `queue ${id}: ${underWay.size} attempts, ${concurrency} allowed` : null
  }

  /** Gives back what is broken by this start. */
  started(attempt: Attempt, whole: Route, epoch: number, at: number): string[] {
    const route = partFor(attempt, whole)
    const tenure = this.#tenure(attempt, epoch)
    if (tenure.version !== route.version) {
      const { version } = route
      Object.assign(tenure, { version, starts: [], failures: 0, probes: null, notBefore: 0 })
    }
    tenure.underWay.add(attempt)
    tenure.starts.push(at)
    return [
      ...(attempt.slice < route.spread ? [] : [`slice ${attempt.slice} of ${route.spread} is no more`]),
      ...checkConcurrency(tenure, route),
      ...checkRate(tenure, route, at),
      ...checkBreaker(tenure, attempt, at),
    ].map(what => `queue ${route.id}, slice ${attempt.slice}, on node ${attempt.node}, epoch ${epoch}: ${what}`)
  }

  /** The node has heard how it ended. */
  ended(attempt: Attempt, isDelivered: boolean, route: Route, at: number): void {
    for (const underWay of this.#together.values()) underWay.delete(attempt)
    for (const tenure of this.#tenures.get(placeOf(attempt))?.values() ?? []) {
      const isHere = tenure.underWay.delete(attempt)
      if (isDelivered) Object.assign(tenure, { failures: 0, probes: null })
      else if (isHere && route.circuitBreaker) fail(tenure, attempt, route.circuitBreaker, at)
    }
  }

  #tenure(attempt: Attempt, epoch: number): Tenure {
    const place = placeOf(attempt)
    const tenures = this.#tenures.get(place) ?? new Map<number, Tenure>()
    this.#tenures.set(place, tenures)
    const tenure = tenures.get(epoch) ?? {
      version: 0,
      underWay: new Set(),
      starts: [],
      failures: 0,
      probes: null,
      notBefore: 0,
    }
    tenures.set(epoch, tenure)
    return tenure
  }
}

const placeOf = ({ queueId, slice, node }: Attempt): string => `${queueId}/${slice} on ${node}`

/** A slice's part: of the concurrency a whole number, of the rate an even part, with a burst of one at least. */
function partFor({ slice }: Attempt, route: Route): Route {
  const { spread, concurrency, rateLimit } = route
  const part = (whole: number): number => Math.ceil((whole - slice) / spread)
  return {
    ...route,
    concurrency: part(concurrency),
    rateLimit: rateLimit && {
      ...rateLimit,
      intervalMs: rateLimit.intervalMs * spread,
      burst: Math.max(1, part(rateLimit.burst)),
    },
  }
}

function checkConcurrency({ underWay }: Tenure, { concurrency }: Route): string[] {
  return underWay.size > concurrency ? [`${underWay.size} attempts under way, ${concurrency} allowed`] : []
}

function checkRate({ starts }: Tenure, { rateLimit }: Route, at: number): string[] {
  if (!rateLimit) return []
  const { count, intervalMs, burst } = rateLimit
  const first = starts.findIndex((start, i) => starts.length - i > burst + ((at - start) * count) / intervalMs + SLACK)
  if (first < 0) return []
  const window = `${starts.length - first} attempts in ${(at - starts[first]!).toFixed(1)} ms`
  return [`${window}, where ${count} per ${intervalMs} ms are allowed, and ${burst} at once`]
}

function checkBreaker(tenure: Tenure, attempt: Attempt, at: number): string[] {
  const { probes, notBefore } = tenure
  if (!probes) return []
  probes.add(attempt)
  if (probes.size > 1) return [`${probes.size} probes at a time`]
  return at < notBefore - SLACK ? [`a probe at ${at}, ${notBefore - at} ms too early`] : []
}

function fail(
  tenure: Tenure,
  attempt: Attempt,
  { failures, probeMs }: { failures: number; probeMs: number },
  at: number,
) {
  if (tenure.probes?.delete(attempt)) tenure.notBefore = at + probeMs
  if (tenure.probes) return
  tenure.failures += 1
  if (tenure.failures >= failures) Object.assign(tenure, { probes: new Set(), notBefore: 0 })
}

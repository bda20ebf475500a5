import {
  type CounterName,
  type GaugeName,
  type HistogramName,
  METRICS,
  type Metric,
  type MetricName,
  type SeriesName,
} from './metric-list.ts'

export const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

/** Labels as they are written: `outcome="delivered"`. Empty for none. */
type Labels = string

/** Sums of a histogram: `observe` is a search among a few bounds and three additions. */
class Distribution {
  readonly #bounds: readonly number[]
  readonly #counts: number[]
  #sum = 0
  #count = 0

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds
    this.#counts = bounds.map(() => 0)
  }

  observe(value: number): void {
    let i = 0
    while (i < this.#bounds.length && value > this.#bounds[i]!) i += 1
    if (i < this.#bounds.length) this.#counts[i]! += 1
    this.#sum += value
    this.#count += 1
  }

  lines(name: string, labels: Labels): string[] {
    const also = labels === '' ? '' : `${labels},`
    let below = 0
    const buckets = this.#bounds.map((bound, i) => {
      below += this.#counts[i]!
      return `${name}_bucket{${also}le="${bound}"} ${below}`
    })
    const own = labels === '' ? '' : `{${labels}}`
    return [
      ...buckets,
      `${name}_bucket{${also}le="+Inf"} ${this.#count}`,
      `${name}_sum${own} ${this.#sum}`,
      `${name}_count${own} ${this.#count}`,
    ]
  }
}

/** What a node counts, and the text that Prometheus reads of it. Counting is an addition: text is made when it is asked for. */
export class Exposition {
  readonly #counters = new Map<CounterName, Map<Labels, number>>()
  readonly #histograms = new Map<HistogramName, Map<Labels, Distribution>>()

  constructor() {
    for (const [name, metric] of entries) {
      if (metric.kind === 'counter') this.#counters.set(name as CounterName, new Map())
      if (metric.kind === 'histogram') this.#histograms.set(name as HistogramName, new Map())
      if (metric.label === undefined && metric.kind === 'counter') this.add(name as CounterName, 0)
      if (metric.label === undefined && metric.kind === 'histogram') this.distribution(name as HistogramName)
    }
  }

  add(name: CounterName, count: number, labels: Labels = ''): void {
    const series = this.#counters.get(name)!
    series.set(labels, (series.get(labels) ?? 0) + count)
  }

  /** To be kept by whoever observes often. */
  distribution(name: HistogramName, labels: Labels = ''): Pick<Distribution, 'observe'> {
    const series = this.#histograms.get(name)!
    const found = series.get(labels) ?? new Distribution(METRICS[name].buckets)
    series.set(labels, found)
    return found
  }

  /** `more`: series that are counted elsewhere. */
  render(
    gauges: Readonly<Record<GaugeName, number>>,
    more: ReadonlyMap<SeriesName, ReadonlyMap<Labels, number>>,
  ): string {
    const blocks = entries.map(([name, { kind, help, label }]) => {
      const full = `posthorn_${name}`
      const head = `# HELP ${full} ${help}\n# TYPE ${full} ${kind}\n`
      const isPlain = kind === 'gauge' && label === undefined
      const lines = isPlain ? [`${full} ${gauges[name as GaugeName]}`] : this.#linesOf(name, full, kind, more)
      return `${head}${lines.join('\n')}${lines.length > 0 ? '\n' : ''}`
    })
    return blocks.join('\n')
  }

  #linesOf(
    name: MetricName,
    full: string,
    kind: Metric['kind'],
    more: ReadonlyMap<SeriesName, ReadonlyMap<Labels, number>>,
  ): string[] {
    if (kind === 'histogram') {
      return [...this.#histograms.get(name as HistogramName)!].flatMap(([labels, one]) => one.lines(full, labels))
    }
    const series = [...(this.#counters.get(name as CounterName) ?? []), ...(more.get(name as SeriesName) ?? [])]
    return series.map(([labels, value]) => `${full}${labels === '' ? '' : `{${labels}}`} ${value}`)
  }
}

const entries = Object.entries(METRICS) as [MetricName, Metric][]

/** `label('type', 'queue.paused')` → `type="queue.paused"`. */
export function label(name: string, value: string): Labels {
  return `${name}="${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`
}

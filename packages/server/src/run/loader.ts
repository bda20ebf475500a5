import type { Clock } from '../clock.ts'
import { laneKey, lanesOf, sliceKey, sliceOf } from '../engine/lane.ts'
import type { Head, PushEngine } from '../engine/port.ts'
import type { Log } from '../log.ts'
import type { Load } from './backlog.ts'
import { START } from './cursor.ts'
import type { Known } from './known.ts'

type LoadsEngine = Pick<
  PushEngine,
  'loadLanes' | 'loadDue' | 'nextDue' | 'loadKeys' | 'loadPinned' | 'promote' | 'fold'
>

const RETRY_MS = 200
const PROMOTED_AT_ONCE = 1000
/** Where a priority puts a ready message beside the line. */
const RAISED = lanesOf(0).slice(1)

/** Brings what the backlogs want, many queues in one statement for each kind of load. */
export class Loader {
  readonly #engine: LoadsEngine
  readonly #known: Known
  readonly #clock: Clock
  readonly #log: Log
  /** Called after each promotion or fold: a sweep finds what it moved. */
  readonly #promoted: () => void

  constructor(options: { engine: LoadsEngine; known: Known; clock: Clock; log: Log; promoted: () => void }) {
    this.#engine = options.engine
    this.#known = options.known
    this.#clock = options.clock
    this.#log = options.log
    this.#promoted = options.promoted
  }

  /**
   * Resolves when every load is done, or has failed and rested. Never rejects. `over` is called for each kind of load as
   * soon as it is: one that has to wait for a lock keeps none of the others waiting.
   */
  async run(loads: readonly Load[], over: (loads: readonly Load[]) => void): Promise<void> {
    const of = <K extends Load['kind']>(kind: K) =>
      loads.filter((load): load is Load & { kind: K } => load.kind === kind)
    const all = async <L extends Load>(
      list: readonly L[],
      run: (list: readonly L[]) => Promise<void>,
    ): Promise<void> => {
      if (list.length === 0) return
      if (!(await this.#guard(list, run))) await new Promise<void>(rested => this.#clock.setTimer(rested, RETRY_MS))
      over(list)
    }
    await Promise.all([
      all(of('lane'), list => this.#lanes(list)),
      all(of('key'), list => this.#keys(list)),
      all(of('pinned'), list => this.#pinned(list)),
      all(of('due'), list => this.#due(list)),
      all(of('promote'), list => this.#promote(list)),
      // Each by itself: one that failed must not count as over while another still moves messages.
      ...of('fold').map(load => all([load], () => this.#fold(load))),
    ])
  }

  async #guard<L extends Load>(loads: readonly L[], run: (loads: readonly L[]) => Promise<void>): Promise<boolean> {
    const ticket = this.#known.started()
    try {
      await run(loads)
      return true
    } catch (error) {
      this.#log.warn({ err: error, kind: loads[0]!.kind }, 'loading failed; trying again')
      for (const load of loads) load.failed()
      return false
    } finally {
      this.#known.ended(ticket)
    }
  }

  async #lanes(loads: readonly (Load & { kind: 'lane' })[]): Promise<void> {
    const heads = await this.#engine.loadLanes(loads.map(({ request }) => request))
    const groups = groupBy(heads, ({ queueId, lane }) => laneKey(queueId, lane))
    for (const { request, done } of loads) done(groups.get(laneKey(request.queueId, request.lane)) ?? [])
  }

  async #keys(loads: readonly (Load & { kind: 'key' })[]): Promise<void> {
    const heads = await this.#engine.loadKeys(loads.map(({ request }) => request))
    const groups = groupBy(heads, head => `${head.queueId}:${head.key}`)
    for (const load of loads) load.done(groups.get(`${load.request.queueId}:${load.request.key}`) ?? [])
  }

  async #pinned(loads: readonly (Load & { kind: 'pinned' })[]): Promise<void> {
    const heads = await this.#engine.loadPinned([...new Set(loads.map(({ queueId }) => queueId))])
    const groups = groupBy(heads, head => head.queueId)
    for (const load of loads) load.done(groups.get(load.queueId) ?? [])
  }

  async #due(loads: readonly (Load & { kind: 'due' })[]): Promise<void> {
    const heads = await this.#engine.loadDue(loads.map(({ request }) => request))
    const groups = groupBy(heads, ({ queueId, lane }) => sliceKey(queueId, sliceOf(lane)))
    const brought = loads.map(({ request }) => groups.get(sliceKey(request.queueId, request.slice)) ?? [])
    const after = loads.map(({ request }, nth) => {
      const last = brought[nth]!.at(-1)
      return last ? { ...request, after: { dueAt: last.dueAt!, id: last.id } } : request
    })
    const next = await this.#engine.nextDue(after)
    for (const [nth, load] of loads.entries()) load.done(brought[nth]!, next[nth]!)
  }

  async #promote(loads: readonly (Load & { kind: 'promote' })[]): Promise<void> {
    const queueIds = loads.map(({ queueId }) => queueId)
    await this.#engine.promote(queueIds, PROMOTED_AT_ONCE)
    const raised = await this.#raised(loads)
    const next = await this.#engine.nextDue(
      queueIds.map(queueId => ({ queueId, slice: 0, after: { dueAt: 0, id: 0 }, limit: 1 })),
    )
    for (const [nth, { queueId, done }] of loads.entries()) done(next[nth]!, raised.has(queueId))
    this.#promoted()
  }

  async #fold({ request, done }: Load & { kind: 'fold' }): Promise<void> {
    const { last, more } = await this.#engine.fold(request)
    done(last, more)
    this.#promoted()
  }

  /** Those of these queues that have messages with a priority left. */
  async #raised(loads: readonly (Load & { kind: 'promote' })[]): Promise<ReadonlySet<number>> {
    const requests = loads
      .filter(({ raised }) => raised)
      .flatMap(({ queueId }) => RAISED.map(lane => ({ queueId, lane, after: START, limit: 1 })))
    if (requests.length === 0) return new Set()
    return new Set((await this.#engine.loadLanes(requests)).map(({ queueId }) => queueId))
  }
}

function groupBy<K>(heads: readonly Head[], keyOf: (head: Head) => K): Map<K, Head[]> {
  const groups = new Map<K, Head[]>()
  for (const head of heads) {
    const key = keyOf(head)
    const group = groups.get(key)
    if (group) group.push(head)
    else groups.set(key, [head])
  }
  return groups
}

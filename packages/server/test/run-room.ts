/** The parts of a node at work in a test: messages, routes, a table that answers loads, timers turned by hand. */
import type { Clock } from '../src/clock.ts'
import type { Head, PushEngine } from '../src/engine/port.ts'
import type { Load } from '../src/run/backlog.ts'
import { Known } from '../src/run/known.ts'
import { Pantry } from '../src/run/pantry.ts'
import type { Report, Route } from '../src/run/port.ts'
import { newShard, type Shard } from '../src/run/shard.ts'

export const QUEUE = 1

/** A message at the place (id, id), ready and never attempted, unless said otherwise. */
export function headOf(id: number, fields: Partial<Head> = {}): Head {
  return {
    id,
    xid: id,
    orgId: 1,
    queueId: QUEUE,
    lane: 0,
    attempts: 0,
    forgiven: 0,
    key: null,
    dueAt: null,
    retryAt: null,
    expiresAt: null,
    pin: null,
    body: 'x',
    headers: null,
    lost: false,
    slot: -1,
    ...fields,
  }
}

export function routeOf(id: number, fields: Partial<Route> = {}): Route {
  return {
    id,
    orgId: 1,
    orgWeight: 10,
    version: 1,
    callbackUrl: 'http://receiver.test',
    function: null,
    ordered: 'none',
    concurrency: 10,
    rateLimit: null,
    circuitBreaker: null,
    weight: 10,
    spread: 1,
    deadLetterQueueId: null,
    isPaused: false,
    ...fields,
  }
}

export function reportOf(outcome: Report['outcome'], fields: Partial<Report> = {}): Report {
  const none = { status: null, errorCode: null, error: null, excerpt: null, durationMs: 1, timedOut: false }
  return { outcome, ...none, ...fields }
}

export function shardOf(shard: number, fields: Partial<Shard> = {}): Shard {
  return Object.assign(newShard({ shard, epoch: 1 }, 0), { isScanned: true }, fields)
}

export const openPantry = (limitBytes = 1e9): Pantry => new Pantry(new Known(), limitBytes)

/** A clock whose timers ring when the test says so. */
export class HandClock implements Clock {
  time = 1000
  #timers: { readonly at: number; readonly run: () => void }[] = []

  now(): number {
    return this.time
  }

  monotonic(): number {
    return this.time
  }

  setTimer(run: () => void, delayMs: number) {
    const timer = { at: this.time + delayMs, run }
    this.#timers.push(timer)
    return {
      cancel: () => {
        this.#timers = this.#timers.filter(other => other !== timer)
      },
    }
  }

  /** When the timers that are set will ring. */
  get set(): number[] {
    return this.#timers.map(({ at }) => at)
  }

  /** Lets time pass, rings what is due in its order, and lets what follows happen. */
  async pass(ms: number): Promise<void> {
    const until = this.time + ms
    for (;;) {
      await settled()
      const [next] = this.#timers.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)
      if (!next) break
      this.#timers = this.#timers.filter(timer => timer !== next)
      this.time = Math.max(this.time, next.at)
      next.run()
    }
    this.time = until
    await settled()
  }
}

/** Resolves when everything that waits for nothing but its turn has happened. */
export const settled = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

type Answer = () => unknown

/** The messages of one queue as a database would hold them: it answers the loads of a backlog. */
export class Table {
  readonly rows = new Map<number, Head>()
  now = 0
  /** A sweep has found what this transaction brought into line. */
  promoted: (xid: number) => void = () => {}
  newXid: () => number = () => 1 + Math.max(0, ...[...this.rows.values()].map(row => row.xid))
  readonly #pantry: Pantry

  constructor(pantry: Pantry) {
    this.#pantry = pantry
  }

  put(...heads: readonly Head[]): void {
    for (const head of heads) this.rows.set(head.id, head)
  }

  /** Reads now; what it read arrives, or is lost, when the test says so. */
  begin(load: Load): { arrive(): void; fail(): void } {
    const { known } = this.#pantry
    const ticket = known.started()
    const promotedXid = load.kind === 'promote' ? this.newXid() : null
    const answer = promotedXid === null ? this.#answer(load) : this.#promote(load, promotedXid)
    const ended = (end: () => void) => () => {
      end()
      known.ended(ticket)
      if (promotedXid !== null) this.promoted(promotedXid)
    }
    return { arrive: ended(answer), fail: ended(() => load.failed()) }
  }

  /** Runs loads until none is wanted any more. Gives back how many there were. */
  serve(backlog: { loads(now: number): Load[] }): number {
    let count = 0
    for (let loads = backlog.loads(this.now); loads.length > 0; loads = backlog.loads(this.now)) {
      for (const begun of loads.map(load => this.begin(load))) begun.arrive()
      count += loads.length
      if (count > 10_000) throw new Error('the loads never end')
    }
    return count
  }

  #answer(load: Load): Answer {
    if (load.kind === 'lane') {
      const { after, lane, limit } = load.request
      const rows = this.#ready(row => row.lane === lane && isAfter(row, after)).slice(0, limit)
      return () => load.done(rows)
    }
    if (load.kind === 'key') {
      const { after, key, limit } = load.request
      const rows = this.#ready(row => row.key === key && isAfter(row, after)).slice(0, limit)
      return () => load.done(rows)
    }
    if (load.kind === 'pinned') {
      const rows = this.#ready(row => row.pin !== null).sort((a, b) => a.pin! - b.pin!)
      return () => load.done(rows)
    }
    if (load.kind === 'due') {
      const { after, limit } = load.request
      const later = this.#delayed().filter(
        row => row.dueAt! > after.dueAt || (row.dueAt === after.dueAt && row.id > after.id),
      )
      const rows = later.filter(row => row.dueAt! <= this.now).slice(0, limit)
      const next = later[rows.length]?.dueAt ?? null
      return () => load.done(rows, next)
    }
    throw new Error(`no load of the kind ${load.kind} stands alone`)
  }

  #promote(load: Load, xid: number): Answer {
    for (const row of [...this.rows.values()])
      if (row.dueAt === null ? row.lane !== 0 : row.dueAt <= this.now)
        this.rows.set(row.id, { ...row, xid, dueAt: null, lane: 0 })
    const next = this.#delayed()[0]?.dueAt ?? null
    return () => load.kind === 'promote' && load.done(next, false)
  }

  #ready(where: (row: Head) => boolean): Head[] {
    const rows = [...this.rows.values()].filter(row => row.dueAt === null && where(row))
    return rows.sort((a, b) => a.xid - b.xid || a.id - b.id).map(row => ({ ...row }))
  }

  #delayed(): Head[] {
    const rows = [...this.rows.values()].filter(row => row.dueAt !== null)
    return rows.sort((a, b) => a.dueAt! - b.dueAt! || a.id - b.id).map(row => ({ ...row }))
  }
}

const isAfter = (row: Head, after: { xid: number; id: number }): boolean =>
  row.xid > after.xid || (row.xid === after.xid && row.id > after.id)

/** An engine of which only these parts may be called. */
export function engineOf(parts: Partial<PushEngine>): PushEngine {
  return new Proxy(parts as PushEngine, {
    get(target, name) {
      const part = target[name as keyof PushEngine]
      if (part === undefined) throw new Error(`the engine was asked for ${String(name)}`)
      return part
    },
  })
}

/** Of a queue that can use as many as there are. */
export const eager = (): number => Number.POSITIVE_INFINITY

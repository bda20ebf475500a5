/** Nodes at work on one engine in memory, in virtual time, with receivers that do what the test says. */
import { message } from '../src/engine/fixture.suite.ts'
import { createMemoryEngine } from '../src/engine/memory/engine.ts'
import { MemoryLocks } from '../src/engine/memory/locks.ts'
import type { Head, NewMessage, PutResult } from '../src/engine/port.ts'
import { silentLog } from '../src/log.ts'
import { WorkingNode } from '../src/run/node.ts'
import {
  type Decide,
  defaultLimits,
  type Limits,
  type Report,
  type Route,
  type Routes,
  silentHappenings,
  silentMeter,
} from '../src/run/port.ts'
import { reportOf, routeOf } from './run-room.ts'
import { Process, randomOf, VirtualTime } from './simulation/virtual-time.ts'

export const SHARDS = 4

export interface Attempt {
  readonly node: string
  readonly head: Head
  readonly nth: number
  readonly at: number
  /** Ends it; what follows is decided as webhooks do it. */
  end(outcome: Report['outcome'], fields?: Partial<Report>, restMs?: number): void
  /** No attempt was made after all. */
  giveBack(restMs?: number): void
}

export type Receiver = (attempt: Attempt) => void

interface Peculiarities {
  readonly locks?: null
  /** Hears no announcement. */
  readonly isEarless?: boolean
  readonly pollMs?: number
}

export class Room {
  readonly time = new VirtualTime()
  readonly process = new Process(this.time)
  readonly engine = createMemoryEngine({ shardCount: SHARDS, clock: this.process.clock })
  readonly locks = new MemoryLocks(this.engine.store)
  readonly routes = new Map<number, Route>()
  readonly attempts: Attempt[] = []
  readonly pauses: string[] = []
  /** Messages whose outcomes were told of. */
  readonly told: number[] = []
  readonly happened: string[] = []
  readonly announced: (readonly number[] | null)[] = []
  readonly nodes = new Map<string, WorkingNode<Route>>()
  receiver: Receiver = attempt => attempt.end('delivered')
  /** Answers of receivers take this long. */
  takesMs = 1
  maxRetries = 3

  add(id: number, fields: Partial<Route> = {}): void {
    this.routes.set(id, routeOf(id, fields))
  }

  open(id = 'a', limits: Partial<Limits> = {}, more: Peculiarities = {}) {
    const known = new Map<number, Route | null>()
    const node = new WorkingNode<Route>({
      id,
      engine: this.engine,
      locks: more.locks === null ? null : this.locks,
      routes: this.#routesOf(known),
      heardOf: ({ kind }) => kind === 'org' && known.clear(),
      delivery: {
        attempt: (route, head, nth, done) => {
          const { now } = this.time
          const end: Attempt['end'] = (outcome, fields = {}, restMs) => {
            const decide = this.#decide(route, head, nth, outcome)
            this.time.at(this.takesMs, () => done(reportOf(outcome, fields), decide, restMs))
          }
          const giveBack: Attempt['giveBack'] = restMs => {
            this.time.at(this.takesMs, () => done(null, this.#decide(route, head, nth, 'failed'), restMs))
          }
          const attempt = { node: id, head, nth, at: now, end, giveBack }
          this.attempts.push(attempt)
          this.receiver(attempt)
        },
      },
      clock: this.process.clock,
      log: silentLog,
      meter: silentMeter,
      happenings: {
        ...silentHappenings,
        breakerOpened: (queueId, reason) => this.happened.push(`${queueId} opened: ${reason}`),
        breakerClosed: queueId => this.happened.push(`${queueId} closed`),
      },
      limits: { ...defaultLimits, ...limits },
      random: randomOf(1),
      ownershipTimeoutMs: 3000,
      pollMs: more.pollMs ?? 800,
      pauseQueue: async (queueId, reason) => {
        this.pauses.push(reason)
        this.change(queueId, { isPaused: true })
      },
      announce: shards => {
        this.announced.push(shards)
        for (const [other, { heard }] of this.nodes)
          if (other !== id && !more.isEarless) heard.call(this.nodes.get(other), shards)
      },
      led: () => {},
      told: ({ id }) => this.told.push(id),
    })
    this.nodes.set(id, node)
    return node
  }

  async start(id = 'a', limits: Partial<Limits> = {}): Promise<WorkingNode<Route>> {
    const node = this.open(id, limits)
    await node.start()
    await this.pass(1500)
    return node
  }

  #routesOf(known: Map<number, Route | null>): Routes<Route> {
    return {
      get: id => known.get(id),
      load: async ids => {
        for (const id of ids) known.set(id, this.routes.get(id) ?? null)
      },
      forget: id => void known.delete(id),
    }
  }

  #decide(route: Route, head: Head, nth: number, outcome: Report['outcome']): Decide {
    return now => {
      if (outcome === 'delivered') return { verdict: { kind: 'delivered' }, pause: null }
      const at = Math.floor(now) + 100
      const inPlace = route.ordered === 'queue' || (route.ordered === 'key' && head.key !== null)
      if (outcome === 'gone') return { verdict: { kind: 'retry', at, inPlace }, pause: 'it is gone' }
      const { deadLetterQueueId } = route
      if (nth > this.maxRetries) return { verdict: { kind: 'dead', reason: 'failed', deadLetterQueueId }, pause: null }
      return { verdict: { kind: 'retry', at, inPlace }, pause: null }
    }
  }

  /** As queue/ does it: the configuration and its change in one commit. */
  change(queueId: number, fields: Partial<Route> | null): void {
    if (fields) this.routes.set(queueId, { ...this.routes.get(queueId)!, ...fields })
    else this.routes.delete(queueId)
    this.#note('queue', queueId, null)
  }

  /** As tenant/ does it. */
  changeOrg(orgId: number, fields: Partial<Route>): void {
    for (const [id, route] of this.routes) if (route.orgId === orgId) this.routes.set(id, { ...route, ...fields })
    this.#note('org', orgId, null)
  }

  cancel(id: number): void {
    const { store } = this.engine
    const row = store.live.get(id)!
    store.finish(row, 'cancelled', 'not wanted', row.attempts)
    this.#note('message', row.queueId, id)
  }

  #note(kind: 'queue' | 'message' | 'org', queueId: number, messageId: number | null): void {
    const { store } = this.engine
    const xid = store.begin()
    store.changes.push({ xid, change: { kind, queueId, messageId } })
    store.end(xid)
  }

  /** Stores in one commit; `through` is the node that is told, as the one that stored it. */
  async put(
    queueId: number,
    count = 1,
    fields: Partial<NewMessage> = {},
    through?: WorkingNode<Route>,
  ): Promise<number[]> {
    const messages = Array.from({ length: count }, () => message({ orgId: 1 }, queueId, { body: 'x', ...fields }))
    const results = await (through ?? this.engine).put(messages)
    return results.map((result: PutResult) => result.id)
  }

  async stop(node: WorkingNode<Route>): Promise<void> {
    const stopped = node.stop(10_000)
    await this.pass(200)
    await stopped
  }

  async pass(ms: number): Promise<void> {
    let isOver = false
    this.time.at(ms, () => {
      isOver = true
    })
    await this.time.run(ms, () => isOver)
  }

  get now(): number {
    return this.process.clock.now()
  }

  get started(): number[] {
    return this.attempts.map(({ head }) => head.id)
  }

  outcomeOf(id: number | undefined): string | undefined {
    return this.engine.store.live.has(id!) ? 'live' : this.engine.store.done.get(id!)?.outcome
  }
}

/** Leaves its attempts for the test to end. */
export const byHand: Receiver = () => {}

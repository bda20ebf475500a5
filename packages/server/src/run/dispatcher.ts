import type { Clock, Timer } from '../clock.ts'
import type { Change, Head, PushEngine, Sweep, Taken, Verdict } from '../engine/port.ts'
import type { Log } from '../log.ts'
import { UNSURE } from './backlog.ts'
import { Known } from './known.ts'
import { Loader } from './loader.ts'
import { Pantry } from './pantry.ts'
import type { Decide, Delivery, Limits, Meter, Report, Route, Routes } from './port.ts'
import { QueueRun } from './queue-run.ts'
import { Round } from './round.ts'
import { type Finished, Settler } from './settler.ts'
import { leaveBusy, newShard, type Shard } from './shard.ts'
import type { Sweeper } from './sweeper.ts'
import { Timetable } from './timetable.ts'
import { Unsure } from './unsure.ts'

export interface DispatcherOptions<R extends Route> {
  readonly engine: PushEngine
  readonly sweeper: Sweeper
  readonly routes: Routes<R>
  readonly delivery: Delivery<R>
  readonly clock: Clock
  readonly log: Log
  readonly meter: Meter
  readonly limits: Limits
  /** Whether this node may start attempts at this very moment (see ownership.ts). */
  readonly mayAct: () => boolean
  /** Records that a queue is paused, and why. */
  readonly pauseQueue: (queueId: number, reason: string) => Promise<void>
  /** These queues, here or elsewhere, have received dead letters. */
  readonly deadLettered: (queueIds: readonly number[]) => void
  /** The record says that another node has taken this shard. */
  readonly fenced: (shard: number) => void
}

const LOADS_AT_ONCE = 2
const QUEUES_PER_LOAD = 500
const WANT_EVERY = 64

/**
 * The dispatcher: a scheduler over the queues that have work, of the shards that this node owns.
 *
 * Guarantees that a message is started only while its shard is owned and `mayAct` says so, in its queue's order, and by
 * nobody else at the same time: what is in memory is known by id, and whatever a load brings of it is skipped. What is
 * not in memory is in the database, and a cursor, a due time or a hint says that it is there: nothing is stuck.
 *
 * It holds no backlog. Time, engine and sender are handed in, so that all of it runs in the simulation.
 */
export class Dispatcher<R extends Route> {
  readonly #options: DispatcherOptions<R>
  readonly #known = new Known()
  readonly #pantry: Pantry
  readonly #loader: Loader
  readonly #settler: Settler
  readonly #round: Round<R>
  readonly #unsure: Unsure<R>
  readonly #shards = new Map<number, Shard>()
  readonly #queues = new Map<number, QueueRun<R>>()
  readonly #wanting = new Set<QueueRun<R>>()
  readonly #unknown = new Set<number>()
  readonly #times = new Timetable<number>()
  #loading = 0
  #loadSoon = false
  #routing = false
  #pumpScheduled = false
  #timer: { readonly at: number; readonly timer: Timer } | null = null
  #stopped = false

  constructor(options: DispatcherOptions<R>) {
    this.#options = options
    const { engine, clock, log, meter, limits, sweeper } = options
    this.#pantry = new Pantry(this.#known, limits.bufferBytes)
    this.#loader = new Loader({ engine, known: this.#known, clock, log, promoted: () => sweeper.soon() })
    this.#round = new Round(limits.inFlight)
    this.#unsure = new Unsure({ engine, sweeper, clock, log, fixed: queue => this.#touch(queue) })
    this.#settler = new Settler({
      settle: (batch, again) => engine.settle(batch, again),
      clock,
      log,
      meter,
      settled: (finished, held) => this.#settled(finished, held),
      deadLettered: queueIds => this.#options.deadLettered(queueIds),
    })
  }

  get stats() {
    return {
      shards: this.#shards.size,
      queues: this.#queues.size,
      inFlight: this.#round.inFlight,
      unsettled: this.#settler.pending,
      known: this.#known.size,
      bufferBytes: this.#pantry.bytes,
    }
  }

  /** Shards whose news this node wants. */
  get shards(): number[] {
    return [...this.#shards.values()].filter(({ state }) => state === 'owned').map(({ shard }) => shard)
  }

  /** Begins to serve these shards. Attempts of an earlier holding go on as part of this one, if nobody held them in between. */
  own(taken: readonly Taken[]): void {
    for (const { shard, epoch, previousEpoch } of taken) {
      const before = this.#shards.get(shard)
      if (before?.state === 'lost' && before.epoch === previousEpoch) {
        before.epoch = epoch
        before.state = 'owned'
        before.isScanned = false
        continue
      }
      if (before) this.#leave(before)
      this.#shards.set(shard, newShard({ shard, epoch }))
    }
    void this.rescan(taken.map(({ shard }) => shard))
  }

  /** Looks at everything again from the beginning: after taking shards, and now and then as the last net. */
  async rescan(shards: readonly number[] = this.shards): Promise<void> {
    if (shards.length === 0) return
    // A look that began before these shards were wanted could step over what commits during the scan.
    await this.#options.sweeper.settled()
    try {
      for (const work of await this.#options.engine.findWork(shards)) {
        const queue = this.#queueOf(work.queueId)
        if (!queue) continue
        queue.restart(work)
        this.#touch(queue)
      }
      for (const shard of shards) this.#scanned(shard)
    } catch (error) {
      if (this.#stopped) return
      this.#options.log.warn({ err: error }, 'looking for work failed; trying again')
      this.#options.clock.setTimer(() => void this.rescan(shards.filter(shard => this.#shards.has(shard))), 500)
    }
  }

  /** Stops serving a shard in peace: resolves when its attempts under way are settled. */
  async release(shard: number): Promise<void> {
    const held = this.#shards.get(shard)
    if (!held || held.state !== 'owned') return
    held.state = 'draining'
    for (const queue of this.#queuesOf(held)) queue.backlog?.clear()
    if (held.busy > 0) await new Promise<void>(resolve => (held.drained = resolve))
    if (held.state === 'draining') this.#leave(held)
  }

  /** The locks are gone without notice: nothing more is started; what is under way goes on. */
  lose(): void {
    for (const shard of this.#shards.values()) if (shard.state === 'owned') shard.state = 'lost'
    for (const queue of this.#queues.values()) queue.backlog?.clear()
  }

  /** Messages that this node has just stored. */
  offer(heads: readonly Head[]): void {
    for (const head of heads) {
      const queue = this.#queueOf(head.queueId)
      if (!queue) continue
      if (queue.backlog && queue.isServed) queue.backlog.offer(head)
      else queue.find({ priority: head.priority, fromXid: head.dueAt === null ? head.xid : null, fromDue: head.dueAt })
      this.#touch(queue)
    }
  }

  /** What a look at the database found. */
  found({ found }: Sweep): void {
    for (const one of found) {
      const queue = this.#queueOf(one.queueId)
      if (!queue) continue
      queue.find(one)
      this.#touch(queue)
    }
    this.#options.meter.swept(found.length)
    this.#unsure.swept()
  }

  changed({ kind, queueId, messageId }: Change): void {
    const queue = this.#queues.get(queueId)
    if (!queue) return
    if (kind === 'message' && messageId !== null) queue.backlog?.drop(messageId)
    if (kind === 'purge') queue.backlog?.clear()
    if (kind === 'queue') this.#reroute(queue)
    this.#touch(queue)
  }

  /** Messages past their expiry that wait in the database: they end without an attempt. */
  expire(heads: readonly Head[]): void {
    for (const head of heads) {
      const queue = this.#queueOf(head.queueId)
      if (queue && this.#pantry.add(head)) {
        this.#pantry.started(head)
        this.#end(queue, head, { kind: 'expired', reason: 'not delivered in time' })
      }
    }
  }

  /** Takes queues that have been idle since the last call out of memory, and shards that are lost for good. */
  forgetIdle(): void {
    for (const shard of this.#shards.values()) if (shard.state === 'lost' && shard.busy === 0) this.#leave(shard)
    for (const [id, queue] of this.#queues) {
      if (queue.isIdle && queue.wasIdle) this.#queues.delete(id)
      queue.wasIdle = queue.isIdle
    }
  }

  /** This node may act again. */
  resume(): void {
    this.#runLoads()
    this.pump()
  }

  /** Starts whatever may be started now. */
  pump(): void {
    const { limits, mayAct } = this.#options
    const now = this.#options.sweeper.now()
    while (this.#settler.pending < limits.unsettled) {
      const queue = this.#round.next()
      if (!queue || this.#stopped) return
      if (!mayAct()) return this.#round.add(queue)
      this.#startNext(queue, now)
    }
  }

  /** Resolves when every outcome so far is settled. */
  async idle(): Promise<void> {
    await this.#settler.idle()
  }

  stop(): void {
    this.#stopped = true
    this.#timer?.timer.cancel()
    this.#settler.stop()
  }

  #startNext(queue: QueueRun<R>, now: number): void {
    if (!queue.mayStart) return
    const head = queue.backlog!.take(now, this.#options.sweeper.xmin)
    if (head === UNSURE) return this.#unsure.add(queue)
    if (head === null) return this.#want(queue)
    if (head.lost) this.#end(queue, head, { kind: 'dead', reason: 'its payload is gone', deadLetterQueueId: null })
    else if (head.expiresAt !== null && head.expiresAt <= now)
      this.#end(queue, head, { kind: 'expired', reason: 'not delivered in time' })
    else this.#start(queue, head, now)
    this.#round.add(queue)
    // Asked now and then, not for each message: a load brings many.
    if (queue.backlog!.waiting % WANT_EVERY === 0) this.#want(queue)
  }

  #start(queue: QueueRun<R>, head: Head, startedAt: number): void {
    const route = queue.route!
    queue.inFlight += 1
    queue.out.add(head)
    queue.shard.busy += 1
    this.#round.started()
    this.#options.delivery.attempt(route, head, head.attempts + 1, (report, decide) => {
      queue.inFlight -= 1
      this.#round.ended()
      this.#attempted(queue, route, head, startedAt, report, decide)
      this.#touch(queue)
      this.pump()
    })
  }

  #attempted(queue: QueueRun<R>, route: R, head: Head, startedAt: number, report: Report, decide: Decide): void {
    this.#options.meter.attempted(report.outcome, report.durationMs)
    if (report.outcome === 'delivered') queue.window.succeeded(route.concurrency)
    else queue.window.failed(report.timedOut)
    const { verdict, pause } = decide(this.#options.sweeper.now())
    if (pause !== null) this.#pause(queue, pause)
    this.#settler.add({
      head,
      shard: queue.shard,
      verdict,
      urgent: route.ordered !== 'none',
      attempt: {
        n: head.attempts + 1,
        startedAt,
        durationMs: report.durationMs,
        status: report.status,
        errorCode: report.errorCode,
        error: report.error,
        excerpt: report.excerpt,
        queueVersion: route.version,
      },
    })
  }

  /** Settles a message that is not attempted. */
  #end(queue: QueueRun<R>, head: Head, verdict: Verdict): void {
    queue.out.add(head)
    queue.shard.busy += 1
    this.#settler.add({ head, shard: queue.shard, verdict, attempt: null, urgent: false })
  }

  #settled(finished: readonly Finished[], held: (one: Finished) => boolean): void {
    const ours = finished.filter(({ shard }) => shard.state !== 'gone')
    this.#known.settled(ours.map(({ head }) => head))
    const touched = new Set<QueueRun<R>>()
    const fenced = new Set<Shard>()
    for (const one of finished) {
      const { head, shard, verdict } = one
      const queue = this.#queues.get(head.queueId)
      if (!held(one)) fenced.add(shard)
      if (queue?.out.delete(head)) {
        const retryAt = verdict.kind === 'retry' ? verdict.at : null
        queue.backlog?.settled(head, retryAt)
        queue.openBacklog()
        touched.add(queue)
      }
      leaveBusy(shard)
    }
    for (const shard of fenced) if (shard.state === 'owned') this.#fenced(shard)
    for (const queue of touched) this.#touch(queue)
    this.pump()
  }

  /** The record says that another node has the shard, or had: whoever holds the lock takes it anew (ownership.ts). */
  #fenced(shard: Shard): void {
    this.#options.log.warn({ shard: shard.shard }, 'the shard was taken by another node')
    shard.state = 'lost'
    for (const queue of this.#queuesOf(shard)) queue.backlog?.clear()
    this.#options.fenced(shard.shard)
  }

  #pause(queue: QueueRun<R>, reason: string): void {
    queue.isHeld = true
    queue.backlog?.clear()
    this.#options.pauseQueue(queue.id, reason).catch(error => {
      this.#options.log.error({ queueId: queue.id, err: error }, 'pausing the queue failed; it goes on')
      queue.isHeld = false
      this.#touch(queue)
    })
  }

  #queueOf(queueId: number): QueueRun<R> | null {
    const shard = this.#shards.get(queueId % this.#options.engine.shardCount)
    if (!shard || shard.state !== 'owned') return null
    let queue = this.#queues.get(queueId)
    if (!queue) {
      queue = new QueueRun(queueId, shard, this.#pantry)
      this.#queues.set(queueId, queue)
      this.#reroute(queue)
    }
    return queue
  }

  #scanned(id: number): void {
    const shard = this.#shards.get(id)
    if (!shard || shard.isScanned) return
    shard.isScanned = true
    for (const queue of this.#queuesOf(shard)) this.#touch(queue)
  }

  #queuesOf(shard: Shard): QueueRun<R>[] {
    return [...this.#queues.values()].filter(queue => queue.shard === shard)
  }

  /** This holding is over. Its messages still under way belong to whoever comes next. */
  #leave(shard: Shard): void {
    shard.state = 'gone'
    if (this.#shards.get(shard.shard) === shard) this.#shards.delete(shard.shard)
    for (const queue of this.#queuesOf(shard)) {
      queue.backlog?.clear()
      for (const { id } of queue.out) this.#known.release(id)
      this.#queues.delete(queue.id)
      this.#times.set(queue.id, null)
    }
  }

  /** Gets the queue's configuration, now if it is in memory, else soon. */
  #reroute(queue: QueueRun<R>): void {
    const route = this.#options.routes.get(queue.id)
    if (route) {
      queue.isHeld = false
      queue.configure(route)
    } else if (route === undefined) {
      this.#unknown.add(queue.id)
      if (!this.#routing) void this.#loadRoutes()
    } else {
      queue.backlog?.clear()
      queue.route = null
    }
  }

  async #loadRoutes(): Promise<void> {
    this.#routing = true
    while (this.#unknown.size > 0 && !this.#stopped) {
      const ids = [...this.#unknown].slice(0, QUEUES_PER_LOAD)
      try {
        await this.#options.routes.load(ids)
      } catch (error) {
        this.#options.log.warn({ err: error }, 'loading queues failed; trying again')
        await new Promise<void>(resolve => this.#options.clock.setTimer(resolve, 500))
        continue
      }
      for (const id of ids) {
        this.#unknown.delete(id)
        const queue = this.#queues.get(id)
        if (!queue) continue
        const route = this.#options.routes.get(id)
        if (route) queue.configure(route)
        this.#touch(queue)
      }
    }
    this.#routing = false
    this.pump()
  }

  /** Something happened to this queue: it may have a message to start, want a load, or wait for a time. */
  #touch(queue: QueueRun<R>): void {
    if (queue.mayStart) this.#round.add(queue)
    this.#want(queue)
    this.#pumpSoon()
  }

  #want(queue: QueueRun<R>): void {
    if (!queue.isServed || !queue.backlog) return
    this.#times.set(queue.id, queue.backlog.nextAt(this.#options.sweeper.now()))
    this.#arm()
    this.#wanting.add(queue)
    this.#runLoads()
  }

  /** One round for everything that happens in one turn. */
  #pumpSoon(): void {
    if (this.#pumpScheduled) return
    this.#pumpScheduled = true
    queueMicrotask(() => {
      this.#pumpScheduled = false
      this.pump()
    })
  }

  #runLoads(): void {
    if (this.#loadSoon || this.#loading >= LOADS_AT_ONCE || this.#wanting.size === 0) return
    this.#loadSoon = true
    queueMicrotask(() => {
      this.#loadSoon = false
      void this.#load()
    })
  }

  async #load(): Promise<void> {
    const now = this.#options.sweeper.now()
    if (!this.#options.mayAct()) return
    const queues: QueueRun<R>[] = []
    const loads = []
    for (const queue of this.#wanting) {
      this.#wanting.delete(queue)
      const wanted = queue.loads(now)
      if (wanted.length === 0) continue
      loads.push(...wanted)
      queues.push(queue)
      if (queues.length >= QUEUES_PER_LOAD) break
    }
    if (loads.length === 0) return
    this.#loading += 1
    await this.#loader.run(loads)
    this.#loading -= 1
    for (const queue of queues) this.#touch(queue)
    this.#runLoads()
  }

  /** One timer for the earliest of all times that queues wait for. */
  #arm(): void {
    const at = this.#times.next()
    if (at === null || this.#stopped || (this.#timer && this.#timer.at <= at)) return
    this.#timer?.timer.cancel()
    const delayMs = Math.max(1, at - this.#options.sweeper.now())
    this.#timer = { at, timer: this.#options.clock.setTimer(() => this.#ring(), delayMs) }
  }

  #ring(): void {
    this.#timer = null
    for (const id of this.#times.take(this.#options.sweeper.now())) {
      const queue = this.#queues.get(id)
      if (queue) this.#touch(queue)
    }
    this.#arm()
  }
}

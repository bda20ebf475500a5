import { laneOf } from '../engine/lane.ts'
import type { Change, Head, PushEngine, Sweep, Taken, Verdict } from '../engine/port.ts'
import { UNSURE } from './backlog.ts'
import { Feeder } from './feeder.ts'
import { Gates } from './gates.ts'
import { Headroom } from './headroom.ts'
import { Holdings } from './holdings.ts'
import { Known } from './known.ts'
import { Loader } from './loader.ts'
import { Pace } from './pace.ts'
import { Pantry } from './pantry.ts'
import type { Decide, DispatcherOptions, Report, Route } from './port.ts'
import { type QueueRun, waitOf } from './queue-run.ts'
import { Round } from './round.ts'
import { Router } from './router.ts'
import { type Finished, Settler } from './settler.ts'
import { leaveBusy, type Shard } from './shard.ts'
import { Unsure } from './unsure.ts'

const RETRY_MS = 500
/** Asked now and then, not for each message: a load brings many. */
const WANT_EVERY = 64
/** No socket or memory: this node's own fault. */
const EXHAUSTED = 'resources'
const LATE = { kind: 'expired', reason: 'not delivered in time' } as const
const LOST = { kind: 'dead', reason: 'its payload is gone', deadLetterQueueId: null } as const

/**
 * The dispatcher: a scheduler over the queues that have work, of the shards that this node owns.
 *
 * Guarantees that a message is started only while its shard is owned and `mayAct` says so, in its queue's order, and by
 * nobody else at the same time: what is in memory is known by id, and whatever a load brings of it is skipped. What is
 * not in memory is in the database, and a cursor or a due time says that it is there: nothing is stuck.
 *
 * It holds no backlog. Time, engine and sender are handed in, so that all of it runs in the simulation.
 */
export class Dispatcher<R extends Route> {
  readonly #options: DispatcherOptions<R>
  readonly #known = new Known()
  readonly #pantry: Pantry
  readonly #holdings: Holdings<R>
  readonly #router: Router<R>
  readonly #feeder: Feeder<R>
  readonly #settler: Settler
  readonly #round: Round<R>
  readonly #pace: Pace
  readonly #gates: Gates<R>
  readonly #unsure: Unsure<R>
  readonly #headroom: Headroom
  #isPumpScheduled = false
  #stopped = false

  constructor(options: DispatcherOptions<R>) {
    this.#options = options
    const { engine, clock, log, meter, happenings, limits, sweeper, mayAct, routes, deadLettered } = options
    const known = this.#known
    const touch = (queue: QueueRun<R>): void => this.#touch(queue)
    const pantry = new Pantry(known, limits.bufferBytes)
    this.#pantry = pantry
    this.#holdings = new Holdings({
      shardCount: engine.shardCount,
      known,
      pantry,
      opened: queue => this.#router.route(queue),
      closed: queue => {
        this.#feeder.forget(queue)
        this.#gates.forget(queue)
      },
    })
    this.#router = new Router({ routes, clock, log, routed: touch })
    const loader = new Loader({ engine, known, clock, log, promoted: () => sweeper.soon() })
    this.#feeder = new Feeder({ loader, pantry, clock, now: () => sweeper.now(), mayAct, fed: touch })
    this.#pace = new Pace({ clock, passed: () => this.pump() })
    this.#round = new Round(limits.inFlight, limits.sockets, this.#pace)
    this.#gates = new Gates({ clock, happenings, opened: touch })
    const unsettled = () => this.#settler.pending
    this.#headroom = new Headroom({ clock, log, limits, known, unsettled, passed: () => this.pump() })
    this.#unsure = new Unsure({ engine, sweeper, clock, log, fixed: touch })
    const settle: PushEngine['settle'] = (batch, again) => engine.settle(batch, again)
    const settled = (over: readonly Finished[], held: (one: Finished) => boolean) => this.#settled(over, held)
    this.#settler = new Settler({ settle, clock, log, meter, happenings, settled, deadLettered })
  }

  get stats() {
    return {
      ...this.#holdings.size,
      inFlight: this.#round.inFlight,
      unsettled: this.#settler.pending,
      known: this.#known.size,
      bufferBytes: this.#pantry.bytes,
      openCircuits: this.#gates.openCircuits,
    }
  }

  /** How long the oldest message of each queue had waited, as far as it did, at the last rescan. */
  get waits(): ReadonlyMap<number, number> {
    return this.#holdings.waits
  }

  /** Shards whose news this node wants. */
  get shards(): number[] {
    return this.#holdings.owned
  }

  /** Begins to serve these shards. */
  own(taken: readonly Taken[]): void {
    for (const one of taken) this.#holdings.take(one)
    void this.rescan(taken.map(({ shard }) => shard))
  }

  /** Looks at everything again from the beginning: after taking shards, and now and then as the last net. */
  async rescan(shards: readonly number[] = this.shards): Promise<void> {
    if (shards.length === 0 || this.#stopped) return
    // A look that began before these shards were wanted could step over what commits during the scan.
    await this.#options.sweeper.settled()
    try {
      const works = await this.#options.engine.findWork(shards)
      const now = this.#options.sweeper.now()
      for (const queue of this.#holdings.ofShards(shards)) queue.waitedMs = 0
      for (const work of works) {
        const queue = this.#holdings.open(work.queueId, laneOf(work.slice, 0))
        if (!queue) continue
        if (!queue.route) this.#router.route(queue)
        queue.waitedMs = waitOf(work, now)
        queue.restart(work)
        this.#touch(queue)
      }
      for (const queue of this.#holdings.scanned(shards)) this.#touch(queue)
    } catch (error) {
      if (this.#stopped) return
      this.#options.log.warn({ err: error }, 'looking for work failed; trying again')
      const again = (): void => void this.rescan(shards.filter(shard => this.#holdings.holds(shard)))
      this.#options.clock.setTimer(again, RETRY_MS)
    }
  }

  /** Stops serving a shard in peace: resolves when its attempts under way are settled. */
  release(shard: number): Promise<void> {
    return this.#holdings.release(shard)
  }

  /** The locks are gone without notice: nothing more is started; what is under way goes on. */
  lose(): void {
    this.#holdings.lose()
  }

  /** A put of this node begins. Gives the ticket for `offer` and `putEnded`. */
  putStarted(): number {
    return this.#known.started()
  }

  putEnded(ticket: number): void {
    const wasFull = this.#headroom.isFull
    this.#known.ended(ticket)
    if (wasFull) this.pump()
  }

  /** Messages that this node has just stored. What may have changed since the put began is read from the table instead. */
  offer(heads: readonly Head[], ticket: number): void {
    for (const head of heads) {
      const queue = this.#holdings.open(head.queueId, head.lane)
      if (!queue) continue
      if (queue.backlog && queue.isServed && queue.isUndisturbed(ticket)) queue.backlog.offer(head)
      else queue.readLater(head)
      this.#touch(queue)
    }
  }

  /** What a look at the database found. */
  found({ found }: Sweep): void {
    for (const one of found) {
      const queue = this.#holdings.open(one.queueId, one.lane)
      if (!queue) continue
      queue.find(one)
      this.#touch(queue)
    }
    this.#options.meter.swept(found.length)
    this.#unsure.swept()
  }

  changed({ kind, queueId, messageId }: Change): void {
    if (kind === 'org') for (const queue of this.#holdings.ofOrg(queueId)) this.#router.route(queue)
    if (kind === 'org' || kind === 'tenant') return
    for (const queue of this.#holdings.ofQueue(queueId)) {
      if (kind === 'message' && messageId !== null) queue.drop(messageId)
      if (kind === 'purge') queue.purge()
      if (kind === 'queue') this.#router.route(queue)
      this.#touch(queue)
    }
  }

  /** Messages past their expiry that wait in the database end without an attempt. Gives back how many, `most` at most. */
  async expire(most: number): Promise<number> {
    const { shards } = this
    if (shards.length === 0 || this.#headroom.isFull) return 0
    const ticket = this.#known.started()
    try {
      const heads = await this.#options.engine.loadExpired(shards, most)
      return heads.filter(head => this.#expire(head)).length
    } finally {
      this.putEnded(ticket)
    }
  }

  #expire(head: Head): boolean {
    const queue = this.#holdings.open(head.queueId, head.lane)
    if (!queue) return false
    // In memory, where it may wait for the gate for long.
    if (queue.gate) queue.drop(head.id)
    if (!this.#pantry.add(head)) return false
    this.#pantry.started(head)
    this.#end(queue, head, LATE)
    return true
  }

  forgetIdle(): void {
    this.#holdings.forgetIdle(this.#options.clock.monotonic())
  }

  /** This node may act again. */
  resume(): void {
    this.#feeder.resume()
    this.pump()
  }

  /** Starts whatever may be started now. */
  pump(): void {
    const { mayAct } = this.#options
    const now = this.#options.sweeper.now()
    while (!this.#stopped && this.#headroom.allows(this.#round.inFlight)) {
      const queue = this.#round.next()
      if (!queue) return
      if (!mayAct()) {
        this.#round.add(queue)
        return
      }
      this.#startNext(queue, now)
    }
  }

  stop(): void {
    this.#stopped = true
    this.#headroom.stop()
    this.#pace.stop()
    this.#feeder.stop()
    this.#gates.stop()
    this.#router.stop()
    this.#settler.stop()
  }

  #startNext(queue: QueueRun<R>, now: number): void {
    if (!queue.mayStart || !this.#gates.admits(queue)) return
    const head = queue.backlog!.take(now, this.#options.sweeper.xmin)
    if (head === UNSURE) {
      this.#unsure.add(queue)
      return
    }
    if (head === null) {
      this.#feeder.want(queue)
      return
    }
    if (head.lost) this.#end(queue, head, LOST)
    else if (head.expiresAt !== null && head.expiresAt <= now) this.#end(queue, head, LATE)
    else this.#start(queue, head, now)
    this.#round.add(queue)
    if (queue.backlog!.waiting % WANT_EVERY === 0) this.#feeder.want(queue)
  }

  #start(queue: QueueRun<R>, head: Head, startedAt: number): void {
    const route = queue.route!
    queue.inFlight += 1
    queue.out.add(head)
    queue.shard.busy += 1
    this.#round.started(queue)
    this.#gates.started(queue, head)
    this.#options.delivery.attempt(route, head, head.attempts + 1, (report, decide, restMs) => {
      queue.inFlight -= 1
      if (report === null) this.#withdrawn(queue, head)
      else this.#attempted(queue, route, head, startedAt, report, decide)
      if (restMs !== undefined) this.#gates.rest(queue, restMs)
      this.#round.ended(queue)
      this.#consider(queue)
      this.pump()
    })
  }

  #attempted(queue: QueueRun<R>, route: R, head: Head, startedAt: number, report: Report, decide: Decide): void {
    const { outcome, timedOut, isOwnFault, status, errorCode, error, excerpt, durationMs } = report
    const isExhausted = errorCode === EXHAUSTED
    this.#options.meter.attempted(head, report, startedAt)
    if (outcome === 'delivered' || isOwnFault) queue.window.succeeded(route.concurrency)
    else if (!isExhausted) queue.window.failed(timedOut)
    this.#headroom.attempted(isExhausted, this.#round.inFlight)
    this.#gates.ended(queue, head, report)
    const { verdict, pause } = decide(this.#options.sweeper.now())
    if (pause !== null) this.#pause(queue, pause)
    const { version: queueVersion } = route
    const n = head.attempts + 1
    const attempt = { n, startedAt, durationMs, status, errorCode, error, excerpt, queueVersion }
    this.#settler.add({ head, shard: queue.shard, verdict, attempt, urgent: route.ordered !== 'none' })
  }

  /** No attempt was made: the message stands in the table as it was, and is read again when its queue may go on. */
  #withdrawn(queue: QueueRun<R>, head: Head): void {
    this.#gates.withdrawn(queue, head)
    if (queue.out.delete(head) && queue.shard.state !== 'gone') {
      this.#known.release(head.id)
      queue.backlog?.settled(head, null)
      queue.openBacklog()
      queue.readLater(head)
    }
    leaveBusy(queue.shard)
  }

  /** Settles a message that is not attempted. */
  #end(queue: QueueRun<R>, head: Head, verdict: Verdict): void {
    queue.out.add(head)
    queue.shard.busy += 1
    this.#settler.add({ head, shard: queue.shard, verdict, attempt: null, urgent: false })
  }

  #settled(finished: readonly Finished[], held: (one: Finished) => boolean): void {
    const fenced = this.#forget(finished, held)
    const touched = new Set<QueueRun<R>>()
    for (const { head, shard, verdict } of finished) {
      const queue = this.#holdings.get(head.queueId, head.lane)
      if (queue?.out.delete(head)) {
        queue.backlog?.settled(head, verdict.kind === 'retry' ? verdict.at : null)
        queue.openBacklog()
        touched.add(queue)
      }
      leaveBusy(shard)
    }
    for (const shard of fenced) if (shard.state === 'owned') this.#fenced(shard)
    for (const queue of touched) this.#touch(queue)
    this.pump()
  }

  /**
   * These are not in memory any more, before anybody is told. A message that was left alone stands in the table as it was:
   * the next load must bring it. Gives the shards of such.
   */
  #forget(finished: readonly Finished[], held: (one: Finished) => boolean): ReadonlySet<Shard> {
    const recorded: Finished[] = []
    const fenced = new Set<Shard>()
    for (const one of finished) {
      const { head, shard } = one
      if (held(one)) recorded.push(one)
      else {
        fenced.add(shard)
        if (shard.state !== 'gone') this.#known.release(head.id)
      }
    }
    this.#known.settled(recorded.flatMap(({ head, shard }) => (shard.state === 'gone' ? [] : head)))
    const { told } = this.#options
    if (told) for (const { head } of recorded) told(head)
    return fenced
  }

  /** The record says that another node has the shard, or had: whoever holds the lock takes it anew (ownership.ts). */
  #fenced(shard: Shard): void {
    this.#options.log.warn({ shard: shard.shard }, 'the shard was taken by another node')
    this.#holdings.loseOne(shard)
    this.#options.fenced(shard.shard)
  }

  #pause(queue: QueueRun<R>, reason: string): void {
    queue.hold()
    this.#options
      .pauseQueue(queue.id, reason)
      .catch(error => {
        this.#options.log.error({ queueId: queue.id, err: error }, 'pausing the queue failed; it goes on')
      })
      .then(() => {
        // Whatever the record says now: a queue must not stand still with nobody knowing why.
        this.#options.routes.forget(queue.id)
        this.#router.route(queue)
        this.#touch(queue)
      })
  }

  #consider(queue: QueueRun<R>): void {
    if (queue.mayStart && this.#gates.admits(queue)) this.#round.add(queue)
    this.#feeder.want(queue)
  }

  /** Something happened to this queue: it may have a message to start, want a load, or wait for a time. */
  #touch(queue: QueueRun<R>): void {
    this.#consider(queue)
    if (this.#isPumpScheduled) return
    // One round for everything that happens in one turn.
    this.#isPumpScheduled = true
    queueMicrotask(() => {
      this.#isPumpScheduled = false
      this.pump()
    })
  }
}

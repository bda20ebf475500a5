import type { Clock } from '../clock.ts'
import { Alarm } from './alarm.ts'
import type { Sign } from './breaker.ts'
import type { Happenings, Report, Route } from './port.ts'
import type { QueueRun } from './queue-run.ts'

export interface GatesOptions<R extends Route> {
  readonly clock: Clock
  readonly happenings: Happenings
  /** This queue's time has come. */
  readonly opened: (queue: QueueRun<R>) => void
}

/** Attempts that ended so tell of this node, not of the receiver. */
const OWN_FAULTS = new Set(['resources', 'shutdown'])

/**
 * The gates of all queues of this node: which may start a message now, and when the others may.
 *
 * A queue that waits for its gate is in no round, holds no socket and is looked at by nobody until its time comes.
 */
export class Gates<R extends Route> {
  readonly #options: GatesOptions<R>
  readonly #alarm: Alarm<QueueRun<R>>
  /** Queues whose circuit was open when last looked at. */
  readonly #open = new Set<QueueRun<R>>()

  constructor(options: GatesOptions<R>) {
    this.#options = options
    const { clock, opened } = options
    this.#alarm = new Alarm({ clock, now: () => clock.monotonic(), ring: opened })
  }

  /** How many circuits are open. */
  get openCircuits(): number {
    let count = 0
    for (const { gate } of this.#open) if (gate?.isOpenCircuit) count += 1
    return count
  }

  /** Whether this queue may start a message now. If not, it is heard of again when it may. */
  admits(queue: QueueRun<R>): boolean {
    const { gate } = queue
    if (this.#open.size > 0) this.#review(queue)
    if (gate === null) return true
    const { opensAt } = gate
    if (opensAt <= this.#options.clock.monotonic()) return true
    const isWanted = queue.backlog?.isIdle() === false && opensAt < Number.POSITIVE_INFINITY
    this.#alarm.set(queue, isWanted ? opensAt : null)
    return false
  }

  started(queue: QueueRun<R>, message: object): void {
    queue.gate?.started(message, this.#options.clock.monotonic())
  }

  /** No attempt was made of it after all. */
  withdrawn(queue: QueueRun<R>, message: object): void {
    queue.gate?.ended(message, 'nothing', this.#options.clock.monotonic())
  }

  /** Its service asked for it. */
  rest(queue: QueueRun<R>, ms: number): void {
    queue.gate?.rest(this.#options.clock.monotonic() + ms)
  }

  ended(queue: QueueRun<R>, message: object, report: Report): void {
    if (queue.gate === null) return
    const change = queue.gate.ended(message, signOf(report), this.#options.clock.monotonic())
    if (change === 'opened') {
      // What waits in memory may wait there for long: it is read again when it is wanted.
      queue.backlog?.clear()
      this.#open.add(queue)
      this.#options.happenings.breakerOpened(queue.id, reasonOf(queue, report))
    } else if (change === 'closed') this.#review(queue)
  }

  /** A circuit is closed by a probe, or because the queue was resumed or is configured otherwise now. */
  #review(queue: QueueRun<R>): void {
    if (queue.gate?.isOpenCircuit || !this.#open.delete(queue)) return
    if (!this.#isOpenElsewhere(queue)) this.#options.happenings.breakerClosed(queue.id)
  }

  /** Of a queue that is spread, the circuit of another slice: whoever was told that it opened is told when the last closes. */
  #isOpenElsewhere({ id, slice, route }: QueueRun<R>): boolean {
    if (slice === 0 && (route?.spread ?? 1) === 1) return false
    for (const other of this.#open) if (other.id === id && other.gate?.isOpenCircuit) return true
    return false
  }

  forget(queue: QueueRun<R>): void {
    this.#alarm.set(queue, null)
    this.#open.delete(queue)
  }

  stop(): void {
    this.#alarm.stop()
  }
}

function signOf({ outcome, errorCode, isOwnFault }: Report): Sign {
  if (outcome === 'delivered' || isOwnFault) return 'well'
  return errorCode !== null && OWN_FAULTS.has(errorCode) ? 'nothing' : 'ill'
}

function reasonOf({ route }: QueueRun<Route>, { error, errorCode, status }: Report): string {
  const count = route?.circuitBreaker?.failures ?? 0
  const last = error ?? errorCode ?? (status === null ? 'no reason given' : `status ${status}`)
  return `${count === 1 ? 'an attempt' : `${count} attempts in a row`} failed; the last: ${last}`
}

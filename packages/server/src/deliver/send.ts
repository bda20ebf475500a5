import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'
import { Attempt, type Workplace } from './attempt.ts'
import { Deadlines } from './deadlines.ts'
import type { AddressGuard } from './guard.ts'
import { Origins } from './origins.ts'
import type { Failure } from './outcome.ts'
import type { Outcome, OutgoingRequest, Sender } from './port.ts'
import { Targets } from './target.ts'

export interface SenderOptions {
  readonly clock: Clock
  readonly log: Log
  readonly guard: AddressGuard
  /** Connections to one scheme, host and port at a time. */
  readonly connectionsPerOrigin?: number
  /** Origins whose connections are kept although nothing is sent to them. */
  readonly maxOrigins?: number
  /** Connections at a time, those that are kept without use among them. */
  readonly maxSockets?: number
  readonly idleOriginMs?: number
  /** For DNS, TCP and TLS together, within the time of the attempt. */
  readonly connectTimeoutMs?: number
  /** How much of a response's body an outcome shows. */
  readonly excerptBytes?: number
  /** How much of a response's body is read before the status alone decides. */
  readonly maxResponseBytes?: number
  /** Certificate authorities to trust instead of the system's, PEM. */
  readonly ca?: string
}

const STOPPED: Failure = { code: 'shutdown', error: 'this node stopped before the receiver answered' }

/** A sender over HTTP/1.1; see attempt.ts for what an attempt guarantees, origins.ts for connections. */
export function createSender(options: SenderOptions): Sender {
  return new HttpSender(options)
}

class HttpSender implements Sender {
  readonly #place: Workplace
  #stopping: Promise<void> | null = null
  #drained: (() => void) | null = null

  constructor(options: SenderOptions) {
    const { clock, log, guard } = options
    this.#place = {
      clock,
      log,
      targets: new Targets(guard),
      deadlines: new Deadlines(clock),
      origins: new Origins({
        clock,
        guard,
        connectionsPerOrigin: options.connectionsPerOrigin ?? 256,
        maxOrigins: options.maxOrigins ?? 1024,
        maxSockets: options.maxSockets ?? 5000,
        idleMs: options.idleOriginMs ?? 60_000,
        connectTimeoutMs: options.connectTimeoutMs ?? 10_000,
        ca: options.ca,
      }),
      excerptBytes: options.excerptBytes ?? 1024,
      maxResponseBytes: options.maxResponseBytes ?? 65_536,
      left: () => {
        if (this.#drained !== null && this.#place.deadlines.size === 0) this.#drained()
      },
    }
  }

  get sockets(): number {
    return this.#place.origins.lanes
  }

  send(request: OutgoingRequest, done: (outcome: Outcome) => void): void {
    const attempt = new Attempt(this.#place, request, done)
    if (this.#stopping === null) attempt.begin()
    else queueMicrotask(() => attempt.fail(STOPPED))
  }

  stop(deadlineMs: number): Promise<void> {
    this.#stopping ??= this.#stop(deadlineMs)
    return this.#stopping
  }

  async #stop(deadlineMs: number): Promise<void> {
    const { clock, deadlines, origins } = this.#place
    if (deadlines.size > 0) {
      await new Promise<void>(resolve => {
        const timer = clock.setTimer(resolve, deadlineMs)
        this.#drained = () => {
          timer.cancel()
          resolve()
        }
      })
      this.#drained = null
    }
    // Those in line go before the lanes do that they wait for.
    const attempts = deadlines.members()
    for (const attempt of attempts) if (attempt.isInLine) attempt.fail(STOPPED)
    for (const attempt of attempts) attempt.fail(STOPPED)
    deadlines.stop()
    await origins.stop()
  }
}

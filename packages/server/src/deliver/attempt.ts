import type { Dispatcher } from 'undici'
import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'
import type { Bounded, Deadlines } from './deadlines.ts'
import { findHopByHop } from './header-rules.ts'
import type { Lane, LaneUser, Origins } from './origins.ts'
import { classify, type Failure, failedOutcome } from './outcome.ts'
import type { Outcome, OutgoingRequest } from './port.ts'
import { followRedirect, type Hop, isRedirect, MAX_REDIRECTS, tooManyRedirects } from './redirect.ts'
import { parseRetryAfter } from './retry-after.ts'
import type { Target, Targets } from './target.ts'

/** What all attempts of a sender share. */
export interface Workplace {
  readonly clock: Clock
  readonly log: Log
  readonly targets: Targets
  readonly origins: Origins
  readonly deadlines: Deadlines<Attempt>
  readonly excerptBytes: number
  readonly maxResponseBytes: number
  /** Called after every attempt. */
  left(): void
}

/**
 * One attempt, and the handler of its requests in undici.
 *
 * Guarantees one outcome, never while `begin` is still running, and that nothing of the attempt is left when it comes:
 * its lane is back or destroyed. That holds because every way out goes through `#settle`, which works once, and because
 * a request that is given up is aborted first, after which undici is silent about it.
 *
 *   waiting for a lane ──▶ connecting ──▶ sent ──▶ answered ──▶ settled          (a redirect begins again at waiting)
 *
 * The status decides once the whole response was read, or more of it than anybody wants. A response that breaks off or
 * does not end in time is a failure even under a 200: the receiver may have died over it, and a duplicate is the lesser evil.
 */
export class Attempt implements Dispatcher.DispatchHandler, LaneUser, Bounded {
  readonly deadline: number
  slot = -1
  settled = false
  readonly #place: Workplace
  readonly #request: OutgoingRequest
  readonly #done: (outcome: Outcome) => void
  readonly #startedAt: number
  #hop: Hop
  #hops = 0
  #target: Target | null = null
  #lane: Lane | null = null
  #controller: Dispatcher.DispatchController | null = null
  /** `settle` was reached inside `begin` or inside undici's `dispatch`: the outcome must wait for the stack to unwind. */
  #unwinding = false
  #fresh = true
  #answered = false
  #status: number | null = null
  #location: string | null = null
  #retryAfterMs: number | null = null
  #head: Buffer | null = null
  #received = 0

  constructor(place: Workplace, request: OutgoingRequest, done: (outcome: Outcome) => void) {
    this.#place = place
    this.#request = request
    this.#hop = request
    this.#done = done
    this.#startedAt = place.clock.monotonic()
    this.deadline = this.#startedAt + request.timeoutMs
  }

  /** Has no connection, and waits for one. */
  get isInLine(): boolean {
    return this.#lane === null
  }

  begin(): void {
    this.#place.deadlines.add(this)
    this.#unwinding = true
    const wrong = findHopByHop(this.#hop.headers)
    if (wrong !== null) this.fail({ code: 'invalid_request', error: `the header ${wrong} cannot be given` })
    else if (this.#hop.method === 'CONNECT') this.fail({ code: 'invalid_request', error: 'CONNECT cannot be used' })
    else this.#leave(this.#hop)
    this.#unwinding = false
  }

  /** Ends the attempt now, whatever it is doing. */
  fail(failure: Failure): void {
    this.#settle(failedOutcome(failure, this.#elapsed(), this.#status))
  }

  expire(): void {
    const host = this.#target?.host ?? 'the receiver'
    const within = `within ${this.#request.timeoutMs} ms`
    if (this.#lane === null) this.fail({ code: 'busy', error: `${host}: no connection became free ${within}` })
    else if (this.#controller === null) this.fail({ code: 'timeout', error: `${host}: no connection ${within}` })
    else if (this.#status === null) this.fail({ code: 'timeout', error: `${host}: no answer ${within}` })
    else this.fail({ code: 'timeout', error: `${host}: the response did not end ${within}` })
  }

  /** Sends the current hop. */
  go(lane: Lane): void {
    const unwinding = this.#unwinding
    this.#lane = lane
    this.#controller = null
    this.#unwinding = true
    const { method, headers, body } = this.#hop
    // undici would make the origin anew from its URL for each request.
    const { origin, path } = this.#target!
    lane.client.dispatch({ origin, path, method, headers: headers as string[], body }, this)
    this.#unwinding = unwinding
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    this.#fresh = this.#lane !== null && this.#lane.uses++ === 0
  }

  /** The first byte of a response is here. */
  onResponseStarted(): void {
    this.#answered = true
  }

  onResponseStart(
    _: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    if (status < 200) return
    this.#status = status
    if (status < 300) return
    this.#location = first(headers.location)
    const retryAfter = first(headers['retry-after'])
    if (retryAfter !== null) this.#retryAfterMs = parseRetryAfter(retryAfter, this.#place.clock.now())
  }

  onResponseData(_: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#lane === null) return
    const { excerptBytes, maxResponseBytes } = this.#place
    if (this.#received < excerptBytes) {
      // A copy: the chunk is a view of everything that came with it.
      const part = chunk.subarray(0, excerptBytes - this.#received)
      this.#head = this.#head === null ? Buffer.from(part) : Buffer.concat([this.#head, part])
    }
    this.#received += chunk.length
    if (this.#received > maxResponseBytes) this.#complete()
  }

  onResponseEnd(): void {
    const lane = this.#lane
    if (lane === null) return
    this.#lane = null
    this.#place.origins.release(lane)
    this.#complete()
  }

  onResponseError(_: Dispatcher.DispatchController | undefined, error: Error): void {
    const lane = this.#lane
    if (this.settled || lane === null) return
    const failure = classify(error, this.#target!.host, this.#controller !== null)
    /*
     * A connection that had been idle and is closed before the first byte of an answer: the receiver let go of it just
     * as we wrote. That says nothing about the receiver, so the same attempt tries once more on a connection of its
     * own. Should the request have arrived all the same, the repeated webhook-id tells. On a new connection, and so in
     * the second try, the same end is the receiver's doing, and a failure.
     */
    if (failure.code === 'reset' && !this.#fresh && !this.#answered) {
      this.go(this.#place.origins.renew(lane))
      return
    }
    this.fail(failure)
  }

  /** The response is here, or as much of it as is wanted. */
  #complete(): void {
    const status = this.#status!
    if (!this.#request.followRedirects || this.#location === null || !isRedirect(status)) {
      this.#settle(this.#answerOutcome(status))
      return
    }
    const next = this.#hops < MAX_REDIRECTS ? followRedirect(this.#hop, status, this.#location) : tooManyRedirects()
    if ('code' in next) this.fail(next)
    else this.#redirect(next)
  }

  #redirect(next: Hop): void {
    this.#dropLane()
    this.#hops++
    this.#status = null
    this.#location = null
    this.#retryAfterMs = null
    this.#head = null
    this.#received = 0
    this.#answered = false
    this.#leave(next)
  }

  #leave(hop: Hop): void {
    this.#hop = hop
    const target = this.#place.targets.get(hop.url, this.#request.orgId)
    if ('code' in target) {
      this.fail(target)
    } else {
      this.#target = target
      this.#place.origins.acquire(target, this)
    }
  }

  #answerOutcome(status: number): Outcome {
    const delivered = status < 300
    return {
      kind: delivered ? 'delivered' : status === 410 ? 'gone' : 'failed',
      status,
      errorCode: delivered ? null : 'http_status',
      error: delivered ? null : `${this.#target!.host} answered ${status}`,
      excerpt: this.#head === null ? null : excerptOf(this.#head, this.#received > this.#head.length),
      retryAfterMs: this.#retryAfterMs,
      durationMs: this.#elapsed(),
    }
  }

  #settle(outcome: Outcome): void {
    if (this.settled) return
    this.settled = true
    // Deferred as a whole, so that a line of requests that fail at once does not become a deep stack.
    if (this.#unwinding) queueMicrotask(() => this.#conclude(outcome))
    else this.#conclude(outcome)
  }

  #conclude(outcome: Outcome): void {
    this.#dropLane()
    this.#place.deadlines.remove(this)
    try {
      this.#done(outcome)
    } catch (error) {
      // Thrown on, it would end up in undici, which would take it for a failure of the request.
      this.#place.log.error({ error }, 'the outcome of an attempt could not be taken in')
    }
    this.#place.left()
  }

  /** Gives up a request that is still under way. */
  #dropLane(): void {
    const lane = this.#lane
    if (lane === null) return
    this.#lane = null
    this.#controller?.abort(GIVEN_UP)
    this.#place.origins.discard(lane)
  }

  #elapsed(): number {
    return Math.round(this.#place.clock.monotonic() - this.#startedAt)
  }
}

const GIVEN_UP = new Error('given up')

function first(value: string | string[] | undefined): string | null {
  return (Array.isArray(value) ? value[0] : value) ?? null
}

/** NUL is replaced too: PostgreSQL's text cannot hold it. A character that was cut in two at the end is left out. */
function excerptOf(head: Buffer, cut: boolean): string {
  return new TextDecoder().decode(head, { stream: cut }).replaceAll('\0', '\ufffd')
}

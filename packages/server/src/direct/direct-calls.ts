/**
 * A node called by the program that it runs in: what `createClient` of @posthorn/client offers, without HTTP.
 *
 * A call goes the way of a request from where the server has read it: the same checks, rights, handlers and answers, and
 * subscribers hear of it. What it is given is copied, and so is what it gives.
 *
 * open ──close──▶ closing ──all answered, or the deadline──▶ closed. From its beginning, closing refuses every new call;
 * what was acknowledged before stays.
 */
import { type CallOptions, type Client, PosthornError } from '@posthorn/client'
import { type OperationName, operationEntries, Problem, type Scope } from '@posthorn/contract'
import { admitInProcess, type CalledAs } from '../api/access/in-process.ts'
import { mayAct, missing } from '../api/access/rights.ts'
import type { Tenants } from '../api/access/tenants.ts'
import type { Changes } from '../api/changes.ts'
import { type Handlers, withTrace } from '../api/handlers.ts'
import { reachedHandlers } from '../api/reached-handlers.ts'
import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'
import type { Tracing } from '../tracing.ts'
import { createDirectCall, type DirectCall, type DirectRoom } from './direct-call.ts'

export interface DirectOptions {
  readonly handlers: Handlers
  readonly changes: Changes
  readonly tenants: Tenants
  readonly maxBodyBytes: number
  /** Recognises errors of rooms that this one does not know, such as a lost database. */
  readonly translate: (error: unknown) => Problem | null
  readonly clock: Clock
  readonly log: Log
  /** Null where nothing is traced. */
  readonly tracing: Tracing | null
}

/** An operation, prepared when it is first called: few programs call all of them. */
interface Slot {
  readonly name: OperationName
  readonly scope: Scope
  call: DirectCall | null
}

type Admit = ReturnType<typeof admitInProcess>

export class DirectCalls {
  readonly #options: DirectOptions
  readonly #room: DirectRoom
  readonly #slots: readonly Slot[]
  #underWay = 0
  #failures = 0
  #closing: { readonly idle: () => void } | null = null

  constructor(options: DirectOptions) {
    const { handlers, changes, tenants, maxBodyBytes } = options
    this.#options = options
    this.#room = {
      handlers: reachedHandlers(handlers, changes, tenants),
      maxBodyBytes,
      brokeOff: error => this.#brokeOff(error),
    }
    this.#slots = operationEntries
      .filter(([, { alike }]) => !alike)
      .map(([name, { scope }]) => ({ name, scope, call: null }))
  }

  /** A method for every operation. @throws TypeError as admitInProcess does */
  client(as: CalledAs = {}): Client {
    const admit = admitInProcess(this.#options.tenants, as)
    const client: Record<string, Record<string, unknown>> = {}
    for (const slot of this.#slots) {
      const [group = '', method = ''] = slot.name.split('.')
      client[group] ??= {}
      client[group][method] = (input: unknown = {}, options?: CallOptions) =>
        options?.signal ? this.#abortable(slot, admit, input, options.signal) : this.#call(slot, admit, input)
    }
    return client as unknown as Client
  }

  /** Refuses calls from now on, and ends when those under way are answered, within `deadlineMs`. Never rejects. */
  close(deadlineMs: number): Promise<void> {
    return new Promise(resolve => {
      const timer = this.#options.clock.setTimer(resolve, deadlineMs)
      const idle = (): void => {
        timer.cancel()
        resolve()
      }
      this.#closing = { idle }
      if (this.#underWay === 0) idle()
    })
  }

  async #call(slot: Slot, admit: Admit, input: unknown): Promise<unknown> {
    this.#underWay += 1
    try {
      if (this.#closing) throw new Problem('shutting_down', {})
      const admitted = admit()
      const caller = admitted instanceof Promise ? await admitted : admitted
      if (caller instanceof Problem) throw caller
      if (!mayAct(caller, slot.scope)) throw missing(caller, slot.scope)
      slot.call ??= createDirectCall(slot.name, this.#room)
      return await slot.call(withTrace(caller, this.#options.tracing?.active() ?? null), input)
    } catch (error) {
      throw this.#toError(error)
    } finally {
      this.#underWay -= 1
      if (this.#underWay === 0) this.#closing?.idle()
    }
  }

  /** Ends the waiting; what was begun goes on, as on a server whose caller has gone. */
  async #abortable(slot: Slot, admit: Admit, input: unknown, signal: AbortSignal): Promise<unknown> {
    signal.throwIfAborted()
    let abort: (() => void) | undefined
    const aborted = new Promise<never>((_, reject) => {
      abort = () => reject(signal.reason)
      signal.addEventListener('abort', abort)
    })
    try {
      return await Promise.race([this.#call(slot, admit, input), aborted])
    } finally {
      signal.removeEventListener('abort', abort!)
    }
  }

  /** What a remote caller would be told. Causes stay here: they may name what is nobody's business. */
  #toError(error: unknown): PosthornError {
    return toldOf(error instanceof Problem ? error : (this.#options.translate(error) ?? this.#unexpected(error)))
  }

  #unexpected(error: unknown): Problem {
    this.#failures += 1
    const requestId = `call-${this.#failures}`
    this.#options.log.error({ err: error, requestId }, 'a call in process failed unexpectedly')
    return new Problem('internal', { requestId })
  }

  #brokeOff(error: unknown): PosthornError {
    this.#options.log.debug({ err: error }, 'a download broke off')
    return toldOf(new Problem('service_failed', { service: 'storage', reason: 'the file broke off' }))
  }
}

const toldOf = ({ code, message, status, details }: Problem) => new PosthornError(code, message, status, details)

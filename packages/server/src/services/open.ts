import { type Credentials, readCredentials } from './credentials.ts'
import { createDelivery } from './delivery.ts'
import { sizeOfEmail, wrongEmail } from './email.ts'
import { type Answer, type Fault, FaultError, faultOf } from './faults.ts'
import { fetchFiles } from './fetch-files.ts'
import { sizeOfNote, wrongNote } from './note.ts'
import { Pause } from './pause.ts'
import type { Adapter, Means, Service, ServiceType } from './port.ts'
import { createScrub, readable, type Scrub } from './scrub.ts'

/**
 * A service that is open: an adapter with everything around it that no adapter may forget.
 *
 * Guarantees that every act ends within `timeoutMs` and as a value, that a message's failure is its own, that a service
 * which throttles is left alone for as long as it asked, and that no reason and no line of the log holds a secret. That
 * holds because adapters are called through `act` alone, which bounds, classifies and scrubs.
 *
 *   closed ──first act──▶ opening ──▶ open ──close──▶ closed for good        (an opening that fails is tried again)
 */
export interface OpenOptions {
  /** For one check, one request of a delivery, or one call. A file's stream may go on longer, as long as it moves. */
  readonly timeoutMs?: number
}

const TIMEOUT_MS = 30_000

/**
 * Opens a service. Nothing is loaded and nobody called before its first act.
 *
 * @throws RangeError if the credentials are not what the type takes: ask `readCredentials` first
 */
export function openService(type: ServiceType, given: Credentials, means: Means, options: OpenOptions = {}): Service {
  const read = readCredentials(type.credentials, given)
  if (!read.ok) throw new RangeError(read.problems.map(({ problem }) => problem).join('; '))
  const open = new OpenService(type, read.credentials, means, options.timeoutMs ?? TIMEOUT_MS)
  return {
    type,
    check: () => open.check(),
    restMs: () => open.pause.leftMs,
    deliver: deliveriesOf(type, open),
    calls: callsOf(type, open),
    close: () => open.close(),
  }
}

function deliveriesOf(type: ServiceType, open: OpenService): Service['deliver'] {
  const { functions } = type
  const shared = { batch: type.batch, batchBytes: type.batchBytes ?? Number.MAX_SAFE_INTEGER, open }
  const emails = createDelivery({ ...shared, wrong: wrongEmail, sizeOf: sizeOfEmail, take: adapter => adapter.email })
  const notes = createDelivery({ ...shared, wrong: wrongNote, sizeOf: sizeOfNote, take: adapter => adapter.note })
  return {
    ...(functions.includes('email') && { email: emails }),
    ...(functions.includes('push') && { push: notes }),
    ...(functions.includes('event') && { event: notes }),
  }
}

function callsOf(type: ServiceType, open: OpenService): Service['calls'] {
  const calls: Record<string, (input: never) => Promise<Answer<unknown>>> = {}
  for (const name of type.calls) {
    calls[name] = input =>
      open.act(name, (adapter, signal) => {
        const call = adapter.calls?.[name] as ((input: never, signal: AbortSignal) => Promise<unknown>) | undefined
        if (call === undefined) throw new Error('the adapter has no such call')
        return call(input, signal)
      })
  }
  const { fetchFile } = calls as Service['calls']
  return { ...calls, ...(fetchFile && { fetchFiles: input => fetchFiles(input, fetchFile) }) } as Service['calls']
}

class OpenService {
  readonly pause: Pause
  readonly #type: ServiceType
  readonly #credentials: Credentials
  readonly #means: Means
  readonly #scrub: Scrub
  readonly #timeoutMs: number
  readonly #running = new Set<AbortController>()
  #adapter: Promise<Adapter> | null = null
  #closed = false

  constructor(type: ServiceType, credentials: Credentials, means: Means, timeoutMs: number) {
    this.#type = type
    this.#credentials = credentials
    this.#scrub = createScrub(secretsOf(type, credentials))
    this.#means = { ...means, log: scrubbedLog(means.log, this.#scrub) }
    this.#timeoutMs = timeoutMs
    this.pause = new Pause(means.clock)
  }

  async check(): Promise<Answer<string>> {
    const answer = await this.act('check', (adapter, signal) => adapter.check(signal))
    return answer.ok ? { ok: true, value: this.readable(answer.value) } : answer
  }

  /** One act of the adapter, bounded in time. Whatever comes out of it is a value without secrets. */
  async act<T>(what: string, run: (adapter: Adapter, signal: AbortSignal) => Promise<T>): Promise<Answer<T>> {
    const { leftMs } = this.pause
    if (leftMs > 0) return { ok: false, fault: stillThrottled(leftMs) }
    let adapter: Adapter | null = null
    const stop = new AbortController()
    const timer = this.#means.clock.setTimer(() => stop.abort(this.#tooLate()), this.#timeoutMs)
    this.#running.add(stop)
    try {
      const value = await until(stop.signal, async () => {
        adapter = await this.#open()
        return run(adapter, stop.signal)
      })
      return { ok: true, value }
    } catch (error) {
      const fault = this.read(stop.signal.aborted ? stop.signal.reason : error, adapter)
      this.#means.log.debug({ service: this.#type.name, what, fault }, 'a service failed')
      return { ok: false, fault }
    } finally {
      timer.cancel()
      this.#running.delete(stop)
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    for (const stop of this.#running) stop.abort(new FaultError(faultOf('closed', '')))
    const adapter = await this.#adapter?.catch(() => null)
    await adapter?.close?.()
  }

  /** A text of the service as it may be seen. */
  readable(text: string): string {
    return readable(text, this.#scrub)
  }

  #open(): Promise<Adapter> {
    if (this.#closed) throw new FaultError(faultOf('closed', ''))
    this.#adapter ??= this.#type.open(this.#credentials, this.#means).catch((error: unknown) => {
      this.#adapter = null
      throw error
    })
    return this.#adapter
  }

  #tooLate(): FaultError {
    return new FaultError(faultOf('timeout', `${this.#type.title} did not answer within ${this.#timeoutMs} ms`))
  }

  /** What an error of an adapter, of its library or of the network means. */
  read(error: unknown, adapter: Adapter | null): Fault {
    const fault = error instanceof FaultError ? error.fault : (adapter?.classify?.(error) ?? this.#explain(error))
    if (fault.code === 'unknown') {
      this.#means.log.warn({ service: this.#type.name, error: textOf(error) }, 'a service failed in an unknown way')
    }
    return this.tidy(fault)
  }

  /** What no adapter explained: the network, or a fault of a program. */
  #explain(error: unknown): Fault {
    const said = this.#means.outside.explain(error, this.#type.title)
    if (said === null) return faultOf('unknown', `${this.#type.title}: ${textOf(error)}`)
    return faultOf(NETWORK[said.code] ?? 'unknown', said.error)
  }

  /** A fault as it may be seen outside; one that throttles is obeyed from here on. */
  tidy(fault: Fault): Fault {
    const { code, reason, serviceCode, retryAfterMs } = fault
    return {
      ...fault,
      retryAfterMs: code === 'throttled' ? this.pause.begin(retryAfterMs) : retryAfterMs,
      reason: this.readable(reason),
      serviceCode: serviceCode === null ? null : this.readable(serviceCode),
    }
  }
}

/** The network's words for what went wrong, in ours. */
const NETWORK: Readonly<Record<string, Fault['code']>> = {
  timeout: 'timeout',
  dns: 'dns',
  connect: 'connect',
  connect_timeout: 'timeout',
  tls: 'tls',
  reset: 'reset',
  protocol: 'protocol',
  address_refused: 'address_refused',
  resources: 'connect',
  shutdown: 'closed',
}

function stillThrottled(leftMs: number): Fault {
  return faultOf('throttled', `The service asked to be left alone; ${leftMs} ms of that are left`, {
    retryAfterMs: leftMs,
  })
}

/** Gives up waiting when the signal says so, whether or not what runs listens to it. */
function until<T>(signal: AbortSignal, run: () => Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const give = (): void => reject(signal.reason)
    signal.addEventListener('abort', give, { once: true })
    if (signal.aborted) give()
    run()
      .then(resolve, reject)
      .finally(() => signal.removeEventListener('abort', give))
  })
}

function secretsOf({ credentials: rules }: ServiceType, credentials: Credentials): string[] {
  const { user, password } = credentials
  const pair = user === null || password === null ? [] : [`${user}:${password}`]
  return [...(password === null ? [] : [password]), ...pair, ...(rules.secrets?.(credentials) ?? [])]
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function scrubbedLog(log: Means['log'], scrub: Scrub): Means['log'] {
  const fields = (given: object): object => scrubDeep(given, scrub) as object
  return {
    debug: (given, message) => log.debug(fields(given), readable(message, scrub)),
    info: (given, message) => log.info(fields(given), readable(message, scrub)),
    warn: (given, message) => log.warn(fields(given), readable(message, scrub)),
    error: (given, message) => log.error(fields(given), readable(message, scrub)),
  }
}

function scrubDeep(value: unknown, scrub: Scrub): unknown {
  if (typeof value === 'string') return readable(value, scrub)
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(item => scrubDeep(item, scrub))
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, scrubDeep(item, scrub)]))
}

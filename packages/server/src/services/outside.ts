import net, { type LookupFunction, type Socket } from 'node:net'
import { Agent, buildConnector, type Dispatcher, fetch as undiciFetch } from 'undici'

/**
 * The way out, and the only one: every service and every provider's library gets its connections here.
 *
 * Guarantees that no connection is made to an address that the guard refuses. A literal address is judged before it is
 * called, because no lookup sees it; a name is resolved by the guard, so that the address which was judged is the one
 * connected to; and the peer's address is judged once more when the connection stands. Redirects are never followed: a
 * service's answer must not choose where its credentials go. What is refused is refused for good.
 */
export interface Outside {
  /** As the web's, over guarded connections. Redirects come back as they are. */
  readonly fetch: typeof globalThis.fetch
  /** A TCP connection to be spoken on by other protocols than HTTP. */
  connect(host: string, port: number, signal: AbortSignal): Promise<Socket>
  /** Certificates to trust instead of the system's, PEM. */
  readonly ca: string | undefined
  /** What a network error says; null if it is none. */
  explain(error: unknown, host: string): { readonly code: string; readonly error: string } | null
  close(): Promise<void>
}

/** What of the address guard is needed. */
export interface Guard {
  refuseUrl(url: URL): string | null
  refuseAddress(address: string, host: string, port: number): string | null
  lookup(port: number): LookupFunction
}

export interface OutsideOptions {
  readonly guard: Guard
  /** Reads an error of Node or undici; `sent`: whether a connection stood. */
  readonly classify: (error: unknown, host: string, sent: boolean) => { readonly code: string; readonly error: string }
  readonly ca?: string
  /** For DNS, TCP and TLS of one connection together. */
  readonly connectTimeoutMs?: number
}

/** Node's default of 250 ms gives up on the first address of any server that is further away than that. */
const NEXT_ADDRESS_AFTER_MS = 1_000

class RefusedError extends Error {
  readonly code = 'address_refused'
}

export function createOutside({ guard, classify, ca, connectTimeoutMs = 10_000 }: OutsideOptions): Outside {
  /** Errors of connections that never stood: nothing was sent on them. */
  const unsent = new WeakSet<Error>()
  const connectors = new Map<number, buildConnector.connector>()
  const connectorFor = (port: number): buildConnector.connector => {
    const found = connectors.get(port) ?? buildConnector(connectOptions(guard, port, connectTimeoutMs, ca))
    connectors.set(port, found)
    return found
  }
  const agent = new Agent({
    connect(options, callback) {
      const port = Number(options.port || (options.protocol === 'https:' ? 443 : 80))
      const fail = (error: Error): void => {
        unsent.add(error)
        callback(error, null)
      }
      const host = options.hostname.replace(/^\[|\]$/g, '')
      const refused = refuseLiteral(guard, host, port)
      if (refused !== null) return fail(new RefusedError(refused))
      connectorFor(port)(options, (error, socket) => {
        if (error !== null) return fail(error)
        const late = refusePeer(guard, socket, host, port)
        if (late === null) return callback(null, socket)
        socket.destroy()
        fail(late)
      })
    },
  })
  return {
    fetch: guardedFetch(guard, agent),
    connect: (host, port, signal) => connect(guard, { host, port, signal, timeoutMs: connectTimeoutMs, unsent }),
    ca,
    explain(error, host) {
      const inner = findCause(error)
      return inner === null ? null : classify(inner, host, !unsent.has(inner))
    },
    close: () => agent.destroy(),
  }
}

function connectOptions(guard: Guard, port: number, timeout: number, ca: string | undefined) {
  return {
    timeout,
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: NEXT_ADDRESS_AFTER_MS,
    lookup: guard.lookup(port),
    ...(ca === undefined ? {} : { ca }),
  }
}

function guardedFetch(guard: Guard, dispatcher: Dispatcher): typeof globalThis.fetch {
  const guarded = async (input: unknown, init: Record<string, unknown> = {}): Promise<unknown> => {
    const url = new URL(input instanceof Request ? input.url : String(input))
    const refused = guard.refuseUrl(url)
    if (refused !== null) throw new RefusedError(refused)
    // undici's own, not the global one: that is another copy of undici, which takes no foreign dispatcher.
    const call = undiciFetch as unknown as (input: unknown, init: unknown) => Promise<unknown>
    return call(input, { ...init, redirect: 'manual', dispatcher })
  }
  return guarded as unknown as typeof globalThis.fetch
}

interface ConnectOptions {
  readonly host: string
  readonly port: number
  readonly signal: AbortSignal
  readonly timeoutMs: number
  readonly unsent: WeakSet<Error>
}

function connect(guard: Guard, { host, port, signal, timeoutMs, unsent }: ConnectOptions): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => {
      unsent.add(error)
      reject(error)
    }
    const refused = refuseLiteral(guard, host, port)
    if (refused !== null) return fail(new RefusedError(refused))
    if (signal.aborted) return fail(new Error('given up before it was connected'))
    const socket = net.connect({
      host,
      port,
      lookup: guard.lookup(port),
      autoSelectFamily: true,
      autoSelectFamilyAttemptTimeout: NEXT_ADDRESS_AFTER_MS,
    })
    const give = (): void => void socket.destroy(new Error('given up while it was connecting'))
    const late = (): void => void socket.destroy(timedOut())
    signal.addEventListener('abort', give, { once: true })
    socket.setTimeout(timeoutMs, late).once('error', fail)
    socket.once('connect', () => {
      signal.removeEventListener('abort', give)
      socket.setTimeout(0).removeListener('timeout', late)
      const peer = refusePeer(guard, socket, host, port)
      if (peer !== null) return void socket.destroy(peer)
      socket.removeListener('error', fail)
      resolve(socket)
    })
  })
}

function timedOut(): Error {
  return Object.assign(new Error('no connection in time'), { code: 'ETIMEDOUT' })
}

/** Only literal addresses: of a name nothing shows before it is resolved. */
function refuseLiteral(guard: Guard, host: string, port: number): string | null {
  return net.isIP(host) === 0 ? null : guard.refuseAddress(host, host, port)
}

function refusePeer(guard: Guard, socket: Socket, host: string, port: number): Error | null {
  const { remoteAddress } = socket
  if (remoteAddress === undefined) {
    return Object.assign(new Error('closed as soon as it was connected'), { code: 'ECONNRESET' })
  }
  const refused = guard.refuseAddress(remoteAddress, host, port)
  return refused === null ? null : new RefusedError(refused)
}

/** Libraries wrap what the network said, some of them twice: the innermost error that has a code of the network's. */
function findCause(error: unknown): Error | null {
  let found: Error | null = null
  let current = error
  for (let depth = 0; depth < 6 && current instanceof Error; depth++) {
    const { code } = current as { code?: unknown }
    if (typeof code === 'string' || current instanceof AggregateError) found = current
    current = inside(current)
  }
  return found
}

function inside(error: Error): unknown {
  const { cause, originalError, exception, detail, raw } = error as Wrapping
  return cause ?? originalError ?? exception ?? (detail instanceof Error ? detail : raw?.exception)
}

/** Where the libraries keep what they wrap. */
interface Wrapping {
  readonly cause?: unknown
  readonly originalError?: unknown
  readonly exception?: unknown
  readonly detail?: unknown
  readonly raw?: { readonly exception?: unknown }
}

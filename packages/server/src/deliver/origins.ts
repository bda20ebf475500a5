import type { Socket } from 'node:net'
import { buildConnector, Client } from 'undici'
import type { Clock, Timer } from '../clock.ts'
import { type AddressGuard, AddressRefusedError } from './guard.ts'
import type { Target } from './target.ts'

/**
 * Connections, kept per org and origin, so that no org ever gets another's; TLS settings are one sender's, all its own.
 *
 * A lane is one undici client with at most one connection and one request at a time; undici opens the connection when
 * it is needed and closes it when it has been idle. An origin has at most `connectionsPerOrigin` lanes, handed out
 * last in, first out, so that few connections are used often; who finds none waits in line.
 *
 *   free ──acquire──▶ out ──release (whole response)──▶ free        out ──discard (anything else)──▶ destroyed
 *
 * An origin without a lane out is idle. Idle origins are closed after `idleMs`, the longest idle first where there are
 * more than `maxOrigins`; one in use never is, so the bound is soft. So is `maxSockets`, which the idle give way for: how
 * many are in use is for whoever starts attempts to bound.
 */
export interface OriginOptions {
  readonly clock: Clock
  readonly guard: AddressGuard
  readonly connectionsPerOrigin: number
  readonly maxOrigins: number
  readonly maxSockets: number
  readonly idleMs: number
  readonly connectTimeoutMs: number
  /** Certificates to trust instead of the system's, PEM. */
  readonly ca: string | undefined
}

export interface LaneUser {
  /** It no longer wants a lane. */
  readonly settled: boolean
  go(lane: Lane): void
}

export interface Lane {
  readonly client: Client
  readonly origin: Origin
  /** Requests written to the connection that stands now. */
  uses: number
  /** A connection that is being made. */
  connecting: Socket | null
}

interface Origin {
  readonly key: string
  readonly target: Target
  readonly connect: buildConnector.connector
  readonly free: Lane[]
  readonly waiting: LaneUser[]
  lanes: number
  idleSince: number
}

/** How long an idle connection is kept. A server that names its own time is believed, up to a minute. */
const KEEP_ALIVE_MS = 4_000
const KEEP_ALIVE_MAX_MS = 60_000
/** Node's default of 250 ms gives up on the first address of any receiver that is further away than that. */
const NEXT_ADDRESS_AFTER_MS = 1_000

export class Origins {
  readonly #options: OriginOptions
  readonly #origins = new Map<string, Origin>()
  /** In the order in which they became idle. */
  readonly #idle = new Set<Origin>()
  #timer: Timer | null = null
  #lanes = 0

  constructor(options: OriginOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#origins.size
  }

  /** Lanes of all origins: so many connections at most. */
  get lanes(): number {
    return this.#lanes
  }

  /** Hands a lane to `user`, at once or when it is its turn. */
  acquire(target: Target, user: LaneUser): void {
    const origin = this.#origins.get(target.key) ?? this.#open(target)
    if (origin.free.length === origin.lanes) this.#idle.delete(origin)
    const lane = origin.free.pop() ?? (origin.lanes < this.#options.connectionsPerOrigin ? this.#add(origin) : null)
    if (lane === null) origin.waiting.push(user)
    else user.go(lane)
  }

  /** Takes a lane back whose last response was read to its end. */
  release(lane: Lane): void {
    const { origin } = lane
    const user = nextUser(origin)
    if (user === null) origin.free.push(lane)
    else user.go(lane)
    if (origin.free.length === origin.lanes) this.#rest(origin)
  }

  /** Takes a lane back that nobody may use again, and closes its connection. */
  discard(lane: Lane): void {
    const { origin } = lane
    this.#end(lane)
    const user = nextUser(origin)
    if (user !== null) user.go(this.#add(origin))
    if (origin.free.length === origin.lanes) this.#rest(origin)
  }

  /** Gives a lane with a new connection for one whose connection broke. */
  renew(lane: Lane): Lane {
    this.#end(lane)
    return this.#add(lane.origin)
  }

  /** Closes every connection that is not out. */
  async stop(): Promise<void> {
    this.#timer?.cancel()
    this.#timer = null
    const closing = [...this.#origins.values()].flatMap(origin => origin.free.map(destroy))
    this.#origins.clear()
    this.#idle.clear()
    await Promise.all(closing)
  }

  #open(target: Target): Origin {
    const [longestIdle] = this.#idle
    if (longestIdle !== undefined && this.#origins.size >= this.#options.maxOrigins) this.#close(longestIdle)
    const { guard, connectTimeoutMs: timeout, ca } = this.#options
    const connect = buildConnector({
      timeout,
      autoSelectFamily: true,
      autoSelectFamilyAttemptTimeout: NEXT_ADDRESS_AFTER_MS,
      lookup: guard.lookup(target.port),
      ...(ca === undefined ? {} : { ca }),
    })
    const origin: Origin = { key: target.key, target, connect, free: [], waiting: [], lanes: 0, idleSince: 0 }
    this.#origins.set(origin.key, origin)
    return origin
  }

  #add(origin: Origin): Lane {
    if (this.#lanes >= this.#options.maxSockets) this.#makeRoom()
    origin.lanes++
    this.#lanes++
    const client = new Client(origin.target.origin, {
      connect: (options, callback) => this.#connect(lane, options, callback),
      pipelining: 1,
      // The attempt has one deadline for everything; see deadlines.ts.
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: KEEP_ALIVE_MS,
      keepAliveMaxTimeout: KEEP_ALIVE_MAX_MS,
    })
    const lane: Lane = { client, origin, uses: 0, connecting: null }
    return lane
  }

  #connect(lane: Lane, options: buildConnector.Options, callback: buildConnector.Callback): void {
    const { target, connect } = lane.origin
    // It does return the socket, which is the only way to end a connection that is still being made.
    const socket: unknown = connect(options, (error, connected) => {
      lane.connecting = null
      lane.uses = 0
      if (error !== null) return callback(error, null)
      const { remoteAddress } = connected
      if (remoteAddress === undefined) return callback(closedAtOnce(), null)
      const refused = this.#options.guard.refuseAddress(remoteAddress, target.host, target.port)
      if (refused === null) return callback(null, connected)
      connected.destroy()
      callback(new AddressRefusedError(refused), null)
    })
    lane.connecting = socket as Socket
  }

  #rest(origin: Origin): void {
    origin.idleSince = this.#options.clock.monotonic()
    this.#idle.add(origin)
    this.#timer ??= this.#options.clock.setTimer(() => this.#sweep(), this.#options.idleMs)
  }

  #sweep(): void {
    this.#timer = null
    const now = this.#options.clock.monotonic()
    for (const origin of this.#idle) {
      const leftMs = origin.idleSince + this.#options.idleMs - now
      if (leftMs > 0) {
        this.#timer = this.#options.clock.setTimer(() => this.#sweep(), leftMs)
        return
      }
      this.#close(origin)
    }
  }

  #close(origin: Origin): void {
    this.#idle.delete(origin)
    this.#origins.delete(origin.key)
    this.#lanes -= origin.lanes
    for (const lane of origin.free) destroy(lane)
  }

  #end(lane: Lane): void {
    lane.origin.lanes--
    this.#lanes--
    destroy(lane)
  }

  /** Closes what has been idle for longest, or else one that an origin in use can do without. */
  #makeRoom(): void {
    const [longestIdle] = this.#idle
    if (longestIdle !== undefined) {
      this.#close(longestIdle)
      return
    }
    for (const { free } of this.#origins.values()) {
      const lane = free.shift()
      if (lane === undefined) continue
      this.#end(lane)
      return
    }
  }
}

function nextUser(origin: Origin): LaneUser | null {
  for (;;) {
    const user = origin.waiting.shift()
    if (user === undefined) return null
    if (!user.settled) return user
  }
}

async function destroy(lane: Lane): Promise<void> {
  lane.connecting?.destroy()
  await lane.client.destroy()
}

/** undici would take an error of its own kind for a connection that broke while idle, and connect again without end. */
function closedAtOnce(): Error {
  return Object.assign(new Error('the connection was closed as soon as it was made'), { code: 'ECONNRESET' })
}

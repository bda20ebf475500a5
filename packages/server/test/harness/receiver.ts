/**
 * A receiver of webhooks that remembers every request and misbehaves as told, path by path.
 *
 * It is made to keep up with the fastest sender: an arrival is one small object, and a test asks questions afterwards.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

export interface Arrival {
  /** Of all arrivals at this receiver, from 0. */
  readonly order: number
  readonly path: string
  readonly method: string
  /** The webhook-id header: the same for every attempt of a message. */
  readonly id: string | undefined
  readonly rawHeaders: readonly string[]
  readonly body: Buffer
  /** How often this id had come before. */
  readonly repeats: number
  /** Which connection brought it, counted from 0. */
  readonly connection: number
  /** performance.now() when the body was complete. */
  readonly at: number
  /** performance.now() when the answer was handed over; undefined while it hangs, or if none was given. */
  answeredAt: number | undefined
  status: number | undefined
}

/** What to do with a request: a status after a while, nothing at all, a closed connection, or an answer that never ends. */
export type Reaction =
  | {
      readonly kind: 'answer'
      readonly status: number
      readonly afterMs?: number
      readonly headers?: Record<string, string>
    }
  | { readonly kind: 'hang' }
  | { readonly kind: 'close' }
  | { readonly kind: 'trickle'; readonly everyMs: number }

export type Behaviour = (arrival: Arrival) => Reaction

const OK: Reaction = { kind: 'answer', status: 200 }
export const ok: Behaviour = () => OK
export const hang: Behaviour = () => ({ kind: 'hang' })
export const close: Behaviour = () => ({ kind: 'close' })

export function status(code: number, headers?: Record<string, string>): Behaviour {
  return () => ({ kind: 'answer', status: code, ...(headers && { headers }) })
}

export function slow(afterMs: number): Behaviour {
  return () => ({ kind: 'answer', status: 200, afterMs })
}

/** Sends a byte now and then and never ends. */
export function trickle(everyMs: number): Behaviour {
  return () => ({ kind: 'trickle', everyMs })
}

/** Fails the first `times` attempts of every message. */
export function failFirst(times: number, code = 500): Behaviour {
  return ({ repeats }) => (repeats < times ? { kind: 'answer', status: code } : OK)
}

/** Chooses among behaviours at random, the same way for the same seed and order of arrival. */
export function mix(
  seed: number,
  parts: readonly { readonly weight: number; readonly behaviour: Behaviour }[],
): Behaviour {
  const random = seededRandom(seed)
  const total = parts.reduce((sum, { weight }) => sum + weight, 0)
  return arrival => {
    let left = random() * total
    const part = parts.find(({ weight }) => {
      left -= weight
      return left < 0
    })
    return part ? part.behaviour(arrival) : OK
  }
}

/** Numbers in [0, 1), always the same ones for one seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

export class Receiver {
  readonly arrivals: Arrival[] = []
  readonly url: string
  readonly #server: Server
  readonly #behaviours = new Map<string, Behaviour>()
  readonly #byPath = new Map<string, Arrival[]>()
  readonly #seen = new Map<string, number>()
  readonly #connections = new Map<Socket, number>()
  readonly #waiters = new Set<() => void>()
  #dialled = 0
  #asking = false
  #restMs = 0

  private constructor(server: Server, port: number) {
    this.#server = server
    this.url = `http://127.0.0.1:${port}`
    server.on('connection', socket => {
      this.#connections.set(socket, this.#dialled++)
      socket.once('close', () => this.#connections.delete(socket))
    })
    server.on('request', (request, response) => this.#receive(request, response))
  }

  static async start(): Promise<Receiver> {
    const server = createServer({ keepAliveTimeout: 60_000 })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    if (address === null || typeof address === 'string') throw new Error('the receiver has no port')
    return new Receiver(server, address.port)
  }

  /** From now on requests to `path` are treated like this; the rest are answered 200. Gives back the URL. */
  on(path: string, behaviour: Behaviour): string {
    this.#behaviours.set(path, behaviour)
    return this.url + path
  }

  at(path: string): readonly Arrival[] {
    return this.#byPath.get(path) ?? []
  }

  /** Open connections. */
  get connections(): number {
    return this.#connections.size
  }

  /** Resolves when `enough` holds; it is asked soon after arrivals and answers. @throws Error with `what` after `timeoutMs` */
  async waitFor(enough: (receiver: this) => boolean, what: string, timeoutMs = 20_000): Promise<void> {
    if (enough(this)) return
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => settle(() => reject(new Error(`${what}: not within ${timeoutMs} ms`))), timeoutMs)
      const look = (): void => {
        if (enough(this)) settle(resolve)
      }
      const settle = (end: () => void): void => {
        clearTimeout(timer)
        this.#waiters.delete(look)
        end()
      }
      this.#waiters.add(look)
    })
  }

  /** Resolves when at least `count` requests have come. */
  waitForArrivals(count: number, timeoutMs?: number): Promise<void> {
    return this.waitFor(() => this.arrivals.length >= count, `${count} arrivals (there are fewer)`, timeoutMs)
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise(resolve => this.#server.close(resolve))
  }

  #receive(request: IncomingMessage, response: ServerResponse): void {
    const chunks: Buffer[] = []
    request.on('data', chunk => chunks.push(chunk))
    request.on('error', () => {})
    request.on('end', () => {
      const arrival = this.#record(request, chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks))
      this.#react((this.#behaviours.get(arrival.path) ?? ok)(arrival), arrival, response)
      this.#tell()
    })
  }

  #record(request: IncomingMessage, body: Buffer): Arrival {
    const id = request.headers['webhook-id'] as string | undefined
    const repeats = id === undefined ? 0 : (this.#seen.get(id) ?? 0)
    if (id !== undefined) this.#seen.set(id, repeats + 1)
    const arrival: Arrival = {
      order: this.arrivals.length,
      path: request.url ?? '',
      method: request.method ?? '',
      id,
      rawHeaders: request.rawHeaders,
      body,
      repeats,
      connection: this.#connections.get(request.socket) ?? -1,
      at: performance.now(),
      answeredAt: undefined,
      status: undefined,
    }
    this.arrivals.push(arrival)
    const there = this.#byPath.get(arrival.path)
    if (there) there.push(arrival)
    else this.#byPath.set(arrival.path, [arrival])
    return arrival
  }

  #react(reaction: Reaction, arrival: Arrival, response: ServerResponse): void {
    if (reaction.kind === 'close') response.destroy()
    else if (reaction.kind === 'trickle') {
      response.writeHead(200)
      const timer = setInterval(() => response.write('.'), reaction.everyMs)
      response.once('close', () => clearInterval(timer))
    } else if (reaction.kind === 'answer') {
      if (reaction.afterMs) setTimeout(() => this.#answer(reaction, arrival, response), reaction.afterMs)
      else this.#answer(reaction, arrival, response)
    }
  }

  #answer(reaction: Reaction & { kind: 'answer' }, arrival: Arrival, response: ServerResponse): void {
    // A sender that is gone never learns of this answer: it does not count as given.
    if (response.destroyed || response.socket === null) return
    response.writeHead(reaction.status, reaction.headers)
    response.end()
    arrival.status = reaction.status
    arrival.answeredAt = performance.now()
    if (reaction.afterMs) this.#tell()
  }

  /** Asks the waiters, but not so often that their questions slow the receiver down. */
  #tell(): void {
    if (this.#waiters.size === 0 || this.#asking) return
    this.#asking = true
    setTimeout(() => {
      this.#asking = false
      const start = performance.now()
      for (const look of this.#waiters) look()
      this.#restMs = Math.min(250, 4 * (performance.now() - start))
    }, this.#restMs)
  }
}

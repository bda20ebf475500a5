/**
 * A TCP proxy that can do to a connection what networks do: cut it, go silent, be slow, refuse.
 *
 * Every connection is a link of its own, found by what its client says first: PostgreSQL's startup packet carries the
 * application_name, so one session can be cut or silenced while its siblings live. A silent (half-open) link swallows
 * bytes and endings alike: neither side learns that the other is gone, as when a cable is pulled.
 */
import { connect, createServer, type NetConnectOpts, type Server, type Socket } from 'node:net'

/** Which way bytes are swallowed; `both` also keeps either side from hearing the other's end. */
export type Silence = 'to-server' | 'to-client' | 'both'

export interface Pace {
  readonly latencyMs?: number
  readonly bytesPerSecond?: number
}

/** Chooses links by the first bytes of their client. */
export type Which = (firstBytes: Buffer) => boolean

export const everyLink: Which = () => true

/** The links whose client named itself like this (PostgreSQL: application_name). */
export function named(text: string): Which {
  return firstBytes => firstBytes.includes(text)
}

const FIRST_BYTES = 4096

export class TcpProxy {
  readonly port: number
  readonly #server: Server
  readonly #links = new Set<Link>()
  #refusing = false
  #unplugged = false

  private constructor(server: Server, port: number, target: NetConnectOpts) {
    this.#server = server
    this.port = port
    server.on('connection', client => {
      if (this.#refusing) return void client.resetAndDestroy()
      const link = new Link(client, connect({ ...target, allowHalfOpen: true }))
      if (this.#unplugged) link.silence = 'both'
      this.#links.add(link)
      link.closed.then(() => this.#links.delete(link))
    })
  }

  static async start(target: NetConnectOpts): Promise<TcpProxy> {
    const server = createServer({ allowHalfOpen: true })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    if (address === null || typeof address === 'string') throw new Error('the proxy has no port')
    return new TcpProxy(server, address.port, target)
  }

  count(which: Which = everyLink): number {
    return this.#find(which).length
  }

  /** Destroys these connections on both sides, now. Gives back how many there were. */
  cut(which: Which = everyLink): number {
    const links = this.#find(which)
    for (const link of links) link.cut()
    return links.length
  }

  /** Swallows what these connections say from here on. Gives back how many there were. */
  silence(which: Which = everyLink, silence: Silence = 'both'): number {
    const links = this.#find(which)
    for (const link of links) link.silence = silence
    return links.length
  }

  /** Pulls the cable: every connection is silent, and so is every new one. */
  unplug(): void {
    this.#unplugged = true
    this.silence()
  }

  /** Plugs it in again. What was silent stays so until it is cut; new connections pass. */
  plug(): void {
    this.#unplugged = false
  }

  /** Paces these connections; `{}` lets them run freely again. */
  slow(pace: Pace, which: Which = everyLink): void {
    for (const link of this.#find(which)) link.pace = pace
  }

  /** Resets new connections until told otherwise; the open ones live on. */
  refuse(refusing: boolean): void {
    this.#refusing = refusing
  }

  async stop(): Promise<void> {
    this.cut()
    await new Promise(resolve => this.#server.close(resolve))
  }

  #find(which: Which): Link[] {
    return [...this.#links].filter(link => which(link.firstBytes))
  }
}

class Link {
  firstBytes: Buffer = Buffer.alloc(0)
  silence: Silence | null = null
  pace: Pace = {}
  readonly closed: Promise<void>
  readonly #client: Socket
  readonly #upstream: Socket

  constructor(client: Socket, upstream: Socket) {
    this.#client = client
    this.#upstream = upstream
    this.closed = new Promise(resolve => client.once('close', resolve))
    client.on('data', bytes => {
      if (this.firstBytes.length < FIRST_BYTES) this.firstBytes = Buffer.concat([this.firstBytes, bytes])
    })
    this.#pump(client, upstream, 'to-server')
    this.#pump(upstream, client, 'to-client')
  }

  cut(): void {
    this.#client.destroy()
    this.#upstream.destroy()
  }

  #pump(from: Socket, to: Socket, way: 'to-server' | 'to-client'): void {
    from.setNoDelay(true)
    let freeAt = 0
    const pass = (act: () => void, bytes: number): void => {
      const { latencyMs = 0, bytesPerSecond = Number.POSITIVE_INFINITY } = this.pace
      const now = performance.now()
      freeAt = Math.max(freeAt, now + latencyMs) + (bytes / bytesPerSecond) * 1000
      if (freeAt <= now) act()
      else setTimeout(act, freeAt - now)
    }
    const swallowed = (): boolean => this.silence === 'both' || this.silence === way
    from.on('data', bytes => {
      if (!swallowed()) pass(() => to.writable && to.write(bytes), bytes.length)
    })
    from.on('end', () => {
      if (!swallowed()) pass(() => to.end(), 0)
    })
    from.on('error', () => {})
    from.on('close', failed => {
      if (failed && this.silence === null) to.destroy()
    })
  }
}

/** What the suite runs on: nodes in this process over a database of their own, called in turn, as behind a balancer. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type RunningNode, startNode } from '../../src/app.ts'
import { loadConfig } from '../../src/config.ts'
import { silentLog } from '../../src/log.ts'
import { type Answered, call } from '../api/serve.ts'
import { copyEmbedded, type DatabaseKind, freshDatabase } from '../databases.ts'
import { data } from '../graphql/ask.ts'
import { type Arrival, type Behaviour, Receiver } from '../harness/receiver.ts'
import { secretWord } from '../leaks/marked.ts'
import { lookIntoFolder } from '../leaks/watch.ts'

// biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape.
export type Json = any

export const SECRET = secretWord()
export const ADMIN = { 'X-PLATFORMATIC-ADMIN-SECRET': SECRET }

interface Target {
  readonly url: string
  readonly arrivals: () => readonly Arrival[]
  on(behaviour: Behaviour): void
}

export class Installation {
  readonly receiver: Receiver
  readonly #nodes: readonly RunningNode[]
  readonly #end: () => Promise<void>
  readonly #openGuarded: () => Promise<Installation>
  #guarded: Promise<Installation> | null = null
  #turn = 0
  #made = 0

  private constructor(
    nodes: readonly RunningNode[],
    receiver: Receiver,
    end: () => Promise<void>,
    openGuarded: () => Promise<Installation>,
  ) {
    this.#nodes = nodes
    this.receiver = receiver
    this.#end = end
    this.#openGuarded = openGuarded
  }

  static async open(kind: DatabaseKind, nodes: number, secret: string | null = null): Promise<Installation> {
    const folder = mkdtempSync(join(tmpdir(), 'posthorn-pg-hooks-'))
    const own = kind === 'postgres' ? await freshDatabase() : null
    if (!own) await copyEmbedded(folder)
    const env = {
      POSTHORN_PORT: '0',
      POSTHORN_DATA_DIR: folder,
      ...(own && { POSTHORN_DATABASE_URL: own.url }),
      ...(secret !== null && { POSTHORN_ADMIN_SECRET: secret }),
    }
    const noFile = (): string => {
      throw Object.assign(new Error('none'), { code: 'ENOENT' })
    }
    const config = loadConfig({ env, flags: {}, readFile: noFile })
    const running: RunningNode[] = []
    for (let n = 0; n < nodes; n++) running.push(await startNode(config, silentLog))
    const end = async (): Promise<void> => {
      await own?.drop()
      if (!own) lookIntoFolder(folder)
      rmSync(folder, { recursive: true, force: true })
    }
    return new Installation(running, await Receiver.start(), end, () => Installation.open(kind, nodes, SECRET))
  }

  /** Another one, which wants the admin secret. */
  guarded(): Promise<Installation> {
    this.#guarded ??= this.#openGuarded()
    return this.#guarded
  }

  async close(): Promise<void> {
    await (await this.#guarded)?.close()
    // Receivers first: an attempt that hangs would keep its node.
    await this.receiver.stop()
    await Promise.all(this.#nodes.map(node => node.stop()))
    await this.#end()
  }

  get nodes(): number {
    return this.#nodes.length
  }

  /** Of the node whose turn it is. */
  get url(): string {
    return this.#nodes[this.#turn++ % this.#nodes.length]!.url
  }

  call = (method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answered> =>
    call(this.url, method, path, body, headers)

  /** The answer's JSON, of a call that must have gone well. */
  async get(path: string): Promise<Json> {
    return this.well('GET', path)
  }

  async well(method: string, path: string, body?: unknown): Promise<Json> {
    const { status, text, json } = await this.call(method, path, body)
    if (status !== 200) throw new Error(`${method} ${path}: ${status} ${text}`)
    return json
  }

  /** Data of a query that must have gone well. */
  data(query: string, variables?: object): Promise<Json> {
    return data(this, query, variables)
  }

  /** A path of the receiver that no other law uses. */
  target(behaviour?: Behaviour): Target {
    const path = `/t${this.#made++}`
    if (behaviour) this.receiver.on(path, behaviour)
    return {
      url: this.receiver.url + path,
      arrivals: () => this.receiver.at(path),
      on: behaviour => void this.receiver.on(path, behaviour),
    }
  }

  /** A queue in pg-hooks' shape. */
  queue(fields: object = {}): Promise<Json> {
    const named = { name: `queue ${this.#made++}`, callbackUrl: this.target().url, method: 'POST', maxRetries: 5 }
    return this.well('POST', '/queues/', { ...named, ...fields })
  }

  put(queueId: number, fields: object = {}): Promise<Json> {
    return this.well('POST', '/messages/', { queueId, body: 'b', ...fields })
  }

  /** Waits until this message is like this. */
  async until(id: number, isSo: (message: Json) => boolean): Promise<Json> {
    for (const deadline = Date.now() + 10_000; ; ) {
      const message = await this.get(`/messages/${id}`)
      if (isSo(message)) return message
      if (Date.now() > deadline) throw new Error(`not within 10 s: ${JSON.stringify(message)}`)
      await new Promise(resolve => setTimeout(resolve, 25))
    }
  }

  arrived(target: Target, count: number): Promise<void> {
    return this.receiver.waitFor(() => target.arrivals().length >= count, `${count} arrivals`)
  }
}

/** Far enough away that nothing is delivered while a test looks. */
export const LATER = '2034-05-06T07:08:09.123Z'
/** Waits out what must not happen. */
export const pass = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms))

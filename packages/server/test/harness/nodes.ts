/**
 * Posthorn nodes as processes of their own, from `dist`, as users run them.
 *
 * A node that is started is always ended: by the story, by `stopAll` after it, or by its leash when the story's own
 * process dies. A frozen node is woken before it is ended.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { lookAtOutput } from '../leaks/watch.ts'
import { Api } from './api.ts'

const COMMAND = fileURLToPath(new URL('../../bin/posthorn.mjs', import.meta.url))
const COMPILED = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))
const LEASH = new URL('./leash.mjs', import.meta.url).href
const LISTENS = /listens on (http:\/\/\S+)/
const START_TIMEOUT_MS = 30_000
const KEPT_LOG = 200_000

export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

const running = new Set<NodeProcess>()

export class NodeProcess {
  readonly url: string
  readonly api: Api
  readonly exited: Promise<Exit>
  readonly #child: ChildProcess
  readonly #log: () => string
  #frozen = false

  constructor(child: ChildProcess, url: string, log: () => string) {
    this.#child = child
    this.#log = log
    this.url = url
    this.api = new Api(url)
    this.exited = exitOf(child)
    this.exited.then(() => running.delete(this))
    running.add(this)
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  /** The end of what it has printed. */
  get log(): string {
    return this.#log()
  }

  get alive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null
  }

  /** SIGKILL: it does nothing more from here on. Resolves when the kernel has taken it away. */
  kill(): Promise<Exit> {
    this.#child.kill('SIGKILL')
    return this.exited
  }

  /** SIGTERM, as a supervisor stops it. Resolves when it has ended. */
  stop(): Promise<Exit> {
    this.thaw()
    this.#child.kill('SIGTERM')
    return this.exited
  }

  /** Bytes that it keeps when all that is over is thrown away. */
  async heapUsed(): Promise<number> {
    const told = once(this.#child, 'message')
    this.#child.send('what do you keep?')
    return Number((await told)[0])
  }

  /** Sends a signal and waits for nothing. */
  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  /** SIGSTOP: it lives, keeps its connections open, and does nothing. */
  freeze(): void {
    this.#frozen = true
    this.#child.kill('SIGSTOP')
  }

  thaw(): void {
    if (this.#frozen) this.#child.kill('SIGCONT')
    this.#frozen = false
  }
}

/** Starts `posthorn serve` on a free port with this environment on top of ours, and waits until it is ready. */
export async function startNode(env: Readonly<Record<string, string>>): Promise<NodeProcess> {
  if (!existsSync(COMPILED))
    throw new Error('the stories run what is built: npm run build (npm test does it by itself)')
  const child = spawn(process.execPath, ['--expose-gc', '--import', LEASH, COMMAND, 'serve'], {
    env: { ...inherited(), POSTHORN_HOST: '127.0.0.1', POSTHORN_PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  const log = captureLog(child)
  lookAtOutput(child, 'posthorn serve')
  try {
    const url = await waitForAddress(child, log)
    const node = new NodeProcess(child, url, log)
    await waitForHealth(node)
    return node
  } catch (error) {
    child.kill('SIGKILL')
    throw error
  }
}

/** Starts so many nodes with the same environment, all at once. */
export function startNodes(count: 2, env: Readonly<Record<string, string>>): Promise<[NodeProcess, NodeProcess]>
export function startNodes(count: number, env: Readonly<Record<string, string>>): Promise<NodeProcess[]>
export function startNodes(count: number, env: Readonly<Record<string, string>>): Promise<NodeProcess[]> {
  return Promise.all(Array.from({ length: count }, () => startNode(env)))
}

/** Ends every node that still runs. For afterEach. */
export async function stopAll(): Promise<void> {
  await Promise.all([...running].map(node => node.kill()))
}

/** Our own settings must not leak into a story. */
function inherited(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(POSTHORN|PLT|DATABASE)_/.test(name)))
}

function captureLog(child: ChildProcess): () => string {
  let text = ''
  const keep = (chunk: Buffer): void => {
    text = (text + chunk.toString()).slice(-KEPT_LOG)
  }
  child.stdout?.on('data', keep)
  child.stderr?.on('data', keep)
  return () => text
}

async function waitForAddress(child: ChildProcess, log: () => string): Promise<string> {
  const deadline = performance.now() + START_TIMEOUT_MS
  const ended = exitOf(child)
  for (;;) {
    const url = LISTENS.exec(log())?.[1]
    if (url) return url
    if (child.exitCode !== null || child.signalCode !== null) {
      const { code, signal } = await ended
      throw new Error(`the node ended with ${signal ?? code} before it listened:\n${log()}`)
    }
    if (performance.now() > deadline)
      throw new Error(`the node did not listen within ${START_TIMEOUT_MS} ms:\n${log()}`)
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}

async function waitForHealth(node: NodeProcess): Promise<void> {
  const deadline = performance.now() + START_TIMEOUT_MS
  while (performance.now() < deadline) {
    const response = await fetch(`${node.url}/health/ready`).catch(() => null)
    await response?.arrayBuffer()
    if (response?.ok) return
    await new Promise(resolve => setTimeout(resolve, 20))
  }
  throw new Error(`the node was not healthy within ${START_TIMEOUT_MS} ms:\n${node.log}`)
}

function exitOf(child: ChildProcess): Promise<Exit> {
  if (child.exitCode !== null || child.signalCode !== null) {
    return Promise.resolve({ code: child.exitCode, signal: child.signalCode })
  }
  return once(child, 'exit').then(([code, signal]) => ({ code, signal }))
}

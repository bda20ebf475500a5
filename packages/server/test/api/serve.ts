import { afterAll, afterEach } from 'vitest'
import type { Health } from '../../src/api/health.ts'
import type { ApiOptions } from '../../src/api/server.ts'
import { silentLog } from '../../src/log.ts'
import { aloneChanges, bareApi, type Given } from './bare-api.ts'
import { createFakeHandlers, type FakeState } from './fake-handlers.ts'
import { fakeTenants } from './fake-tenants.ts'

/** A server takes a tenth of a second to make: tests with the same configuration share one, emptied between them. */
const shared = new Map<string, Served>()
const own: Served[] = []

afterEach(async () => {
  for (const { state, health, logged } of shared.values()) {
    state.queues.clear()
    state.messages.clear()
    state.crons.clear()
    state.orgs.clear()
    state.keys.clear()
    state.calls.length = 0
    state.failure = null
    health.now = WELL
    logged.length = 0
  }
  await Promise.all(own.splice(0).map(({ close }) => close(1000)))
})
afterAll(async () => {
  await Promise.all([...shared.values()].map(({ close }) => close(1000)))
})

const WELL: Health = { live: true, ready: true, parts: { database: { ok: true, state: 'up' } } }

export interface Served {
  readonly url: string
  readonly port: number
  readonly state: FakeState
  readonly logged: { readonly level: string; readonly fields: object; readonly message: string }[]
  readonly health: { now: Health }
  /** How many subscriptions listen. */
  subscribers(): number
  open(): void
  close(deadlineMs: number): Promise<void>
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answered>
}

// biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape.
type Json = any
export interface Answered {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  readonly json: Json
}

type Overrides = Partial<ApiOptions['config']>
type More = Pick<Given, 'translate' | 'isOpen'>

/** The API over fake handlers on a free port of the loopback address. */
export async function serve(config: Overrides = {}): Promise<Served> {
  const key = JSON.stringify(config)
  const found = shared.get(key) ?? (await start(config))
  shared.set(key, found)
  return found
}

/** One of its own: for tests that close it, or look at how it starts. */
export async function serveAlone(config: Overrides = {}, more: More = {}): Promise<Served> {
  const served = await start(config, more)
  own.push(served)
  return served
}

async function start(config: Overrides, more: More = {}): Promise<Served> {
  const { handlers, state } = createFakeHandlers()
  const logged: Served['logged'] = []
  const note = (level: 'debug' | 'info' | 'warn' | 'error') => (fields: object, message: string) => {
    logged.push({ level, fields, message })
    silentLog[level](fields, message)
  }
  const health: Served['health'] = { now: WELL }
  const changes = aloneChanges()
  const api = bareApi({
    config,
    tenants: fakeTenants,
    handlers,
    changes,
    health: { check: () => health.now },
    metrics: async () => ({ contentType: 'text/plain; version=0.0.4', body: 'posthorn_up 1\n' }),
    log: { debug: note('debug'), info: note('info'), warn: note('warn'), error: note('error') },
    ...more,
  })
  const { url, port } = await api.listen()
  const subscribers = (): number => changes.subscribers
  const { open, close } = api
  return { url, port, state, logged, health, subscribers, open, close, call: (...args) => call(url, ...args) }
}

export async function call(
  url: string,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answered> {
  const raw = typeof body === 'string' || body instanceof Uint8Array
  const response = await fetch(url + path, {
    method,
    redirect: 'manual',
    headers: { ...(body !== undefined && !raw && { 'content-type': 'application/json' }), ...headers },
    ...(body !== undefined && { body: raw ? (body as string) : JSON.stringify(body) }),
  })
  const text = await response.text()
  const isJson = /json/.test(response.headers.get('content-type') ?? '')
  return {
    status: response.status,
    headers: response.headers,
    text,
    json: isJson && text ? JSON.parse(text) : undefined,
  }
}

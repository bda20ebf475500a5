import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'
import { secretWord } from '../../test/leaks/marked.ts'
import type { Credentials } from './credentials.ts'
import type { Email } from './email.ts'
import type { Fault } from './faults.ts'
import { INBOX_KEEPS, type Inbox, type InboxEntry } from './inbox.ts'
import type { Note } from './note.ts'
import type { Service } from './port.ts'

/** What the suite needs of a server that speaks a service's protocol, on this machine and in the suite's hand. */
export interface StandIn {
  /** Those that it accepts. Their secrets are searched for in everything that comes out. */
  readonly credentials: Credentials
  /** Those that it does not accept. */
  readonly wrong: Credentials | null
  /** Where the provider's API is for this test, where no credential says so. */
  readonly endpoint?: string
  /** `times`: for so many requests, and then well again. */
  behave(how: Behaviour, times?: number): void
  /** Connections and requests so far, and the ids of the messages or the calls that it took. */
  connections(): number
  requests(): number
  taken(): readonly string[]
  /** One ordinary act: null if it succeeded. */
  act(service: Service): Promise<Fault | null>
}

/** Where a stand-in says how it is to be ended; in a test nobody has to. */
export type OnEnd = (end: () => void | Promise<void>) => void

export const BEHAVIOURS = ['well', 'throttles', 'is down', 'hangs', 'cuts', 'echoes', 'redirects', 'babbles'] as const
export type Behaviour = (typeof BEHAVIOURS)[number]

/** A request as a stand-in sees it. */
export interface Asked {
  readonly method: string
  readonly url: URL
  /** As it came, undecoded. */
  readonly target: string
  readonly headers: http.IncomingHttpHeaders
  readonly body: Buffer
  /** When, in milliseconds of this process. */
  readonly at: number
}

export interface Replied {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Buffer
}

export interface HttpStandIn {
  readonly origin: string
  readonly asked: Asked[]
  behave(how: Behaviour, times?: number): void
  connections(): number
  requests(): number
}

export interface HttpOptions {
  /** What the service does when it is well: its own checks of credentials included. */
  readonly answer: (asked: Asked) => Replied | Promise<Replied>
  /** An error as this service words it. */
  readonly error: (status: number, message: string) => Replied
}

/** How a stand-in behaves now, and for how many requests more. */
export class Mood {
  #how: Behaviour = 'well'
  #left = 0

  readonly behave = (how: Behaviour, times = Number.POSITIVE_INFINITY): void => {
    this.#how = how
    this.#left = times
  }

  /** How to treat this request. */
  next(): Behaviour {
    return this.#left-- > 0 ? this.#how : 'well'
  }

  /** Whether to treat it so; one that is to be treated otherwise does not count. */
  is(how: Behaviour): boolean {
    return this.#how === how && this.next() === how
  }
}

/** An HTTP server that can also behave in every way that a service should not. */
export async function startHttp({ answer, error }: HttpOptions, onEnd: OnEnd = onTestFinished): Promise<HttpStandIn> {
  const asked: Asked[] = []
  const mood = new Mood()
  let connections = 0
  let requests = 0
  const server = http.createServer(async (request, response) => {
    requests++
    const parts: Buffer[] = []
    for await (const part of request) parts.push(part)
    const { method = '', url: target = '', headers } = request
    const one: Asked = {
      method,
      url: new URL(target, origin),
      target,
      headers,
      body: Buffer.concat(parts),
      at: performance.now(),
    }
    asked.push(one)
    const how = mood.next()
    if (how === 'hangs') return
    if (how === 'cuts') {
      response.writeHead(200, { 'content-length': '1000', 'content-type': 'application/json' }).write('{')
      setImmediate(() => request.socket.destroy())
      return
    }
    const { status, headers: more, body } = await replyTo(one, how)
    response.writeHead(status, more).end(method === 'HEAD' ? undefined : body)
  })
  const replyTo = async (one: Asked, how: Behaviour): Promise<Replied> => {
    if (how === 'throttles') return withHeader(error(429, 'slow down'), 'retry-after', '7')
    if (how === 'is down') return error(503, 'back soon')
    if (how === 'echoes') return error(400, echo(one))
    if (how === 'redirects') return { status: 307, headers: { location: `${origin}/elsewhere` } }
    if (how === 'babbles')
      return { status: 200, headers: { 'content-type': 'text/html' }, body: '<html>welcome to the wifi</html>' }
    return answer(one)
  }
  server.on('connection', () => connections++)
  server.listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  onEnd(() => {
    server.closeAllConnections()
    server.close()
  })
  return {
    origin,
    asked,
    behave: mood.behave,
    connections: () => connections,
    requests: () => requests,
  }
}

function withHeader(replied: Replied, name: string, value: string): Replied {
  return { ...replied, headers: { ...replied.headers, [name]: value } }
}

/** All that a request held, in every reading that a careless service could put into its error. */
function echo({ headers, target, body }: Asked): string {
  const authorization = headers.authorization ?? ''
  const decoded = Buffer.from(authorization.split(' ')[1] ?? '', 'base64').toString('utf8')
  const pair = decoded.split(':')
  return JSON.stringify({ headers, authorization, decoded, pair, target, body: body.toString('utf8') })
}

export function json(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Replied {
  return { status, headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) }
}

export function isBasic(asked: Asked, user: string, password: string): boolean {
  return asked.headers.authorization === `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
}

export function parse(asked: Asked): Record<string, unknown> {
  return JSON.parse(asked.body.toString('utf8')) as Record<string, unknown>
}

export function emailTo(address: string, more: Partial<Email> = {}): Email {
  return {
    id: `msg_${address.split('@')[0]}`,
    from: { address: 'sender@org.example', name: 'Örg' },
    to: [{ address, name: null }],
    cc: [],
    bcc: [],
    replyTo: null,
    subject: 'Grüße',
    text: 'Hello',
    html: '<p>Hello</p>',
    template: null,
    customId: null,
    headers: {},
    attachments: [],
    ...more,
  }
}

export function noteOf(id: string, more: Partial<Note> = {}): Note {
  return {
    id,
    body: JSON.stringify({ id }),
    attributes: { Schema: 'posthorn:1', Stage: 'deliver' },
    group: null,
    trace: null,
    ...more,
  }
}

/** An inbox of one process. */
export function memoryInbox(): Inbox {
  let kept: readonly InboxEntry[] = []
  return {
    async add(entries) {
      kept = [...[...entries].reverse(), ...kept].slice(0, INBOX_KEEPS)
    },
    list: async () => kept,
  }
}

/** What an act of delivery or a call came to, for `StandIn.act`. */
export async function faultOfEmail(service: Service, email = emailTo('ann@a.example')): Promise<Fault | null> {
  const [outcome] = await service.deliver.email!([email])
  return outcome === undefined || outcome.kind === 'delivered' ? null : outcome.fault
}

export async function faultOfNote(service: Service, note = noteOf('msg_1')): Promise<Fault | null> {
  const [outcome] = await service.deliver.push!([note])
  return outcome === undefined || outcome.kind === 'delivered' ? null : outcome.fault
}

export const NO_CREDENTIALS: Credentials = { host: null, user: null, password: null, path: null }
/** Everything that a text can be spelled in differently. */
export const SECRET = `pa ss+w/ö&rd"<%41>'${secretWord('==')}`

/** The client: one method for every operation, made by a loop over the generated routes. */
import { PosthornError } from './errors.ts'
import { type Route, routes } from './generated/routes.ts'
import type { Download, Operations, Page } from './generated/types.ts'
import { type BuiltRequest, buildRequest } from './request.ts'

export interface ClientOptions {
  /** Where Posthorn answers, such as `http://127.0.0.1:3042`. */
  readonly url: string
  readonly adminSecret?: string
  readonly apiKey?: string
  /** The name of the org to act for, with the admin secret; without it, that is the instance org. */
  readonly org?: string
  /** In place of the global fetch. */
  readonly fetch?: typeof fetch
  /** Further tries of a call that failed for want of an answer. 2 if not given. Never one that may have been carried out already and cannot be repeated safely. */
  readonly retries?: number
  /** Milliseconds for one try, of a download until it begins. 30 000 if not given. */
  readonly timeoutMs?: number
  /** In place of setTimeout. */
  readonly wait?: (ms: number) => Promise<void>
}

export interface CallOptions {
  readonly signal?: AbortSignal
}

export type Client = Operations<CallOptions>

type Input = Readonly<Record<string, unknown>>
type Call = (input?: Input, options?: CallOptions) => Promise<unknown>

/**
 * Makes a client.
 *
 * @example
 * const client = createClient({ url: 'http://127.0.0.1:3042' })
 * const queue = await client.queues.create({ name: 'orders', callbackUrl: 'https://example.com/hook' })
 * await client.messages.put({ queueId: queue.id, body: '{"order":1}', idempotencyKey: 'order-1' })
 */
export function createClient(options: ClientOptions): Client {
  const client: Record<string, Record<string, Call>> = {}
  for (const [name, route] of Object.entries(routes)) {
    const [group = '', method = ''] = name.split('.')
    client[group] ??= {}
    client[group][method] = (input = {}, { signal } = {}) => call(options, route, input, signal)
  }
  return client as unknown as Client
}

async function call(
  options: ClientOptions,
  route: Route,
  input: Input,
  signal: AbortSignal | undefined,
): Promise<unknown> {
  const request = buildRequest(route, input)
  const repeatable = isRepeatable(route, input)
  const retries = options.retries ?? 2
  for (let tried = 0; ; tried++) {
    try {
      return await callOnce(options, route, request, signal)
    } catch (error) {
      const again = error instanceof PosthornError && tried < retries && isWorthRetrying(error, repeatable)
      if (!again || signal?.aborted) throw error
      await (options.wait ?? sleep)(backoff(tried))
    }
  }
}

/** Whether doing it twice is as good as doing it once. */
function isRepeatable({ verb, path }: Route, input: Input): boolean {
  if (verb === 'GET' || verb === 'PUT') return true
  const { messages } = input as { messages?: unknown }
  if (Array.isArray(messages)) return messages.every((message: Input | null) => message?.idempotencyKey !== undefined)
  return input.idempotencyKey !== undefined || path.endsWith('/pause') || path.endsWith('/resume')
}

function isWorthRetrying({ code, status }: PosthornError, repeatable: boolean): boolean {
  if (code === 'database_unavailable' || code === 'shutting_down') return true
  return repeatable && (code === 'unreachable' || code === 'outcome_unknown' || status === 502 || status === 504)
}

/** 200 ms, 400 ms, 800 ms …, at most 5 s, halved at most by chance so that clients do not come back together. */
function backoff(tried: number): number {
  return Math.min(5000, 200 * 2 ** tried) * (0.5 + Math.random() / 2)
}

const sleep = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms))

async function callOnce(
  options: ClientOptions,
  route: Route,
  { path, body }: BuiltRequest,
  signal: AbortSignal | undefined,
): Promise<unknown> {
  const timeout = new AbortController()
  const timer = setTimeout(() => timeout.abort(tooLate()), options.timeoutMs ?? 30_000)
  const send = options.fetch ?? fetch
  let response: Response
  let text: string
  try {
    response = await send(options.url.replace(/\/+$/, '') + path, {
      method: route.verb,
      headers: headersOf(options, route, body),
      signal: signal ? AbortSignal.any([signal, timeout.signal]) : timeout.signal,
      ...(body !== undefined && { body }),
    })
    if (route.streamed && response.ok) return toDownload(response)
    text = await response.text()
  } catch (error) {
    if (signal?.aborted) throw error
    throw new PosthornError('unreachable', `${options.url} did not answer: ${reasonOf(error)}`, 0, {}, { cause: error })
  } finally {
    clearTimeout(timer)
  }
  const content = parse(text)
  if (!response.ok) throw toError(response.status, content)
  if (content === undefined) throw unknownAnswer(response.status)
  return route.list ? toPage(content as unknown[], response.headers) : content
}

const tooLate = () => new DOMException('The operation was aborted due to timeout', 'TimeoutError')

function headersOf(
  { adminSecret, apiKey, org }: ClientOptions,
  { streamed }: Route,
  body: string | undefined,
): Record<string, string> {
  const secret = apiKey ?? adminSecret
  return {
    accept: streamed ? 'application/problem+json, */*' : 'application/json, application/problem+json',
    ...(secret !== undefined && { authorization: `Bearer ${secret}` }),
    ...(org !== undefined && { 'x-posthorn-org': org }),
    ...(body !== undefined && { 'content-type': 'application/json' }),
  }
}

/** fetch hides the reason in the cause of a "fetch failed". */
function reasonOf(error: unknown): string {
  const { cause, message } = error as Error
  return cause instanceof Error && cause.message ? cause.message : message
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

interface ProblemBody {
  readonly code?: PosthornError['code']
  readonly detail?: string
  readonly title?: string
  readonly details?: PosthornError['details']
}

function toError(status: number, content: unknown): PosthornError {
  const { code, detail, title, details } = (content ?? {}) as ProblemBody
  if (code === undefined || title === undefined) return unknownAnswer(status)
  return new PosthornError(code, detail ?? title, status, details)
}

function unknownAnswer(status: number): PosthornError {
  return new PosthornError('unknown_answer', `the answer (status ${status}) is not one of Posthorn's`, status)
}

/** What comes after this has no bound in time but the caller's. */
function toDownload({ headers, body }: Response): Download {
  const length = headers.get('content-length')
  return {
    contentType: headers.get('content-type') ?? 'application/octet-stream',
    bytes: length === null || headers.has('content-encoding') ? null : Number(length),
    stream: body ?? new ReadableStream({ start: controller => controller.close() }),
  }
}

function toPage(items: unknown[], headers: Headers): Page<unknown> {
  const total = headers.get('x-total-count')
  return {
    items,
    totalCount: total === null ? null : Number(total),
    startAfter: headers.get('x-start-after'),
    endBefore: headers.get('x-end-before'),
  }
}

import { type FaultCode, FaultError, fail, faultCodeOf, faultOf, readRetryAfter } from './faults.ts'
import type { Means } from './port.ts'

/** One bounded request and its whole answer, for the adapters that speak HTTP themselves. */

export interface HttpRequest {
  readonly url: string
  readonly method: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | null
  readonly signal: AbortSignal
}

export interface Reply {
  readonly status: number
  readonly contentType: string
  readonly text: string
  readonly retryAfterMs: number | null
}

/** More than any documented answer of the services that we ask. */
const MAX_REPLY_BYTES = 5 * 1024 * 1024

export async function request(means: Means, { url, method, headers = {}, body, signal }: HttpRequest): Promise<Reply> {
  const response = await means.outside.fetch(url, {
    method,
    headers: { 'user-agent': `posthorn/${means.version}`, accept: 'application/json', ...headers },
    body: body ?? null,
    signal,
  })
  return {
    status: response.status,
    contentType: (response.headers.get('content-type') ?? '').split(';')[0]!.trim().toLowerCase(),
    text: await readText(response, new URL(url).hostname),
    retryAfterMs: readRetryAfter(response.headers.get('retry-after'), means.clock.now()),
  }
}

async function readText(response: Response, host: string): Promise<string> {
  const parts: Uint8Array[] = []
  let bytes = 0
  for await (const part of response.body ?? []) {
    bytes += part.byteLength
    if (bytes > MAX_REPLY_BYTES) fail('wrong_answer', `${host} answered with more than ${MAX_REPLY_BYTES} bytes`)
    parts.push(part)
  }
  return Buffer.concat(parts).toString('utf8')
}

/** The answer's JSON; undefined if it is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** The error that an answer other than 2xx is. `said`: what the service gave as reason and code, where it did. */
export function replyError(
  title: string,
  { status, retryAfterMs }: Reply,
  said: { readonly reason?: string | undefined; readonly code?: string | undefined; readonly fault?: FaultCode } = {},
): FaultError {
  const reason = `${title} answered ${status}${said.reason ? `: ${said.reason}` : ''}`
  const more = { status, retryAfterMs, serviceCode: said.code ?? null }
  return new FaultError(faultOf(said.fault ?? faultCodeOf(status), reason, more))
}

export function isOk({ status }: Reply): boolean {
  return status >= 200 && status < 300
}

export function basicAuth(user: string | null, password: string | null): string {
  return `Basic ${Buffer.from(`${user ?? ''}:${password ?? ''}`, 'utf8').toString('base64')}`
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A field of something that a service answered, if it is a string. */
export function textIn(value: unknown, field: string): string | undefined {
  const found = isRecord(value) ? value[field] : undefined
  return typeof found === 'string' ? found : undefined
}

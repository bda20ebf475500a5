import type { Clock } from '../clock.ts'
import type { Ids } from '../id.ts'
import type { Backoff } from './backoff.ts'
import { type CompiledHeaders, compileHeaders, requestHeaders } from './headers.ts'
import { next } from './next.ts'
import type { Outcome, Sender } from './port.ts'
import { parseSecret, type SigningKey, sign } from './sign.ts'

/** What a webhook needs to know of its queue. */
export interface WebhookRoute {
  readonly orgId: number
  readonly callbackUrl: string | null
  readonly method: string
  readonly headers: Readonly<Record<string, string>> | null
  readonly deadLetterQueueId: number | null
  readonly maxRetries: number
  readonly backoff: Backoff
  readonly timeoutMs: number
  readonly ordered: 'none' | 'queue' | 'key'
  readonly followRedirects: boolean
  readonly onGone: 'fail' | 'pause'
  /** `whsec_…`, newest first. */
  readonly secrets: readonly string[]
}

/** What a webhook needs to know of its message. */
export interface WebhookMessage {
  readonly id: number
  readonly body: string | Buffer | null
  readonly headers: string | null
  readonly key: string | null
  /** Before a redrive: they count no longer. */
  readonly forgiven: number
  readonly expiresAt: number | null
}

export type WebhookVerdict =
  | { readonly kind: 'delivered' }
  | { readonly kind: 'retry'; readonly at: number; readonly inPlace: boolean }
  | { readonly kind: 'dead'; readonly reason: string; readonly deadLetterQueueId: number | null }
  | { readonly kind: 'expired'; readonly reason: string }

export interface WebhookReport extends Omit<Outcome, 'kind' | 'retryAfterMs'> {
  readonly outcome: Outcome['kind']
  readonly timedOut: boolean
}

/** What follows, seen from `now` on the database's clock; `pause`: why the queue must be paused. */
type Decide = (now: number) => { readonly verdict: WebhookVerdict; readonly pause: string | null }

export interface WebhookOptions {
  readonly sender: Sender
  readonly ids: Pick<Ids, 'webhookId'>
  readonly clock: Clock
  readonly random: () => number
  /** Posthorn's, for the user agent. */
  readonly version: string
}

interface Compiled {
  readonly headers: CompiledHeaders
  readonly keys: readonly SigningKey[]
}

/** Attempts as signed HTTP requests, in the form of Standard Webhooks. What a route needs is compiled once per version of it. */
export function createWebhooks({ sender, ids, clock, random, version }: WebhookOptions) {
  const compiled = new WeakMap<WebhookRoute, Compiled>()
  const compile = (route: WebhookRoute): Compiled => {
    let found = compiled.get(route)
    if (!found) {
      found = { headers: compileHeaders(route.headers, version), keys: route.secrets.map(keyOf) }
      compiled.set(route, found)
    }
    return found
  }
  const timestampNow = countSeconds(clock)
  return {
    /** Makes the nth attempt (1 is the first). Calls `done` once, later; never throws. */
    attempt(
      route: WebhookRoute,
      message: WebhookMessage,
      nth: number,
      done: (report: WebhookReport, decide: Decide) => void,
    ): void {
      const { headers, keys } = compile(route)
      const webhookId = ids.webhookId(message.id)
      const timestamp = timestampNow()
      const signed = keys.length > 0 ? sign(keys, webhookId, timestamp, message.body) : null
      const request = {
        orgId: route.orgId,
        method: route.method,
        url: route.callbackUrl!,
        headers: requestHeaders(headers, {
          webhookId,
          timestamp,
          signature: signed?.signature ?? null,
          attempt: nth,
          sequence: route.ordered === 'none' ? null : `${message.id}`,
          headers: message.headers,
        }),
        body: signed ? signed.body : bytesOf(message.body),
        timeoutMs: route.timeoutMs,
        followRedirects: route.followRedirects,
      }
      sender.send(request, outcome => done(reportOf(outcome), now => decide(route, message, nth, outcome, now, random)))
    },
  }
}

/** Seconds since 1970, as text that is made once a second. */
function countSeconds(clock: Clock): () => string {
  let second = Number.NaN
  let text = ''
  return () => {
    const now = Math.floor(clock.now() / 1000)
    if (now !== second) {
      second = now
      text = `${now}`
    }
    return text
  }
}

function keyOf(secret: string): SigningKey {
  const parsed = parseSecret(secret)
  if (!parsed.ok) throw new Error('a stored signing secret is malformed')
  return parsed.key
}

const bytesOf = (body: string | Buffer | null): Buffer | null =>
  typeof body === 'string' ? Buffer.from(body, 'utf8') : body

function reportOf({ kind, status, errorCode, error, excerpt, durationMs }: Outcome): WebhookReport {
  return { outcome: kind, status, errorCode, error, excerpt, durationMs, timedOut: errorCode === 'timeout' }
}

function decide(
  route: WebhookRoute,
  message: WebhookMessage,
  nth: number,
  outcome: Outcome,
  now: number,
  random: () => number,
): ReturnType<Decide> {
  const attempts = nth - 1 - message.forgiven
  const what = next(outcome, route, { attempts, now, expiresAt: message.expiresAt, random })
  if (what.kind === 'retry') {
    const inPlace = route.ordered === 'queue' || (route.ordered === 'key' && message.key !== null)
    return { verdict: { kind: 'retry', at: Math.ceil(what.at), inPlace }, pause: what.pauseQueue }
  }
  if (what.kind === 'dead') return { verdict: { ...what, deadLetterQueueId: route.deadLetterQueueId }, pause: null }
  return { verdict: what, pause: null }
}

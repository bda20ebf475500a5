/**
 * What pg-hooks has, in the form that Posthorn takes. Pure: nothing is stored here.
 *
 * What behaves as before is taken as it is; what pg-hooks took and could never send is not taken, with the reason. What was
 * a fault of pg-hooks and has to change comes with a remark.
 */
import { type CronCreate, cron, type QueueCreate, queue } from '@posthorn/contract'
import type { NewMessage } from '../engine/port.ts'
import { firstTick, readSchedule } from '../queue/cron-schedule.ts'
import { headersText } from '../queue/message-input.ts'
import type { CheckHeaders } from '../queue/queue-input.ts'
import type { OldCron, OldMessage, OldQueue } from './pg-hooks-database.ts'

export interface FitRules {
  readonly checkHeaders: CheckHeaders
  /** What a caller would be told who gave this, or null if nothing is wrong with it. */
  readonly objection: (schema: object, input: Record<string, unknown>) => string | null
}

export type Fit<Input> =
  | { readonly ok: true; readonly input: Input; readonly remarks: readonly string[] }
  | { readonly ok: false; readonly problem: string }

/** pg-hooks waited this long for an answer. A shorter bound would send again what a slow receiver has taken. */
const TIMEOUT_MS = 300_000
const MOST_RETRIES = 100
const MOST_ATTEMPTS = 32_767
const FIRST_TIME = Date.UTC(1, 0)
const LAST_TIME = Date.UTC(10_000, 0)

/** The connection sets these itself: whatever value was stored, the request is the same without. */
const CONNECTION = new Set(['connection', 'content-length', 'keep-alive'])

export function fitQueue(old: OldQueue, rules: FitRules): Fit<QueueCreate> {
  const headers = fitHeaders(old.headers, rules.checkHeaders)
  if (!headers.ok) return headers
  const maxRetries = Math.min(MOST_RETRIES, Math.max(0, old.max_retries))
  const input: QueueCreate = {
    name: old.name,
    callbackUrl: old.callback_url,
    method: old.method,
    headers: headers.input,
    maxRetries,
    timeoutMs: TIMEOUT_MS,
  }
  const problem = rules.objection(queue.create, input)
  if (problem !== null) return { ok: false, problem }
  return { ok: true, input, remarks: [...retryRemarks(old.max_retries, maxRetries), ...headers.remarks] }
}

function retryRemarks(old: number, now: number): string[] {
  if (old === 0) return ['maxRetries 0 is one attempt here; pg-hooks retried for ever']
  return old === now ? [] : [`maxRetries ${old} becomes ${now}`]
}

/** @param at when it must tick after, in milliseconds since 1970 */
export function fitCron(old: OldCron, at: number, rules: FitRules): Fit<Omit<CronCreate, 'queueId'>> {
  const headers = fitHeaders(old.headers, rules.checkHeaders)
  if (!headers.ok) return headers
  const input = { schedule: old.schedule, body: old.body, headers: headers.input }
  const problem = rules.objection(cron.create, { queueId: old.queue_id, ...input }) ?? scheduleProblem(old, at)
  if (problem !== null) return { ok: false, problem }
  const asleep = old.waits ? [] : ['is paused: no message of it waited in pg-hooks, so it did not fire there']
  return { ok: true, input, remarks: [...asleep, ...headers.remarks] }
}

function scheduleProblem({ schedule, id }: OldCron, at: number): string | null {
  try {
    firstTick(readSchedule(schedule, 'UTC', id), at)
    return null
  } catch (error) {
    return (error as Error).message
  }
}

export type FittedMessage = Omit<NewMessage, 'orgId' | 'queueId' | 'cronId'> & { readonly attempts: number }

export function fitMessage(old: OldMessage, rules: Pick<FitRules, 'checkHeaders'>): Fit<FittedMessage> {
  const headers = fitHeaders(old.headers, rules.checkHeaders)
  if (!headers.ok) return headers
  if (old.due === null || old.due < FIRST_TIME || old.due >= LAST_TIME) {
    return { ok: false, problem: 'when must be within the years 1 to 9999' }
  }
  const input = {
    body: old.body,
    headers: headersText(headers.input, rules.checkHeaders),
    dueAt: old.due,
    expiresAt: null,
    priority: 0,
    slice: 0,
    key: null,
    idempotency: null,
    attempts: Math.min(MOST_ATTEMPTS, Math.max(0, old.retries)),
  }
  return { ok: true, input, remarks: headers.remarks }
}

type Headers = Record<string, string> | null

/** pg-hooks sent null as nothing, and what is no text as text. */
function fitHeaders(old: unknown, check: CheckHeaders): Fit<Headers> {
  if (old === null || old === undefined) return { ok: true, input: null, remarks: [] }
  if (typeof old !== 'object' || Array.isArray(old)) return { ok: false, problem: 'headers must be an object' }
  const kept: Record<string, string> = {}
  const remarks: string[] = []
  for (const [name, value] of Object.entries(old)) {
    if (CONNECTION.has(name.toLowerCase())) remarks.push(`headers.${name} is left out: the connection sets it`)
    else kept[name] = String(value ?? '')
  }
  const problem = check(kept)
  return problem === null ? { ok: true, input: kept, remarks } : { ok: false, problem }
}

/** What callers say of a cron, in the form in which it is stored. */
import { type Cron, type CronCreate, type CronUpdate, cron, Problem } from '@posthorn/contract'
import { headersText } from './message-input.ts'
import type { CheckHeaders } from './queue-input.ts'

/** What a caller decides of a cron. */
export interface CronContent {
  readonly queue_id: number
  readonly schedule: string
  readonly time_zone: string
  readonly body: string | null
  /** JSON text of an object of strings. */
  readonly headers: string | null
  readonly misfire: Cron['misfire']
  readonly priority: number
}

/** @throws Problem validation_failed */
export function newContent(input: CronCreate, check: CheckHeaders): CronContent {
  const { queueId, ...given } = input
  const whole = { ...cron.defaults, ...given } as Required<Omit<CronCreate, 'queueId'>>
  return {
    queue_id: queueId,
    schedule: storedText(whole.schedule, 'schedule').trim(),
    time_zone: whole.timeZone,
    body: whole.body === null ? null : storedText(whole.body, 'body'),
    headers: headersText(whole.headers, check),
    misfire: whole.misfire,
    priority: whole.priority,
  }
}

/** What is left out keeps its value. @throws Problem validation_failed */
export function changedContent(now: CronContent, patch: CronUpdate, check: CheckHeaders): CronContent {
  const { queueId, schedule, timeZone, body, headers, misfire, priority } = patch
  return {
    queue_id: queueId ?? now.queue_id,
    schedule: schedule === undefined ? now.schedule : storedText(schedule, 'schedule').trim(),
    time_zone: timeZone ?? now.time_zone,
    body: typeof body === 'string' ? storedText(body, 'body') : body === null ? null : now.body,
    headers: headers === undefined ? now.headers : headersText(headers, check),
    misfire: misfire ?? now.misfire,
    priority: priority ?? now.priority,
  }
}

/** Whether the messages to come are others, or come at other times. */
export function ticksDiffer(a: CronContent, b: CronContent): boolean {
  return (['queue_id', 'schedule', 'time_zone', 'body', 'headers', 'priority'] as const).some(key => a[key] !== b[key])
}

function storedText(text: string, field: string): string {
  if (text.includes('\0')) throw new Problem('validation_failed', { problem: `body/${field} must not contain NUL` })
  return text
}

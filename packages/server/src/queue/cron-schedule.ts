/**
 * Schedules: from a cron's text to its ticks.
 *
 * Croner reads the fields and knows the time zones. Before it, names are written out, `?` becomes `*`, and `H` becomes a
 * number that follows from the cron's id, so that crons with the same text spread and each keeps its own.
 *
 * Daylight saving, as Vixie cron has it: with fixed hours and minutes, a time that the clocks skip ticks when they have
 * jumped, and one that they repeat ticks once; with `*` or a step, ticks follow the time that really passes.
 */
import { Problem } from '@posthorn/contract'
import { Cron as Croner } from 'croner'

export interface Schedule {
  /** The first tick after a time, in milliseconds since 1970; null if there is none any more. */
  next(after: number): number | null
}

const NAMES: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@weekdays': '0 0 * * 1-5',
  '@weekends': '0 0 * * 0,6',
  '@hourly': '0 * * * *',
  '@minutely': '* * * * *',
  '@secondly': '* * * * * *',
}

/** What `H` may become, field by field: days that every month has. */
const HASHED = [
  [0, 59],
  [0, 59],
  [0, 23],
  [1, 28],
  [1, 12],
  [0, 6],
] as const

/** @throws Problem validation_failed, naming body/schedule or body/timeZone */
export function readSchedule(text: string, timeZone: string, cronId: number): Schedule {
  checkTimeZone(timeZone)
  const pattern = writeOut(text, cronId)
  // Without a zone Croner does not ask Intl for every tick: five times as fast.
  const zone = timeZone.toUpperCase() === 'UTC' ? { utcOffset: 0 } : { timezone: timeZone }
  try {
    const croner = new Croner(pattern, {
      ...zone,
      paused: true,
      mode: '5-or-6-parts',
      sloppyRanges: true,
      fixedTimeRule: 'no-wildcard',
    })
    return { next: after => croner.nextRun(new Date(after))?.getTime() ?? null }
  } catch (error) {
    throw invalid('schedule', `is not a cron expression: ${(error as Error).message.replace(/^CronPattern: /, '')}`)
  }
}

/** @throws Problem validation_failed for a schedule that never ticks */
export function firstTick(schedule: Schedule, after: number): number {
  const tick = schedule.next(after)
  if (tick === null) throw invalid('schedule', 'never fires: there is no such date')
  return tick
}

function writeOut(text: string, cronId: number): string {
  const trimmed = text.trim()
  if (trimmed.startsWith('@')) {
    const named = NAMES[trimmed.toLowerCase()]
    if (!named) throw invalid('schedule', `has no such name; there are ${Object.keys(NAMES).join(', ')}`)
    return named
  }
  const fields = trimmed === '' ? [] : trimmed.split(/\s+/)
  if (fields.length !== 5 && fields.length !== 6) {
    throw invalid('schedule', `must have 5 fields, or 6 with the seconds first; it has ${fields.length}`)
  }
  const offset = HASHED.length - fields.length
  return fields.map((field, i) => (field === '?' ? '*' : spread(field, i + offset, cronId))).join(' ')
}

/** Puts numbers in the place of each `H`, `H/step`, `H(from-to)` and `H(from-to)/step` of a field. */
function spread(field: string, place: number, cronId: number): string {
  if (!/h/i.test(field)) return field
  const [least, most] = HASHED[place]!
  return field
    .split(',')
    .map(part => {
      const found = /^H(?:\((\d+)-(\d+)\))?(?:\/(\d+))?$/i.exec(part)
      if (!found) return part
      const from = Number(found[1] ?? least)
      const to = Number(found[2] ?? most)
      const step = found[3] === undefined ? null : Number(found[3])
      if (from > to || step === 0) return part
      const start = from + (hash(cronId, place) % Math.min(step ?? Number.POSITIVE_INFINITY, to - from + 1))
      return step === null ? `${start}` : `${start}-${to}/${step}`
    })
    .join(',')
}

/** FNV-1a over the id and the field's place, with its bits mixed once more: neighbours must not be neighbours. */
function hash(cronId: number, place: number): number {
  let value = 0x811c9dc5
  for (const byte of Buffer.from(`${cronId}/${place}`)) value = Math.imul(value ^ byte, 0x01000193)
  value = Math.imul(value ^ (value >>> 16), 0x45d9f3b)
  return (value ^ (value >>> 16)) >>> 0
}

function checkTimeZone(timeZone: string): void {
  try {
    if (/^[+-]/.test(timeZone)) throw new RangeError('an offset is not a time zone')
    new Intl.DateTimeFormat('en', { timeZone })
  } catch (error) {
    const problem = 'body/timeZone must be the name of a time zone, such as Europe/Berlin'
    throw new Problem('validation_failed', { problem, field: 'body/timeZone' }, { cause: error })
  }
}

function invalid(field: string, rule: string): Problem {
  return new Problem('validation_failed', { problem: `body/${field} ${rule}`, field: `body/${field}` })
}

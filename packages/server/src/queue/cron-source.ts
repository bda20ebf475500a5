import { type Condition, type Cron, cron } from '@posthorn/contract'
import { type Columns, column, timestamp } from '../list/filter.ts'
import type { AnyQuery, ListSource } from '../list/page.ts'
import { rowReader } from '../list/read-row.ts'
import { readSchedule } from './cron-schedule.ts'

const columns: Columns = {
  id: column('c.id', 'int8'),
  queueId: column('c.queue_id', 'int8'),
  schedule: column('c.schedule::text', 'text'),
  createdAt: timestamp('c.created_at'),
  updatedAt: timestamp('c.updated_at'),
  body: column('c.body', 'text', { nullable: true }),
  timeZone: column('c.time_zone::text', 'text'),
  misfire: column('c.misfire', 'text'),
  priority: column('c.priority', 'int8'),
  pausedAt: timestamp('c.paused_at', { nullable: true }),
  nextAt: timestamp('c.next_at', { nullable: true }),
}
const hidden: Columns = { headers: column('c.headers', 'text', { nullable: true }) }

const TICKS_SHOWN = 5

/** The crons of one org. */
export function cronSource(orgId: number, query: Pick<AnyQuery, 'fields'>): ListSource<Cron> {
  const withTicks = query.fields === null || query.fields.includes('next')
  return {
    resource: cron,
    branches: [
      { from: 'posthorn.cron AS c', columns, hidden, scope: params => `c.org_id = ${params.add(orgId, 'int4')}` },
    ],
    supplement: null,
    serves,
    sorts: new Set(['id']),
    decode: row => decodeCron(row as unknown as CronRow, withTicks),
  }
}

function serves({ field, op }: Condition): boolean {
  if (op === 'like' || op === 'ilike') return false
  return field === 'id' || (field === 'queueId' && op === 'eq')
}

interface CronRow extends Pick<Cron, 'id' | 'schedule' | 'timeZone'> {
  readonly headers: string | null
  readonly nextAt: Date | null
}

const readCron = rowReader(cron)

function decodeCron(row: CronRow, withTicks: boolean): Cron {
  const headers = row.headers === null ? null : JSON.parse(row.headers)
  return readCron({ ...row, headers, next: withTicks && row.nextAt ? nextTicks(row, row.nextAt.getTime()) : [] })
}

function nextTicks(row: CronRow, first: number): string[] {
  const ticks = [first]
  const schedule = readSchedule(row.schedule, row.timeZone, row.id)
  while (ticks.length < TICKS_SHOWN) {
    const tick = schedule.next(ticks.at(-1)!)
    if (tick === null) break
    ticks.push(tick)
  }
  return ticks.map(tick => new Date(tick).toISOString())
}

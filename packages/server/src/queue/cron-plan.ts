import { setImmediate as breathe } from 'node:timers/promises'
import type { MisfireRule } from '@posthorn/contract'
import type { Schedule } from './cron-schedule.ts'

/** Ticks that are later than this were missed: nobody was there. Younger ones are only late, and each gets its message. */
export const GRACE_MS = 60_000
/** Most missed ticks that are made up for: a good two hours of seconds, a week of minutes. */
const MOST_MADE_UP = 10_000
const MOST_MADE_UP_BYTES = 16 * 1024 * 1024
const AT_A_STRETCH = 100

/** What follows a tick that is due. Times are milliseconds since 1970. */
export interface Plan {
  /** These ticks get a message each, in this order; the last is the only one to come. Empty: the schedule has ended. */
  readonly ticks: readonly number[]
  /** Goes first if the message of the tick that is due has been sent: otherwise that one stands for all that were missed. */
  readonly unlessWaiting: number | null
  /** The message of the tick that is due is not to be sent any more, if it still waits. */
  readonly dropWaiting: boolean
  /** Whether ticks were missed. */
  readonly isMisfire: boolean
}

export interface DueCron {
  readonly schedule: Schedule
  readonly misfire: MisfireRule
  /** The tick that is due; its message was stored before. */
  readonly nextAt: number
  /** Bytes of one message. */
  readonly size: number
}

/** Decides what follows a tick that is due by now. Takes a while for thousands of missed ticks, and lets others in between. */
export async function planTicks(cron: DueCron, now: number): Promise<Plan> {
  const { schedule, nextAt, misfire } = cron
  const plan: Plan = { ticks: [], unlessWaiting: null, dropWaiting: false, isMisfire: now - nextAt > GRACE_MS }
  if (!plan.isMisfire) return { ...plan, ticks: await upTo(schedule, nextAt, now, Number.POSITIVE_INFINITY) }
  const ahead = compact([schedule.next(now)])
  switch (misfire) {
    case 'skip':
      return { ...plan, ticks: ahead, dropWaiting: true }
    case 'one': {
      const first = schedule.next(nextAt)
      return { ...plan, ticks: ahead, unlessWaiting: first !== null && first <= now ? first : null }
    }
    case 'all': {
      const most = Math.max(1, Math.min(MOST_MADE_UP, Math.floor(MOST_MADE_UP_BYTES / (cron.size + 1))))
      const missed = (await upTo(schedule, nextAt, now, most)).filter(tick => tick <= now)
      return { ...plan, ticks: [...missed, ...ahead] }
    }
  }
}

/** The ticks after a time until now, at most so many, and the first one to come. */
async function upTo(schedule: Schedule, after: number, now: number, most: number): Promise<number[]> {
  const ticks: number[] = []
  for (let tick = schedule.next(after); tick !== null && ticks.length < most; tick = schedule.next(tick)) {
    ticks.push(tick)
    if (tick > now) break
    if (ticks.length % AT_A_STRETCH === 0) await breathe()
  }
  return ticks
}

const compact = (ticks: readonly (number | null)[]): number[] => ticks.filter(tick => tick !== null)

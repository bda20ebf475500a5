import { describe, expect, test } from 'vitest'
import { type DueCron, GRACE_MS, planTicks } from './cron-plan.ts'
import { readSchedule } from './cron-schedule.ts'

const SECOND = 1000
const HOUR = 3600 * SECOND
/** A full hour. */
const T0 = Date.parse('2026-01-01T12:00:00Z')

const due = (more: Partial<DueCron> & { readonly every?: string } = {}): DueCron => {
  const { every = '* * * * * *', ...rest } = more
  return { schedule: readSchedule(every, 'UTC', 1), misfire: 'one', nextAt: T0, size: 10, ...rest }
}

describe('what follows a tick that is due', () => {
  test('is the next one, and no other is stored ahead', async () => {
    expect(await planTicks(due(), T0 + 5)).toEqual({
      ticks: [T0 + SECOND],
      unlessWaiting: null,
      dropWaiting: false,
      isMisfire: false,
    })
  })

  test('is every tick up to the next one to come, whatever the rule, as long as nothing was missed', async () => {
    for (const misfire of ['skip', 'one', 'all'] as const) {
      const { ticks, isMisfire } = await planTicks(due({ misfire }), T0 + GRACE_MS)
      expect(isMisfire).toBe(false)
      expect(ticks).toEqual(Array.from({ length: 61 }, (_, i) => T0 + (i + 1) * SECOND))
    }
  })

  test('is nothing where a schedule ends', async () => {
    const schedule = { next: () => null }
    expect((await planTicks(due({ schedule }), T0)).ticks).toEqual([])
    for (const misfire of ['skip', 'one', 'all'] as const) {
      expect((await planTicks(due({ schedule, misfire }), T0 + HOUR)).ticks).toEqual([])
    }
  })
})

describe('after an hour in which nothing ran', () => {
  const now = T0 + HOUR + 500

  test('skip goes on with the next tick, and what still waits is not sent', async () => {
    expect(await planTicks(due({ misfire: 'skip' }), now)).toEqual({
      ticks: [T0 + HOUR + SECOND],
      unlessWaiting: null,
      dropWaiting: true,
      isMisfire: true,
    })
  })

  test('one sends what still waits, or one in its stead', async () => {
    expect(await planTicks(due({ misfire: 'one' }), now)).toEqual({
      ticks: [T0 + HOUR + SECOND],
      unlessWaiting: T0 + SECOND,
      dropWaiting: false,
      isMisfire: true,
    })
  })

  test('one sends nothing more if no other tick was missed', async () => {
    expect(await planTicks(due({ misfire: 'one', every: '@daily' }), now)).toMatchObject({
      ticks: [Date.parse('2026-01-02T00:00:00Z')],
      unlessWaiting: null,
    })
  })

  test('all sends every one of them', async () => {
    const { ticks } = await planTicks(due({ misfire: 'all' }), now)
    expect(ticks).toEqual(Array.from({ length: 3601 }, (_, i) => T0 + (i + 1) * SECOND))
  })

  test('all ends at its bound, by number and by bytes, and goes on with the next tick', async () => {
    const late = T0 + 10 * HOUR
    const many = (await planTicks(due({ misfire: 'all' }), late)).ticks
    expect(many).toHaveLength(10_001)
    expect(many.at(-2)).toBe(T0 + 10_000 * SECOND)
    expect(many.at(-1)).toBe(late + SECOND)
    const large = (await planTicks(due({ misfire: 'all', size: 1024 * 1024 }), late)).ticks
    expect(large).toHaveLength(16)
    expect(large.at(-1)).toBe(late + SECOND)
    expect((await planTicks(due({ misfire: 'all', size: 64 * 1024 * 1024 }), late)).ticks).toHaveLength(2)
  })
})

import { describe, expect, test } from 'vitest'
import { firstTick, readSchedule } from './cron-schedule.ts'

/** A Thursday. */
const START = '2026-01-01T00:00:00Z'

function ticks(text: string, count: number, { zone = 'UTC', from = START, id = 1 } = {}): string[] {
  const schedule = readSchedule(text, zone, id)
  const found: string[] = []
  for (let at = Date.parse(from); found.length < count; ) {
    at = firstTick(schedule, at)
    found.push(new Date(at).toISOString().replace('.000Z', 'Z'))
  }
  return found
}

describe('a schedule', () => {
  test.each([
    ['15 10 * * *', '2026-01-01T10:15:00Z', '2026-01-02T10:15:00Z'],
    ['*/20 * * * *', '2026-01-01T00:20:00Z', '2026-01-01T00:40:00Z'],
    ['*/1 * * * * *', '2026-01-01T00:00:01Z', '2026-01-01T00:00:02Z'],
    ['30 15 10 * * *', '2026-01-01T10:15:30Z', '2026-01-02T10:15:30Z'],
    ['5,50 0 * * *', '2026-01-01T00:05:00Z', '2026-01-01T00:50:00Z'],
    ['0 9-17/4 * * *', '2026-01-01T09:00:00Z', '2026-01-01T13:00:00Z'],
    ['7/30 * * * *', '2026-01-01T00:07:00Z', '2026-01-01T00:37:00Z'],
    ['0 0 * MAR,dec *', '2026-03-01T00:00:00Z', '2026-03-02T00:00:00Z'],
    ['0 0 * * MON-TUE', '2026-01-05T00:00:00Z', '2026-01-06T00:00:00Z'],
    ['0 0 ? * 1', '2026-01-05T00:00:00Z', '2026-01-12T00:00:00Z'],
    ['0 0 1 * ?', '2026-02-01T00:00:00Z', '2026-03-01T00:00:00Z'],
    ['0 0 * * 0', '2026-01-04T00:00:00Z', '2026-01-11T00:00:00Z'],
    ['0 0 * * 7', '2026-01-04T00:00:00Z', '2026-01-11T00:00:00Z'],
    ['0 0 L * *', '2026-01-31T00:00:00Z', '2026-02-28T00:00:00Z'],
    ['0 0 * * 5L', '2026-01-30T00:00:00Z', '2026-02-27T00:00:00Z'],
    ['0 0 * * 1#1', '2026-01-05T00:00:00Z', '2026-02-02T00:00:00Z'],
    ['0 0 29 2 *', '2028-02-29T00:00:00Z', '2032-02-29T00:00:00Z'],
    ['0 0 15 * 1', '2026-01-05T00:00:00Z', '2026-01-12T00:00:00Z'],
    [' 0  0 1 1 * ', '2027-01-01T00:00:00Z', '2028-01-01T00:00:00Z'],
    ['@yearly', '2027-01-01T00:00:00Z', '2028-01-01T00:00:00Z'],
    ['@annually', '2027-01-01T00:00:00Z', '2028-01-01T00:00:00Z'],
    ['@monthly', '2026-02-01T00:00:00Z', '2026-03-01T00:00:00Z'],
    ['@weekly', '2026-01-04T00:00:00Z', '2026-01-11T00:00:00Z'],
    ['@daily', '2026-01-02T00:00:00Z', '2026-01-03T00:00:00Z'],
    ['@midnight', '2026-01-02T00:00:00Z', '2026-01-03T00:00:00Z'],
    ['@hourly', '2026-01-01T01:00:00Z', '2026-01-01T02:00:00Z'],
    ['@Minutely', '2026-01-01T00:01:00Z', '2026-01-01T00:02:00Z'],
    ['@secondly', '2026-01-01T00:00:01Z', '2026-01-01T00:00:02Z'],
    ['@weekdays', '2026-01-02T00:00:00Z', '2026-01-05T00:00:00Z'],
    ['@weekends', '2026-01-03T00:00:00Z', '2026-01-04T00:00:00Z'],
  ])('%s ticks at %s, then at %s', (text, first, second) => {
    expect(ticks(text, 2)).toEqual([first, second])
  })

  test.each([
    ['', 'body/schedule must have 5 fields, or 6 with the seconds first; it has 0'],
    ['   ', 'it has 0'],
    ['*', 'it has 1'],
    ['* * * *', 'it has 4'],
    ['0 0 1 1 * * 2030', 'it has 7'],
    ['hello world', 'it has 2'],
    ['@every 5s', 'body/schedule has no such name; there are @yearly'],
    ['@reboot', 'has no such name'],
    ['60 * * * *', 'body/schedule is not a cron expression: Invalid value for minute: 60'],
    ['* 24 * * *', 'Invalid value for hour: 24'],
    ['0 0 0 * *', 'Invalid value for day'],
    ['0 0 1 13 *', 'Invalid value for month'],
    ['0 0 * * 8', 'Invalid value for dayOfWeek: 8'],
    ['0 0 * * 1#6', 'nth weekday out of range'],
    ['*/0 * * * *', 'illegal stepping: 0'],
    ['H/0 * * * *', 'is not a cron expression'],
    ['H(9-2) * * * *', 'is not a cron expression'],
    ['5-1 * * * *', 'From value is larger'],
    ['1.5 * * * *', 'illegal characters'],
    ['0 0 * * monday', 'has to stand alone'],
    ['0 0 31 2 *', 'body/schedule never fires'],
    ['0 0 30 FEB *', 'body/schedule never fires'],
  ])('%j is refused, saying %s', (text, reason) => {
    expect(() => ticks(text, 1)).toThrow(reason)
    expect(() => ticks(text, 1)).toThrow(expect.objectContaining({ code: 'validation_failed', status: 400 }))
  })

  test('a time zone is a name that exists', () => {
    expect(ticks('0 9 * * *', 1, { zone: 'Asia/Kolkata' })).toEqual(['2026-01-01T03:30:00Z'])
    for (const zone of ['Nowhere/Here', '+02:00', '', 'Berlin']) {
      expect(() => ticks('* * * * *', 1, { zone })).toThrow('body/timeZone must be the name of a time zone')
    }
  })

  test('H is the same in every reading of one cron, within its bounds, and spreads crons', () => {
    const minutes = new Set<string>()
    for (let id = 1; id <= 200; id++) {
      const [first, second] = ticks('H H(9-11) * * *', 2, { id }) as [string, string]
      expect(ticks('H H(9-11) * * *', 2, { id })).toEqual([first, second])
      expect(Number(first.slice(11, 13))).toBeGreaterThanOrEqual(9)
      expect(Number(first.slice(11, 13))).toBeLessThanOrEqual(11)
      expect(first.slice(11)).toBe(second.slice(11))
      minutes.add(first.slice(14, 16))
      const steps = ticks('H/20 * * * *', 3, { id, from: '2025-12-31T23:59:59Z' }).map(tick =>
        Number(tick.slice(14, 16)),
      )
      expect(steps[0]).toBeLessThan(20)
      expect(steps).toEqual([steps[0], steps[0]! + 20, steps[0]! + 40])
    }
    expect(minutes.size).toBeGreaterThan(50)
  })
})

describe('when the clocks are put forward', () => {
  const from = '2025-03-29T22:30:00Z' // Berlin: 02:00 becomes 03:00 at 01:00Z on the 30th
  const berlin = { zone: 'Europe/Berlin', from }

  test('a time that is skipped ticks once, when the clocks have jumped, and the next day as ever', () => {
    expect(ticks('30 2 * * *', 2, berlin)).toEqual(['2025-03-30T01:00:00Z', '2025-03-31T00:30:00Z'])
    expect(ticks('30 2,14 * * *', 3, berlin)).toEqual([
      '2025-03-30T01:00:00Z',
      '2025-03-30T12:30:00Z',
      '2025-03-31T00:30:00Z',
    ])
    const midnight = { zone: 'America/Sao_Paulo', from: '2018-11-03T12:00:00Z' }
    expect(ticks('0 0 * * *', 2, midnight)).toEqual(['2018-11-04T03:00:00Z', '2018-11-05T02:00:00Z'])
  })

  test('what ticks every hour or every 20 minutes goes on with the time that passes', () => {
    expect(ticks('0 * * * *', 4, berlin)).toEqual([
      '2025-03-29T23:00:00Z',
      '2025-03-30T00:00:00Z',
      '2025-03-30T01:00:00Z',
      '2025-03-30T02:00:00Z',
    ])
    const around = { zone: 'Europe/Berlin', from: '2025-03-30T00:30:00Z' }
    expect(ticks('*/20 * * * *', 3, around)).toEqual([
      '2025-03-30T00:40:00Z',
      '2025-03-30T01:00:00Z',
      '2025-03-30T01:20:00Z',
    ])
  })
})

describe('when the clocks are put back', () => {
  const from = '2025-10-25T22:30:00Z' // Berlin: 03:00 becomes 02:00 at 01:00Z on the 26th
  const berlin = { zone: 'Europe/Berlin', from }

  test('a time that comes twice ticks once, and the next day as ever', () => {
    expect(ticks('30 2 * * *', 2, berlin)).toEqual(['2025-10-26T00:30:00Z', '2025-10-27T01:30:00Z'])
    expect(ticks('30 2,14 * * *', 3, berlin)).toEqual([
      '2025-10-26T00:30:00Z',
      '2025-10-26T13:30:00Z',
      '2025-10-27T01:30:00Z',
    ])
  })

  test('what ticks every hour, every second or every 30 minutes goes on with the time that passes', () => {
    expect(ticks('0 * * * *', 4, berlin)).toEqual([
      '2025-10-25T23:00:00Z',
      '2025-10-26T00:00:00Z',
      '2025-10-26T01:00:00Z',
      '2025-10-26T02:00:00Z',
    ])
    expect(ticks('@secondly', 3, { zone: 'Europe/Berlin', from: '2025-10-26T00:59:58Z' })).toEqual([
      '2025-10-26T00:59:59Z',
      '2025-10-26T01:00:00Z',
      '2025-10-26T01:00:01Z',
    ])
    const halfHour = { zone: 'Australia/Lord_Howe', from: '2025-04-05T14:00:00Z' } // by half an hour, at 15:00Z
    expect(ticks('*/30 * * * *', 4, halfHour)).toEqual([
      '2025-04-05T14:30:00Z',
      '2025-04-05T15:00:00Z',
      '2025-04-05T15:30:00Z',
      '2025-04-05T16:00:00Z',
    ])
  })
})

import { expect, test } from 'vitest'
import { HandClock } from '../../test/run-room.ts'
import { Pace } from './pace.ts'

test('a few go at once, then no more than 200 a second, and it says when there may be more', async () => {
  const clock = new HandClock()
  let starts = 0
  const startAll = (): void => {
    for (; pace.allows(); starts += 1) pace.started()
  }
  const pace = new Pace({ clock, passed: startAll })
  startAll()
  expect(starts).toBe(20)
  await clock.pass(1000)
  expect(starts).toBe(220)
  pace.stop()
  await clock.pass(1000)
  expect(starts).toBe(220)
})

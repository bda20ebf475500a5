import { expect, test } from 'vitest'
import { HandClock } from '../../test/run-room.ts'
import { OwnedClock } from './owned-clock.ts'

test('timers ring as those of the clock behind it, unless they are cancelled', async () => {
  const hand = new HandClock()
  const clock = new OwnedClock(hand)
  const rung: string[] = []
  clock.setTimer(() => rung.push(`a at ${clock.now()}`), 10)
  clock.setTimer(() => rung.push('b'), 5).cancel()
  await hand.pass(20)
  expect(rung).toEqual([`a at 1010`])
  expect(clock.monotonic()).toBe(1020)
})

test('once stopped, nothing rings, and nothing is left to ring', async () => {
  const hand = new HandClock()
  const clock = new OwnedClock(hand)
  const rung: string[] = []
  clock.setTimer(() => rung.push('before'), 10)
  clock.stop()
  clock.setTimer(() => rung.push('after'), 10).cancel()
  clock.setTimer(() => rung.push('after'), 10)
  expect(hand.set).toEqual([])
  await hand.pass(20)
  expect(rung).toEqual([])
})

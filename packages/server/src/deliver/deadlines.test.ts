import { expect, test } from 'vitest'
import type { Clock } from '../clock.ts'
import { type Bounded, Deadlines } from './deadlines.ts'

/** A clock that is turned by hand and counts how often a timer was set. */
function handClock() {
  let now = 0
  let timers: { at: number; run: () => void }[] = []
  const clock: Clock & { turn(ms: number): void; set: number } = {
    set: 0,
    now: () => now,
    monotonic: () => now,
    setTimer(run, delayMs) {
      clock.set++
      const timer = { at: now + delayMs, run }
      timers.push(timer)
      return { cancel: () => (timers = timers.filter(other => other !== timer)) }
    },
    turn(ms) {
      const until = now + ms
      for (;;) {
        const next = timers.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0]
        if (next === undefined) break
        timers = timers.filter(other => other !== next)
        now = Math.max(now, next.at)
        next.run()
      }
      now = until
    },
  }
  return clock
}

function setup() {
  const clock = handClock()
  const deadlines = new Deadlines<Bounded>(clock)
  const expired: number[] = []
  const add = (deadline: number): Bounded => {
    const member = { deadline, slot: -1, expire: () => void expired.push(deadline) }
    deadlines.add(member)
    return member
  }
  return { clock, deadlines, expired, add }
}

test('each expires once, not before its deadline and at most 10 ms after it', () => {
  const { clock, deadlines, expired, add } = setup()
  for (const deadline of [500, 100, 300, 301, 101]) add(deadline)
  clock.turn(99)
  expect(expired).toEqual([])
  clock.turn(1)
  expect(expired).toEqual([100])
  clock.turn(10)
  expect(expired).toEqual([100, 101])
  clock.turn(201)
  expect(expired).toEqual([100, 101, 300, 301])
  clock.turn(1000)
  expect(expired).toEqual([100, 101, 300, 301, 500])
  expect(deadlines.size).toBe(0)
})

test('of very many with the same deadline a few expire at a time, and all of them soon', () => {
  const { clock, deadlines, expired, add } = setup()
  for (let i = 0; i < 1000; i++) add(100)
  add(5000)
  let most = 0
  for (let before = 0; expired.length < 1000; before = expired.length) {
    clock.turn(before === 0 ? 100 : 1)
    most = Math.max(most, expired.length - before)
    expect(clock.monotonic()).toBeLessThan(1000)
  }
  expect(most).toBe(5)
  expect(deadlines.size).toBe(1)
  clock.turn(5000)
  expect(expired.at(-1)).toBe(5000)
})

test('of many thousands more go at a time, so that the last of them is not late for long', () => {
  const { clock, expired, add } = setup()
  for (let i = 0; i < 10_000; i++) add(100)
  clock.turn(100)
  expect(expired.length).toBe(50)
  clock.turn(3000)
  expect(expired.length).toBe(10_000)
})

test('one that leaves while others of its deadline expire does not expire', () => {
  const { clock, deadlines, expired, add } = setup()
  const all = Array.from({ length: 50 }, () => add(100))
  clock.turn(100)
  for (const member of all) deadlines.remove(member)
  clock.turn(1000)
  expect(expired.length).toBe(5)
})

test('what is removed does not expire', () => {
  const { clock, deadlines, expired, add } = setup()
  const member = add(100)
  add(200)
  deadlines.remove(member)
  clock.turn(1000)
  expect(expired).toEqual([200])
})

test('a thousand short attempts with the same bound set a handful of timers', () => {
  const { clock, deadlines, add } = setup()
  for (let i = 0; i < 1000; i++) {
    const member = add(clock.monotonic() + 300)
    clock.turn(1)
    deadlines.remove(member)
  }
  expect(clock.set).toBeLessThan(10)
})

test('one that is added while others expire is kept', () => {
  const { clock, deadlines, expired, add } = setup()
  deadlines.add({ deadline: 100, slot: -1, expire: () => void add(150) })
  clock.turn(149)
  expect(expired).toEqual([])
  clock.turn(11)
  expect(expired).toEqual([150])
})

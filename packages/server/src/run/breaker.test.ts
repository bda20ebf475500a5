import { expect, test } from 'vitest'
import { Breaker } from './breaker.ts'

const NEVER = Number.POSITIVE_INFINITY

function open(limit = { failures: 3, probeMs: 1000, maxProbeMs: 3000 }) {
  const breaker = new Breaker(limit)
  const attempt = (sign: 'well' | 'ill' | 'nothing', now: number) => {
    const message = {}
    breaker.started(message)
    return breaker.ended(message, sign, now)
  }
  return { breaker, attempt }
}

test('so many failures in a row open it, and a success between them begins anew', () => {
  const { breaker, attempt } = open()
  expect([attempt('ill', 1), attempt('ill', 2), attempt('well', 3)]).toEqual([null, null, null])
  expect([attempt('ill', 4), attempt('ill', 5), breaker.isOpen]).toEqual([null, null, false])
  expect(attempt('ill', 6)).toBe('opened')
  expect(breaker.opensAt).toBe(1006)
})

test('one probe goes at a time, after waits that double up to the longest', () => {
  const { breaker } = open()
  const trouble = [{}, {}, {}]
  for (const one of trouble) breaker.started(one)
  for (const one of trouble) breaker.ended(one, 'ill', 0)
  let now = 0
  for (const waitMs of [1000, 2000, 3000, 3000]) {
    expect(breaker.opensAt).toBe(now + waitMs)
    now += waitMs
    const probe = {}
    breaker.started(probe)
    expect(breaker.opensAt).toBe(NEVER)
    expect(breaker.ended(probe, 'ill', now)).toBeNull()
  }
})

test('a probe that succeeds closes it, and the next time it waits as at first', () => {
  const { breaker, attempt } = open()
  for (const now of [0, 0, 0]) attempt('ill', now)
  attempt('ill', 1000)
  expect(attempt('well', 3000)).toBe('closed')
  expect([breaker.isOpen, breaker.isFresh, breaker.opensAt]).toEqual([false, true, 0])
  expect([attempt('ill', 4000), attempt('ill', 4000), attempt('ill', 4000)]).toEqual([null, null, 'opened'])
  expect(breaker.opensAt).toBe(5000)
})

test('what was under way when it opened decides nothing', () => {
  const { breaker, attempt } = open()
  const late = [{}, {}]
  for (const one of late) breaker.started(one)
  for (const now of [0, 0, 0]) attempt('ill', now)
  expect(breaker.ended(late[0]!, 'well', 500)).toBeNull()
  const probe = {}
  breaker.started(probe)
  expect(breaker.ended(late[1]!, 'ill', 1200)).toBeNull()
  expect(breaker.opensAt).toBe(NEVER)
  expect(breaker.ended(probe, 'well', 1300)).toBe('closed')
})

test('a failure of this node says nothing of the receiver: it is not counted, and a probe is made again as soon', () => {
  const { breaker, attempt } = open()
  expect([attempt('ill', 0), attempt('nothing', 0), attempt('ill', 0)]).toEqual([null, null, null])
  expect(attempt('ill', 0)).toBe('opened')
  attempt('nothing', 1000)
  expect(breaker.opensAt).toBe(2000)
})

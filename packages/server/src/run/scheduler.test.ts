import { describe, expect, test } from 'vitest'
import type { Clock } from '../clock.ts'
import { type Log, silentLog } from '../log.ts'
import { Scheduler } from './scheduler.ts'

const SECOND = 1000

describe('the scheduler', () => {
  test('stores what follows a tick when it is due, and not before', async () => {
    const { scheduler, advances, pass } = world({ nextAt: 5 * SECOND })
    scheduler.start()
    await pass(4900)
    expect(advances).toEqual([])
    await pass(3000)
    expect(advances).toEqual([5000, 6000, 7000])
  })

  test('is late by no more than a timer, although it looks only now and then', async () => {
    const { scheduler, advances, pass } = world({ nextAt: 1234 })
    scheduler.start()
    await pass(1300)
    expect(advances).toEqual([1234])
  })

  test('notices within half a second what others have made', async () => {
    const { scheduler, state, advances, pass } = world({ nextAt: null })
    scheduler.start()
    await pass(10_000)
    state.nextAt = 10_800
    await pass(1000)
    expect(advances).toEqual([10_800])
  })

  test('leaves everything alone until this node leads, and then stores what is late within a fifth of a second', async () => {
    const { scheduler, state, advances, looks, pass } = world({ nextAt: SECOND, leads: false })
    scheduler.start()
    await pass(3 * SECOND)
    expect(looks()).toBe(0)
    state.leads = true
    await pass(200)
    expect(advances).toHaveLength(1)
    state.leads = false
    await pass(10 * SECOND)
    expect(advances).toHaveLength(1)
  })

  test('tells that messages were stored', async () => {
    const { scheduler, stored, pass } = world({ nextAt: SECOND })
    scheduler.start()
    await pass(2500)
    expect(stored()).toBe(2)
  })

  test('tries again after a failure, and says so', async () => {
    const { scheduler, state, advances, warnings, pass } = world({ nextAt: SECOND })
    state.failure = new Error('no database')
    scheduler.start()
    await pass(2 * SECOND)
    expect(advances).toEqual([])
    expect(warnings.length).toBeGreaterThan(3)
    expect(warnings.length).toBeLessThan(10)
    state.failure = null
    await pass(250)
    expect(advances).toHaveLength(1)
  })

  test('does not spin over what cannot be moved on', async () => {
    const { scheduler, state, looks, pass } = world({ nextAt: SECOND })
    state.stuck = true
    scheduler.start()
    await pass(5 * SECOND)
    expect(looks()).toBeLessThan(25)
  })

  test('catches up whoever leads, until nothing is due', async () => {
    const { scheduler, advances, state } = world({ nextAt: 0, leads: false })
    await scheduler.catchUp()
    expect(advances).toEqual([0])
    expect(state.nextAt).toBe(SECOND)
  })

  test('catching up waits a while for what another node holds, and not for ever', async () => {
    const { scheduler, state, pass } = world({ nextAt: 0 })
    state.stuck = true
    let isOver = false
    const over = scheduler.catchUp().then(() => (isOver = true))
    await pass(1500)
    expect(isOver).toBe(false)
    await pass(1000)
    await over
  })

  test('stop waits for what is under way, and begins nothing more', async () => {
    const { scheduler, state, advances, pass } = world({ nextAt: SECOND })
    let release = (): void => {}
    state.hold = new Promise<void>(resolve => {
      release = resolve
    })
    scheduler.start()
    await pass(1100)
    let isOver = false
    const over = scheduler.stop().then(() => (isOver = true))
    await pass(5 * SECOND)
    expect(isOver).toBe(false)
    release()
    await over
    await pass(5 * SECOND)
    expect(advances).toHaveLength(1)
  })
})

const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

/** A chain that ticks every second, and a clock on which timers fire when time is let pass. */
function world(start: { readonly nextAt: number | null; readonly leads?: boolean }) {
  const state = {
    nextAt: start.nextAt,
    leads: start.leads ?? true,
    failure: null as Error | null,
    stuck: false,
    hold: null as Promise<void> | null,
  }
  const advances: number[] = []
  const warnings: object[] = []
  let now = 0
  let looks = 0
  let stored = 0
  const timers = new Map<object, { at: number; run: () => void }>()
  const clock: Clock = {
    now: () => now,
    monotonic: () => now,
    setTimer(run, delayMs) {
      const timer = { cancel: () => void timers.delete(timer) }
      timers.set(timer, { at: now + delayMs, run })
      return timer
    },
  }
  const chain = {
    async look() {
      looks += 1
      if (state.failure) throw state.failure
      return { now, nextAt: state.nextAt }
    },
    async advance() {
      if (state.stuck) return 0
      advances.push(now)
      await state.hold
      state.nextAt = now + SECOND
      return 1
    },
  }
  const log: Log = { ...silentLog, warn: fields => warnings.push(fields) }
  async function pass(ms: number): Promise<void> {
    await turn()
    for (const end = now + ms; ; ) {
      const next = Math.min(end, ...[...timers.values()].map(({ at }) => at))
      now = Math.max(now, next)
      for (const [timer, { at, run }] of [...timers]) {
        if (at > now) continue
        timers.delete(timer)
        run()
      }
      await turn()
      if (now >= end && ![...timers.values()].some(({ at }) => at <= end)) return
    }
  }
  const noteStored = (): void => {
    stored += 1
  }
  const scheduler = new Scheduler({ chain, leads: () => state.leads, stored: noteStored, clock, log })
  return { scheduler, state, advances, warnings, pass, looks: () => looks, stored: () => stored }
}

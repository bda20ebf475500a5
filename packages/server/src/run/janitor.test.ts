import { describe, expect, test } from 'vitest'
import type { Clock } from '../clock.ts'
import type { Chore } from '../engine/chore.ts'
import { type Log, silentLog } from '../log.ts'
import { Janitor } from './janitor.ts'

describe('the janitor', () => {
  test('does every chore at the start, and each again after its time', async () => {
    const { done, chore, start, pass } = household()
    await start([chore('quick', 2000), chore('slow', 5000)])
    expect(done).toEqual(['quick', 'slow'])
    await pass(10_000)
    expect(done.filter(name => name === 'quick')).toHaveLength(6)
    expect(done.filter(name => name === 'slow')).toHaveLength(3)
  })

  test('does one at a time, however long it takes', async () => {
    const { done, chore, start, pass } = household()
    let release = (): void => {}
    const long = chore('long', 1000, 'node', () => new Promise<void>(resolve => (release = resolve)))
    await start([long, chore('other', 1000)])
    await pass(10_000)
    expect(done).toEqual(['long'])
    release()
    await pass(0)
    expect(done).toEqual(['long', 'other'])
  })

  test('counts the time from the end of a run', async () => {
    const { done, chore, start, pass } = household()
    let release = (): void => {}
    await start([chore('long', 5000, 'node', () => new Promise<void>(resolve => (release = resolve)))])
    await pass(30_000)
    release()
    await pass(4000)
    expect(done).toEqual(['long'])
    await pass(2000)
    expect(done).toEqual(['long', 'long'])
  })

  test('leaves the chores of the leader alone until this node leads, then does them within a second', async () => {
    const { done, chore, start, pass, lead } = household()
    await start([chore('mine', 60_000), chore('ours', 60_000, 'leader')])
    await pass(30_000)
    expect(done).toEqual(['mine'])
    lead(true)
    await pass(1000)
    expect(done).toEqual(['mine', 'ours'])
    lead(false)
    await pass(600_000)
    expect(done.filter(name => name === 'ours')).toHaveLength(1)
  })

  test('says that a chore failed, and neither it nor the others end', async () => {
    const { done, chore, start, pass, warnings } = household()
    const failing = chore('failing', 1000, 'node', () => Promise.reject(new Error('no disk')))
    await start([failing, chore('other', 1000)])
    await pass(1000)
    expect(done).toEqual(['failing', 'other', 'failing', 'other'])
    expect(warnings.map(({ chore }) => chore)).toEqual(['failing', 'failing'])
  })

  test('a chore that throws at once is a failure like any other', async () => {
    const { chore, start, warnings } = household()
    const throwing = chore('throwing', 1000, 'node', () => {
      throw new Error('at once')
    })
    await start([throwing])
    expect(warnings).toHaveLength(1)
  })

  test('stop waits for the chore under way, and no other is begun', async () => {
    const { done, chore, start, pass, janitor } = household()
    let release = (): void => {}
    const long = chore('long', 1000, 'node', () => new Promise<void>(resolve => (release = resolve)))
    await start([long, chore('other', 1000)])
    let stopped = false
    const stopping = janitor()
      .stop()
      .then(() => (stopped = true))
    await pass(5000)
    expect(stopped).toBe(false)
    release()
    await stopping
    await pass(60_000)
    expect(done).toEqual(['long'])
  })
})

const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

function household() {
  const done: string[] = []
  const warnings: { chore?: string }[] = []
  const time = turnedByHand()
  let leads = false
  let janitor: Janitor
  const log: Log = { ...silentLog, warn: fields => warnings.push(fields) }
  return {
    done,
    warnings,
    lead: (now: boolean) => {
      leads = now
    },
    chore: (name: string, everyMs: number, on: Chore['on'] = 'node', work = async () => {}): Chore => ({
      name,
      everyMs,
      on,
      run: () => {
        done.push(name)
        return work()
      },
    }),
    async start(chores: readonly Chore[]) {
      janitor = new Janitor({ chores, leads: () => leads, clock: time.clock, log })
      janitor.start()
      await turn()
    },
    janitor: () => janitor,
    pass: time.pass,
  }
}

/** A clock on which timers fire when time is let pass, second by second. */
function turnedByHand() {
  let now = 0
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
  async function pass(ms: number): Promise<void> {
    await turn()
    for (const end = now + ms; now < end; ) {
      now = Math.min(end, now + 1000)
      for (const [timer, { at, run }] of [...timers]) {
        if (at > now) continue
        timers.delete(timer)
        run()
      }
      await turn()
    }
  }
  return { clock, pass }
}

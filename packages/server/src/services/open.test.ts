import { describe, expect, test } from 'vitest'
import { type Clock, systemClock } from '../clock.ts'
import { silentLog } from '../log.ts'
import { fail, faultOf } from './faults.ts'
import { openService } from './open.ts'
import type { Outside } from './outside.ts'
import type { Adapter, ServiceType } from './port.ts'
import { emailTo, memoryInbox, NO_CREDENTIALS } from './stand-in.suite.ts'

const outside: Outside = {
  fetch: () => Promise.reject(new Error('unused')),
  connect: () => Promise.reject(new Error('unused')),
  ca: undefined,
  explain: () => null,
  close: async () => {},
}

/** A clock whose time passes when it is told to. */
function standing(): Clock & { pass(ms: number): void } {
  let now = 0
  const timers = new Map<() => void, number>()
  return {
    now: () => now,
    monotonic: () => now,
    setTimer(run, delayMs) {
      timers.set(run, now + delayMs)
      return { cancel: () => timers.delete(run) }
    },
    pass(ms) {
      now += ms
      for (const [run, at] of timers) if (at <= now) run()
    },
  }
}

function open(adapter: Partial<Adapter>, more: Partial<ServiceType> = {}) {
  const clock = standing()
  let opened = 0
  const type: ServiceType = {
    name: 'made-up',
    title: 'Made up',
    summary: '',
    credentials: { fields: {} },
    functions: ['email'],
    batch: 3,
    calls: [],
    async open() {
      opened++
      return { check: async () => 'fine', ...adapter }
    },
    ...more,
  }
  const service = openService(type, NO_CREDENTIALS, {
    outside,
    clock,
    log: silentLog,
    version: '0',
    inbox: memoryInbox(),
  })
  return { service, clock, opened: () => opened }
}

const emails = (...names: string[]) => names.map(name => emailTo(`${name}@a.example`))
const nameOf = ({ to }: { to: readonly { address: string }[] }) => to[0]!.address.split('@')[0]!

describe('an open service', () => {
  test('opens its adapter once, at the first act, and again if that failed', async () => {
    const { service, opened } = open({})
    expect(opened()).toBe(0)
    await Promise.all([service.check(), service.check()])
    expect(opened()).toBe(1)
    let tries = 0
    const failing = open(
      {},
      {
        open: async () => {
          if (tries++ === 0) throw new Error('no library')
          return { check: async () => 'fine' }
        },
      },
    )
    expect(await failing.service.check()).toMatchObject({
      ok: false,
      fault: { code: 'unknown', reason: 'Made up: no library' },
    })
    expect(await failing.service.check()).toEqual({ ok: true, value: 'fine' })
  })

  test('credentials that its type does not take are an error of the program', () => {
    const type = {
      name: 'x',
      title: 'X',
      summary: '',
      credentials: { fields: {} },
      functions: [],
      batch: 1,
      calls: [],
      open: async () => ({ check: async () => '' }),
    } satisfies ServiceType
    const means = { outside, clock: systemClock, log: silentLog, version: '0', inbox: memoryInbox() }
    expect(() => openService(type, { ...NO_CREDENTIALS, host: 'h' }, means)).toThrow('host is not used by this service')
  })

  test('gives a portion again message by message if it was refused for what is in it, and else retries it whole', async () => {
    const portions: string[][] = []
    const { service } = open({
      email: async batch => {
        portions.push(batch.map(nameOf))
        if (batch.some(email => nameOf(email) === 'bad')) fail('too_large', 'too large')
        if (batch.some(email => nameOf(email) === 'down')) fail('unavailable', 'down')
        return batch.map(email => ({ reference: nameOf(email) }))
      },
    })
    const outcomes = await service.deliver.email!(emails('a', 'bad', 'c', 'd', 'down', 'f'))
    expect(portions).toEqual([['a', 'bad', 'c'], ['a'], ['bad'], ['c'], ['d', 'down', 'f']])
    expect(outcomes.map(({ kind }) => kind)).toEqual(['delivered', 'dead', 'delivered', 'retry', 'retry', 'retry'])
  })

  test('an adapter that loses count makes nothing delivered', async () => {
    const { service } = open({ email: async () => [{ reference: 'one' }] })
    expect(await service.deliver.email!(emails('a', 'b'))).toMatchObject([
      { kind: 'retry', fault: { code: 'unknown' } },
      { kind: 'retry' },
    ])
  })

  test('portions keep within the bytes that the service takes, and a larger message goes alone', async () => {
    const sizes: number[] = []
    const { service } = open(
      {
        email: async batch => {
          sizes.push(batch.length)
          return batch.map(() => ({ reference: null }))
        },
      },
      { batchBytes: 20_000 },
    )
    const of = (bytes: number) => emailTo('a@a.example', { text: 'x'.repeat(bytes), html: null })
    await service.deliver.email!([of(100), of(100), of(50_000), of(100), of(8_000), of(8_000)])
    expect(sizes).toEqual([2, 1, 2, 1])
  })

  test('is left alone twice as long each time it throttles without saying for how long, up to a minute', async () => {
    let throttles = true
    let asked = 0
    const { service, clock } = open({
      email: async batch => {
        asked++
        return batch.map(() => (throttles ? { fault: faultOf('throttled', 'slow') } : { reference: null }))
      },
    })
    const waits: number[] = []
    for (let round = 0; round < 9; round++) {
      const [outcome] = await service.deliver.email!(emails('a'))
      const wait = outcome!.kind === 'retry' ? outcome!.fault.retryAfterMs! : 0
      waits.push(wait)
      clock.pass(wait)
    }
    expect(waits).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60].map(seconds => seconds * 1000))
    expect(asked).toBe(9)
    throttles = false
    await service.deliver.email!(emails('a'))
    throttles = true
    expect(await service.deliver.email!(emails('a'))).toMatchObject([{ fault: { retryAfterMs: 1000 } }])
  })

  test('an act ends in time though its adapter does not listen, and by closing', async () => {
    const { service, clock } = open({ check: () => new Promise(() => {}) })
    const checked = service.check()
    await new Promise(setImmediate)
    clock.pass(30_000)
    expect(await checked).toMatchObject({
      ok: false,
      fault: { code: 'timeout', reason: 'Made up did not answer within 30000 ms' },
    })
    const other = service.check()
    await new Promise(setImmediate)
    await service.close()
    expect(await other).toMatchObject({ ok: false, fault: { code: 'closed' } })
  })
})

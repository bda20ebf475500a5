import { describe, expect, onTestFinished, test } from 'vitest'
import { type Clock, systemClock } from '../clock.ts'
import { createGuard } from '../deliver/guard.ts'
import { classify } from '../deliver/outcome.ts'
import type { Log } from '../log.ts'
import { CALLS } from './calls.ts'
import { SERVICES } from './catalogue.ts'
import { CREDENTIAL_FIELDS, type Credentials, readCredentials } from './credentials.ts'
import { FAULTS, type Fault } from './faults.ts'
import { openService } from './open.ts'
import { createOutside, type OutsideOptions } from './outside.ts'
import { FUNCTIONS, type Service, type ServiceType } from './port.ts'
import { type Behaviour, emailTo, memoryInbox, NO_CREDENTIALS, noteOf, type StandIn } from './stand-in.suite.ts'

/** What every adapter must hold. */

export interface SuiteOptions {
  readonly start: () => Promise<StandIn>
  /** Laws that cannot apply to this service, each with the reason. */
  readonly skip?: { readonly [L in Law]?: string }
  /** Whether its answers say for how long to stay away: the stand-ins ask for 7 s. */
  readonly saysHowLong?: boolean
}

export type Law = Behaviour | 'wrong credentials' | 'guard' | 'unreachable'

export interface Opened {
  readonly service: Service
  readonly clock: Clock & { skip(ms: number): void }
  /** Every line of the log. */
  readonly lines: string[]
}

export interface OpenOptions {
  readonly credentials?: Credentials
  readonly endpoint?: string | undefined
  readonly strict?: boolean
  readonly timeoutMs?: number
  readonly outside?: Partial<OutsideOptions>
}

/** Opens a service for one test, over real sockets. */
export function open(type: ServiceType, given: OpenOptions = {}): Opened {
  const lines: string[] = []
  const line =
    (level: string): Log['info'] =>
    (fields, message) =>
      void lines.push(`${level} ${message} ${JSON.stringify(fields)}`)
  const log: Log = { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') }
  let skipped = 0
  const clock = {
    ...systemClock,
    monotonic: () => systemClock.monotonic() + skipped,
    skip: (ms: number) => {
      skipped += ms
    },
  }
  const guard = createGuard({ allowLoopback: given.strict !== true, allow: [] })
  const outside = createOutside({ guard, classify, ...given.outside })
  const means = { outside, clock, log, version: '0.0.0', endpoint: () => given.endpoint ?? null, inbox: memoryInbox() }
  const service = openService(type, given.credentials ?? NO_CREDENTIALS, means, {
    timeoutMs: given.timeoutMs ?? 10_000,
  })
  onTestFinished(async () => {
    await service.close()
    await outside.close()
  })
  return { service, clock, lines }
}

export function serviceSuite(type: ServiceType, { start, skip = {}, saysHowLong = false }: SuiteOptions): void {
  const begin = async (how: Behaviour, options: OpenOptions = {}) => {
    const standIn = await start()
    standIn.behave(how)
    const { credentials, endpoint } = standIn
    return { standIn, ...open(type, { credentials, endpoint, ...options }) }
  }
  /** A law about a bad day; a service that cannot have it says why. */
  const law = (name: string, about: Law, run: () => Promise<void>): void => {
    const reason = skip[about]
    if (reason === undefined) test(name, run)
    else test.skip(`${name} (not here: ${reason})`, () => {})
  }

  describe(`the service ${type.name}`, () => {
    describeType(type, start)

    test('a check says what it found, in words without secrets', async () => {
      const { service, standIn } = await begin('well')
      const answer = await service.check()
      expect(answer).toEqual({ ok: true, value: expect.stringMatching(/\w{3}/) })
      expectNoSecret(JSON.stringify(answer), type, standIn.credentials)
    })

    test('it has the deliveries and calls that its type says, and an ordinary act succeeds', async () => {
      const { service, standIn } = await begin('well')
      const delivering = type.functions.filter(name => ['email', 'push', 'event'].includes(name))
      expect(Object.keys(service.deliver).sort()).toEqual([...delivering].sort())
      expect(Object.keys(service.calls).sort()).toEqual([...type.calls].sort())
      expect(await standIn.act(service)).toBeNull()
    })

    law('wrong credentials are told from every other trouble', 'wrong credentials', async () => {
      const standIn = await start()
      const { service } = open(type, { credentials: standIn.wrong!, endpoint: standIn.endpoint })
      expect(await service.check()).toMatchObject({ ok: false, fault: { code: 'unauthorized' } })
      expect(await standIn.act(service)).toMatchObject({ code: 'unauthorized' })
    })

    law('where it throttles it is left alone for as long as it asked', 'throttles', async () => {
      const { service, standIn, clock } = await begin('throttles')
      const first = await standIn.act(service)
      expect(first).toMatchObject({ code: 'throttled', retryAfterMs: expect.any(Number) })
      if (saysHowLong) expect(first!.retryAfterMs).toBe(7_000)
      const requests = standIn.requests()
      standIn.behave('well')
      expect(await standIn.act(service)).toMatchObject({ code: 'throttled', retryAfterMs: expect.any(Number) })
      expect(standIn.requests()).toBe(requests)
      clock.skip(first!.retryAfterMs! + 1)
      expect(await standIn.act(service)).toBeNull()
    })

    const badDays: [Behaviour, readonly Fault['code'][]][] = [
      ['is down', ['unavailable']],
      ['cuts', ['reset']],
      ['redirects', ['wrong_answer']],
      ['babbles', ['wrong_answer', 'protocol']],
    ]
    for (const [how, codes] of badDays) {
      law(`where it ${how}, the fault says so and can be retried`, how, async () => {
        const { service, standIn } = await begin(how)
        const fault = await standIn.act(service)
        expect(codes).toContain(fault?.code)
        expect(FAULTS[fault!.code].retry).toBe(true)
        expect(fault!.reason).toMatch(/\w{3}/)
        expect(standIn.requests()).toBeLessThanOrEqual(1)
        expect(standIn.taken()).toEqual([])
      })
    }

    law('where it hangs, the act ends in time', 'hangs', async () => {
      const { service, standIn } = await begin('hangs', { timeoutMs: 300 })
      expect(await standIn.act(service)).toMatchObject({ code: 'timeout' })
    })

    law('an address that the installation refuses is not connected to', 'guard', async () => {
      const { service, standIn } = await begin('well', { strict: true })
      expect(await standIn.act(service)).toMatchObject({ code: 'address_refused' })
      expect(await service.check()).toMatchObject({ fault: { code: 'address_refused' } })
      expect(standIn.connections()).toBe(0)
      expect(FAULTS.address_refused.retry).toBe(false)
    })

    law('a server that repeats all it was told puts no secret into a reason or the log', 'echoes', async () => {
      const { service, standIn, lines } = await begin('echoes')
      const fault = await standIn.act(service)
      const checked = await service.check()
      expect(fault).not.toBeNull()
      expectNoSecret(JSON.stringify([fault, checked, lines]), type, standIn.credentials)
      expect(fault!.reason.length).toBeLessThanOrEqual(500)
    })

    test('after it is closed every act says so', async () => {
      const { service, standIn } = await begin('well')
      await service.close()
      expect(await service.check()).toMatchObject({ ok: false, fault: { code: 'closed' } })
      expect(await standIn.act(service)).toMatchObject({ code: 'closed' })
    })

    if (type.functions.includes('email')) describeBatches(type, 'email', begin)
    if (type.functions.includes('push')) describeBatches(type, 'push', begin)
  })
}

function describeType(type: ServiceType, start: () => Promise<StandIn>): void {
  test('it stands in the catalogue, named as nothing else is, with functions that exist', () => {
    expect(SERVICES.filter(({ name }) => name === type.name)).toEqual([type])
    expect(FUNCTIONS).toEqual(expect.arrayContaining([...type.functions]))
    expect(Object.keys(CALLS)).toEqual(expect.arrayContaining([...type.calls]))
    expect(type.batch).toBeGreaterThan(0)
  })

  test('credentials: required fields are asked for, unknown ones refused, by name and without their value', async () => {
    const { credentials } = await start()
    expect(readCredentials(type.credentials, credentials)).toMatchObject({ ok: true })
    for (const field of CREDENTIAL_FIELDS) {
      const rule = type.credentials.fields[field]
      if (rule === undefined) {
        const read = readCredentials(type.credentials, { ...credentials, [field]: 'whatever-it-is' })
        expect(read).toEqual({ ok: false, problems: [{ field, problem: expect.stringContaining(field) }] })
        expect(JSON.stringify(read)).not.toContain('whatever-it-is')
        continue
      }
      expect(rule.meaning).toMatch(/\w{3}/)
      const without = readCredentials(type.credentials, { ...credentials, [field]: '' })
      if (rule.required) expect(without).toMatchObject({ ok: false, problems: [{ field }] })
      const broken = readCredentials(type.credentials, { ...credentials, [field]: 'line\nbreak' })
      expect(broken).toMatchObject({ ok: false, problems: [{ field }] })
      expect(JSON.stringify(broken)).not.toContain('break')
    }
  })
}

type Begin = (how: Behaviour, options?: OpenOptions) => Promise<Opened & { standIn: StandIn }>

function describeBatches(type: ServiceType, name: 'email' | 'push', begin: Begin): void {
  const message = (id: string, wrong = false) =>
    name === 'email'
      ? emailTo(`${id}@a.example`, wrong ? { subject: 'two\nlines' } : {})
      : noteOf(id, wrong ? { body: '' } : {})
  const deliver = (service: Service, messages: readonly object[]) =>
    (service.deliver[name] as (messages: readonly object[]) => ReturnType<NonNullable<Service['deliver']['push']>>)(
      messages,
    )

  test('a batch of any size is taken, each message once, with an outcome each', async () => {
    const { service, standIn } = await begin('well')
    const ids = Array.from({ length: type.batch + 3 }, (_, index) => `m${index}`)
    const outcomes = await deliver(
      service,
      ids.map(id => message(id)),
    )
    expect(outcomes.map(({ kind }) => kind)).toEqual(ids.map(() => 'delivered'))
    expect([...standIn.taken()].sort()).toEqual([...ids].sort())
  })

  test('a message that cannot be sent at all dies alone, before anybody is asked', async () => {
    const { service, standIn } = await begin('well')
    const outcomes = await deliver(service, [message('a'), message('b', true), message('c')])
    expect(outcomes).toMatchObject([
      { kind: 'delivered' },
      { kind: 'dead', fault: { code: 'invalid' } },
      { kind: 'delivered' },
    ])
    expect([...standIn.taken()].sort()).toEqual(['a', 'c'])
  })

  test('an empty batch asks nobody', async () => {
    const { service, standIn } = await begin('well')
    expect(await deliver(service, [])).toEqual([])
    expect(standIn.requests()).toBe(0)
  })
}

/** Looks for a service's secrets in a text, in their usual spellings. */
export function expectNoSecret(text: string, type: ServiceType, credentials: Credentials): void {
  const { user, password } = credentials
  const secrets = [...(password === null ? [] : [password]), ...(type.credentials.secrets?.(credentials) ?? [])]
  const pair = Buffer.from(`${user ?? ''}:${password}`).toString('base64')
  for (const secret of secrets) {
    const spellings = [secret, encodeURIComponent(secret), Buffer.from(secret).toString('base64'), pair]
    for (const spelling of [...spellings, ...spellings.map(one => JSON.stringify(one).slice(1, -1))]) {
      expect(text).not.toContain(spelling)
    }
  }
}

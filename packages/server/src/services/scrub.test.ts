import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { systemClock } from '../clock.ts'
import type { Log } from '../log.ts'
import { silentLog } from '../log.ts'
import { FaultError, faultOf } from './faults.ts'
import { openService } from './open.ts'
import type { Outside } from './outside.ts'
import type { Adapter, ServiceType } from './port.ts'
import { createScrub, readable } from './scrub.ts'
import { emailTo, memoryInbox, NO_CREDENTIALS } from './stand-in.suite.ts'

/** Long enough to be told from ordinary text. */
const secrets = fc
  .string({ unit: 'grapheme', minLength: 8, maxLength: 60 })
  .filter(text => text.trim().length >= 8 && !/\p{Cc}/u.test(text))
/** Every way in which a service or its library might repeat a secret. */
const spellings: readonly ((secret: string) => string)[] = [
  secret => secret,
  secret => encodeURIComponent(secret),
  secret => encodeURIComponent(secret).toLowerCase(),
  secret => new URLSearchParams({ x: secret }).toString().slice(2),
  secret => JSON.stringify(secret),
  secret => JSON.stringify(JSON.stringify({ a: secret })),
  secret =>
    JSON.stringify(secret).replace(/[^\x20-\x7e]/g, unit => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`),
  secret => Buffer.from(secret).toString('base64'),
  secret => Buffer.from(secret).toString('base64url'),
  secret => `Basic ${Buffer.from(`user:${secret}`).toString('base64')}`,
]
const spelled = fc.tuple(secrets, fc.constantFrom(...spellings), fc.string(), fc.string())

const plain = (spell: (secret: string) => string, secret: string): string[] => [secret, spell(secret)]

describe('no secret appears', () => {
  test('in a reason, in whatever spelling the service repeats it', () => {
    fc.assert(
      fc.property(spelled, ([secret, spell, before, after]) => {
        const text = readable(`${before} ${spell(secret)} ${after}`, createScrub([secret, `user:${secret}`]))
        for (const one of plain(spell, secret)) expect(text).not.toContain(one)
        expect(text.length).toBeLessThanOrEqual(500)
      }),
      { numRuns: 500 },
    )
  })

  test('in part, where a long reason is cut', () => {
    fc.assert(
      fc.property(secrets, fc.integer({ min: 400, max: 520 }), (secret, at) => {
        const text = readable(`${'.'.repeat(at)}${secret}`, createScrub([secret]))
        expect(text.replaceAll('[hidden]', '')).toMatch(/^\.*(\[(h|hi|hid|hidd|hidde|hidden)?)?…?$/)
      }),
    )
  })

  test('in any outcome, answer or line of the log of a service, whatever its adapter throws', async () => {
    await fc.assert(
      fc.asyncProperty(spelled, fc.boolean(), async ([password, spell, before, after], known) => {
        const said = `${before} ${spell(password)} ${after}`
        const lines: string[] = []
        const error = known ? new FaultError(faultOf('rejected', said, { serviceCode: said })) : new Error(said)
        const service = openTroubled(error, said, password, lines)
        const seen = JSON.stringify([
          await service.check(),
          await service.deliver.email!([emailTo('a@a.example'), emailTo('b@a.example')]),
          await service.calls.lookup!({ email: 'a@a.example', contactRef: null }),
        ])
        const all = [seen, ...lines].map(text => text.replace(/\\"/g, '"').replace(/\\\\/g, '\\')).join('\n')
        for (const one of plain(spell, password)) expect(all).not.toContain(one)
      }),
      { numRuns: 200 },
    )
  })

  test('and no answer keeps the search busy', () => {
    const nasty = ['\\', '+', ' + ', '%5C', '"', '\\\\"'].map(part => part.repeat(40))
    for (const secret of nasty) {
      for (const said of nasty) readable(said.repeat(20_000), createScrub([`${secret}end`]))
    }
  })

  test('though secrets hold whatever means something to a pattern', () => {
    expect(createScrub(['a.*(b)[c]$^|{2}\\d'])('x a.*(b)[c]$^|{2}\\d y aXXb')).toBe('x [hidden] y aXXb')
    expect(createScrub([''])('nothing to hide')).toBe('nothing to hide')
  })
})

function openTroubled(error: Error, said: string, password: string, lines: string[]) {
  const line: Log['info'] = (fields, message) => void lines.push(message + JSON.stringify(fields))
  const adapter: Adapter = {
    check: () => Promise.reject(error),
    email: async () => [{ error }, { reference: 'id', remark: said }],
    calls: { lookup: () => Promise.reject(error) },
  }
  const type: ServiceType = {
    name: 'troubled',
    title: 'Troubled',
    summary: '',
    credentials: {
      fields: { user: { meaning: 'user', required: true }, password: { meaning: 'password', required: true } },
    },
    functions: ['email'],
    batch: 10,
    calls: ['lookup'],
    async open(_, { log }) {
      log.warn({ said, list: [{ said }] }, said)
      return adapter
    },
  }
  const outside: Outside = {
    fetch: () => Promise.reject(error),
    connect: () => Promise.reject(error),
    ca: undefined,
    explain: () => null,
    close: async () => {},
  }
  const log = { ...silentLog, debug: line, warn: line }
  const credentials = { ...NO_CREDENTIALS, user: 'user', password }
  return openService(type, credentials, { outside, clock: systemClock, log, version: '0', inbox: memoryInbox() })
}

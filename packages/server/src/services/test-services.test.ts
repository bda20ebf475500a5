import { describe, expect, test } from 'vitest'
import type { InboxEntry } from './inbox.ts'
import type { Service } from './port.ts'
import { open, serviceSuite } from './service.suite.ts'
import { emailTo, faultOfEmail, NO_CREDENTIALS, type StandIn } from './stand-in.suite.ts'
import { testdetail } from './testdetail/testdetail.ts'
import { testmail } from './testmail/testmail.ts'

/** They are their own stand-ins: what they were given, they show. */
function standIn(act: StandIn['act'], taken: () => string[]) {
  return async (): Promise<StandIn> => {
    const none = () => 0
    return { credentials: NO_CREDENTIALS, wrong: null, behave() {}, connections: none, requests: none, taken, act }
  }
}

const inside = 'it asks nobody'
const skip = {
  'wrong credentials': 'it has none',
  throttles: 'a test of its own',
  'is down': inside,
  hangs: inside,
  cuts: inside,
  echoes: inside,
  redirects: inside,
  babbles: inside,
  guard: inside,
}

async function lookUp(service: Service) {
  const answer = await service.calls.lookup!({ email: 'ann@a.example', contactRef: null })
  return answer.ok ? null : answer.fault
}

describe('testdetail', () => {
  serviceSuite(testdetail, { start: standIn(lookUp, () => []), skip })

  test('it knows everybody, fails as the address says, and keeps the questions', async () => {
    const { service } = open(testdetail, { timeoutMs: 100 })
    const ask = (name: string) => service.calls.lookup!({ email: `${name}@a.example`, contactRef: 'r' })
    expect(await ask('ann')).toMatchObject({
      ok: true,
      value: { privacy: { optIn: true }, action: { customFields: { contactRef: 'r', name: 'ann' } } },
    })
    expect(await ask('unknown')).toMatchObject({ fault: { code: 'not_found' } })
    expect(await ask('broken')).toMatchObject({ fault: { code: 'wrong_answer' } })
    expect(await ask('slow')).toMatchObject({ fault: { code: 'timeout' } })
    const inbox = await service.calls.inbox!({})
    expect(inbox.ok && inbox.value.map(({ lookup }) => lookup!.email.split('@')[0])).toEqual([
      'slow',
      'broken',
      'unknown',
      'ann',
    ])
  })
})

describe('testmail', () => {
  test('it keeps what it was given, the newest first and no more than 200, each service its own; attachments by their size', async () => {
    const { service } = open(testmail)
    const outcomes = await service.deliver.email!(
      Array.from({ length: 203 }, (_, index) => emailTo(`m${index}@a.example`)),
    )
    expect(outcomes.every(({ kind }) => kind === 'delivered')).toBe(true)
    const inbox = await service.calls.inbox!({})
    const names = inbox.ok ? inbox.value.map(({ email }) => email!.to[0]!.address.split('@')[0]) : []
    expect([names.length, names[0], names.at(-1)]).toEqual([200, 'm202', 'm3'])
    expect(await open(testmail).service.calls.inbox!({})).toEqual({ ok: true, value: [] })
    const attachments = [{ filename: 'a', contentType: 'text/plain', content: Buffer.from('four'), contentId: null }]
    await service.deliver.email!([emailTo('ann@a.example', { attachments, text: 'x'.repeat(100_000) })])
    const [newest] = ((await service.calls.inbox!({})) as { value: readonly InboxEntry[] }).value
    expect(newest!.email).toMatchObject({ attachments: [{ filename: 'a', content: '4 bytes' }] })
    expect(newest!.email!.text).toHaveLength(50_001)
  })

  test('an address decides the fate of its email alone', async () => {
    const { service } = open(testmail)
    const outcomes = await service.deliver.email!(
      ['rejected', 'deferred', 'ann', 'throttled'].map(name => emailTo(`${name}@a.example`)),
    )
    expect(outcomes.map(outcome => (outcome.kind === 'delivered' ? outcome.kind : outcome.fault.code))).toEqual([
      'rejected',
      'deferred',
      'delivered',
      'throttled',
    ])
    expect(await faultOfEmail(service)).toMatchObject({ code: 'throttled' })
  })
})

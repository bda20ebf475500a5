import { describe, expect, test } from 'vitest'
import type { Credentials } from '../credentials.ts'
import { open, serviceSuite } from '../service.suite.ts'
import { type Asked, NO_CREDENTIALS, noteOf, parse, SECRET } from '../stand-in.suite.ts'
import { startWebhook } from './stand-in.suite.ts'
import { webhook } from './webhook.ts'

const noCheck = 'a check asks without credentials, lest it set something off'
const anything = 'any answer below 300 is a receiver’s yes'
serviceSuite(webhook, {
  start: startWebhook,
  saysHowLong: true,
  skip: { 'wrong credentials': noCheck, babbles: anything },
})

describe('a webhook', () => {
  const begin = async (given: Partial<Credentials> = {}, isMine?: (asked: Asked) => boolean) => {
    const standIn = await startWebhook(given, isMine)
    return { standIn, ...open(webhook, { credentials: standIn.credentials }) }
  }
  /** Credentials whose host is only known once the stand-in runs. */
  const beginAt = async (place: string, path: string | null = null) => {
    const standIn = await startWebhook({}, () => true)
    return { standIn, ...open(webhook, { credentials: { ...NO_CREDENTIALS, host: standIn.origin + place, path } }) }
  }

  test('a note is posted as it stands, with its id', async () => {
    const { service, standIn } = await begin()
    expect(await service.deliver.event!([noteOf('msg_1', { body: '{"id": "msg_1"}' })])).toMatchObject([
      { kind: 'delivered' },
    ])
    const { method, headers, body } = standIn.asked[0]!
    expect({ method, body: body.toString() }).toEqual({ method: 'POST', body: '{"id": "msg_1"}' })
    expect(headers).toMatchObject({
      'content-type': 'application/json',
      'webhook-id': 'msg_1',
      'user-agent': 'posthorn/0.0.0',
    })
  })

  test('a password alone is the Authorization header as it stands', async () => {
    const { service } = await begin(
      { user: null, password: 'Token abc' },
      ({ headers }) => headers.authorization === 'Token abc',
    )
    expect(await service.deliver.push!([noteOf('a')])).toMatchObject([{ kind: 'delivered' }])
  })

  test('wrong credentials are told from a refusal, and neither kills a note', async () => {
    const { service } = await begin({ password: 'another' })
    expect(await service.deliver.push!([noteOf('a')])).toMatchObject([
      { kind: 'retry', fault: { code: 'unauthorized' } },
    ])
    const right = await begin()
    expect(await right.service.deliver.push!([noteOf('a'), noteOf('odd'), noteOf('b')])).toMatchObject([
      { kind: 'delivered' },
      { kind: 'retry', fault: { code: 'deferred', status: 422, reason: expect.stringContaining('not today') } },
      { kind: 'delivered' },
    ])
  })

  test('fields of the data go into path and query, each in its place', async () => {
    const { service, standIn } = await beginAt('/a/{{name}}?x={{ deep.er }}', '&y={{n}}')
    const data = { id: 'a', name: 'ü/../?#&', deep: { er: 'a&b=c' }, n: 7 }
    expect(await service.deliver.push!([noteOf('a', { body: JSON.stringify(data) })])).toMatchObject([
      { kind: 'delivered' },
    ])
    expect(standIn.asked[0]!.target).toBe(`/a/${encodeURIComponent(data.name)}?x=a%26b%3Dc&y=7`)
  })

  test('data that lacks a field, or would change the path, dies alone and unsent', async () => {
    const { service, standIn } = await beginAt('/a/{{name}}/c')
    const bodies = [
      { id: 'a', name: 'b' },
      { id: 'b' },
      { id: 'c', name: '..' },
      { id: 'd', name: { no: 1 } },
      { id: 'e', name: 'e' },
    ]
    const outcomes = await service.deliver.push!(bodies.map(body => noteOf(body.id, { body: JSON.stringify(body) })))
    expect(outcomes.map(({ kind }) => kind)).toEqual(['delivered', 'dead', 'dead', 'dead', 'delivered'])
    expect(outcomes[1]).toMatchObject({ fault: { code: 'invalid', reason: expect.stringContaining('{{name}}') } })
    expect(standIn.taken()).toEqual(['a', 'e'])
  })

  test('the details of a supporter are read as documented, and nothing else of the answer', async () => {
    const { service, standIn } = await begin()
    const answer = await service.calls.lookup!({ email: 'ann@a.example', contactRef: 'ref' })
    expect(answer).toEqual({
      ok: true,
      value: {
        privacy: { optIn: true, givenAt: '2026-01-02T03:04:05Z' },
        action: { customFields: { membership: [1, 'a', null] } },
      },
    })
    expect(parse(standIn.asked[0]!)).toEqual({ email: 'ann@a.example', contactRef: 'ref' })
  })

  test('not found, a wrong answer and none in time are told apart', async () => {
    const { service, standIn } = await begin()
    const ask = (name: string) => service.calls.lookup!({ email: `${name}@a.example`, contactRef: null })
    expect(await ask('unknown')).toMatchObject({ fault: { code: 'not_found' } })
    expect(await ask('wrong')).toMatchObject({
      fault: { code: 'wrong_answer', reason: expect.stringContaining('privacy.optIn') },
    })
    expect(await ask('empty')).toMatchObject({ fault: { code: 'wrong_answer' } })
    standIn.behave('hangs')
    const { service: hasty } = open(webhook, { credentials: standIn.credentials, timeoutMs: 200 })
    expect(await hasty.calls.lookup!({ email: 'x@a.example', contactRef: null })).toMatchObject({
      fault: { code: 'timeout' },
    })
  })

  test('an own request goes to the own host alone, in each way of showing the credentials', async () => {
    const { service, standIn } = await begin({}, () => true)
    const request = service.calls.jsonRequest!
    expect(await request({ url: '/x?y=1', body: { id: 'a' } })).toEqual({
      ok: true,
      value: { status: 204, body: null },
    })
    await request({ url: `${standIn.origin}/x`, form: { a: 'b c' }, auth: { apiKey: 'X-Api-Key' } })
    await request({ url: '/x', auth: 'header', headers: { 'X-A': 'b' } })
    await request({ url: '/x', auth: 'none' })
    const [first, second, third, fourth] = standIn.asked.map(({ headers }) => headers)
    expect(first!.authorization).toMatch(/^Basic /)
    expect(Buffer.from(String(second!['x-api-key']), 'latin1').toString('latin1')).toBe(SECRET)
    expect(second!['content-type']).toBe('application/x-www-form-urlencoded')
    expect(standIn.asked[1]!.body.toString()).toBe('a=b+c')
    expect(third).toMatchObject({ authorization: SECRET, 'x-a': 'b' })
    expect(fourth!.authorization).toBeUndefined()
    const before = standIn.requests()
    for (const url of [
      'https://evil.example/',
      '//evil.example/',
      'http://user:pw@127.0.0.1/',
      `${standIn.origin}.evil.example/`,
      '\\\\evil.example',
    ]) {
      expect(await request({ url }), url).toMatchObject({ ok: false, fault: { code: 'invalid' } })
    }
    expect(await request({ url: '/x', headers: { 'Transfer-Encoding': 'chunked' } })).toMatchObject({
      fault: { code: 'invalid' },
    })
    expect(await request({ url: '/x', headers: { A: 'b\r\nC: d' } })).toMatchObject({ fault: { code: 'invalid' } })
    expect(standIn.requests()).toBe(before)
  })
})

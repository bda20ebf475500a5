import { describe, expect, test } from 'vitest'
import { open, serviceSuite } from '../service.suite.ts'
import { emailTo } from '../stand-in.suite.ts'
import { ses } from './ses.ts'
import { credentials, startSes } from './stand-in.suite.ts'

serviceSuite(ses, { start: startSes })

describe('Amazon SES', () => {
  const begin = async () => {
    const standIn = await startSes()
    return { standIn, ...open(ses, { credentials, endpoint: standIn.endpoint }) }
  }

  test('an email goes out with all of its parts, and names beyond ASCII encoded', async () => {
    const { service, standIn } = await begin()
    const email = emailTo('ann@a.example', {
      cc: [{ address: 'cc@a.example', name: 'C "C"' }],
      replyTo: { address: 'reply@org.example', name: null },
      customId: 'petition-7',
      headers: { 'X-Campaign': 'seven' },
      attachments: [
        { filename: 'a.txt', contentType: 'text/plain', content: Buffer.from('attached'), contentId: null },
        { filename: 'i.png', contentType: 'image/png', content: Buffer.from([1, 2]), contentId: 'logo' },
      ],
    })
    expect(await service.deliver.email!([email])).toEqual([{ kind: 'delivered', reference: 'ses-ann', remark: null }])
    expect(standIn.sent[0]!.body).toMatchObject({
      FromEmailAddress: `=?UTF-8?B?${Buffer.from('Örg').toString('base64')}?= <sender@org.example>`,
      Destination: { ToAddresses: ['ann@a.example'], CcAddresses: ['"C \\"C\\"" <cc@a.example>'] },
      ReplyToAddresses: ['reply@org.example'],
      EmailTags: [{ Name: 'CustomID', Value: 'petition-7' }],
      Content: {
        Simple: {
          Subject: { Data: 'Grüße' },
          Body: { Text: { Data: 'Hello' }, Html: { Data: '<p>Hello</p>' } },
          Headers: [{ Name: 'X-Campaign', Value: 'seven' }],
          Attachments: [
            {
              FileName: 'a.txt',
              RawContent: Buffer.from('attached').toString('base64'),
              ContentDisposition: 'ATTACHMENT',
            },
            { FileName: 'i.png', ContentId: 'logo', ContentDisposition: 'INLINE' },
          ],
        },
      },
    })
  })

  test("a template of the provider's own goes by its name, with the fields as JSON", async () => {
    const { service, standIn } = await begin()
    const template = { reference: 'welcome', fields: { name: 'Ann' } }
    await service.deliver.email!([emailTo('ann@a.example', { template, text: null, html: null })])
    expect(standIn.sent[0]!.body.Content).toMatchObject({
      Template: { TemplateName: 'welcome', TemplateData: '{"name":"Ann"}' },
    })
  })

  test('a refused recipient dies with the words of SES, and its neighbours are delivered', async () => {
    const { service } = await begin()
    const outcomes = await service.deliver.email!(['a', 'rejected1', 'b'].map(name => emailTo(`${name}@a.example`)))
    expect(outcomes).toMatchObject([
      { kind: 'delivered' },
      {
        kind: 'dead',
        fault: {
          code: 'rejected',
          serviceCode: 'MessageRejected',
          status: 400,
          reason: expect.stringContaining('Address blocked'),
        },
      },
      { kind: 'delivered' },
    ])
  })

  test('after SES throttles nothing more of the batch is begun, and what was sent stays delivered', async () => {
    const { service, standIn } = await begin()
    const names = ['quota', ...Array.from({ length: 24 }, (_, index) => `m${index}`)]
    const outcomes = await service.deliver.email!(names.map(name => emailTo(`${name}@a.example`)))
    const delivered = outcomes.filter(({ kind }) => kind === 'delivered').length
    expect(delivered).toBe(standIn.sent.length)
    expect(delivered).toBeLessThan(10)
    expect(outcomes[0]).toMatchObject({ kind: 'retry', fault: { code: 'throttled', retryAfterMs: 1000 } })
    expect(outcomes.at(-1)).toMatchObject({ kind: 'retry', fault: { code: 'throttled' } })
  })

  test('templates are listed page by page', async () => {
    const { service } = await begin()
    const answer = await service.calls.listTemplates!({})
    expect(answer).toMatchObject({
      ok: true,
      value: [{ reference: 'welcome 1' }, { name: 'thanks 1' }, { name: 'welcome 2 +/=' }, {}],
    })
  })

  test('a request of the org’s own is signed as the API asks, query, path and body included', async () => {
    const { service, standIn } = await begin()
    const request = {
      service: 'email',
      path: '/v2/email/templates',
      query: { NextToken: "2 +/='()*!~", b: '', a: 'ü' },
    }
    expect(await service.calls.awsRequest!(request)).toMatchObject({ ok: true, value: { status: 200 } })
    const post = {
      service: 'email',
      method: 'POST' as const,
      path: '/v2/a%20b/c',
      body: '{"ü":1}',
      headers: { 'X-Amz-Target': 'A.B' },
    }
    expect(await service.calls.awsRequest!(post)).toMatchObject({
      ok: true,
      value: { status: 404, body: { message: 'POST /v2/a%20b/c' } },
    })
    expect(standIn.asked.at(-1)!.headers['x-amz-target']).toBe('A.B')
  })

  test('a request of the org’s own cannot leave the API it names', async () => {
    const { service, standIn } = await begin()
    for (const wrong of [
      { service: 'x.evil.example/' },
      { service: 'ses', path: '//evil.example/' },
      { service: 'ses', path: 'x' },
    ]) {
      expect(await service.calls.awsRequest!(wrong)).toMatchObject({ fault: { code: 'invalid' } })
    }
    expect(await service.calls.awsRequest!({ service: 'ses', headers: { Host: 'x' } })).toMatchObject({
      fault: { code: 'invalid' },
    })
    expect(standIn.requests()).toBe(0)
  })

  test('a check tells what the account may send', async () => {
    const { service } = await begin()
    expect(await service.check()).toEqual({
      ok: true,
      value: expect.stringMatching(/eu-central-1.*on, 3 of 200.*sandbox/),
    })
  })
})

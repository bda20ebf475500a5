import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import type { SMTPServerOptions } from 'smtp-server'
import { describe, expect, test } from 'vitest'
import { open, serviceSuite } from '../service.suite.ts'
import { emailTo } from '../stand-in.suite.ts'
import { smtp } from './smtp.ts'
import { certificate, startSmtp } from './stand-in.suite.ts'

const noRedirect = 'SMTP has no redirects'
const noBabble = 'a test of its own below: a server that speaks no SMTP'

serviceSuite(smtp, { start: startSmtp, skip: { redirects: noRedirect, babbles: noBabble } })

describe('SMTP', () => {
  const begin = async (options: Parameters<typeof startSmtp>[0] = {}, ca?: string) => {
    const standIn = await startSmtp(options)
    return { standIn, ...open(smtp, { credentials: standIn.credentials, ...(ca && { outside: { ca } }) }) }
  }
  const emails = (...names: string[]) => names.map(name => emailTo(`${name}@a.example`))
  const tls = test.skipIf(certificate === null)

  test('many emails go over few connections', async () => {
    const { service, standIn } = await begin()
    const names = Array.from({ length: 60 }, (_, index) => `m${index}`)
    const outcomes = await service.deliver.email!(emails(...names))
    expect(outcomes.every(({ kind }) => kind === 'delivered')).toBe(true)
    expect([...standIn.taken()].sort()).toEqual([...names].sort())
    expect(standIn.connections()).toBeLessThanOrEqual(5)
  })

  test('refusals are told apart: for good, for now, and by the content; neighbours are delivered', async () => {
    const { service, standIn } = await begin()
    expect(await service.deliver.email!(emails('a', 'rejected', 'deferred', 'spam', 'b'))).toMatchObject([
      { kind: 'delivered' },
      {
        kind: 'dead',
        fault: { code: 'rejected', serviceCode: '550 5.1.1', reason: expect.stringContaining('no such user') },
      },
      { kind: 'retry', fault: { code: 'deferred', serviceCode: '450 4.2.1' } },
      { kind: 'dead', fault: { code: 'rejected', serviceCode: '554 5.7.1' } },
      { kind: 'delivered' },
    ])
    expect([...standIn.taken()].sort()).toEqual(['a', 'b'])
  })

  test('of several recipients of one email the refused are named, and the others have it', async () => {
    const { service, standIn } = await begin()
    const email = emailTo('a@a.example', { cc: [{ address: 'rejected@a.example', name: null }] })
    expect(await service.deliver.email!([email])).toMatchObject([
      { kind: 'delivered', remark: 'refused: rejected@a.example' },
    ])
    expect(standIn.mails).toMatchObject([{ to: ['a@a.example'] }])
  })

  test('a connection that is cut in the middle of a message is retried, and the next email opens another', async () => {
    const { service, standIn } = await begin()
    expect(await service.deliver.email!(emails('cut'))).toMatchObject([{ kind: 'retry', fault: { code: 'reset' } }])
    expect(await service.deliver.email!(emails('a'))).toMatchObject([{ kind: 'delivered' }])
    expect(standIn.taken()).toEqual(['a'])
  })

  test('an email has all of its parts, and the same Message-ID at every attempt', async () => {
    const { service, standIn } = await begin()
    const attachments = [
      { filename: 'a.txt', contentType: 'text/plain', content: Buffer.from('attached'), contentId: null },
    ]
    const email = emailTo('ann@a.example', {
      customId: 'petition-7',
      headers: { 'X-A': 'b' },
      bcc: [{ address: 'hid@a.example', name: null }],
      attachments,
    })
    await service.deliver.email!([email])
    await service.deliver.email!([email])
    const [first, second] = standIn.mails.map(({ text }) => text)
    expect(first).toContain('Message-ID: <msg_ann@org.example>')
    expect(second).toContain('Message-ID: <msg_ann@org.example>')
    expect(first).toContain('X-Custom-ID: petition-7')
    expect(first).toContain('X-A: b')
    expect(first).toContain(Buffer.from('attached').toString('base64'))
    expect(first).not.toContain('hid@a.example')
    expect(standIn.mails[0]!.to).toEqual(['ann@a.example', 'hid@a.example'])
  })

  tls('ssl:// is encrypted from the start, with a certificate that is checked', async () => {
    const server = { secure: true, ...certificate!, scheme: 'ssl' }
    const trusted = await begin(server, certificate!.cert)
    expect(await trusted.service.deliver.email!(emails('a'))).toMatchObject([{ kind: 'delivered' }])
    expect(trusted.standIn.secure).toEqual([true])
    const stranger = await begin(server)
    expect(await stranger.service.deliver.email!(emails('a'))).toMatchObject([
      { kind: 'retry', fault: { code: 'tls' } },
    ])
    expect(stranger.standIn.mails).toEqual([])
  })

  tls('tls:// sends neither login nor email before STARTTLS', async () => {
    const seen: boolean[] = []
    const onMailFrom: SMTPServerOptions['onMailFrom'] = (_, { secure }, done) => {
      seen.push(secure)
      done()
    }
    const offering = await begin({ hideSTARTTLS: false, ...certificate!, scheme: 'tls', onMailFrom }, certificate!.cert)
    expect(await offering.service.deliver.email!(emails('a'))).toMatchObject([{ kind: 'delivered' }])
    expect(seen).toEqual([true])
    const not = await begin({ scheme: 'tls' })
    expect(await not.service.deliver.email!(emails('a'))).toMatchObject([{ kind: 'retry', fault: { code: 'tls' } }])
    expect(not.standIn.requests()).toBe(0)
  })

  test('a login is required where one is configured, also of a server that offers none', async () => {
    const { service, standIn } = await begin({ disabledCommands: ['AUTH'] })
    expect(await service.deliver.email!(emails('a'))).toMatchObject([{ kind: 'retry' }])
    expect(standIn.mails).toEqual([])
  })

  test('a server that speaks no SMTP is a fault of the protocol, and a closed port one of the connection', async () => {
    const { createServer } = await import('node:http')
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const credentials = { host: `smtp://127.0.0.1:${port}`, user: null, password: null, path: null }
    const { service } = open(smtp, { credentials, timeoutMs: 500 })
    expect(await service.check()).toMatchObject({
      ok: false,
      fault: { code: expect.stringMatching(/protocol|timeout/) },
    })
    server.closeAllConnections()
    await new Promise(resolve => server.close(resolve))
    expect(await service.check()).toMatchObject({ ok: false, fault: { code: 'connect' } })
  })
})

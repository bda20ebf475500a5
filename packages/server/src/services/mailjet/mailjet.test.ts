import { describe, expect, test } from 'vitest'
import { open, serviceSuite } from '../service.suite.ts'
import {
  emailTo,
  faultOfEmail,
  isBasic,
  json,
  parse,
  type Replied,
  SECRET,
  type StandIn,
  startHttp,
} from '../stand-in.suite.ts'
import { mailjet } from './mailjet.ts'

const credentials = { host: null, user: 'public-key', password: SECRET, path: null }
type Message = Record<string, unknown> & { To: { Email: string }[] }

/** Mailjet: `POST /v3.1/send` with an answer for each message, and the lists of senders and templates. */
async function start() {
  const taken: Message[] = []
  const batches: number[] = []
  const http = await startHttp({
    error: (status, message) =>
      json(status, { ErrorIdentifier: 'e', ErrorCode: 'mj-0001', StatusCode: status, ErrorMessage: message }),
    answer(asked): Replied {
      if (!isBasic(asked, 'public-key', SECRET)) {
        return json(401, {
          ErrorIdentifier: 'e',
          ErrorCode: 'mj-0002',
          StatusCode: 401,
          ErrorMessage: 'API key authentication/authorization failure.',
        })
      }
      if (asked.url.pathname === '/v3/REST/sender')
        return json(200, {
          Data: [
            { Email: '*@org.example', Status: 'Active' },
            { Email: 'x@y.example', Status: 'Inactive' },
          ],
        })
      if (asked.url.pathname === '/v3/REST/template')
        return json(200, { Count: 1, Data: [{ ID: 777, Name: 'Welcome' }] })
      if (asked.target !== '/v3.1/send') return json(404, { ErrorMessage: 'Object not found' })
      const messages = parse(asked).Messages as Message[]
      batches.push(messages.length)
      if (messages.some(({ Subject }) => Subject === 'break everything')) {
        return json(400, {
          ErrorIdentifier: 'e',
          ErrorCode: 'mj-0031',
          StatusCode: 400,
          ErrorMessage: 'Malformed JSON',
        })
      }
      const answers = messages.map(message => answerTo(message))
      taken.push(...messages.filter((_, index) => answers[index]!.Status === 'success'))
      return json(answers.every(({ Status }) => Status === 'success') ? 200 : 400, { Messages: answers })
    },
  })
  const standIn: StandIn = {
    ...http,
    credentials,
    wrong: { ...credentials, password: 'another' },
    endpoint: http.origin,
    taken: () => taken.map(({ To }) => To[0]!.Email.split('@')[0]!),
    act: faultOfEmail,
  }
  return { ...standIn, messages: taken, batches }
}

function answerTo({ To: [to] }: Message): Record<string, unknown> {
  const name = to!.Email.split('@')[0]!
  const refuse = (StatusCode: number, ErrorCode: string, ErrorMessage: string) => ({
    Status: 'error',
    Errors: [{ ErrorCode, StatusCode, ErrorMessage, ErrorRelatedTo: ['To'] }],
  })
  if (name.startsWith('rejected')) return refuse(400, 'mj-0013', `"${to!.Email}" is an invalid email address.`)
  if (name.startsWith('sender')) return refuse(400, 'send-0008', 'The sender is not allowed to send.')
  if (name.startsWith('later')) return refuse(500, 'mj-0003', 'Internal error')
  return { Status: 'success', To: [{ Email: to!.Email, MessageUUID: `uuid-${name}`, MessageID: 456 }] }
}

serviceSuite(mailjet, { start, saysHowLong: true })

describe('Mailjet', () => {
  const begin = async () => {
    const standIn = await start()
    return { standIn, ...open(mailjet, { credentials, endpoint: standIn.endpoint }) }
  }
  const emails = (...names: string[]) => names.map(name => emailTo(`${name}@a.example`))

  test('fifty go in one request, and of those that fail each has its own fate', async () => {
    const { service, standIn } = await begin()
    const names = Array.from({ length: 60 }, (_, index) => `m${index}`)
    names[3] = 'rejected'
    names[4] = 'later'
    names[5] = 'sender'
    const outcomes = await service.deliver.email!(emails(...names))
    expect(standIn.batches).toEqual([50, 10])
    expect(outcomes.slice(2, 7)).toMatchObject([
      { kind: 'delivered', reference: 'uuid-m2' },
      {
        kind: 'dead',
        fault: { code: 'rejected', serviceCode: 'mj-0013', reason: expect.stringContaining('invalid email address') },
      },
      { kind: 'retry', fault: { code: 'unavailable' } },
      { kind: 'retry', fault: { code: 'misconfigured', serviceCode: 'send-0008' } },
      { kind: 'delivered' },
    ])
    expect(standIn.taken()).toHaveLength(57)
  })

  test('a request that is refused as a whole is given again one by one: one bad message takes no other with it', async () => {
    const { service, standIn } = await begin()
    const batch = [...emails('a'), emailTo('bad@a.example', { subject: 'break everything' }), ...emails('c')]
    expect(await service.deliver.email!(batch)).toMatchObject([
      { kind: 'delivered' },
      { kind: 'dead', fault: { code: 'rejected', serviceCode: 'mj-0031' } },
      { kind: 'delivered' },
    ])
    expect(standIn.taken()).toEqual(['a', 'c'])
  })

  test('an email goes out with all of its parts', async () => {
    const { service, standIn } = await begin()
    const attachments = [
      { filename: 'a.txt', contentType: 'text/plain', content: Buffer.from('attached'), contentId: null },
      { filename: 'i.png', contentType: 'image/png', content: Buffer.from([1]), contentId: 'logo' },
    ]
    const more = {
      customId: 'petition-7',
      headers: { 'X-A': 'b' },
      attachments,
      replyTo: { address: 'r@o.example', name: 'R' },
    }
    await service.deliver.email!([emailTo('ann@a.example', more)])
    expect(standIn.messages[0]).toMatchObject({
      From: { Email: 'sender@org.example', Name: 'Örg' },
      ReplyTo: { Email: 'r@o.example', Name: 'R' },
      CustomID: 'petition-7',
      Subject: 'Grüße',
      TextPart: 'Hello',
      Headers: { 'X-A': 'b' },
      Attachments: [{ Filename: 'a.txt', Base64Content: 'YXR0YWNoZWQ=' }],
      InlinedAttachments: [{ Filename: 'i.png', ContentID: 'logo' }],
    })
  })

  test('a template goes by its number, and another reference dies alone', async () => {
    const { service, standIn } = await begin()
    const by = (name: string, reference: string) =>
      emailTo(`${name}@a.example`, { template: { reference, fields: { a: 1 } } })
    expect(await service.deliver.email!([by('a', '777'), by('b', 'welcome')])).toMatchObject([
      { kind: 'delivered' },
      { kind: 'dead', fault: { code: 'invalid', reason: expect.stringContaining('template.reference') } },
    ])
    expect(standIn.messages[0]).toMatchObject({ TemplateID: 777, TemplateLanguage: true, Variables: { a: 1 } })
    expect(standIn.messages[0]).not.toHaveProperty('Subject')
    expect(await service.calls.listTemplates!({})).toEqual({ ok: true, value: [{ reference: '777', name: 'Welcome' }] })
  })

  test('a check names the senders that are active', async () => {
    const { service } = await begin()
    expect(await service.check()).toEqual({ ok: true, value: expect.stringMatching(/senders: \*@org.example$/) })
  })
})

/** What each function of an org does, from a call over a worker of a real node to the service, which checks who calls. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { certificate } from '../../src/services/smtp/stand-in.suite.ts'
import type { Api, ApiError, MessageRow } from '../harness/api.ts'
import { attach, openServiceRoom, type ServiceRoom, settled } from '../harness/service-room.ts'

let room: ServiceRoom

beforeAll(async () => {
  room = await openServiceRoom()
  await makeOrg('acme')
})
afterAll(() => room?.close())

async function makeOrg(name: string): Promise<Api> {
  await room.api.post('/orgs/', { name, emailFrom: 'us@acme.example' })
  return room.api.as(name)
}
const acme = () => room.api.as('acme')
const send = async (org: Api, email: object): Promise<number> =>
  (await org.post<MessageRow>('/emails/', { to: [{ address: 'ann@example.org' }], ...email })).id

/** What SES was given since, each with when. */
const sentBy = (from: number) =>
  room.ses.sent.slice(from).map(({ asked, body }) => ({ at: asked.at, ...(body as unknown as SesBody) }))
interface SesBody {
  readonly FromEmailAddress: string
  readonly Destination: { readonly ToAddresses: readonly string[] }
}

test('an email goes through SES with template, fields, files, and all that is said of it', async () => {
  const { ses, supabase } = room
  await acme().post('/services/', { name: 'ses', ...ses.credentials })
  await acme().post('/services/', { name: 'supabase', ...supabase.credentials })
  await acme().change('/processing/', { storageBackend: 'supabase' })
  const queueId = await attach(acme(), 'email', 'ses')
  await acme().post('/templates/', {
    name: 'thanks',
    locale: 'de',
    subject: 'Danke, {{name}}',
    html: '<p>{{name}} & {{#friends}}{{.}} {{/friends}}</p>',
  })
  const id = await send(acme(), {
    template: 'thanks',
    locale: 'de_AT',
    fields: { name: 'Änn <3', friends: ['Bob', 'Eve'] },
    replyTo: { address: 'office@acme.example', name: 'Büro' },
    customId: 'petition-7',
    headers: { 'X-Campaign': 'seven' },
    attachments: [
      { filename: 'a.txt', contentBase64: Buffer.from('given').toString('base64'), contentType: 'text/plain' },
      { filename: 'c.txt', path: 'docs/c.txt' },
    ],
  })
  const [message] = await settled(acme(), [id])
  expect(message).toMatchObject({ status: 'delivered', attempts: 1, queueId })
  expect(ses.sent[0]!.body).toMatchObject({
    FromEmailAddress: 'us@acme.example',
    Destination: { ToAddresses: ['ann@example.org'] },
    ReplyToAddresses: [`=?UTF-8?B?${Buffer.from('Büro').toString('base64')}?= <office@acme.example>`],
    EmailTags: [{ Name: 'CustomID', Value: 'petition-7' }],
    Content: {
      Simple: {
        Subject: { Data: 'Danke, Änn <3' },
        Body: { Html: { Data: '<p>Änn &lt;3 & Bob Eve </p>' } },
        Headers: [{ Name: 'X-Campaign', Value: 'seven' }],
        Attachments: [
          { FileName: 'a.txt', RawContent: Buffer.from('given').toString('base64'), ContentType: 'text/plain' },
          { FileName: 'c.txt', RawContent: Buffer.from('C').toString('base64'), ContentType: 'text/plain' },
        ],
      },
    },
  })
})

test('what SES refuses is dead with its reason, and what it has no room for goes when it has', async () => {
  const { ses } = room
  const before = ses.sent.length
  const refused = await send(acme(), { to: [{ address: 'rejected1@example.org' }], subject: 's', text: 't' })
  expect(await settled(acme(), [refused])).toMatchObject([
    {
      status: 'dead',
      attempts: 1,
      reason: expect.stringMatching(/^Amazon SES answered.*Address blocked: rejected1@example.org/),
    },
  ])
  const asked = ses.requests()
  ses.behave('throttles', 1)
  const ids = await Promise.all(
    Array.from({ length: 5 }, (_, i) =>
      send(acme(), { to: [{ address: `t${i}@example.org` }], subject: 's', text: 't' }),
    ),
  )
  const messages = await settled(acme(), ids)
  expect(messages.map(({ status }) => status)).toEqual(ids.map(() => 'delivered'))
  expect(
    sentBy(before)
      .map(({ Destination }) => Destination.ToAddresses[0])
      .sort(),
  ).toEqual(ids.map((_, i) => `t${i}@example.org`))
  // Those on their way together were asked for together; then nobody asked for the second that SES gets if it does not say.
  const times = ses.asked.slice(asked).map(({ at }) => at)
  expect(Math.max(...times.map((at, nth) => at - (times[nth - 1] ?? at)))).toBeGreaterThan(600)
  const [worker] = await acme().get<{ lastError: string }[]>('/workers/')
  expect(worker!.lastError).toContain('Amazon SES')
})

test.skipIf(certificate === null)(
  'a mail server gets each email once, encrypted, though the connection breaks off in the middle of one',
  async () => {
    for (const [name, server] of [
      ['starttls', room.starttls!],
      ['tls', room.tls!],
    ] as const) {
      const org = await makeOrg(name)
      await org.post('/services/', { name: 'smtp', ...server.credentials })
      await attach(org, 'email', 'smtp')
      server.behave('cuts', 1)
      const broken = await send(org, {
        to: [{ address: 'broken@example.org', name: 'Bröken' }],
        subject: 'Grüße',
        html: '<b>x',
      })
      const [again] = await settled(org, [broken])
      expect(again).toMatchObject({ status: 'delivered', attempts: 2 })
      expect(server.mails).toMatchObject([{ to: ['broken@example.org'] }])
      expect(server.mails[0]!.text).toContain(`Message-ID: <${again!.webhookId}@acme.example>`)
      const ids = await Promise.all(
        ['a', 'rejected', 'b'].map(name =>
          send(org, { to: [{ address: `${name}@example.org` }], subject: 's', text: 't' }),
        ),
      )
      expect(await settled(org, ids)).toMatchObject([
        { status: 'delivered' },
        { status: 'dead', reason: expect.stringMatching(/SMTP.*550 5\.1\.1 no such user/) },
        { status: 'delivered' },
      ])
      expect([...server.taken()].sort()).toEqual(['a', 'b', 'broken'])
      expect(server.mails.every(({ secure }) => secure)).toBe(true)
    }
  },
)

test('actions go to SQS in batches: what failed of one is tried again alone, what is refused is dead, each arrives once', async () => {
  const { sqs } = room
  await acme().post('/services/', { name: 'sqs', ...sqs.credentials })
  const queueId = await attach(acme(), 'push', 'sqs')
  const action = (id: string) => ({
    schema: 'proca:action:2',
    stage: 'deliver',
    campaign: { name: 'climate' },
    action: { actionType: 'register' },
    id,
  })
  const names = Array.from({ length: 40 }, (_, i) => `a${i}`)
  for (const name of ['a3', 'a17', 'a38']) sqs.hiccups.add(`"${name}"`)
  // U+FFFF is JSON, and no character that SQS takes.
  const bodies = [...names, '\uffff'].map(name => JSON.stringify(action(name)))
  const ids = await acme().putMany(bodies.map(body => ({ queueId, body })))
  const messages = await settled(acme(), ids)
  expect(messages.slice(0, -1).map(({ status }) => status)).toEqual(names.map(() => 'delivered'))
  expect(messages.at(-1)).toMatchObject({ status: 'dead', reason: expect.stringContaining('InvalidMessageContents') })
  expect([...sqs.taken()].sort()).toEqual([...names].sort())
  expect(messages.filter(({ attempts }) => attempts > 1).map(({ id }) => id)).toEqual([ids[3], ids[17], ids[38]])
  expect(sqs.inside('plain')[0]!.messageAttributes).toMatchObject({
    Schema: { StringValue: 'proca:action:2' },
    Stage: { StringValue: 'deliver' },
    CampaignName: { StringValue: 'climate' },
    ActionType: { StringValue: 'register' },
  })
})

test('events keep the order of their key on a FIFO queue of SQS, also after it was throttled', async () => {
  const { sqs } = room
  const path = sqs.credentials.path!.replace('plain', 'line.fifo')
  const events = await makeOrg('events')
  await events.post('/services/', { name: 'sqs', ...sqs.credentials, path })
  const queueId = await attach(events, 'event', 'sqs')
  await events.change(`/queues/${queueId}`, { ordered: 'key' })
  sqs.behave('throttles', 1)
  const bodies = Array.from({ length: 20 }, (_, i) => JSON.stringify({ schema: 'proca:event:2', id: `e${i}` }))
  const ids = await events.putMany(bodies.map(body => ({ queueId, body, key: 'ann' })))
  expect((await settled(events, ids)).map(({ status }) => status)).toEqual(ids.map(() => 'delivered'))
  expect(sqs.inside('line.fifo').map(({ body }) => body)).toEqual(bodies)
  expect(sqs.inside('line.fifo')[0]).toMatchObject({ messageGroupId: 'ann' })
})

test('a webhook takes actions and events as JSON, with its credentials, and one that was down once takes all in the end', async () => {
  const { webhook } = room
  const hooked = await makeOrg('hooked')
  await hooked.post('/services/', { name: 'webhook', ...webhook.credentials })
  webhook.behave('is down', 1)
  const ids: number[] = []
  for (const work of ['push', 'event'] as const) {
    const queueId = await attach(hooked, work, 'webhook')
    ids.push((await hooked.put(queueId, JSON.stringify({ id: work }))).id)
  }
  const messages = await settled(hooked, ids)
  expect(messages).toMatchObject([
    { status: 'delivered', attempts: 2 },
    { status: 'delivered', attempts: 1 },
  ])
  expect(webhook.taken()).toEqual(expect.arrayContaining(['push', 'event']))
  expect(new Set(webhook.asked.map(({ headers }) => headers['webhook-id']))).toEqual(
    new Set(messages.map(({ webhookId }) => webhookId)),
  )
})

test('what is known of a supporter is asked of the webhook once a minute; failures are told apart', async () => {
  const { webhook } = room
  const org = await makeOrg('detail')
  await org.post('/services/', { name: 'webhook', ...webhook.credentials })
  await org.change('/processing/', { detailBackend: 'webhook' })
  const before = webhook.asked.length
  const ask = (name: string) => org.post('/details/', { email: `${name}@example.org`, contactRef: 'r1' })
  const known = { privacy: { optIn: true }, action: { customFields: { membership: [1, 'a', null] } } }
  expect(await ask('ann')).toMatchObject(known)
  expect(await ask('ANN')).toMatchObject(known)
  const asked = webhook.asked.slice(before)
  expect(asked.map(({ body }) => JSON.parse(body.toString()))).toEqual([{ email: 'ann@example.org', contactRef: 'r1' }])
  const problemOf = (name: string) => ask(name).catch((error: ApiError) => error.problem)
  expect(await problemOf('unknown')).toMatchObject({
    statusCode: 502,
    code: 'service_failed',
    details: { fault: 'not_found' },
  })
  expect(await problemOf('wrong')).toMatchObject({ details: { fault: 'wrong_answer' } })
})

test('files are fetched from Supabase; those before a failure come with it', async () => {
  const { supabase } = room
  const org = await makeOrg('files')
  const { id } = await org.post<{ id: number }>('/services/', { name: 'supabase', ...supabase.credentials })
  await org.change('/processing/', { storageBackend: 'supabase' })
  const answer = await org.post('/files/', { paths: ['/dir/ü b.txt', 'docs/c.txt', 'docs/none.txt', 'a.txt'] })
  expect(answer).toMatchObject({
    files: [
      { path: '/dir/ü b.txt', contentType: 'text/plain', contentBase64: Buffer.from('B').toString('base64') },
      { path: 'docs/c.txt', contentBase64: Buffer.from('C').toString('base64') },
    ],
    failure: { path: 'docs/none.txt', fault: 'not_found', message: expect.stringContaining('Object not found') },
  })
  expect(await org.post('/files/', { paths: ['a.txt'], maxBytes: 999 })).toMatchObject({
    files: [],
    failure: { fault: 'too_large' },
  })
  const response = await org.open('/files/download?path=photos/a.txt')
  expect([response.headers.get('content-type'), response.headers.get('content-length')]).toEqual(['text/plain', '1000'])
  expect(await response.text()).toBe('A'.repeat(1000))
  await expect(org.get('/files/download?path=docs/none.txt')).rejects.toMatchObject({
    problem: { code: 'service_failed', details: { fault: 'not_found' } },
  })
  await expect(org.get('/files/download?path=a.txt&maxBytes=999')).rejects.toMatchObject({
    problem: { details: { fault: 'too_large' } },
  })
  await expect(org.open('/files/download?path=photos/endless&maxBytes=999')).rejects.toMatchObject({
    problem: { details: { fault: 'too_large' } },
  })
  const request = { url: '/storage/v1/bucket' }
  expect(await org.post(`/services/${id}/json-request`, request)).toMatchObject({
    status: 200,
    body: [{ id: 'photos' }, {}],
  })
  const elsewhere = { url: 'https://elsewhere.example/' }
  await expect(org.post(`/services/${id}/json-request`, elsewhere)).rejects.toMatchObject({
    problem: { details: { fault: 'invalid' } },
  })
})

test('payments are made at Stripe once for a key, and its own words come back; test_stripe is as good for tests', async () => {
  const { stripe } = room
  const org = await makeOrg('payments')
  for (const name of ['stripe', 'test_stripe']) {
    const { id } = await org.post<{ id: number }>('/services/', { name, ...stripe.credentials })
    const before = stripe.taken().length
    const pay = (amount: number, idempotencyKey = `${name}-${amount}`) => {
      const params = { amount, currency: 'eur', metadata: { action: '7' } }
      return org.post<{ id: string; object: object }>(`/services/${id}/payment-intents`, { params, idempotencyKey })
    }
    const first = await pay(500)
    expect(first.object).toMatchObject({ object: 'payment_intents', form: { amount: '500', 'metadata[action]': '7' } })
    expect(await pay(500)).toEqual(first)
    for (const [path, params] of [
      ['customers', { email: 'ann@example.org' }],
      ['prices', { currency: 'eur', unit_amount: 500, recurring: { interval: 'month' } }],
      ['subscriptions', { customer: 'c', items: [{ price: 'p' }] }],
    ] as const)
      expect(await org.post(`/services/${id}/${path}`, { params })).toMatchObject({ object: { object: path } })
    expect(stripe.taken().slice(before)).toEqual(['payment_intents', 'customers', 'prices', 'subscriptions'])
    expect(await pay(402).catch((error: ApiError) => error.problem)).toMatchObject({
      statusCode: 502,
      details: { fault: 'rejected', serviceCode: 'card_declined: insufficient_funds', serviceStatus: 402 },
    })
  }
  const live = org.post('/services/', { name: 'test_stripe', password: 'sk_live_x' })
  await expect(live).rejects.toMatchObject({
    problem: { code: 'service_invalid', details: { field: 'password' } },
  })
})

test('posts are created and updated in WordPress, and what it refuses is told with its code', async () => {
  const { wordpress } = room
  const org = await makeOrg('press')
  const { id } = await org.post<{ id: number }>('/services/', { name: 'wordpress', ...wordpress.credentials })
  const save = (body: object) => org.post(`/services/${id}/posts`, body)
  const created = await save({ fields: { title: 'Hello', status: 'publish' } })
  expect(created).toEqual({ post: 5, link: expect.stringContaining('?p=5'), status: 'publish' })
  expect(await save({ post: 5, fields: { title: 'Hello again' } })).toMatchObject({ post: 5 })
  expect(wordpress.taken()).toEqual(['new: Hello', '5: Hello again'])
  await expect(save({ post: 99, fields: {} })).rejects.toMatchObject({
    problem: { details: { fault: 'not_found', serviceCode: 'rest_post_invalid_id' } },
  })
})

test('an org’s own requests to AWS are signed with its keys, and go where the service itself is', async () => {
  const { ses, sqs } = room
  const org = await makeOrg('cloud')
  const mail = await org.post<{ id: number }>('/services/', { name: 'ses', ...ses.credentials })
  const account = { service: 'email', path: '/v2/email/account' }
  expect(await org.post(`/services/${mail.id}/aws-request`, account)).toMatchObject({
    status: 200,
    body: { SendQuota: { Max24HourSend: 200 } },
  })
  const queues = await org.post<{ id: number }>('/services/', { name: 'sqs', ...sqs.credentials })
  const list = {
    service: 'sqs',
    method: 'POST',
    headers: { 'x-amz-target': 'AmazonSQS.ListQueues', 'content-type': 'application/x-amz-json-1.0' },
    body: '{}',
  }
  expect(await org.post(`/services/${queues.id}/aws-request`, list)).toMatchObject({
    status: 200,
    body: { QueueUrls: [expect.stringContaining('plain'), expect.stringContaining('line.fifo')] },
  })
})

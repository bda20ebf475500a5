/** Every service set, checked and used over GraphQL, from the command line, and with a password that is asked for at a terminal. */
import type { serviceFunctions } from '@posthorn/contract'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Credentials } from '../../src/services/credentials.ts'
import { certificate } from '../../src/services/smtp/stand-in.suite.ts'
import { NO_CREDENTIALS } from '../../src/services/stand-in.suite.ts'
import { hasTerminal, runAtTerminal, runCommand } from '../harness/run-command.ts'
import { openServiceRoom, type ServiceRoom } from '../harness/service-room.ts'

let room: ServiceRoom
let services: Record<string, { credentials: Credentials; functions: readonly (typeof serviceFunctions)[number][] }>

beforeAll(async () => {
  room = await openServiceRoom()
  const { ses, sqs, stripe, supabase, wordpress, webhook, tls } = room
  services = {
    ses: { credentials: ses.credentials, functions: ['email'] },
    ...(tls && { smtp: { credentials: tls.credentials, functions: ['email'] } }),
    sqs: { credentials: sqs.credentials, functions: ['push', 'event'] },
    webhook: { credentials: webhook.credentials, functions: ['detail', 'push', 'event'] },
    supabase: { credentials: supabase.credentials, functions: ['storage'] },
    stripe: { credentials: stripe.credentials, functions: [] },
    test_stripe: { credentials: stripe.credentials, functions: [] },
    wordpress: { credentials: wordpress.credentials, functions: [] },
    testmail: { credentials: NO_CREDENTIALS, functions: ['email'] },
    testdetail: { credentials: NO_CREDENTIALS, functions: ['detail'] },
  }
})
afterAll(() => room?.close())

const UPSERT = `mutation ($name: String!, $host: String, $user: String, $password: String, $path: String) {
  upsertService(name: $name, host: $host, user: $user, password: $password, path: $path) { id name hasPassword }
}`

test('over GraphQL each is set, checked, attached, and does what it can', async () => {
  await room.api.post('/orgs/', { name: 'graph', emailFrom: 'us@acme.example' })
  const org = room.api.as('graph')
  const ids: Record<string, string> = {}
  for (const [name, { credentials, functions }] of Object.entries(services)) {
    const { upsertService } = await org.graphql<{ upsertService: { id: string; hasPassword: boolean } }>(UPSERT, {
      name,
      ...credentials,
    })
    expect(upsertService).toMatchObject({ name, hasPassword: credentials.password !== null })
    ids[name] = upsertService.id
    const check = `mutation ($id: ID!) { checkService(id: $id) { ok message fault } }`
    expect(await org.graphql(check, { id: upsertService.id })).toMatchObject({
      checkService: { ok: true, fault: null },
    })
    for (const work of functions) {
      const field = `${work}Backend`
      const attach = `mutation { updateOrgProcessing(${field}: "${name}") { ${field} } }`
      expect(await org.graphql(attach)).toEqual({ updateOrgProcessing: { [field]: name } })
    }
  }
  const { orgProcessing } = await org.graphql<{ orgProcessing: object }>(
    '{ orgProcessing { emailBackend detailBackend storageBackend pushBackend eventBackend emailFrom } }',
  )
  expect(orgProcessing).toEqual({
    emailBackend: 'testmail',
    detailBackend: 'testdetail',
    storageBackend: 'supabase',
    pushBackend: 'webhook',
    eventBackend: 'webhook',
    emailFrom: 'us@acme.example',
  })
  await useOverGraphql(org.graphql.bind(org), ids)
})

type Ask = <Data>(query: string, variables?: object) => Promise<Data>

async function useOverGraphql(ask: Ask, ids: Record<string, string>): Promise<void> {
  const email = `mutation { sendEmail(
    to: [{ address: "ann@example.org", name: "Ann" }], subject: "Hi {{name}}", text: "there", fields: { name: "Ann" },
    attachments: [{ filename: "c.txt", path: "docs/c.txt" }], customId: "c1"
  ) { id status } }`
  expect(await ask(email)).toMatchObject({ sendEmail: { status: 'pending' } })
  const inbox = `query ($id: ID!) { inboxService(id: $id) { entries } }`
  type Inbox = { inboxService: { entries: { email?: object }[] } }
  const read = async () => (await ask<Inbox>(inbox, { id: ids.testmail })).inboxService.entries
  await expect.poll(read, { timeout: 10_000 }).toHaveLength(1)
  expect((await read())[0]!.email).toMatchObject({
    subject: 'Hi Ann',
    customId: 'c1',
    attachments: [{ content: '1 bytes' }],
  })
  expect(await ask('mutation { lookupDetail(email: "ann@example.org") { privacy action } }')).toMatchObject({
    lookupDetail: { privacy: { optIn: true } },
  })
  expect(
    await ask('mutation { fetchFiles(paths: ["docs/c.txt", "docs/no"]) { files { path contentBase64 } failure } }'),
  ).toEqual({
    fetchFiles: {
      files: [{ path: 'docs/c.txt', contentBase64: Buffer.from('C').toString('base64') }],
      failure: expect.objectContaining({ path: 'docs/no', fault: 'not_found' }),
    },
  })
  for (const [call, object] of [
    ['createPaymentIntent', 'payment_intents'],
    ['createCustomer', 'customers'],
    ['createPrice', 'prices'],
    ['createSubscription', 'subscriptions'],
  ]) {
    const create = `mutation ($id: ID!, $params: JSONObject!) { ${call}(id: $id, params: $params) { id object } }`
    expect(await ask(create, { id: ids.stripe, params: { amount: 500 } })).toMatchObject({
      [call!]: { object: { object } },
    })
  }
  const post = `mutation ($id: ID!, $fields: JSONObject!) { savePost(id: $id, fields: $fields) { post status } }`
  expect(await ask(post, { id: ids.wordpress, fields: { title: 'T' } })).toEqual({
    savePost: { post: 5, status: 'draft' },
  })
  const request = `mutation ($id: ID!, $body: JSON) { jsonRequest(id: $id, url: "/x", body: $body) { status body } }`
  expect(await ask(request, { id: ids.webhook, body: { id: 'own' } })).toEqual({
    jsonRequest: { status: 204, body: null },
  })
  expect(room.webhook.taken()).toContain('own')
  const aws = `mutation ($id: ID!) { awsRequest(id: $id, service: "email", path: "/v2/email/account") { status } }`
  expect(await ask(aws, { id: ids.ses })).toEqual({ awsRequest: { status: 200 } })
  const templates = `query ($id: ID!) { listTemplates(id: $id) { templates { reference name } } }`
  expect(await ask(templates, { id: ids.ses })).toMatchObject({
    listTemplates: { templates: [{ name: 'welcome 1' }, {}, {}, {}] },
  })
}

/** What is run for each once it is set: each starts a process, so no more than shows that it can be used from here. */
const COMMANDS: Readonly<Record<string, readonly string[]>> = {
  ses: ['email'],
  smtp: ['check', 'email'],
  sqs: ['push'],
  webhook: ['event', 'detail'],
  supabase: ['storage'],
  stripe: ['check'],
  wordpress: ['check'],
}

test('from the command line each is set, checked and attached, and none of its secrets is shown', {
  timeout: 180_000,
}, async () => {
  const { url } = room.node
  await room.api.post('/orgs/', { name: 'shell' })
  const told: string[] = []
  const run = async (args: readonly string[], stdin?: string): Promise<string> => {
    const { code, out, error } = await runCommand(url, args, stdin === undefined ? {} : { stdin })
    told.push(out, error)
    expect(code, `${args.join(' ')}: ${error}`).toBe(0)
    return out
  }
  const shown = Object.keys(COMMANDS).filter(name => name in services)
  const set = async (name: string): Promise<void> => {
    const { host, user, password, path } = services[name]!.credentials
    const given = Object.entries({ '-h': host, '-u': user, '-l': path }).filter(([, value]) => value !== null)
    await run(['service:set', '-o', 'shell', '-n', name, '-p', '-', ...(given.flat() as string[])], `${password}\n`)
    for (const word of COMMANDS[name]!) {
      const out = await run([`service:${word}`, '-o', 'shell', '-n', name])
      expect(out).toMatch(word === 'check' ? /accept|knows/ : `org shell uses ${name} for ${word}`)
    }
  }
  // Two at once: more would only wait for each other.
  const half = (rest: number) => shown.filter((_, nth) => nth % 2 === rest)
  const both = [half(0), half(1)].map(async names => {
    for (const name of names) await set(name)
  })
  await Promise.all(both)
  const list = await run(['service', '-o', 'shell'])
  for (const name of shown) expect(list).toMatch(new RegExp(`\\b${name}\\b`))
  for (const name of shown) expect(told.join('\n')).not.toContain(services[name]!.credentials.password)
})

test.skipIf(!hasTerminal())(
  'a password that is asked for at a terminal is not shown there, and is the service’s',
  async () => {
    const { url } = room.node
    await room.api.post('/orgs/', { name: 'terminal' })
    const { user, password, host } = room.wordpress.credentials
    const args = ['service:set', '-o', 'terminal', '-n', 'wordpress', '-h', host!, '-u', user!, '-P']
    const typed = { asked: 'password: ', typed: `${password}X\u007f\r` } // mistyped, and mended
    const { code, out } = await runAtTerminal(url, args, [typed])
    expect(out).toMatch(/service \d+ \(wordpress\) of org terminal is stored/)
    expect(code).toBe(0)
    expect(out).not.toContain(password!.slice(0, 4))
    const [{ id } = { id: 0 }] = await room.api.as('terminal').get<{ id: number }[]>('/services/')
    expect(await room.api.as('terminal').post(`/services/${id}/check`, {})).toMatchObject({ ok: true })
    for (const [key, said] of [
      ['\u0004', 'no password was typed'],
      ['\u0003', ''],
    ] as const) {
      const left = await runAtTerminal(url, args, [
        { asked: 'password: ', typed: `half${key}`.slice(key === '\u0004' ? 4 : 0) },
      ])
      expect(left.code, 'nothing is stored').not.toBe(0)
      expect(left.out).toContain(said)
      expect(left.out).not.toContain('half')
    }
    expect(await room.api.as('terminal').get(`/services/${id}`)).toMatchObject({ version: 1 })
  },
)

test.skipIf(certificate !== null)('(a mail server is not among these: there is no openssl)', () => {})

/** All that can be done in an org without anything outside of it, by a client of whatever kind. */
import type { Client } from '@posthorn/client'
import type { OperationName } from '@posthorn/contract'
import { signingSecret } from '../leaks/marked.ts'

/** Calls that need somebody outside: a provider of emails or payments, a storage, a web site. */
export const OUTSIDE: readonly OperationName[] = [
  'services.listTemplates',
  'services.jsonRequest',
  'services.awsRequest',
  'services.createPaymentIntent',
  'services.createCustomer',
  'services.createPrice',
  'services.createSubscription',
  'services.savePost',
  'files.download',
  'files.fetch',
]

/** Gives every answer, in order. */
export type Journey = readonly { readonly operation: string; readonly answer: unknown }[]

export async function travel(client: Client, org: string): Promise<Journey> {
  const answers: { operation: string; answer: unknown }[] = []
  const noted = noting(client, answers)
  await queues(noted, await messages(noted))
  await crons(noted)
  await tenants(noted, org)
  await services(noted)
  return answers
}

function noting(client: Client, answers: { operation: string; answer: unknown }[]): Client {
  const groups = Object.entries(client).map(([group, methods]) => [
    group,
    Object.fromEntries(
      Object.entries(methods as Record<string, (input: unknown) => Promise<unknown>>).map(([method, call]) => [
        method,
        async (input: unknown) => {
          const answer = await call(input)
          answers.push({ operation: `${group}.${method}`, answer: structuredClone(answer) })
          return answer
        },
      ]),
    ),
  ])
  return Object.fromEntries(groups) as Client
}

async function messages({ queues, messages }: Client): Promise<number> {
  const dead = await queues.create({ name: 'dead' })
  const queue = await queues.create({ name: 'pulled', maxRetries: 0, deadLetterQueueId: dead.id })
  const queueId = queue.id
  const once = {
    queueId,
    body: '{"a":1}',
    headers: { 'x-a': '1' },
    when: '2039-01-31T12:00:00Z',
    expiresAt: '2040-01-31T12:00:00Z',
    key: 'k',
    idempotencyKey: 'once',
  }
  const { id } = await messages.put(once)
  await messages.put(once)
  await messages.get({ id })
  await messages.update({ id, priority: 3, when: null })
  await messages.updateMany({ where: { queueId: { eq: queueId } }, body: 'changed' })
  await messages.getQueue({ id })
  await messages.cancel({ id, reason: 'enough' })
  await messages.resend({ id })
  await messages.putMany({
    messages: [{ queueId, bodyBase64: '_w' }, { queueId: 2 ** 31 - 1 }, { queueId, body: 'c' }],
  })
  await messages.putMany({ messages: [{ queueId }, { queueId }], together: true })
  const { messages: claimed } = await queues.claim({ id: queueId, limit: 4 })
  const [first, second, third, fourth] = claimed.map(({ id, claim }) => ({ id, claim }))
  await queues.extend({ id: queueId, claims: [first!], visibilityMs: 60_000 })
  await queues.acknowledge({ id: queueId, claims: [first!, { id: first!.id, claim: 'f'.repeat(8) + '-'.repeat(28) }] })
  await queues.reject({ id: queueId, claims: [second!, third!, fourth!], reason: 'no' })
  await messages.redrive({ id: second!.id })
  await messages.listAttempts({ id: third!.id })
  await messages.expunge({ id: third!.id })
  await messages.delete({ id: first!.id })
  await messages.list({ limit: 2, totalCount: true, cursor: true, orderBy: [['id', 'desc']] })
  return queueId
}

async function queues({ queues }: Client, id: number): Promise<void> {
  const created = await queues.create({
    name: 'all',
    callbackUrl: 'http://127.0.0.1:9/',
    method: 'POST',
    headers: { 'x-b': '2' },
    secrets: [signingSecret()],
    backoff: 'pg-hooks',
    rateLimit: { count: 5, intervalMs: 1000 },
    circuitBreaker: { failures: 3 },
    ordered: 'key',
  })
  await queues.createMany({ queues: [{ name: 'b' }, { name: 'c' }] })
  await queues.update({ id: created.id, weight: 3 })
  await queues.updateMany({ where: { name: { in: ['b', 'c'] } }, weight: 4 })
  await queues.pause({ id: created.id, reason: 'why' })
  await queues.resume({ id: created.id })
  const page = await queues.list({ limit: 2, totalCount: true, cursor: true, orderBy: [['id', 'asc']] })
  await queues.list({ startAfter: page.startAfter!, orderBy: [['id', 'asc']], where: { weight: { gte: 3 } } })
  await queues.get({ id })
  await queues.listMessages({ id })
  await queues.listAttempts({ id })
  await queues.listCrons({ id })
  const dead = await queues.getDeadLetterQueue({ id })
  await queues.listQueues({ id: dead.id })
  await queues.redrive({ id, limit: 1 })
  await queues.previewDelete({ id })
  await queues.purge({ id, reason: 'gone' })
  await queues.delete({ id: created.id })
}

async function crons({ queues, crons, messages }: Client): Promise<void> {
  const { id: queueId } = await queues.create({ name: 'ticks' })
  const cron = await crons.create({ queueId, schedule: '0 5 * * *', body: 't', timeZone: 'Europe/Berlin' })
  await crons.createMany({
    crons: [
      { queueId, schedule: '@yearly' },
      { queueId, schedule: '@yearly' },
    ],
  })
  const { id } = cron
  await crons.get({ id })
  await crons.update({ id, headers: { 'x-c': '3' } })
  await crons.updateMany({ where: { schedule: { eq: '@yearly' } }, body: 'u' })
  await crons.list({ orderBy: [['id', 'asc']] })
  await crons.getQueue({ id })
  const { items } = await crons.listMessages({ id })
  await messages.getCron({ id: items[0]!.id })
  await crons.pause({ id })
  await crons.resume({ id })
  await crons.run({ id })
  await crons.previewDelete({ id })
  await crons.delete({ id })
}

async function tenants({ orgs, keys }: Client, org: string): Promise<void> {
  const { id } = await orgs.create({ name: `${org}-more` })
  await orgs.get({ id })
  await orgs.update({ id, title: 'More', config: { a: [1, null, { b: 2 }] } })
  await orgs.list({ where: { name: { like: `${org}%` } } })
  await orgs.previewDelete({ id })
  await orgs.delete({ id })
  const key = await keys.create({ name: 'k', scopes: ['queue:find'], expiresAt: '2040-01-01' })
  await keys.get({ id: key.id })
  await keys.list()
  await keys.delete({ id: key.id })
}

async function services({ services, processing, templates, workers, emails, details }: Client): Promise<void> {
  const mail = await services.upsert({ name: 'testmail' })
  const detail = await services.upsert({ name: 'testdetail' })
  await services.get({ id: mail.id })
  await services.list({ orderBy: [['id', 'asc']] })
  await services.check({ id: mail.id })
  await services.inbox({ id: mail.id })
  await processing.update({ emailBackend: 'testmail', detailBackend: 'testdetail', emailFrom: 'a@example.org' })
  await processing.get()
  const template = await templates.upsert({ name: 't', subject: 's {{a}}', text: 'x' })
  await templates.get({ id: template.id })
  await templates.list()
  await templates.delete({ id: template.id })
  await details.lookup({ email: 'b@example.org' })
  const { items } = await workers.list()
  const { id } = items[0]!
  await workers.stop({ id })
  await workers.get({ id })
  await emails.send({ to: [{ address: 'b@example.org' }], subject: 's', text: 'x' })
  await workers.start({ id })
  await workers.restart({ id })
  await processing.update({ emailBackend: null, detailBackend: null })
  await services.delete({ id: detail.id })
}

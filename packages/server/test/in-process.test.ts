/** A node called by the program that it runs in, with its own database and receivers. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createClient } from '@posthorn/client'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { loadConfig, type RunningNode, silentLog, startNode } from '../src/index.ts'
import { copyEmbedded } from './databases.ts'
import { type Journey, OUTSIDE, travel } from './direct/journey.ts'
import { clientEntries } from './direct/two-ways.ts'
import { ok, Receiver } from './harness/receiver.ts'
import { secretKey, secretWord } from './leaks/marked.ts'

const adminSecret = secretWord()
const MOST_WAITING = 1000
const env = {
  POSTHORN_MAX_WAITING_PUTS: `${MOST_WAITING}`,
  POSTHORN_PORT: '0',
  POSTHORN_SECRET_KEY: secretKey(),
  POSTHORN_ADMIN_SECRET: adminSecret,
}
let folder: string
let receiver: Receiver
let node: RunningNode

const start = () =>
  startNode(loadConfig({ env: { ...env, POSTHORN_DATA_DIR: folder }, flags: {}, readFile: () => '{}' }), silentLog)

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'posthorn-in-process-'))
  await copyEmbedded(folder)
  receiver = await Receiver.start()
  node = await start()
})
afterAll(async () => {
  await node.stop()
  await receiver.stop()
  rmSync(folder, { recursive: true, force: true })
})

/** What sort of value stands where. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shapeOf)
  if (typeof value !== 'object' || value === null) return value === null ? null : typeof value
  return Object.fromEntries(Object.entries(value).map(([name, own]) => [name, shapeOf(own)]))
}

test('a message that is put is delivered, and read the same from both sides', async () => {
  const { id: queueId } = await node.client.queues.create({ name: 'hooks', callbackUrl: receiver.on('/in', ok) })
  const { id, webhookId } = await node.client.messages.put({ queueId, body: 'hello' })
  await expect.poll(async () => (await node.client.messages.get({ id })).status).toBe('delivered')
  expect(receiver.arrivals.map(({ id, body }) => [id, String(body)])).toEqual([[webhookId, 'hello']])
  const remote = createClient({ url: node.url, adminSecret })
  expect(await node.client.messages.listAttempts({ id })).toStrictEqual(await remote.messages.listAttempts({ id }))
  expect(await node.client.messages.get({ id })).toStrictEqual(await remote.messages.get({ id }))
})

test('every operation does for an org what it does over HTTP', async () => {
  for (const name of ['here', 'over']) await node.client.orgs.create({ name })
  const here = await travel(node.clientFor({ org: 'here' }), 'here')
  const there = await travel(createClient({ url: node.url, adminSecret, org: 'over' }), 'over')
  const shapes = (journey: Journey) => journey.map(({ operation, answer }) => ({ operation, answer: shapeOf(answer) }))
  expect(shapes(here)).toStrictEqual(shapes(there))
  const called = new Set(here.map(({ operation }) => operation))
  expect(clientEntries.map(([name]) => name).filter(name => !called.has(name))).toEqual(OUTSIDE)
})

test('an answer to a put belongs to its caller alone', async () => {
  const { id: queueId } = await node.client.queues.create({ name: 'own' })
  const input = { queueId, body: 'x', headers: { 'x-a': '1' }, idempotencyKey: 'own' }
  const [first, again] = [await node.client.messages.put(input), await node.client.messages.put(input)]
  expect(again).toStrictEqual(first)
  for (const { headers } of [first, again, input]) headers!['x-a'] = 'changed'
  expect((await node.client.messages.get({ id: first.id })).headers).toEqual({ 'x-a': '1' })
})

test('a key reaches its org and its scopes, until it is revoked', async () => {
  const { id, token } = await node.client.keys.create({ name: 'k', scopes: ['queue:find'] })
  const holder = node.clientFor({ apiKey: token! })
  expect((await holder.queues.list()).items.length).toBeGreaterThan(0)
  await expect(holder.queues.create({ name: 'q' })).rejects.toMatchObject({ code: 'scope_missing', status: 403 })
  await node.client.keys.delete({ id })
  await expect(holder.queues.list()).rejects.toMatchObject({ code: 'unauthorized' })
})

test('puts beyond what waits at most are refused, and nothing of them is stored', async () => {
  const { id: queueId } = await node.client.queues.create({ name: 'full' })
  const puts = Array.from({ length: MOST_WAITING + 100 }, () => node.client.messages.put({ queueId, body: 'x' }))
  const ends = await Promise.allSettled(puts)
  const refusals = ends.flatMap(end => (end.status === 'rejected' ? [end.reason] : []))
  expect(refusals).toHaveLength(100)
  for (const refusal of refusals)
    expect(refusal).toMatchObject({ code: 'overloaded', details: { limit: MOST_WAITING } })
  const { totalCount } = await node.client.queues.listMessages({ id: queueId, limit: 0, totalCount: true })
  expect(totalCount).toBe(MOST_WAITING)
})

test('a node that stops refuses what comes, and keeps what it has acknowledged', async () => {
  const { id: queueId } = await node.client.queues.create({ name: 'kept' })
  const acknowledged: number[] = []
  const refusals: unknown[] = []
  const caller = async (): Promise<void> => {
    for (;;) acknowledged.push((await node.client.messages.put({ queueId, body: 'x' })).id)
  }
  const callers = Array.from({ length: 20 }, () => caller().catch(error => refusals.push(error)))
  await expect.poll(() => acknowledged.length).toBeGreaterThan(40)
  await node.stop()
  await Promise.all(callers)
  for (const refusal of refusals) expect(refusal).toMatchObject({ code: 'shutting_down', status: 503 })
  expect(refusals).toHaveLength(20)
  node = await start()
  const { totalCount } = await node.client.queues.listMessages({ id: queueId, limit: 0, totalCount: true })
  expect(totalCount).toBe(acknowledged.length)
})

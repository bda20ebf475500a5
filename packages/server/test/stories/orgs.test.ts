import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { createClient } from '@posthorn/client'
import { buildClientSchema, getIntrospectionQuery } from 'graphql'
import { beforeEach, expect, test } from 'vitest'
import { type Send, unknownIds } from '../access/tenancy-room.ts'
import { graphqlRows, restRows } from '../access/tenancy-rows.ts'
import { call } from '../api/serve.ts'
import { describePostgres } from '../databases.ts'
import { type NodeProcess, startNode, startNodes } from '../harness/nodes.ts'
import { openPostgres, type Place } from '../harness/places.ts'
import type { Receiver } from '../harness/receiver.ts'
import { dump, envelopesIn } from '../harness/secrets.ts'
import { openStage } from '../harness/stage.ts'
import { secretKey, secretWord, signingSecret } from '../leaks/marked.ts'
import { lookAtOutput } from '../leaks/watch.ts'

const COMMAND = fileURLToPath(new URL('../../bin/posthorn.mjs', import.meta.url))

let place: Place
let receiver: Receiver
const adminSecret = secretWord('-admin')
let env: Record<string, string>

beforeEach(async () => {
  ;({ place, receiver } = await openStage(openPostgres))
  env = { ...place.env, POSTHORN_ADMIN_SECRET: adminSecret, POSTHORN_LOG_LEVEL: 'trace' }
})

/** Runs the command line as a user does, with the credentials in its environment. */
async function posthorn(args: readonly string[], more: Record<string, string> = {}) {
  const { PATH = '' } = process.env
  const child = spawn(process.execPath, [COMMAND, ...args], { env: { PATH, ...env, ...more } })
  lookAtOutput(child, `posthorn ${args.join(' ')}`)
  const chunks: Record<'out' | 'err', string> = { out: '', err: '' }
  child.stdout.on('data', chunk => {
    chunks.out += chunk
  })
  child.stderr.on('data', chunk => {
    chunks.err += chunk
  })
  const [code] = await once(child, 'close')
  return { code, out: chunks.out.trim(), err: chunks.err }
}

/** The same as it must go well. */
async function must(args: readonly string[], more: Record<string, string> = {}): Promise<string> {
  const { code, out, err } = await posthorn(args, more)
  expect(code, `${args.join(' ')}: ${err}`).toBe(0)
  return out
}

const at = (node: NodeProcess) => ['--url', node.url]
const statusBy = async (node: NodeProcess, key: string): Promise<number> =>
  (await fetch(`${node.url}/queues/`, { headers: { authorization: `Bearer ${key}` } })).status

describePostgres('orgs on two nodes', () => {
  test('are made on the command line, work by a key, and end with it on every node', { timeout: 120_000 }, async () => {
    const [first, second] = await startNodes(2, env)
    await must(['org', 'add', 'green', '--title', 'The Greens', '--email-from', 'hello@green.example', ...at(first)])
    expect(await posthorn(['org', 'add', 'green', ...at(first)])).toMatchObject({
      code: 1,
      err: expect.stringContaining('There is an org green already'),
    })
    await must(['org', 'set', 'green', '--config-json', '{"locale":"fr"}', ...at(second)])
    expect(await must(['org', 'show', 'green', ...at(first)])).toContain('{"locale":"fr"}')
    expect(await must(['org', 'list', ...at(first)])).toMatch(/^NAME +TITLE.*\ninstance .*\ngreen +The Greens /)
    expect(await posthorn(['key', 'add', '-o', 'gren', '-n', 'x', '-s', '*', ...at(first)])).toMatchObject({
      code: 1,
      err: expect.stringContaining('Org gren not found'),
    })
    const key = await must(['key', 'add', '-o', 'green', '-n', 'shop', '-s', 'queue:*,message:*', ...at(first)])
    expect(key).toMatch(/^phk_[A-Za-z0-9]{43}$/)

    const client = createClient({ url: second.url, apiKey: key })
    const queue = await client.queues.create({ name: 'orders', callbackUrl: receiver.url })
    await createClient({ url: first.url, apiKey: key }).messages.put({ queueId: queue.id, body: 'one' })
    await receiver.waitForArrivals(1)
    await expect(client.crons.list()).rejects.toThrow('This API key has not the scope cron:find')
    await expect(client.orgs.list()).rejects.toThrow('This API key has not the scope org:find')
    const operator = createClient({ url: first.url, adminSecret })
    expect((await operator.queues.list()).items).toEqual([])
    expect((await createClient({ url: first.url, adminSecret, org: 'green' }).queues.list()).items).toHaveLength(1)

    const shown = () => must(['key', 'list', '-o', 'green', '--json', ...at(second)]).then(text => JSON.parse(text)[0])
    await expect.poll(async () => (await shown()).lastUsedAt, { timeout: 10_000 }).not.toBeNull()
    expect(await shown()).toMatchObject({ name: 'shop', scopes: ['queue:*', 'message:*'], token: null })
    expect([await statusBy(first, key), await statusBy(second, key)]).toEqual([200, 200])
    await must(['key', 'revoke', key.slice(0, 12), '-o', 'green', ...at(first)])
    expect(await statusBy(first, key)).toBe(401)
    await expect.poll(() => statusBy(second, key), { timeout: 5_000, interval: 50 }).toBe(401)
  })

  test('are deleted with all that they own, and nothing of the others stops', { timeout: 120_000 }, async () => {
    const [first, second] = await startNodes(2, env)
    const operator = createClient({ url: first.url, adminSecret })
    const work = async (name: string, path: string) => {
      await operator.orgs.create({ name })
      const client = createClient({ url: second.url, adminSecret, org: name })
      const queue = await client.queues.create({ name: 'q', callbackUrl: receiver.url + path })
      const cron = await client.crons.create({ queueId: queue.id, schedule: '*/1 * * * * *' })
      return { client, queue, cron }
    }
    const stays = await work('stays', '/stays')
    const goes = await work('goes', '/goes')
    await receiver.waitFor(({ arrivals }) => arrivals.some(({ path }) => path === '/goes'), 'a tick', 20_000)
    expect(await must(['org', 'delete', 'goes', '--dry-run', ...at(first)])).toMatch(
      /queues +1\ncrons +1\npending +[12]\nsettled +\d+\nkeys +0\nservices +0\nnothing was changed/,
    )
    expect(await posthorn(['org', 'delete', 'goes', ...at(first)])).toMatchObject({
      code: 2,
      err: expect.stringContaining('there is nobody to ask'),
    })
    await must(['org', 'delete', 'goes', '--yes', ...at(first)])
    await expect(goes.client.queues.list()).rejects.toThrow('Org goes not found')
    // Leaders take it up in their round, and every owner hears of it.
    const ended = async (): Promise<boolean> => {
      const tables = await dump(place.env.POSTHORN_DATABASE_URL!)
      return !tables.get('cron')!.includes(`(${goes.cron.id},`)
    }
    await expect.poll(ended, { timeout: 30_000, interval: 500 }).toBe(true)
    const seen = receiver.at('/goes').length
    const ticks = receiver.at('/stays').length
    await receiver.waitFor(() => receiver.at('/stays').length >= ticks + 3, 'ticks of the other org', 20_000)
    expect(receiver.at('/goes').length).toBeLessThanOrEqual(seen + 2)
    expect((await stays.client.queues.list()).items).toHaveLength(1)
    expect(await posthorn(['org', 'delete', 'instance', '--yes', ...at(first)])).toMatchObject({ code: 1 })
  })
})

describePostgres('secrets', () => {
  test('are found nowhere, whatever is done with them, and are rotated while nodes run', {
    timeout: 240_000,
  }, async () => {
    const nodes = await startNodes(2, env)
    const [first, second] = nodes
    const send: Send = (...args) => call(first.url, ...args)
    const admin = { authorization: `Bearer ${adminSecret}` }
    const key = await must(['key', 'add', '-n', 'all', '-s', '*', ...at(first)])
    const byKey = { authorization: `Bearer ${key}` }
    const signing = signingSecret()
    const queue = await send(
      'POST',
      '/queues/',
      { name: 'q', callbackUrl: receiver.url, secrets: [signing, signingSecret()] },
      byKey,
    )
    await doEverything(send, [admin, byKey], queue.json.id)
    await askWrongly(send, admin, signing)

    // A rotation while messages are signed: none is held up, and what is signed can be verified.
    const newKey = secretKey()
    const put = (body: string) => send('POST', '/messages/', { queueId: queue.json.id, body }, byKey)
    await put('before')
    const rotation = rotate(newKey)
    let during = 0
    const load = setInterval(() => void put(`during ${during++}`), 200)
    expect(await rotation).toMatch(/^all secrets are sealed under key [0-9a-f]{8} now; \d+ rows were sealed anew$/)
    clearInterval(load)
    await put('after')
    const isSigned = () => receiver.arrivals.filter(({ rawHeaders }) => rawHeaders.includes('webhook-signature')).length
    await receiver.waitFor(() => isSigned() >= during + 2, 'signed messages', 30_000)
    expect(await startNode(env).catch((error: Error) => error.message)).toMatch(
      /secrets are sealed under key [0-9a-f]{8}, but the configured secret key is key [0-9a-f]{8}: give this node the key/,
    )
    await startNode({ ...env, POSTHORN_SECRET_KEY: newKey })

    const tables = await dump(place.env.POSTHORN_DATABASE_URL!)
    const sealed = [...tables].flatMap(([, text]) => [...envelopesIn(text).keys()])
    expect(new Set(sealed).size).toBe(1)
    // That none of them is seen anywhere, the search of the whole run shows: here everything is done that could show one.
    for (const { log } of [first, second]) expect(log.length).toBeGreaterThan(100)
  })

  async function rotate(newKey: string): Promise<string> {
    const { PATH = '' } = process.env
    const args = [COMMAND, 'secrets', 'rotate', '--new-key-file', '-']
    const child = spawn(process.execPath, args, { env: { PATH, ...env } })
    lookAtOutput(child, 'posthorn secrets rotate')
    child.stdin.end(newKey)
    let out = ''
    child.stdout.on('data', chunk => {
      out += chunk
    })
    await once(child, 'close')
    return out.trim()
  }
})

/** Every operation of REST and GraphQL, on records that are there and on some that are not. */
async function doEverything(send: Send, callers: readonly Record<string, string>[], queueId: number): Promise<void> {
  const { json } = await send('POST', '/graphql', { query: getIntrospectionQuery() }, callers[0])
  const rows = [...restRows(), ...graphqlRows(buildClientSchema(json.data))]
  for (const { name, attempt } of rows) {
    // The queue itself is still needed.
    const isSafe = !/delete|Delete/.test(name)
    for (const headers of [...callers, {}]) {
      await attempt(send, isSafe ? { ...unknownIds, queue: queueId } : unknownIds, headers).catch(() => undefined)
    }
  }
}

/** Secrets in places where they are wrong: a message about them must not repeat them. */
async function askWrongly(send: Send, admin: Record<string, string>, signing: string): Promise<void> {
  const word = signing.slice(0, -3)
  await send('POST', '/queues/', { name: 'q', secrets: [word] }, admin)
  await send('POST', '/queues/', { name: 'q', secrets: signing }, admin)
  await send('POST', '/queues/', { name: 'q', secrets: [[signing]] }, admin)
  await send('POST', '/queues/bulk', { queues: [{ name: 'q', secrets: [signing] }, { secrets: [signing] }] }, admin)
  await send('POST', '/queues/', `{"name": "q", "secrets": ["${signing}"`, {
    ...admin,
    'content-type': 'application/json',
  })
  await send('POST', '/queues/', `{"secrets": "${signing}" x}`, { ...admin, 'content-type': 'application/json' })
  await send('GET', '/queues/', undefined, { authorization: `Bearer ${signing}` })
  await send('GET', '/queues/', undefined, { 'x-platformatic-admin-secret': signing })
  const query = 'mutation ($input: QueueInput!) { saveQueue(input: $input) { id } }'
  for (const secrets of [[word], signing, 7, [{ a: signing }]]) {
    const input = { name: 'q', callbackUrl: 'http://h/', method: 'POST', secrets }
    await send('POST', '/graphql', { query, variables: { input } }, admin)
  }
  await send(
    'POST',
    '/graphql',
    { query: `mutation { saveQueue(input: {name: "q", secrets: ["${word}"]}) { id } }` },
    admin,
  )
}

import pg from 'pg'
import { afterEach, expect, test } from 'vitest'
import { describePostgres } from '../databases.ts'
import type { Api } from '../harness/api.ts'
import { pause } from '../harness/load.ts'
import { Mailjet } from '../harness/mailjet.ts'
import { type NodeProcess, startNodes, stopAll } from '../harness/nodes.ts'
import { openPostgres, type Place } from '../harness/places.ts'
import { runCommand } from '../harness/run-command.ts'
import { secretWord } from '../leaks/marked.ts'

const SECRET = secretWord()
/** What was on its way when the backend was removed may still arrive so much later. */
const STOPPED_MS = 1000
const FEW = 50
const BYTES_OF_ORG = 10 * 1024

let place: Place
let mailjet: Mailjet
let other: Mailjet | undefined

afterEach(async () => {
  await stopAll()
  await mailjet.stop()
  await other?.stop()
  await place.close()
})

const startThree = (): Promise<NodeProcess[]> =>
  startNodes(3, {
    ...place.env,
    POSTHORN_SERVICE_ENDPOINTS: `mailjet=${mailjet.url}`,
    POSTHORN_ALLOW_TARGETS: '127.0.0.0/8',
  })

async function command(url: string, args: readonly string[], stdin = ''): Promise<string> {
  const { code, out, error } = await runCommand(url, args, { stdin })
  expect(error, args.join(' ')).toBe('')
  expect(code).toBe(0)
  return out
}

const until = async (what: () => boolean | Promise<boolean>, ms = 60_000): Promise<void> => {
  for (const deadline = performance.now() + ms; !(await what()); await pause(20))
    if (performance.now() > deadline) throw new Error('it did not come so far in time')
}

/** Callers that send emails through all nodes until they are stopped. What was taken is what was acknowledged. */
function sendEmails(apis: readonly Api[]) {
  const acknowledged: string[] = []
  let refused = 0
  let isOn = true
  const callers = [0, 1, 2, 3, 4, 5].map(async nth => {
    for (let i = 0; isOn; i++) {
      const address = `c${nth}-${i}@example.org`
      try {
        await apis[(nth + i) % apis.length]!.post('/emails/', { to: [{ address }], subject: 'Hi', text: 'there' })
        acknowledged.push(address)
      } catch (error) {
        if ((error as { status?: number }).status !== 409) throw error
        refused += 1
        await pause(20)
      }
      await pause(2)
    }
  })
  return {
    acknowledged,
    refused: () => refused,
    async stop(): Promise<void> {
      isOn = false
      await Promise.all(callers)
    },
  }
}

describePostgres('workers on three nodes', () => {
  test('stop when their backend is removed and go on when it is back: nothing is lost, and nothing sent meanwhile', {
    timeout: 120_000,
  }, async () => {
    place = await openPostgres()
    mailjet = await Mailjet.start('key', SECRET, 15)
    const nodes = await startThree()
    const { url } = nodes[0]!
    await command(url, ['service:set', '-n', 'mailjet', '-u', 'key', '-p', '-'], `${SECRET}\n`)
    expect(await command(url, ['service:email', '-n', 'mailjet', '-f', 'us@example.org'])).toBe(
      'org instance uses mailjet for email, from us@example.org\n',
    )
    const load = sendEmails(nodes.map(({ api }) => api))
    await until(() => mailjet.taken.length > 200)

    for (const round of [1, 2]) {
      await command(nodes[round]!.url, ['service:email', '-N'])
      const removedAt = performance.now()
      await pause(3000)
      const late = mailjet.taken.filter(({ at }) => at > removedAt + STOPPED_MS)
      expect(late, 'sent while it was stopped').toEqual([])
      expect(load.refused(), 'a detached function takes nothing').toBeGreaterThan(0)
      const before = mailjet.taken.length
      await command(url, ['service:email', '-n', 'mailjet'])
      await until(() => mailjet.taken.length > before + 200)
    }
    await load.stop()
    await until(() => mailjet.taken.length >= load.acknowledged.length)
    await pause(500)
    // Each once, and every one that was acknowledged.
    expect(mailjet.taken.map(({ to }) => to).sort()).toEqual([...load.acknowledged].sort())
    expect(Math.max(...mailjet.batches), 'sent in batches').toBeGreaterThan(1)
    expect(await command(url, ['workers'])).toMatch(/instance +email +running +mailjet/)
  })

  test('of 500 orgs that borrow a backend move with it within a second, and cost nothing while they are idle', {
    timeout: 240_000,
  }, async () => {
    place = await openPostgres()
    mailjet = await Mailjet.start('first', SECRET)
    const nodes = await startThree()
    const { api } = nodes[0]!
    await api.post('/services/', { name: 'mailjet', user: 'first', password: SECRET })
    await api.change('/processing/', { emailBackend: 'mailjet', emailFrom: 'mail@house.example' })
    const names = Array.from({ length: 500 }, (_, i) => `org-${i}`)
    const add = (some: readonly string[]): Promise<void> =>
      someAtOnce(some, async name => {
        await api.post('/orgs/', { name, emailFrom: `${name}@theirs.example` })
        await api.change('/processing/', { orgName: name, emailBackend: 'SYSTEM' })
      })
    const send = (round: string, some = names): Promise<void> =>
      someAtOnce(some, async name => {
        const to = [{ address: `${name}-${round}@example.org` }]
        await api.post('/emails/', { orgName: name, to, subject: 'Hi', text: 'there' })
      })
    /** What nodes keep, and what they ask while nobody asks them, when so many orgs have sent. */
    const idle = async () => {
      const commits = await idleCommits()
      const heaps = await Promise.all(nodes.map(node => node.heapUsed()))
      return { commits, bytes: heaps.reduce((sum, bytes) => sum + bytes, 0) }
    }
    const [few, more] = [names.slice(0, FEW), names.slice(FEW)]
    await add(few)
    await send('one', few)
    await until(() => mailjet.taken.length >= FEW)
    const ofFew = await idle()
    await add(more)
    await send('one', more)
    await until(() => mailjet.taken.length >= 500)
    const ofAll = await idle()
    const each = (ofAll.bytes - ofFew.bytes) / more.length / nodes.length
    console.info(`an idle org costs ${Math.round(each)} bytes a node; idle commits ${ofFew.commits}, ${ofAll.commits}`)
    expect(each, 'bytes that a node keeps for an org').toBeLessThan(BYTES_OF_ORG)
    // One statement a second for each org would be 1350 more.
    expect(ofAll.commits, 'idle database load').toBeLessThan(1.3 * ofFew.commits + 20)
    expect(new Set(mailjet.taken.map(({ from }) => from)), 'in the name of who lends').toEqual(
      new Set(['mail@house.example']),
    )

    // The instance org changes to testmail, and back to an account with other credentials.
    await api.post('/services/', { name: 'testmail' })
    await api.change('/processing/', { emailBackend: 'testmail' })
    await pause(STOPPED_MS)
    const taken = mailjet.taken.length
    await send('two')
    await until(async () => (await api.count('where.status.eq=pending')) === 0)
    await until(async () => (await pendingOf(nodes[0]!.url, names)) === 0)
    expect(mailjet.taken.length, 'nothing more to the one before').toBe(taken)
    await api.change('/processing/', { emailBackend: 'mailjet' })
    await pause(STOPPED_MS)
    await send('three')
    await until(() => mailjet.taken.length >= taken + 500)
    expect(mailjet.taken.length).toBe(taken + 500)

    const [own] = await nodes[0]!.api.get<{ lastError: string | null }[]>('/workers/')
    expect(own!.lastError).toBeNull()
  })
})

async function someAtOnce(names: readonly string[], act: (name: string) => Promise<void>): Promise<void> {
  const left = [...names]
  const work = async (): Promise<void> => {
    for (let name = left.pop(); name !== undefined; name = left.pop()) await act(name)
  }
  await Promise.all(Array.from({ length: 10 }, work))
}

/** How many emails of orgs wait, asked of one org after the other. */
async function pendingOf(url: string, names: readonly string[]): Promise<number> {
  let waiting = 0
  for (const name of names.slice(-20)) {
    const response = await fetch(`${url}/workers/`, { headers: { 'x-posthorn-org': name } })
    for (const worker of (await response.json()) as { waiting: number }[]) waiting += worker.waiting
  }
  return waiting
}

/** Transactions that the database commits in three seconds in which nothing is asked of the nodes. */
async function idleCommits(): Promise<number> {
  const client = new pg.Client({ connectionString: place.env.POSTHORN_DATABASE_URL! })
  await client.connect()
  const read = async (): Promise<number> => {
    await client.query('SELECT pg_stat_clear_snapshot()')
    const text = 'SELECT xact_commit::int AS n FROM pg_stat_database WHERE datname = current_database()'
    return (await client.query(text)).rows[0].n
  }
  try {
    await pause(5000) // what was just done settles, and is reported
    const before = await read()
    await pause(3000)
    return (await read()) - before
  } finally {
    await client.end()
  }
}

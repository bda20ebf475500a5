import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { describePostgres } from '../databases.ts'
import { pause } from '../harness/load.ts'
import { startNode, stopAll } from '../harness/nodes.ts'
import { eachPlace, openPostgres, type Place } from '../harness/places.ts'
import { failFirst, Receiver, seededRandom, status } from '../harness/receiver.ts'
import { measured, scale } from '../harness/scale.ts'
import { lookAtOutput } from '../leaks/watch.ts'
import { openPgHooks, type PgHooks } from '../pg-hooks-database.ts'

const COMMAND = fileURLToPath(new URL('../../bin/posthorn.mjs', import.meta.url))
const WAITING = scale('IMPORT', 4_000)
const DELAYED = 200
const TRIED = 100
const PATIENCE_MS = 120_000 + WAITING * 5
const random = seededRandom(7)

let place: Place
let hooks: PgHooks
let receiver: Receiver
const started = new Set<ChildProcess>()

beforeEach(async () => {
  hooks = await openPgHooks()
  receiver = await Receiver.start()
})
afterEach(async () => {
  for (const child of started) child.kill('SIGKILL')
  started.clear()
  await stopAll()
  await receiver.stop()
  await place.close()
  await hooks.close()
})

interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly out: string
  readonly err: string
}

/** Runs an import. `underWay` is called when it has said for the first time how far it is. */
async function runImport(args: readonly string[], underWay?: (child: ChildProcess) => void): Promise<Ended> {
  const child = spawn(process.execPath, [COMMAND, 'import', 'pg-hooks', '--from', hooks.url, ...args], {
    env: { ...process.env, ...place.env, POSTHORN_LOG_LEVEL: 'warn' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  started.add(child)
  lookAtOutput(child, 'posthorn import')
  let out = ''
  let err = ''
  let said = false
  child.stdout.on('data', chunk => {
    out += chunk
  })
  child.stderr.on('data', chunk => {
    err += chunk
    if (said || !/of [\d,]+ messages/.test(err)) return
    said = true
    underWay?.(child)
  })
  const [code, signal] = await once(child, 'close')
  started.delete(child)
  return { code, signal, out, err }
}

/** Many that wait, some for later, some that have one try left, some that pg-hooks is done with, and a cron. */
async function fill(): Promise<void> {
  const [plain, spent] = [
    await hooks.add('queues', { name: 'plain', callback_url: receiver.on('/plain', failFirst(0)), method: 'POST' }),
    await hooks.add('queues', {
      ...{ name: 'spent', callback_url: receiver.on('/spent', status(500)), method: 'POST', max_retries: 2 },
    }),
  ]
  const cron = await hooks.add('crons', { queue_id: plain, schedule: '0 0 1 1 *', body: 'tick' })
  const later = `now() AT TIME ZONE 'UTC' + interval '1 hour'`
  await hooks.query(`
    INSERT INTO messages (queue_id, body) SELECT ${plain}, 'plain ' || i FROM generate_series(1, ${WAITING}) AS i;
    INSERT INTO messages (queue_id, body, "when") SELECT ${plain}, 'later ' || i, ${later} FROM generate_series(1, ${DELAYED}) AS i;
    INSERT INTO messages (queue_id, body, retries) SELECT ${spent}, 'tried ' || i, 2 FROM generate_series(1, ${TRIED}) AS i;
    INSERT INTO messages (queue_id, body, sent_at) SELECT ${plain}, 'sent', now() FROM generate_series(1, 50);
    INSERT INTO messages (queue_id, body, sent_at, failed) SELECT ${plain}, 'failed', now(), true FROM generate_series(1, 50);
    INSERT INTO messages (queue_id, body, cron_id, "when") VALUES (${plain}, 'tick', ${cron}, ${later})`)
}

eachPlace((open, kind) => {
  test(`${WAITING} waiting messages, the import killed twice: each is imported once and delivered once`, {
    timeout: PATIENCE_MS,
  }, async () => {
    place = await open()
    await fill()
    const look = await runImport(['--dry-run'])
    expect(look).toMatchObject({ code: 0, out: expect.stringContaining('nothing was changed') })
    expect(await hooks.pending()).toHaveLength(WAITING + DELAYED + TRIED + 1)

    const start = performance.now()
    for (let kills = 0; kills < 2; kills++) {
      const killed = await runImport(['--yes', '--batch-size', '25'], async child => {
        await pause(random() * 500)
        child.kill('SIGKILL')
      })
      expect(killed.signal, `it was under way: ${killed.err}`).toBe('SIGKILL')
      expect(await hooks.pending(), 'pg-hooks sends nothing in between').toEqual([])
    }
    const last = await runImport(['--yes'])
    expect(last.err).not.toMatch(/\n\s+at /)
    expect(last).toMatchObject({ code: 0, out: expect.stringContaining('they agree') })
    expect(last.out).toMatch(/imported [\d,]+ messages, [1-9][\d,]* were imported before/)
    const tookMs = Math.round(performance.now() - start)

    const node = await startNode(place.env)
    await receiver.waitFor(({ arrivals }) => arrivals.length >= WAITING + TRIED, 'everything due', PATIENCE_MS)
    await expect.poll(() => node.api.count('where.status.eq=pending'), { timeout: 30_000 }).toBe(DELAYED + 1)
    const came = new Set(receiver.arrivals.map(({ body }) => body.toString()))
    expect([receiver.arrivals.length, came.size], 'no message twice, none lost').toEqual([
      WAITING + TRIED,
      WAITING + TRIED,
    ])
    expect(await node.api.count('where.status.eq=delivered')).toBe(WAITING)
    expect(await node.api.count('where.status.eq=dead'), 'whose last try this was').toBe(TRIED)
    measured('import from pg-hooks, killed twice', {
      database: kind,
      messages: WAITING,
      ms: tookMs,
      lost: 0,
      doubled: 0,
    })
  })
})

describePostgres('posthorn import pg-hooks', () => {
  beforeEach(async () => {
    place = await openPostgres()
  })

  test('SIGINT ends it after a batch, and it says how to go on', { timeout: PATIENCE_MS }, async () => {
    await fill()
    const stopped = await runImport(['--yes', '--batch-size', '25'], child => child.kill('SIGINT'))
    expect(stopped).toMatchObject({ code: 130, err: expect.stringContaining('run the same command again') })
    expect(await runImport(['--yes'])).toMatchObject({ code: 0, out: expect.stringContaining('they agree') })
  })

  test('ends with 3 if something stays in pg-hooks, and names it', { timeout: PATIENCE_MS }, async () => {
    const queue_id = await hooks.add('queues', { name: 'q', callback_url: 'http://h.example/', method: 'POST' })
    const bad = await hooks.add('crons', { queue_id, schedule: '* * * *' })
    const looked = await runImport(['--dry-run'])
    expect(looked).toMatchObject({
      code: 0,
      out: expect.stringContaining(`cron ${bad}: body/schedule must have 5 fields`),
    })
    const { code, out } = await runImport(['--yes'])
    expect(out).toContain(`cron ${bad}: body/schedule must have 5 fields`)
    expect(code).toBe(3)
  })

  test('refuses while pg-hooks runs, with 1, and what is asked wrongly, with 2', { timeout: PATIENCE_MS }, async () => {
    const stop = await hooks.run()
    expect(await runImport(['--dry-run'])).toMatchObject({ code: 0, out: expect.stringContaining('pg-hooks runs') })
    const running = await runImport(['--yes'])
    expect(running).toMatchObject({ code: 1, err: expect.stringContaining('pg-hooks still runs') })
    await stop()
    expect(await runImport([])).toMatchObject({ code: 2, err: expect.stringContaining('--yes') })
    expect(await runImport(['--yes', '--batch-size', '0'])).toMatchObject({
      code: 2,
      err: expect.stringContaining('1 to'),
    })
    expect(await runImport(['--yes', '--from', 'mysql://h/d'])).toMatchObject({ code: 2 })
  })

  test('a database that is not there, or none of pg-hooks, is said in one sentence', {
    timeout: PATIENCE_MS,
  }, async () => {
    const other = await runImport(['--yes', '--from', place.env.POSTHORN_DATABASE_URL!])
    expect(other).toMatchObject({ code: 1, err: expect.stringContaining('no table "queues"') })
    const wrong = await runImport(['--yes', '--from', hooks.url.replace(/\/[^/?]*(?=$|\?)/, '/no_such_database')])
    expect(wrong).toMatchObject({ code: 1, err: expect.stringContaining('no_such_database') })
    for (const { err } of [other, wrong]) expect(err).not.toMatch(/\n\s+at /)
  })
})

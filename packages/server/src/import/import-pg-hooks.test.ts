import { emptyListQuery } from '@posthorn/contract'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { DATABASE_KINDS, describePostgres, type Opened, openFresh } from '../../test/databases.ts'
import { openPgHooks, type PgHooks } from '../../test/pg-hooks-database.ts'
import { makeSpan, openRoom, type Room, settle } from '../../test/queue-room.ts'
import { objection } from '../api/validator.ts'
import { migrate } from '../db/migrate.ts'
import { openDatabase } from '../db/open.ts'
import type { Database } from '../db/port.ts'
import { checkHeaders } from '../deliver/header-rules.ts'
import { put } from '../engine/postgres/put.ts'
import { silentLog } from '../log.ts'
import { importPgHooks, leadPgHooks, type Outcome, type PgHooksImport } from './import-pg-hooks.ts'
import { PgHooksDatabase } from './pg-hooks-database.ts'
import { planImport } from './plan.ts'

const ORG = { orgId: 1 }
const HOUR_MS = 3_600_000
const URL = 'http://receiver.example/hook'
const QUEUE = { name: 'q', callback_url: URL, method: 'POST' }

const TABLES = ['queue', 'cron', 'message', 'payload', 'message_done', 'imported', 'import_source']
const EMPTY = `TRUNCATE ${TABLES.map(name => `posthorn.${name}`)} RESTART IDENTITY`

const ago = (ms: number): string => new Date(Date.now() - ms).toISOString().slice(0, -1)
const ahead = (ms: number): string => ago(-ms)

for (const kind of DATABASE_KINDS) {
  describePostgres(`an import from pg-hooks (into ${kind})`, () => {
    let hooks: PgHooks
    let opened: Opened
    let source: Database
    let room: Room

    beforeAll(async () => {
      opened = await openFresh(kind)
      await migrate(opened.db, silentLog)
      await makeSpan(opened.db)
    })
    afterAll(() => opened?.remove())

    beforeEach(async () => {
      hooks = await openPgHooks()
      await opened.db.exec(EMPTY)
      source = await openDatabase({ url: hooks.url, dataDir: '', poolSize: 2 }, silentLog)
      room = openRoom(opened.db)
    })
    afterEach(async () => {
      await source?.stop()
      await hooks?.close()
    })

    async function run(more: Partial<PgHooksImport> & { force?: boolean } = {}): Promise<Outcome> {
      const { force = false, ...other } = more
      const from = new PgHooksDatabase(source)
      await from.check()
      const lead = await leadPgHooks(from, force, () => {})
      try {
        const rules = { checkHeaders, objection }
        const plan = await planImport({ source: from, target: opened.db, rules, now: Date.now() })
        const steps = { goOn() {}, progress() {}, makeRoom: async () => {} }
        const whole = {
          source: from,
          target: opened.db,
          ...ORG,
          rules,
          putWithin: put,
          batchSize: 10,
          ...steps,
          ...other,
        }
        return await importPgHooks(whole, plan)
      } finally {
        await lead?.leave()
      }
    }

    const messages = async () => (await room.messages.list(ORG, { ...emptyListQuery, limit: 1000 })).items
    const bodies = async () => (await messages()).map(({ body }) => body).sort()

    test('queues keep their ids and what they do, and new ones come after them', async () => {
      const dead = await hooks.add('queues', { ...QUEUE, id: 9, name: 'dead', method: 'put' })
      const id = await hooks.add('queues', {
        ...QUEUE,
        id: 7,
        headers: { 'X-A': 1, 'x-b': null, Connection: 'close' },
        dead_letter_queue_id: dead,
        max_retries: 3,
      })
      expect((await run()).left).toEqual([])
      expect(await room.queues.get(ORG, { id })).toMatchObject({
        name: 'q',
        callbackUrl: URL,
        method: 'POST',
        headers: { 'X-A': '1', 'x-b': '' },
        deadLetterQueueId: 9,
        maxRetries: 3,
        backoff: { startMs: 100, factor: 2, jitter: 0 },
        timeoutMs: 300_000,
        ordered: 'none',
      })
      expect(await room.queues.get(ORG, { id: dead })).toMatchObject({ name: 'dead', method: 'PUT', maxRetries: 5 })
      expect((await room.queues.create(ORG, { name: 'new', callbackUrl: URL })).id).toBe(10)
    })

    test('an id that is taken here is replaced, and everything that names it follows', async () => {
      for (let i = 0; i < 2; i++) await room.queues.create(ORG, { name: 'ours', callbackUrl: URL })
      const first = await hooks.add('queues', QUEUE)
      const free = await hooks.add('queues', { ...QUEUE, id: 5, name: 'free', dead_letter_queue_id: first })
      const cron = await hooks.add('crons', { queue_id: first, schedule: '@hourly' })
      await hooks.add('messages', { queue_id: first, body: 'a' })
      await hooks.add('messages', { queue_id: first, when: ahead(HOUR_MS), cron_id: cron })
      const { movedQueues, movedCrons } = await run()
      expect(movedQueues).toEqual([{ from: 1, to: 6 }])
      expect(movedCrons).toEqual([])
      expect(await room.queues.get(ORG, { id: free })).toMatchObject({ name: 'free', deadLetterQueueId: 6 })
      expect(await room.crons.get(ORG, { id: cron })).toMatchObject({ queueId: 6 })
      expect((await messages()).map(({ queueId }) => queueId)).toEqual([6, 6])
    })

    test('a message keeps its body, headers, time and retries; pg-hooks has nothing left to send', async () => {
      const queue_id = await hooks.add('queues', QUEUE)
      const body = 'ü "quoted" \\ {a,b} \u0001 €'
      const due = ahead(HOUR_MS)
      await hooks.add('messages', { queue_id, body, headers: { 'x-n': 5 }, when: due })
      await hooks.add('messages', { queue_id, body: null, retries: 2, when: ago(1000) })
      await hooks.add('messages', { queue_id, body: 'sent', sent_at: ago(5000) })
      await hooks.add('messages', { queue_id, body: 'failed', failed: true, sent_at: ago(5000), retries: 5 })
      await hooks.add('messages', { queue_id, body: 'given up', failed: true })
      const { taken, there, here, disagreement } = await run()
      expect(taken).toEqual({ stored: 2, ticks: 0, before: 0 })
      expect([there.pending, there.handed_over, here.messages, disagreement]).toEqual([0, 2, 2, null])
      expect(await hooks.pending()).toEqual([])
      const [delayed, retried, ...others] = [...(await messages())].sort((a, b) => a.id - b.id)
      expect(others).toEqual([])
      expect(delayed).toMatchObject({ body, headers: { 'x-n': '5' }, when: `${due}Z`, retries: 0, status: 'pending' })
      expect(retried).toMatchObject({ body: null, headers: null, retries: 2, attempts: 2, status: 'pending' })
      const sent = await hooks.query('SELECT sent_at FROM messages WHERE sent_at < now() ORDER BY id')
      expect(sent).toHaveLength(2)
    })

    test('a tick to come is stored by the cron alone, and of missed ones there is one', async () => {
      const queue_id = await hooks.add('queues', QUEUE)
      const cron = { queue_id, schedule: '0 0 1 1 *', body: 'tick', headers: { 'x-c': 'y' } }
      const quiet = await hooks.add('crons', cron)
      const missed = await hooks.add('crons', { ...cron, body: 'missed' })
      const nextYear = `${new Date().getUTCFullYear() + 1}-01-01T00:00:00`
      for (const cron_id of [quiet, missed]) {
        await hooks.add('messages', { queue_id, cron_id, when: nextYear, body: `${cron_id} to come` })
        await hooks.add('messages', { queue_id, cron_id, when: nextYear, body: `${cron_id} in a second chain` })
      }
      for (const hours of [3, 1, 2])
        await hooks.add('messages', { queue_id, cron_id: missed, when: ago(hours * HOUR_MS), body: `${hours} h late` })
      await hooks.add('messages', { queue_id, cron_id: missed, when: ago(HOUR_MS), retries: 1, body: 'tried' })
      const { taken } = await run()
      expect(taken).toEqual({ stored: 2, ticks: 6, before: 0 })
      expect(await bodies()).toEqual(['1 h late', 'missed', 'tick', 'tried'])
      expect(await room.crons.get(ORG, { id: quiet })).toMatchObject({
        ...{
          queueId: 1,
          schedule: '0 0 1 1 *',
          body: 'tick',
          headers: { 'x-c': 'y' },
          timeZone: 'UTC',
          misfire: 'one',
        },
        ...{ pausedAt: null, nextAt: `${nextYear}.000Z` },
      })
      expect((await messages()).map(({ cronId }) => cronId).sort()).toEqual([1, 2, 2, 2])
      expect((await room.crons.create(ORG, { queueId: 1, schedule: '@daily' })).id).toBeGreaterThan(missed)
    })

    test('a cron that did not fire in pg-hooks is paused here', async () => {
      const queue_id = await hooks.add('queues', QUEUE)
      const asleep = await hooks.add('crons', { queue_id, schedule: '@hourly' })
      await hooks.add('messages', { queue_id, cron_id: asleep, sent_at: ago(HOUR_MS) })
      await run()
      expect(await room.crons.get(ORG, { id: asleep })).toMatchObject({ pausedAt: expect.any(String), nextAt: null })
      expect(await room.crons.resume(ORG, { id: asleep })).toMatchObject({ nextAt: expect.any(String) })
    })

    test('what cannot be taken stays as it was, with its reason, and is taken once it can be', async () => {
      const queue_id = await hooks.add('queues', QUEUE)
      const bad = await hooks.add('queues', { ...QUEUE, callback_url: 'not a url' })
      const poor = await hooks.add('crons', { queue_id, schedule: '* * * *' })
      const orphan = await hooks.add('crons', { queue_id: bad, schedule: '@hourly' })
      const ofBad = await hooks.add('messages', { queue_id: bad })
      const ofPoor = await hooks.add('messages', { queue_id, cron_id: poor, when: ahead(HOUR_MS) })
      const header = await hooks.add('messages', { queue_id, headers: { host: 'other' } })
      const never = await hooks.add('messages', { queue_id, when: 'infinity' })
      await hooks.add('messages', { queue_id, body: 'good' })
      const { left, disagreement, here } = await run()
      expect(left.map(({ kind, id }) => `${kind} ${id}`)).toEqual([
        ...[`queue ${bad}`, `cron ${poor}`, `cron ${orphan}`, `message ${header}`, `message ${never}`],
      ])
      expect(left.map(({ text }) => text)).toEqual([
        expect.stringContaining('callbackUrl must be an http or https URL'),
        expect.stringContaining('schedule must have 5 fields'),
        expect.stringContaining(`queue ${bad}`),
        expect.stringContaining('headers.host is set by Posthorn'),
        expect.stringContaining('when must be within'),
      ])
      expect(await hooks.pending()).toEqual([ofBad, ofPoor, header, never])
      expect([here.messages, disagreement]).toEqual([1, null])
      await hooks.query('UPDATE queues SET callback_url = $1 WHERE id = $2', [URL, bad])
      await hooks.query(`UPDATE crons SET schedule = '@daily' WHERE id = $1`, [poor])
      await hooks.query('UPDATE messages SET headers = NULL, "when" = created_at WHERE id IN ($1, $2)', [header, never])
      expect((await run()).left).toEqual([])
      expect(await hooks.pending()).toEqual([])
      expect(await room.queues.get(ORG, { id: bad })).toMatchObject({ callbackUrl: URL })
      // Three that waited, one tick for each of two crons, and the good one from before.
      expect(await messages()).toHaveLength(5)
    })

    test('dead letters that would go in a circle, or nowhere, go nowhere', async () => {
      const self = await hooks.add('queues', QUEUE)
      const bad = await hooks.add('queues', { ...QUEUE, method: 'BREW' })
      const a = await hooks.add('queues', QUEUE)
      const b = await hooks.add('queues', { ...QUEUE, dead_letter_queue_id: a })
      const c = await hooks.add('queues', { ...QUEUE, dead_letter_queue_id: bad })
      await hooks.query('UPDATE queues SET dead_letter_queue_id = $1 WHERE id = $1', [self])
      await hooks.query('UPDATE queues SET dead_letter_queue_id = $1 WHERE id = $2', [b, a])
      await run()
      const targets = await Promise.all(
        [self, a, b, c].map(async id => (await room.queues.get(ORG, { id })).deadLetterQueueId),
      )
      expect(targets).toEqual([null, b, null, null])
    })

    test('a second import stores nothing again, also of what was settled or deleted here meanwhile', async () => {
      const queue_id = await hooks.add('queues', QUEUE)
      for (let i = 0; i < 25; i++) await hooks.add('messages', { queue_id, body: `${i}` })
      await run()
      const [first, second] = await messages()
      await settle(opened.db, first!.id, 'd')
      await room.messages.delete(ORG, { id: second!.id })
      await hooks.add('messages', { queue_id, body: 'late' })
      const { taken, disagreement, here } = await run()
      expect(taken).toEqual({ stored: 1, ticks: 0, before: 25 })
      expect([disagreement, here.waiting, here.settled]).toEqual([null, 24, 1])
      expect(await messages()).toHaveLength(25)
    })

    test('wherever it breaks off, nobody sends what was handed over, and the next one stores each once', async () => {
      const queue_id = await hooks.add('queues', QUEUE)
      const cron_id = await hooks.add('crons', { queue_id, schedule: '0 0 1 1 *', body: 'tick' })
      await hooks.add('messages', { queue_id, cron_id, when: ahead(1000 * HOUR_MS) })
      const sent = Array.from({ length: 35 }, (_, i) => `${i}`.padStart(2, '0'))
      for (const body of sent) await hooks.add('messages', { queue_id, body })
      let puts = 0
      // Each run gets one step further: before the batch is stored, or before the next one begins.
      for (let most = 0; most < 6; most++) {
        let rest = most
        const breakOff = (): void => {
          if (rest-- === 0) throw new Error('broken off')
        }
        const putWithin: PgHooksImport['putWithin'] = async (tx, batch) => {
          const results = await put(tx, batch)
          puts++
          if (puts % 2 === 0) breakOff()
          return results
        }
        await expect(run({ goOn: breakOff, putWithin })).rejects.toThrow('broken off')
        if (most > 0) expect(await hooks.pending()).toEqual([])
      }
      const { disagreement, here } = await run()
      expect([disagreement, here.messages]).toEqual([null, 36])
      expect(await bodies()).toEqual([...sent, 'tick'])
    })

    test('a queue that was deleted here takes no more messages: they stay in pg-hooks', async () => {
      const queue_id = await hooks.add('queues', QUEUE)
      await run()
      await room.queues.delete(ORG, { id: queue_id })
      const late = await hooks.add('messages', { queue_id })
      expect((await run()).left).toEqual([{ kind: 'message', id: late, text: expect.stringContaining('deleted here') }])
      expect(await hooks.pending()).toEqual([late])
    })

    test('large bodies go in batches of some megabytes', async () => {
      const queue_id = await hooks.add('queues', QUEUE)
      for (let i = 0; i < 12; i++) await hooks.add('messages', { queue_id, body: 'x'.repeat(1_000_000) })
      const sizes: number[] = []
      const putWithin: PgHooksImport['putWithin'] = (tx, batch) => {
        sizes.push(batch.length)
        return put(tx, batch)
      }
      await run({ putWithin, batchSize: 1000 })
      expect(sizes).toEqual([8, 4])
    })

    test('another copy of the database is not taken for the one that was imported', async () => {
      const queue_id = await hooks.add('queues', QUEUE)
      const id = await hooks.add('messages', { queue_id })
      await run()
      await hooks.query(
        `UPDATE messages SET sent_at = NULL, created_at = created_at + interval '1 day' WHERE id = $1`,
        [id],
      )
      await expect(run()).rejects.toThrow(`message ${id} of pg-hooks was made at`)
      expect(await messages()).toHaveLength(1)
    })

    test('while a process of pg-hooks runs, it refuses, unless it is told to go on', async () => {
      const queue_id = await hooks.add('queues', QUEUE)
      await hooks.add('messages', { queue_id })
      const stopLeader = await hooks.run()
      await expect(run()).rejects.toThrow('holds the lock')
      const stopFollower = await hooks.run()
      await stopLeader()
      await expect(run()).rejects.toThrow('1 of its processes')
      expect(await hooks.pending()).toHaveLength(1)
      await run({ force: true })
      expect(await hooks.pending()).toEqual([])
      await stopFollower()
      await run()
    })

    test('a database that is none of pg-hooks is refused in one sentence', async () => {
      await hooks.query('DELETE FROM versions')
      await expect(run()).rejects.toThrow('its table "versions" is empty')
      await hooks.query('ALTER TABLE messages RENAME COLUMN cron_id TO other')
      await expect(run()).rejects.toThrow('its table "messages" has no column "cron_id"')
      await hooks.query('DROP TABLE messages')
      await expect(run()).rejects.toThrow('no table "messages"')
    })
  })
}

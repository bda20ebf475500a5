/** The queues of orgs' functions, as those meet them who may change queues and crons: on both databases. */
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { systemClock } from '../src/clock.ts'
import { createPostgresEngine } from '../src/engine/postgres/engine.ts'
import { put } from '../src/engine/postgres/put.ts'
import { silentLog } from '../src/log.ts'
import { createCronChain, type Ticked } from '../src/queue/cron-chain.ts'
import { ADMIN_SECRET } from './access/roles.ts'
import { openTenancy, type TenancyRoom, type Tenant } from './access/tenancy-room.ts'
import { eachDatabase } from './databases.ts'
import type { Json } from './pg-hooks/installations.ts'

eachDatabase('the queue of a function', open => {
  let room: TenancyRoom
  let org: Tenant
  let queue: Json
  /** An ordinary queue, which is read by consumers. */
  let other: Json

  const send = (method: string, path: string, body?: unknown) =>
    room.send(method, path, body, { authorization: `Bearer ${ADMIN_SECRET}`, 'x-posthorn-org': org.name })
  const ask = async (query: string, variables: object = {}): Promise<Json> =>
    (await send('POST', '/graphql', { query, variables })).json
  const attach = (emailBackend: string | null) => send('PUT', '/processing/', { emailBackend })
  const read = (text: string, params: readonly number[] = []) => open().query<Json>({ name: '', text }, params)

  beforeEach(async () => {
    room ??= await openTenancy(open())
    org = await room.makeTenant()
    await attach('testmail')
    queue = (await send('GET', `/queues/?where.name.eq=org.${org.name}.email`)).json[0]
    other = (await send('POST', '/queues/', { name: 'other', deadLetterQueueId: queue.id, maxRetries: 0 })).json
  })

  afterAll(() => room?.close())

  describe('is changed', () => {
    test('in how it sends, over REST and GraphQL', async () => {
      const how = { maxRetries: 3, concurrency: 7, rateLimit: { count: 10, intervalMs: 1000 }, deadLetterQueueId: null }
      expect(await send('PUT', `/queues/${queue.id}`, how)).toMatchObject({ status: 200, json: { maxRetries: 3 } })
      const saved = 'mutation ($input: QueueInput!) { saveQueue(input: $input) { maxRetries timeoutMs } }'
      const input = { id: queue.id, name: queue.name, method: 'post', maxRetries: 4, timeoutMs: 1000 }
      expect(await ask(saved, { input })).toEqual({ data: { saveQueue: { maxRetries: 4, timeoutMs: 1000 } } })
    })

    test.each([
      ['name', 'mine'],
      ['callbackUrl', 'http://127.0.0.1/'],
      ['method', 'PUT'],
      ['headers', { a: 'b' }],
      ['followRedirects', true],
      ['onGone', 'pause'],
    ])('not in its %s: that is refused, with where it belongs, and nothing of it is stored', async (field, value) => {
      const message = `Queue ${queue.id} is that of email and keeps its ${field}: attach, change or detach the service of email instead`
      const patch = { maxRetries: 9, [field]: value }
      const refused = { status: 409, json: { code: 'queue_of_function', message } }
      expect(await send('PUT', `/queues/${queue.id}`, patch)).toMatchObject(refused)
      expect(await send('PUT', `/queues/?where.id.in=${other.id},${queue.id}`, patch)).toMatchObject(refused)
      const text = 'mutation ($input: QueueInput!) { saveQueue(input: $input) { id } }'
      const { errors } = await ask(text, { input: { id: queue.id, ...patch } })
      expect(errors).toMatchObject([{ message, extensions: { code: 'queue_of_function' } }])
      expect((await send('GET', `/queues/${queue.id}`)).json).toEqual(queue)
      expect((await send('GET', `/queues/${other.id}`)).json).toEqual(other)
    })
  })

  test('is not deleted by itself, over no way in', async () => {
    const message = `Queue ${queue.id} is that of email and cannot be deleted: attach, change or detach the service of email instead`
    expect(await send('DELETE', `/queues/${queue.id}`)).toMatchObject({ status: 409, json: { message } })
    const text = `mutation { deleteQueues(where: {id: {eq: "${queue.id}"}}) { id } }`
    expect((await ask(text)).errors).toMatchObject([{ message }])
    await attach(null)
    expect(await send('DELETE', `/queues/${queue.id}`)).toMatchObject({ status: 409 })
    expect((await send('GET', `/queues/${queue.id}`)).json.deadLetterQueueId).toBeNull()
    expect((await send('GET', `/queues/${other.id}`)).json.deadLetterQueueId).toBe(queue.id)
  })

  describe('that is detached takes nothing', () => {
    const detached = () => ({
      status: 409,
      json: {
        code: 'function_detached',
        message: expect.stringContaining(`Queue ${queue.id} has no backend for email`),
      },
    })

    test('of crons: none is made, changed, resumed or run there; one can be stopped, or moved away', async () => {
      const cron = (await send('POST', '/crons/', { queueId: queue.id, schedule: '@yearly' })).json
      const elsewhere = (await send('POST', '/crons/', { queueId: other.id, schedule: '@yearly' })).json
      await attach(null)
      expect(await send('POST', '/crons/', { queueId: queue.id, schedule: '@yearly' })).toMatchObject(detached())
      expect(await send('PUT', `/crons/${elsewhere.id}`, { queueId: queue.id })).toMatchObject(detached())
      expect(await send('PUT', `/crons/${cron.id}`, { schedule: '@daily' })).toMatchObject(detached())
      expect(await send('POST', `/crons/${cron.id}/run`)).toMatchObject(detached())
      expect(await send('POST', `/crons/${cron.id}/pause`)).toMatchObject({ status: 200 })
      expect(await send('POST', `/crons/${cron.id}/resume`)).toMatchObject(detached())
      expect(await send('PUT', `/crons/${cron.id}`, { queueId: other.id })).toMatchObject({ status: 200 })
      expect(await send('POST', `/crons/${cron.id}/resume`)).toMatchObject({ status: 200 })
    })

    test('of ticks: its crons stand still, and go on by their rules for missed ticks when it is attached', async () => {
      const ticks: Ticked[] = []
      const ticked = (one: Ticked): void => void ticks.push(one)
      const chain = createCronChain({ db: open(), putWithin: put, log: silentLog, ticked })
      const rules = ['skip', 'one', 'all'] as const
      const crons: Json[] = []
      for (const misfire of rules)
        crons.push((await send('POST', '/crons/', { queueId: queue.id, schedule: '@yearly', misfire })).json)
      await attach(null)
      const ids = crons.map(({ id }) => id)
      await read(
        `UPDATE posthorn.cron SET schedule = '@hourly', next_at = date_trunc('hour', now()) - interval '3 hours'
         WHERE id = ANY ($1::int[])`,
        [ids] as never,
      )
      const waiting = () =>
        read(
          'SELECT count(*)::int AS n FROM posthorn.message WHERE cron_id = ANY ($1::int[]) GROUP BY cron_id ORDER BY cron_id',
          [ids] as never,
        )
      expect((await chain.look()).nextAt ?? Infinity).toBeGreaterThan(systemClock.now())
      expect(await chain.advance()).toBe(0)
      expect((await waiting()).map(({ n }) => n)).toEqual([1, 1, 1])
      await attach('testmail')
      expect(await chain.advance()).toBe(3)
      expect(ticks.map(({ missed }) => missed).sort()).toEqual(['all', 'one', 'skip'])
      // skip: the next; one: that which waited stands for all; all: it, the three that were missed, and the next.
      expect((await waiting()).map(({ n }) => n)).toEqual([1, 2, 5])
    })

    test('of dead letters: who would forward one keeps it, says why, and can redrive it', async () => {
      const engine = createPostgresEngine(open(), 4)
      const [fence] = await read('SELECT id AS shard, epoch::int FROM posthorn.shard ORDER BY id LIMIT 1')
      await attach(null)
      const letters: Json[] = []
      for (const how of ['settled', 'rejected']) {
        const message = (await send('POST', '/messages/', { queueId: other.id, body: how })).json
        if (how === 'settled') {
          const verdict = { kind: 'dead' as const, reason: 'no more retries', deadLetterQueueId: queue.id }
          const settlement = { orgId: org.ids.org, queueId: other.id, id: message.id, attempts: 0, tenure: fence }
          const settled = await engine.settle([{ ...settlement, verdict, attempt: null, notice: null }], false)
          expect(settled).toMatchObject({ fenced: [], deadLettered: [], dead: [message.id] })
        } else {
          const { json } = await send('POST', `/queues/${other.id}/claim`, { limit: 1 })
          const claims = json.messages.map(({ id, claim }: Json) => ({ id, claim }))
          await send('POST', `/queues/${other.id}/reject`, { claims, reason: 'not wanted' })
        }
        letters.push((await send('GET', `/messages/${message.id}`)).json)
      }
      const reason = new RegExp(`; not forwarded: queue ${queue.id} has no backend$`)
      for (const letter of letters)
        expect(letter).toMatchObject({ status: 'dead', reason: expect.stringMatching(reason) })
      expect(await read('SELECT id FROM posthorn.message WHERE queue_id = $1::int', [queue.id])).toEqual([])
      expect((await send('POST', `/queues/${other.id}/redrive`, {})).json).toEqual({ redriven: 2, more: false })

      await attach('testmail')
      const { json } = await send('POST', `/queues/${other.id}/claim`, { limit: 2 })
      const claims = json.messages.map(({ id, claim }: Json) => ({ id, claim }))
      await send('POST', `/queues/${other.id}/reject`, { claims, reason: 'not wanted' })
      const forwarded = await read('SELECT origin_id FROM posthorn.message WHERE queue_id = $1::int', [queue.id])
      expect(forwarded).toHaveLength(2)
    })
  })
})

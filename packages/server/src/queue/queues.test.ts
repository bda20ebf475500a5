import { beforeAll, describe, expect, test } from 'vitest'
import { eachDatabase } from '../../test/databases.ts'
import { signingSecret } from '../../test/leaks/marked.ts'
import { addOrg, asked, makeSpan, openRoom, type Room, settle } from '../../test/queue-room.ts'
import { message } from '../engine/fixture.suite.ts'
import type { Caller } from '../tenant/caller.ts'
import { cancelOnDeletedQueues } from './queues.ts'

const SECRET = signingSecret()

eachDatabase('queues', open => {
  let room: Room
  let caller: Caller
  let stranger: Caller

  beforeAll(async () => {
    await makeSpan(open())
    room = openRoom(open())
    caller = { orgId: await addOrg(open(), 'owner') }
    stranger = { orgId: await addOrg(open(), 'stranger') }
  })

  const make = (more: object = {}) =>
    room.queues.create(caller, { name: 'q', callbackUrl: 'http://127.0.0.1/hook', ...more })
  const put = async (queueId: number, more: object = {}) => (await room.messages.put(caller, { queueId, ...more })).id
  const changesOf = async (kind: string, queueId: number): Promise<number> => {
    const text = 'SELECT count(*) AS n FROM posthorn.change WHERE kind = $1 AND queue_id = $2::int'
    const [row] = await open().query<{ n: number }>({ name: '', text }, [kind, queueId])
    return row!.n
  }

  test('a queue gets the standard retries unless it says otherwise, and its secrets never come back', async () => {
    const queue = await make({ secrets: [SECRET], method: 'put', headers: { 'X-A': '1' } })
    expect(queue).toMatchObject({
      method: 'PUT',
      headers: { 'X-A': '1' },
      maxRetries: 6,
      backoff: { jitter: 0.2 },
      timeoutMs: 15_000,
      ordered: 'none',
      signed: true,
      version: 1,
      pausedAt: null,
    })
    expect(JSON.stringify(queue)).not.toContain('whsec')
    const [row] = await open().query<{ secrets: string[] }>(
      { name: '', text: 'SELECT secrets FROM posthorn.queue WHERE id = $1::int' },
      [queue.id],
    )
    expect(row!.secrets[0]).toMatch(/^v1:/)
    await room.book.load([queue.id])
    expect(room.book.get(queue.id)).toMatchObject({ secrets: [SECRET], headers: { 'X-A': '1' }, maxRetries: 6 })
    const old = await make({ maxRetries: 3 })
    expect(old).toMatchObject({ maxRetries: 3, backoff: { startMs: 100, factor: 2 }, signed: false })
  })

  test('a spread goes with a callbackUrl, without an order, and with an attempt for each slice at least', async () => {
    const refused = (more: object, field: string, limit: string) =>
      expect(make(more)).rejects.toMatchObject({
        code: 'validation_failed',
        details: { field: `body/${field}`, problem: expect.stringContaining(limit) },
      })
    await refused({ spread: 2, ordered: 'key' }, 'spread', 'must be 1')
    await refused({ spread: 2, callbackUrl: null }, 'spread', 'must be 1')
    await refused({ spread: 5, concurrency: 4 }, 'spread', '<= 4')
    const { id, spread } = await make({ spread: 4, concurrency: 4 })
    expect(spread).toBe(4)
    const refusedTo = (patch: object, field: string, limit: string) =>
      expect(room.queues.update(caller, { id, ...patch })).rejects.toMatchObject({
        details: { field: `body/${field}`, problem: expect.stringContaining(limit) },
      })
    await refusedTo({ ordered: 'queue' }, 'ordered', 'spread of 4')
    await refusedTo({ callbackUrl: null }, 'callbackUrl', 'spread of 4')
    await refusedTo({ concurrency: 3 }, 'concurrency', '>= 4')
    await refusedTo({ spread: 5 }, 'spread', '<= 4')
    const where = [{ field: 'id', op: 'eq' as const, value: id }]
    await expect(
      room.queues.updateMany(caller, { where, anyOf: [], fields: null, concurrency: 3 } as never),
    ).rejects.toThrow('>= 4')
    expect(await room.queues.update(caller, { id, spread: 1, ordered: 'queue' })).toMatchObject({ spread: 1 })
    await refusedTo({ spread: 2 }, 'spread', 'must be 1')
  })

  test('how far a queue was ever spread is remembered: messages may still wait there', async () => {
    const { id } = await make({ spread: 3 })
    await room.queues.update(caller, { id, spread: 8 })
    await room.queues.update(caller, { id, spread: 2 })
    const text = 'SELECT slices FROM posthorn.queue WHERE id = $1::int'
    const [row] = await open().query<{ slices: number }>({ name: '', text }, [id])
    expect(row!.slices).toBe(8)
  })

  test('bounds are kept in full, told to delivery, changed as a whole and taken off again', async () => {
    const plain = await make()
    expect(plain).toMatchObject({ rateLimit: null, circuitBreaker: null, weight: 10, concurrency: 50 })
    const rateLimit = { count: 100, intervalMs: 1000, burst: 5 }
    const circuitBreaker = { failures: 4, probeMs: 1000, maxProbeMs: 60_000 }
    const bound = { weight: 20, rateLimit, circuitBreaker }
    const queue = await make({
      weight: 20,
      rateLimit: { count: 100, intervalMs: 1000 },
      circuitBreaker: { failures: 4 },
    })
    expect(queue).toMatchObject(bound)
    await room.book.load([queue.id])
    expect(room.book.get(queue.id)).toMatchObject(bound)
    const slower = { count: 1, intervalMs: 60_000, burst: 1 }
    expect(await room.queues.update(caller, { id: queue.id, rateLimit: slower })).toMatchObject({
      ...bound,
      rateLimit: slower,
    })
    const free = await room.queues.update(caller, { id: queue.id, rateLimit: null, circuitBreaker: null, weight: 1 })
    expect(free).toMatchObject({ rateLimit: null, circuitBreaker: null, weight: 1 })
    await expect(
      room.queues.update(caller, { id: queue.id, circuitBreaker: { probeMs: 5000, maxProbeMs: 4000 } }),
    ).rejects.toThrow('body/circuitBreaker/maxProbeMs must be >= 5000, its probeMs')
  })

  describe('how long a queue keeps what', () => {
    const day = 86_400_000
    const unset = { messageRetentionMs: null, bodyRetentionMs: null, attemptRetentionMs: null }

    test('is the installation’s unless it says so, and can be unsaid', async () => {
      const queue = await make()
      expect(queue).toMatchObject(unset)
      const said = { messageRetentionMs: 90 * day, bodyRetentionMs: day, attemptRetentionMs: 0 }
      const { id } = await make(said)
      expect(await room.queues.get(caller, { id })).toMatchObject(said)
      expect(await room.queues.update(caller, { id, ...unset })).toMatchObject(unset)
    })

    test.each([
      [{ bodyRetentionMs: 31 * day }, 'body/bodyRetentionMs must not be over 2592000000: the installation'],
      [{ attemptRetentionMs: 31 * day }, 'body/attemptRetentionMs must not be over 2592000000'],
      [
        { messageRetentionMs: day, bodyRetentionMs: day + 1 },
        'body/bodyRetentionMs must not be over 86400000: messageR',
      ],
    ])('is not longer for a part than for the message: %j', async (given, problem) => {
      await expect(make(given)).rejects.toThrow(problem)
      const { id } = await make()
      await expect(room.queues.update(caller, { id, ...given })).rejects.toMatchObject({ code: 'validation_failed' })
      expect(await room.queues.get(caller, { id })).toMatchObject(unset)
    })

    test.each([
      [2 * day, 'body/messageRetentionMs must not be under 4320000000: the queue keeps its bodyRetentionMs'],
      [null, 'body/messageRetentionMs must not be null: the queue keeps its bodyRetentionMs at 4320000000'],
    ])('of messages is not made shorter than that of a part: %s', async (messageRetentionMs, problem) => {
      const { id } = await make({ messageRetentionMs: 60 * day, bodyRetentionMs: 50 * day })
      await expect(room.queues.update(caller, { id, messageRetentionMs })).rejects.toThrow(problem)
      const both = { id, messageRetentionMs: day, bodyRetentionMs: day }
      expect(await room.queues.update(caller, both)).toMatchObject(both)
    })

    test('is checked against what another update has just said', async () => {
      const { id } = await make({ messageRetentionMs: 60 * day })
      const ends = await Promise.allSettled([
        room.queues.update(caller, { id, bodyRetentionMs: 50 * day }),
        room.queues.update(caller, { id, messageRetentionMs: 40 * day }),
      ])
      expect(ends.filter(end => end.status === 'fulfilled')).toHaveLength(1)
    })

    test('holds for all queues that are found, or for none', async () => {
      const { id } = await make({ name: 'together', messageRetentionMs: day })
      const other = await make({ name: 'together' })
      const where = [{ field: 'name', op: 'eq', value: 'together' }] as const
      const update = (patch: object) =>
        room.queues.updateMany(caller, { ...patch, where, anyOf: [], fields: null } as never)
      await expect(update({ bodyRetentionMs: 2 * day })).rejects.toThrow(
        'body/bodyRetentionMs must not be over 86400000',
      )
      expect(await room.queues.get(caller, other)).toMatchObject(unset)
      expect(await update({ bodyRetentionMs: day })).toMatchObject([{ id }, { id: other.id }])
    })

    test('of a queue that is not there is not found', async () => {
      const absent = room.queues.update(caller, { id: 999_999, bodyRetentionMs: 0 })
      await expect(absent).rejects.toMatchObject({ code: 'queue_not_found' })
    })
  })

  test('an update changes what it names, counts a version, and is told to the nodes', async () => {
    const before = await make({ secrets: [SECRET] })
    const heard = room.changes()
    const after = await room.queues.update(caller, { id: before.id, name: 'new', headers: null, callbackUrl: null })
    expect(after).toEqual({
      ...before,
      name: 'new',
      callbackUrl: null,
      version: 2,
      updatedAt: after.updatedAt,
    })
    expect(room.changes()).toBe(heard + 1)
    expect(await changesOf('queue', before.id)).toBe(2)
    expect(await room.queues.update(caller, { id: before.id })).toEqual(after)
    expect((await room.queues.update(caller, { id: before.id, secrets: [] })).signed).toBe(false)
  })

  test('what is not valid is refused by its field, and changes nothing', async () => {
    const queue = await make()
    await expect(make({ callbackUrl: 'not a url' })).rejects.toThrow('body/callbackUrl must be an http or https URL')
    await expect(make({ callbackUrl: 'ftp://a/' })).rejects.toThrow('body/callbackUrl must be an http or https URL')
    await expect(make({ headers: { 'webhook-id': 'x' } })).rejects.toThrow('body/headers.webhook-id is set by Posthorn')
    await expect(
      room.queues.update(caller, { id: queue.id, name: 'x', headers: { 'webhook-id': 'x' } }),
    ).rejects.toMatchObject({ status: 400 })
    expect(await room.queues.get(caller, queue)).toEqual(queue)
  })

  test('dead letters go to a queue of the same org that exists, and never in a circle', async () => {
    const [a, b, c] = [await make(), await make(), await make()]
    const foreign = await room.queues.create(stranger, { name: 'foreign' })
    await expect(make({ deadLetterQueueId: foreign.id })).rejects.toMatchObject({ code: 'dead_letter_queue_unknown' })
    await expect(make({ deadLetterQueueId: 999_999 })).rejects.toThrow('queue 999999 does not exist')
    const aim = (from: number, to: number) => room.queues.update(caller, { id: from, deadLetterQueueId: to })
    await aim(a.id, b.id)
    await aim(b.id, c.id)
    await expect(aim(c.id, a.id)).rejects.toMatchObject({ code: 'dead_letter_circle', status: 400 })
    await expect(aim(c.id, c.id)).rejects.toMatchObject({ code: 'dead_letter_circle' })
    expect((await room.queues.get(caller, c)).deadLetterQueueId).toBe(null)
  })

  test('two changes at once cannot close a circle between them', async () => {
    for (let round = 0; round < 5; round++) {
      const ring = await Promise.all([make(), make(), make()])
      const ends = await Promise.allSettled(
        ring.map((queue, i) =>
          room.queues.update(caller, { id: queue.id, deadLetterQueueId: ring[(i + 1) % ring.length]!.id }),
        ),
      )
      expect(ends.filter(end => end.status === 'rejected')).toHaveLength(1)
    }
  })

  test('pausing keeps when and why, resuming forgets it', async () => {
    const { id } = await make()
    const paused = await room.queues.pause(caller, { id, reason: 'they moved' })
    expect(paused).toMatchObject({ pauseReason: 'they moved', pausedAt: expect.any(String), version: 2 })
    expect((await room.queues.pause(caller, { id })).pausedAt).toBe(paused.pausedAt)
    await room.book.load([id])
    expect(room.book.get(id)?.isPaused).toBe(true)
    expect(await room.queues.resume(caller, { id })).toMatchObject({ pauseReason: null, pausedAt: null, version: 4 })
    expect(await changesOf('queue', id)).toBe(4)
  })

  test('a deleted queue is gone at once, and its live messages are on record as cancelled', async () => {
    const target = await make()
    const source = await make({ deadLetterQueueId: target.id })
    const ids = [await put(target.id), await put(target.id, { when: '2099-01-01T00:00:00Z' })]
    expect(await room.queues.delete(caller, target)).toMatchObject({ id: target.id, name: 'q' })
    await expect(room.queues.get(caller, target)).rejects.toMatchObject({ code: 'queue_not_found', status: 404 })
    await expect(room.queues.delete(caller, target)).rejects.toMatchObject({ code: 'queue_not_found' })
    await expect(put(target.id)).rejects.toMatchObject({ code: 'queue_not_found' })
    const where = [{ field: 'id', op: 'eq', value: target.id }] as const
    expect((await room.queues.list(caller, asked({ where }))).items).toEqual([])
    for (const id of ids) {
      const message = await room.messages.get(caller, { id })
      expect(message).toMatchObject({ status: 'cancelled', reason: 'queue deleted' })
    }
    expect(await room.queues.get(caller, source)).toMatchObject({ deadLetterQueueId: null, version: 2 })
    expect(await changesOf('queue', source.id)).toBe(2)
  })

  test('what reaches a queue while it is deleted is cancelled by the next round of chores', async () => {
    const queue = await make()
    const id = await put(queue.id)
    await open().query({ name: '', text: 'UPDATE posthorn.queue SET deleted_at = now() WHERE id = $1::int' }, [
      queue.id,
    ])
    expect(await cancelOnDeletedQueues(open())).toBe(1)
    expect(await cancelOnDeletedQueues(open())).toBe(0)
    expect((await room.messages.get(caller, { id })).reason).toBe('queue deleted')
  })

  test('a purge cancels the oldest first, up to its limit, and says whether more are left', async () => {
    const { id } = await make()
    const ids = []
    for (let i = 0; i < 5; i++) ids.push(await put(id, i % 2 ? { when: '2099-01-01T00:00:00Z' } : {}))
    expect(await room.queues.purge(caller, { id, limit: 3, reason: 'wrong' })).toEqual({ cancelled: 3, more: true })
    const where = [{ field: 'queueId', op: 'eq', value: id }] as const
    const { items } = await room.messages.list(caller, asked({ where }))
    expect(items.map(message => message.reason)).toEqual(['wrong', 'wrong', 'wrong', null, null])
    expect(await room.queues.purge(caller, { id })).toEqual({ cancelled: 2, more: false })
    expect(await room.queues.purge(caller, { id })).toEqual({ cancelled: 0, more: false })
    expect(await changesOf('purge', id)).toBe(2)
  })

  test('a purge of more than a batch leaves nothing behind', async () => {
    const { id } = await make()
    await room.engine.put(Array.from({ length: 2500 }, () => message(caller, id)))
    expect(await room.queues.purge(caller, { id, limit: 2200 })).toEqual({ cancelled: 2200, more: true })
    expect(await room.queues.purge(caller, { id, limit: 10_000 })).toEqual({ cancelled: 300, more: false })
  })

  test('redriving a queue takes its dead messages, the oldest first, and only those', async () => {
    const { id } = await make()
    const ids = [await put(id), await put(id), await put(id), await put(id)]
    await settle(open(), ids[0]!, 'd')
    for (const dead of ids.slice(1)) await settle(open(), dead, 'x', 3)
    expect(await room.queues.redrive(caller, { id, limit: 2 })).toEqual({ redriven: 2, more: true })
    const where = [{ field: 'queueId', op: 'eq', value: id }] as const
    const { items } = await room.messages.list(caller, asked({ where }))
    expect(items.map(message => message.status)).toEqual(['delivered', 'pending', 'pending', 'dead'])
    expect(await room.queues.redrive(caller, { id })).toEqual({ redriven: 1, more: false })
  })

  test('another org sees none of it', async () => {
    const { id } = await make()
    for (const act of ['get', 'delete', 'pause', 'resume', 'purge', 'redrive'] as const) {
      await expect(room.queues[act](stranger, { id })).rejects.toMatchObject({ code: 'queue_not_found' })
    }
    await expect(room.queues.update(stranger, { id, name: 'mine' })).rejects.toMatchObject({ code: 'queue_not_found' })
    await expect(room.messages.put(stranger, { queueId: id })).rejects.toMatchObject({ code: 'queue_not_found' })
    await expect(room.attempts.ofQueue(stranger, asked({ id }) as never)).rejects.toMatchObject({ status: 404 })
  })
})

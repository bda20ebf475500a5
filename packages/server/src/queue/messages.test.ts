import { beforeAll, expect, test } from 'vitest'
import { eachDatabase } from '../../test/databases.ts'
import { addOrg, asked, makeSpan, openRoom, type Room, settle } from '../../test/queue-room.ts'
import { DatabaseError } from '../db/port.ts'
import type { Caller } from '../tenant/caller.ts'

eachDatabase('messages', open => {
  let room: Room
  let caller: Caller
  let stranger: Caller
  let queueId: number
  let orderedId: number

  beforeAll(async () => {
    await makeSpan(open())
    room = openRoom(open())
    caller = { orgId: await addOrg(open(), 'owner') }
    stranger = { orgId: await addOrg(open(), 'stranger') }
    queueId = (await room.queues.create(caller, { name: 'q' })).id
    orderedId = (await room.queues.create(caller, { name: 'o', ordered: 'queue' })).id
  })

  const put = (more: object = {}) => room.messages.put(caller, { queueId, body: 'b', ...more })
  const get = (id: number) => room.messages.get(caller, { id })
  const live = async (id: number) => {
    const text = `SELECT xid, attempts, forgiven, due_at, retry_at, scheduled_at, claim, pin FROM posthorn.message WHERE id = $1::bigint`
    const [row] = await open().query<Record<string, unknown>>({ name: '', text }, [id])
    return row
  }
  const changesOf = async (id: number): Promise<number> => {
    const text = `SELECT count(*) AS n FROM posthorn.change WHERE kind = 'message' AND message_id = $1::bigint`
    const [row] = await open().query<{ n: number }>({ name: '', text }, [id])
    return row!.n
  }

  test('what a put answers is what a get answers', async () => {
    for (const input of [
      {},
      { body: null },
      { body: 'with \0 in it' },
      { body: 'ü€😀', headers: { 'x-a': '1' } },
      { body: undefined, bodyBase64: Buffer.from([0, 255]).toString('base64') },
      { when: '2099-01-01T00:00:00+02:00', expiresAt: '2100-01-01', priority: 9, key: 'k' },
      { when: '2001-01-01' },
    ]) {
      const answer = await put(input)
      expect(await get(answer.id)).toEqual(answer)
    }
  })

  test('messages of a queue that is spread stay what they are, whatever slice takes them', async () => {
    const { id: queueId } = await room.queues.create(caller, { name: 's', callbackUrl: 'http://x/', spread: 4 })
    const ids: number[] = []
    for (let nth = 0; nth < 4; nth++) ids.push((await put({ queueId, priority: 3 })).id)
    const lanes = async () => {
      const text = 'SELECT lane FROM posthorn.message WHERE queue_id = $1::int ORDER BY lane'
      return (await open().query<{ lane: number }>({ name: '', text }, [queueId])).map(({ lane }) => lane)
    }
    expect(await lanes()).toEqual([3, 13, 23, 33])
    const where = [
      { field: 'queueId', op: 'eq' as const, value: queueId },
      { field: 'priority', op: 'eq' as const, value: 3 },
    ]
    const listed = await room.messages.list(caller, asked({ where }))
    expect(listed.items.map(({ id, priority }) => [id, priority])).toEqual(ids.map(id => [id, 3]))
    await room.messages.update(caller, { id: ids[1]!, priority: 8 })
    expect((await lanes()).map(lane => lane % 10).sort()).toEqual([3, 3, 3, 8])
    expect(new Set((await lanes()).map(lane => Math.floor(lane / 10)))).toEqual(new Set([0, 1, 2, 3]))
    for (const id of ids) await settle(open(), id, 'x')
    expect(await get(ids[1]!)).toMatchObject({ priority: 8, status: 'dead' })
    await room.queues.redrive(caller, { id: queueId, limit: 3 })
    await room.messages.redrive(caller, { id: ids[3]! })
    expect(await lanes()).toEqual(ids.map((id, nth) => 10 * (id % 4) + (nth === 1 ? 8 : 3)).sort((a, b) => a - b))
    await room.messages.cancel(caller, { id: ids[1]! })
    expect(await get(ids[1]!)).toMatchObject({ priority: 8, status: 'cancelled' })
    await room.queues.purge(caller, { id: queueId })
    expect(await get(ids[2]!)).toMatchObject({ priority: 3, status: 'cancelled' })
  })

  test('an offset in a time counts', async () => {
    const { id, when } = await put({ when: '2099-01-01T00:00:00+02:00' })
    expect(when).toBe('2098-12-31T22:00:00.000Z')
    expect((await live(id))!.due_at).toEqual(new Date('2098-12-31T22:00:00Z'))
  })

  test('what is not valid is refused by its field', async () => {
    await expect(put({ when: 'garbage' })).rejects.toThrow('body/when must be a date')
    await expect(put({ bodyBase64: 'AA==' })).rejects.toThrow('body must have body or bodyBase64, not both')
    await expect(put({ headers: { 'webhook-id': '1' } })).rejects.toThrow('body/headers.webhook-id is set by Posthorn')
    await expect(put({ key: '\0' })).rejects.toThrow('body/key must not contain NUL')
    await expect(put({ queueId: orderedId, priority: 1 })).rejects.toMatchObject({ code: 'queue_is_ordered' })
    await expect(put({ queueId: 99_999 })).rejects.toThrow('Queue 99999 not found')
  })

  test('a repeated key gives the first message, other content under it is a conflict', async () => {
    const first = await put({ idempotencyKey: 'a', headers: { a: '1', b: '2' } })
    expect(await put({ idempotencyKey: 'a', headers: { b: '2', a: '1' } })).toEqual(first)
    for (const other of [
      { body: 'other' },
      { body: null },
      { body: undefined, bodyBase64: Buffer.from('b').toString('base64') },
      { headers: { a: '2' } },
      { when: '2099-01-01' },
      { priority: 1 },
      { key: 'k' },
      { expiresAt: '2099-01-01' },
    ]) {
      await expect(put({ idempotencyKey: 'a', headers: { a: '1', b: '2' }, ...other })).rejects.toMatchObject({
        code: 'idempotency_conflict',
        details: { id: first.id },
      })
    }
    const elsewhere = await put({ idempotencyKey: 'a', queueId: orderedId })
    expect(elsewhere.id).not.toBe(first.id)
  })

  test('one message of many that is refused does not stop the others', async () => {
    const first = await put({ idempotencyKey: 'many' })
    const { results } = await room.messages.putMany(caller, {
      messages: [
        { queueId, body: 'one' },
        { queueId: 99_999, body: 'nowhere' },
        { queueId, body: 'b', idempotencyKey: 'many' },
        { queueId, body: 'other', idempotencyKey: 'many' },
        { queueId, when: 'garbage' },
        { queueId, body: 'two' },
      ],
    })
    expect(results.map(one => one.result)).toEqual(['stored', 'error', 'repeated', 'error', 'error', 'stored'])
    expect(results.map(one => one.error?.code)).toEqual([
      undefined,
      'queue_not_found',
      undefined,
      'idempotency_conflict',
      'validation_failed',
      undefined,
    ])
    expect(results[2]!.id).toBe(first.id)
    expect(results[5]!.id!).toBeGreaterThan(results[0]!.id!)
  })

  test('a lost commit is told of the messages that it may concern', async () => {
    const engine = room.engine as { put: typeof room.engine.put }
    const real = engine.put
    engine.put = messages =>
      messages[0]!.body === 'lost' ? Promise.reject(new DatabaseError('gone', 'unknown')) : real(messages)
    const { results } = await room.messages
      .putMany(caller, {
        messages: [
          { queueId, body: 'kept' },
          { queueId, body: 'lost' },
        ],
      })
      .finally(() => Object.assign(engine, { put: real }))
    expect(results.map(one => one.error?.code)).toEqual([undefined, 'outcome_unknown'])
  })

  test('an update without a time moves none, and gives a new place by which it is found', async () => {
    const { id, when } = await put({ when: '2099-01-01T00:00:00Z', headers: { a: '1' } })
    const before = await live(id)
    const heard = room.changes()
    const after = await room.messages.update(caller, { id, body: 'new', priority: 3 })
    expect(after).toMatchObject({ id, when, body: 'new', headers: { a: '1' }, priority: 3, status: 'pending' })
    expect(await live(id)).toEqual({ ...before, xid: expect.any(Number) })
    expect((await live(id))!.xid).toBeGreaterThan(before!.xid as number)
    expect(await changesOf(id)).toBe(1)
    expect(room.changes()).toBe(heard + 1)
    expect(await get(id)).toMatchObject({ body: 'new' })
  })

  test('a new time ends what was waited for', async () => {
    const { id } = await put()
    const text = `UPDATE posthorn.message SET retry_at = '2098-01-01', claim = gen_random_uuid(), pin = 1 WHERE id = $1::bigint`
    await open().query({ name: '', text }, [id])
    expect((await room.messages.update(caller, { id, when: '2099-01-01' })).when).toBe('2099-01-01T00:00:00.000Z')
    expect(await live(id)).toMatchObject({ due_at: new Date('2099-01-01'), retry_at: null, claim: null, pin: null })
    const now = await room.messages.update(caller, { id, when: null })
    expect(now.when).toBe(now.createdAt)
    expect(await live(id)).toMatchObject({ due_at: null, scheduled_at: null })
  })

  test('a body shared with another message is not changed there', async () => {
    const { id } = await put({ body: 'shared' })
    const copy = `INSERT INTO posthorn.message (org_id, queue_id, id, payload_id, origin_id)
      SELECT org_id, queue_id, nextval('posthorn.message_id'), payload_id, id FROM posthorn.message WHERE id = $1::bigint RETURNING id`
    const [other] = await open().query<{ id: number }>({ name: '', text: copy }, [id])
    await room.messages.update(caller, { id, headers: { x: '1' }, bodyBase64: 'AP8=' })
    expect(await get(id)).toMatchObject({ body: null, bodyBase64: 'AP8=', headers: { x: '1' } })
    expect(await get(other!.id)).toMatchObject({ body: 'shared', headers: null, originId: id })
  })

  test('a content that was replaced is gone', async () => {
    const { id } = await put({ body: 'first' })
    for (const body of ['second', 'third']) await room.messages.update(caller, { id, body })
    await settle(open(), id, 'd')
    const bodies = `SELECT body FROM posthorn.payload WHERE id >= $1::bigint`
    expect(await open().query({ name: '', text: bodies }, [id])).toEqual([{ body: 'third' }])
    await room.messages.delete(caller, { id })
    expect(await open().query({ name: '', text: bodies }, [id])).toEqual([])
  })

  test('a settled message is not changed, unless it is sent again', async () => {
    const { id } = await put()
    await settle(open(), id, 'd')
    await expect(room.messages.update(caller, { id, body: 'x' })).rejects.toMatchObject({
      code: 'message_not_live',
      details: { id, status: 'delivered' },
    })
    const again = await room.messages.update(caller, { id, sentAt: null, failed: false, body: 'x' })
    expect(again).toMatchObject({ id, status: 'pending', sentAt: null, body: 'x' })
    const bad = room.messages.update(caller, { id, priority: 1, headers: { 'webhook-id': '1' } })
    await expect(bad).rejects.toMatchObject({ code: 'validation_failed' })
    expect(await get(id)).toEqual(again)
  })

  test('a cancelled message is on record with its reason, and its owner is told', async () => {
    const { id } = await put({ key: 'k', when: '2099-01-01' })
    const gone = await room.messages.cancel(caller, { id, reason: 'typo' })
    expect(gone).toMatchObject({
      status: 'cancelled',
      reason: 'typo',
      sentAt: null,
      failed: false,
      key: 'k',
      attempts: 0,
    })
    expect(await live(id)).toBeUndefined()
    expect(await changesOf(id)).toBe(1)
    await expect(room.messages.cancel(caller, { id })).rejects.toThrow(`Message ${id} is cancelled: only a pending one`)
  })

  test('a redriven message keeps its id and its attempts, and has all its retries before it', async () => {
    const { id, webhookId, createdAt } = await put({ priority: 2, expiresAt: '2001-01-01' })
    const { xid } = (await live(id))!
    await expect(room.messages.redrive(caller, { id })).rejects.toMatchObject({ code: 'message_not_dead' })
    await settle(open(), id, 'x', 6)
    const again = await room.messages.redrive(caller, { id })
    expect(again).toMatchObject({
      id,
      webhookId,
      createdAt,
      status: 'pending',
      attempts: 6,
      priority: 2,
      expiresAt: null,
    })
    expect(await live(id)).toMatchObject({ attempts: 6, forgiven: 6, due_at: null })
    expect((await live(id))!.xid).toBeGreaterThan(xid as number)
    await expect(room.messages.redrive(caller, { id })).rejects.toThrow(`Message ${id} is pending: only a dead one`)
  })

  test('a message is sent again from wherever it was settled', async () => {
    for (const outcome of ['d', 'e', 'x'] as const) {
      const { id } = await put()
      await settle(open(), id, outcome)
      expect(await room.messages.resend(caller, { id })).toMatchObject({ id, status: 'pending', attempts: 1 })
    }
    const { id } = await put()
    await expect(room.messages.resend(caller, { id })).rejects.toMatchObject({
      code: 'message_not_settled',
      status: 409,
    })
    await room.messages.cancel(caller, { id })
    expect((await room.messages.resend(caller, { id })).status).toBe('pending')
  })

  test('nothing is sent again without its body, nor on a queue that is gone', async () => {
    const { id } = await put()
    await settle(open(), id, 'x')
    await open().query({ name: '', text: 'DELETE FROM posthorn.payload WHERE id = $1::bigint' }, [id])
    await expect(room.messages.redrive(caller, { id })).rejects.toMatchObject({
      code: 'message_body_gone',
      status: 409,
    })
    expect(await get(id)).toMatchObject({ status: 'dead', body: null })
    const brief = await room.queues.create(caller, { name: 'brief' })
    const orphan = await put({ queueId: brief.id })
    await room.queues.delete(caller, brief)
    await expect(room.messages.resend(caller, orphan)).rejects.toMatchObject({ code: 'queue_not_found' })
  })

  test('several who redrive one message at once make it live once', async () => {
    const { id } = await put()
    await settle(open(), id, 'x')
    const ends = await Promise.allSettled([1, 2, 3].map(() => room.messages.redrive(caller, { id })))
    expect(ends.filter(end => end.status === 'fulfilled')).toHaveLength(1)
    const where = [{ field: 'id', op: 'eq', value: id }] as const
    expect((await room.messages.list(caller, asked({ where }))).items).toHaveLength(1)
  })

  test('a deleted message leaves nothing, but for a body that a dead letter may share', async () => {
    const count = async (id: number) => {
      const text = `SELECT (SELECT count(*) FROM posthorn.payload WHERE id = $1::bigint) AS payloads,
        (SELECT count(*) FROM posthorn.attempt WHERE message_id = $1::bigint) AS attempts`
      return (await open().query({ name: '', text }, [id]))[0]
    }
    const pending = await put()
    expect(await room.messages.delete(caller, pending)).toEqual(pending)
    expect(await count(pending.id)).toEqual({ payloads: 0, attempts: 0 })
    expect(await changesOf(pending.id)).toBe(1)
    const delivered = await put()
    await settle(open(), delivered.id, 'd', 3)
    expect(await room.messages.delete(caller, delivered)).toMatchObject({ status: 'delivered' })
    expect(await count(delivered.id)).toEqual({ payloads: 0, attempts: 0 })
    await expect(get(delivered.id)).rejects.toMatchObject({ code: 'message_not_found' })
    const dead = await put()
    await settle(open(), dead.id, 'x', 3)
    const copy = `INSERT INTO posthorn.message (org_id, queue_id, id, payload_id, origin_id)
      SELECT org_id, queue_id, nextval('posthorn.message_id'), payload_id, id FROM posthorn.message_done WHERE id = $1::bigint
      RETURNING id`
    const [letter] = (await open().query({ name: '', text: copy }, [dead.id])) as [{ id: number }]
    await room.messages.delete(caller, dead)
    expect(await count(dead.id)).toEqual({ payloads: 1, attempts: 0 })
    await room.messages.delete(caller, letter)
    expect(await count(dead.id)).toEqual({ payloads: 0, attempts: 0 })
  })

  test('attempts are listed by message and by queue, in their order', async () => {
    const queue = await room.queues.create(caller, { name: 'tried' })
    const [a, b] = [await put({ queueId: queue.id }), await put({ queueId: queue.id })]
    await settle(open(), a.id, 'x', 3)
    await settle(open(), b.id, 'd', 2)
    const ofA = await room.attempts.ofMessage(caller, asked({ id: a.id }) as never)
    expect(ofA.items.map(one => [one.messageId, one.n, one.outcome])).toEqual([
      [a.id, 1, 'retry'],
      [a.id, 2, 'retry'],
      [a.id, 3, 'dead'],
    ])
    const order = ['messageId', 'n'].map(field => ({ field, direction: 'desc' as const }))
    const place = { messageId: b.id, n: 2 }
    const ofQueue = await room.attempts.ofQueue(
      caller,
      asked({ id: queue.id, orderBy: order, startAfter: place, limit: 2, totalCount: true }) as never,
    )
    expect(ofQueue.items.map(one => [one.messageId, one.n])).toEqual([
      [b.id, 1],
      [a.id, 3],
    ])
    expect(ofQueue.totalCount).toBe(5)
    const where = [{ field: 'outcome', op: 'eq', value: 'delivered' }]
    const delivered = await room.attempts.ofQueue(caller, asked({ id: queue.id, where }) as never)
    expect(delivered.items).toMatchObject([
      { messageId: b.id, n: 2, status: 500, startedAt: expect.stringMatching(/Z$/) },
    ])
    await expect(room.attempts.ofMessage(caller, asked({ id: 1e12 }) as never)).rejects.toMatchObject({ status: 404 })
  })

  test('another org sees none of it', async () => {
    const { id } = await put()
    for (const act of ['get', 'delete', 'cancel', 'redrive', 'resend'] as const) {
      await expect(room.messages[act](stranger, { id })).rejects.toMatchObject({ code: 'message_not_found' })
    }
    await expect(room.messages.update(stranger, { id, body: 'x' })).rejects.toMatchObject({ code: 'message_not_found' })
    await expect(room.attempts.ofMessage(stranger, asked({ id }) as never)).rejects.toMatchObject({ status: 404 })
    expect((await get(id)).status).toBe('pending')
  })
})

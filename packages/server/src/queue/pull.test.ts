import { beforeAll, expect, test } from 'vitest'
import { eachDatabase } from '../../test/databases.ts'
import { makeSpan, openRoom, type Room } from '../../test/queue-room.ts'
import type { Database } from '../db/port.ts'

eachDatabase('pull queues', open => {
  let db: Database
  let room: Room
  const me = { orgId: 1, actor: 'test' }
  const makeQueue = async (more: object = {}): Promise<number> =>
    (await room.queues.create(me, { name: 'pull', callbackUrl: null, method: 'POST', ...more } as never)).id
  const put = async (queueId: number, body: string, more: object = {}): Promise<number> =>
    (await room.messages.put(me, { queueId, body, ...more } as never)).id
  const statusOf = async (id: number): Promise<string> => (await room.messages.get(me, { id })).status
  /** Lets the claims of a queue run out at once. */
  const runOut = (queueId: number) =>
    db.exec(`UPDATE posthorn.message SET due_at = now() - interval '1 s', retry_at = NULL
      WHERE queue_id = ${queueId} AND due_at IS NOT NULL AND claim IS NOT NULL;
      UPDATE posthorn.message SET retry_at = now() - interval '1 s' WHERE queue_id = ${queueId} AND retry_at IS NOT NULL`)

  beforeAll(async () => {
    db = await open()
    await makeSpan(db)
    room = openRoom(db)
  })

  test('a claimed message is handed out to nobody else until its claim runs out', async () => {
    const id = await makeQueue()
    const message = await put(id, 'hello')
    const [mine] = (await room.pull.claim(me, { id })).messages
    expect(mine).toMatchObject({ id: message, body: 'hello', attempt: 1 })
    expect((await room.pull.claim(me, { id })).messages).toEqual([])
    await runOut(id)
    const [again] = (await room.pull.claim(me, { id })).messages
    expect(again).toMatchObject({ id: message, attempt: 2, webhookId: mine!.webhookId })
    expect(again!.claim).not.toBe(mine!.claim)
  })

  test('only the holder of a claim can acknowledge, and the message is then delivered', async () => {
    const id = await makeQueue()
    const message = await put(id, 'x')
    const [first] = (await room.pull.claim(me, { id })).messages
    await runOut(id)
    const [second] = (await room.pull.claim(me, { id })).messages
    expect(await room.pull.acknowledge(me, { id, claims: [first!] })).toEqual({ acknowledged: [], lost: [message] })
    expect(await room.pull.acknowledge(me, { id, claims: [second!] })).toEqual({ acknowledged: [message], lost: [] })
    expect(await statusOf(message)).toBe('delivered')
  })

  test('a rejected message is retried later, and dead when its retries are used up', async () => {
    const deadLetterQueueId = await makeQueue()
    const id = await makeQueue({ maxRetries: 1, deadLetterQueueId })
    const message = await put(id, 'x')
    const [first] = (await room.pull.claim(me, { id })).messages
    expect(await room.pull.reject(me, { id, claims: [first!] })).toEqual({ retried: [message], dead: [], lost: [] })
    expect((await room.pull.claim(me, { id })).messages).toEqual([])
    await db.exec(`UPDATE posthorn.message SET due_at = now() WHERE id = ${message}`)
    const [second] = (await room.pull.claim(me, { id })).messages
    const rejected = await room.pull.reject(me, { id, claims: [second!], reason: 'no such customer' })
    expect(rejected).toEqual({ retried: [], dead: [message], lost: [] })
    expect(await room.messages.get(me, { id: message })).toMatchObject({ status: 'dead', reason: 'no such customer' })
    expect((await room.pull.claim(me, { id: deadLetterQueueId })).messages).toMatchObject([{ body: 'x' }])
  })

  test('a message whose consumers always crash is dead, and does not hide those behind it', async () => {
    const id = await makeQueue({ maxRetries: 0 })
    const poison = await put(id, 'poison')
    await room.pull.claim(me, { id, limit: 1 })
    const next = await put(id, 'next')
    await runOut(id)
    expect((await room.pull.claim(me, { id, limit: 1 })).messages).toMatchObject([{ id: next }])
    expect(await statusOf(poison)).toBe('dead')
  })

  test('an extended claim holds from then on', async () => {
    const id = await makeQueue()
    await put(id, 'x')
    const [mine] = (await room.pull.claim(me, { id, visibilityMs: 1000 })).messages
    expect((await room.pull.extend(me, { id, claims: [mine!], visibilityMs: 60_000 })).extended).toEqual([mine!.id])
    const [{ left }] = (await db.query<{ left: number }>({
      name: '',
      text: `SELECT extract(epoch FROM due_at - now())::float8 AS left FROM posthorn.message WHERE queue_id = ${id}`,
    })) as [{ left: number }]
    expect(left).toBeGreaterThan(30)
  })

  test('an ordered queue gives one message at a time, also after a claim has run out', async () => {
    const id = await makeQueue({ ordered: 'queue' })
    const first = await put(id, '1')
    await put(id, '2')
    expect((await room.pull.claim(me, { id })).messages).toMatchObject([{ id: first }])
    expect((await room.pull.claim(me, { id })).messages).toEqual([])
    await runOut(id)
    const [again] = (await room.pull.claim(me, { id })).messages
    expect(again).toMatchObject({ id: first, attempt: 2 })
    await room.pull.acknowledge(me, { id, claims: [again!] })
    expect((await room.pull.claim(me, { id })).messages).toMatchObject([{ body: '2' }])
  })

  test('a paused queue gives nothing; a queue with a callbackUrl cannot be claimed from', async () => {
    const id = await makeQueue()
    await put(id, 'x')
    await room.queues.pause(me, { id })
    expect((await room.pull.claim(me, { id })).messages).toEqual([])
    const pushed = await makeQueue({ callbackUrl: 'http://127.0.0.1:1/' })
    await expect(room.pull.claim(me, { id: pushed })).rejects.toMatchObject({ code: 'queue_not_pull' })
  })

  test('the queue of another org is not there', async () => {
    const id = await makeQueue()
    const other = { orgId: 2, actor: 'test' }
    await expect(room.pull.claim(other, { id })).rejects.toMatchObject({ code: 'queue_not_found' })
  })
})

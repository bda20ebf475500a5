import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ApiError } from '../harness/api.ts'
import { pause } from '../harness/load.ts'
import { type NodeProcess, startNode, stopAll } from '../harness/nodes.ts'
import { eachPlace, type Place } from '../harness/places.ts'
import { Receiver, status } from '../harness/receiver.ts'

const ANNA = 'anna@example.com'

interface Row {
  readonly id: number
  readonly body: string | null
  readonly headers: object | null
  readonly status: string
  readonly reason: string | null
  readonly attempts: number
  readonly expungedAt: string | null
}

eachPlace(open => {
  let place: Place
  let receiver: Receiver
  let node: NodeProcess

  beforeAll(async () => {
    place = await open()
    receiver = await Receiver.start()
    node = await startNode(place.env)
  })
  afterAll(async () => {
    await stopAll()
    await receiver.stop()
    await place.close()
  })

  const makeQueue = async (path: string, more: object = {}): Promise<number> =>
    (await node.api.createQueue({ callbackUrl: `${receiver.url}${path}`, ...more })).id
  const put = async (queueId: number): Promise<number> =>
    (await node.api.put(queueId, `To: ${ANNA}`, { headers: { 'x-to': ANNA } })).id
  const get = (id: number) => node.api.get<Row>(`/messages/${id}`)
  const until = async (id: number, holds: (row: Row) => boolean): Promise<Row> => {
    for (;;) {
      const row = await get(id)
      if (holds(row)) return row
      await pause(100)
    }
  }
  const refusal = async (act: Promise<unknown>): Promise<ApiError> => {
    const error = await act.then(
      () => null,
      error => error,
    )
    expect(error).not.toBeNull()
    return error
  }

  test('a queue that keeps no bodies: they go when their messages are delivered, the record stays', async () => {
    const queueId = await makeQueue('/brief', { bodyRetentionMs: 0 })
    const kept = await put(await makeQueue('/kept'))
    const id = await put(queueId)
    const row = await until(id, ({ status, body }) => status === 'delivered' && body === null)
    expect(row).toMatchObject({ headers: null, attempts: 1, expungedAt: null })
    expect(await node.api.get(`/messages/${id}/attempts`)).toMatchObject([{ n: 1, status: 200 }])
    const { status: code, problem } = await refusal(node.api.post(`/messages/${id}/resend`, {}))
    expect([code, problem.code]).toEqual([409, 'message_body_gone'])
    expect(await get(kept)).toMatchObject({ status: 'delivered', body: `To: ${ANNA}` })
  })

  test('a time that is not valid is refused by its field and its bound', async () => {
    const make = (more: object) => refusal(makeQueue('/', more))
    for (const [more, text] of [
      [{ messageRetentionMs: -1 }, 'messageRetentionMs must be >= 0'],
      [{ bodyRetentionMs: 315_360_000_001 }, 'bodyRetentionMs must be <= 315360000000'],
      [{ messageRetentionMs: 1000, bodyRetentionMs: 2000 }, 'body/bodyRetentionMs must not be over 1000'],
    ] as const) {
      const { status: code, message } = await make(more)
      expect(code).toBe(400)
      expect(message).toContain(text)
    }
  })

  test('a message that is expunged is gone from everywhere but the record, also for a node that starts anew', async () => {
    const letters = (await node.api.post<{ id: number }>('/queues/', { name: 'letters', callbackUrl: null })).id
    receiver.on('/failing', status(500))
    const id = await put(await makeQueue('/failing', { maxRetries: 0, deadLetterQueueId: letters }))
    await until(id, row => row.status === 'dead')
    const [letter] = (await node.api.list(`where.queueId.eq=${letters}`)) as unknown as [Row]
    expect(letter).toMatchObject({ status: 'pending', body: `To: ${ANNA}` })
    const after = await node.api.post<Row>(`/messages/${id}/expunge`, {})
    expect(after).toMatchObject({
      status: 'dead',
      body: null,
      headers: null,
      attempts: 1,
      expungedAt: expect.any(String),
    })

    await node.kill()
    node = await startNode(place.env)
    expect(await get(id)).toEqual(after)
    expect(await get(letter.id)).toMatchObject({ status: 'cancelled', reason: 'expunged', body: null, headers: null })
    for (const act of ['redrive', 'resend']) {
      const { status: code, problem } = await refusal(node.api.post(`/messages/${id}/${act}`, {}))
      expect([code, problem.code]).toEqual([409, 'message_expunged'])
    }
    expect(await node.api.post(`/messages/${id}/expunge`, {})).toEqual(after)
    const { messages } = await node.api.post<{ messages: Row[] }>(`/queues/${letters}/claim`, {})
    expect(messages).toEqual([])
  })

  test('a message that is expunged on its way is not tried again, and the answer to it is not kept', async () => {
    receiver.on('/slow', () => ({ kind: 'answer', status: 500, afterMs: 1000 }))
    const id = await put(await makeQueue('/slow'))
    const arrived = () => receiver.arrivals.filter(({ path }) => path === '/slow').length
    while (arrived() === 0) await pause(10)
    expect(await node.api.post(`/messages/${id}/expunge`, {})).toMatchObject({
      status: 'cancelled',
      reason: 'expunged',
    })
    await pause(1500)
    expect(arrived()).toBe(1)
    expect(await node.api.get(`/messages/${id}/attempts`)).toMatchObject([
      { n: 1, status: 500, errorCode: 'http_status', excerpt: null },
    ])
    expect(await get(id)).toMatchObject({ status: 'cancelled', body: null })
  })
})

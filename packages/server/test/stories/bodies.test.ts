import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ApiError } from '../harness/api.ts'
import { type NodeProcess, startNode, stopAll } from '../harness/nodes.ts'
import { eachPlace, type Place } from '../harness/places.ts'
import { Receiver } from '../harness/receiver.ts'

const MIB = 1_048_576

const bodies: readonly [string, Buffer][] = [
  ['0 bytes', Buffer.alloc(0)],
  ['1 MiB of random bytes', randomBytes(MIB)],
  ['1 MiB of text', Buffer.from('ä'.repeat(MIB / 2))],
  ['invalid UTF-8', Buffer.from([0x68, 0xc3, 0x28, 0xff, 0xfe, 0x80])],
  ['a NUL', Buffer.from('before\0after')],
  ['a byte order mark', Buffer.from('\ufeffmarked')],
  ['JSON', Buffer.from('{ "spaced" : [1,  2e0, "\\u00e4"] }\r\n')],
]

eachPlace(open => {
  let place: Place
  let receiver: Receiver
  let node: NodeProcess
  let queueId: number

  beforeAll(async () => {
    place = await open()
    receiver = await Receiver.start()
    node = await startNode(place.env)
    queueId = (await node.api.createQueue({ callbackUrl: `${receiver.url}/` })).id
  })

  afterAll(async () => {
    await stopAll()
    await receiver.stop()
    await place.close()
  })

  test.each(bodies)('a body of %s arrives byte for byte', async (_, body) => {
    const before = receiver.arrivals.length
    await node.api.post('/messages/', { queueId, bodyBase64: body.toString('base64') })
    await receiver.waitForArrivals(before + 1)
    expect(receiver.arrivals[before]?.body.equals(body)).toBe(true)
  })

  test.each(bodies)('%s, sent as they are, arrive byte for byte', async (_, body) => {
    const before = receiver.arrivals.length
    const headers = { 'content-type': 'application/octet-stream' }
    const response = await fetch(`${node.url}/queues/${queueId}/messages`, { method: 'POST', headers, body })
    expect(response.status, await response.text()).toBe(200)
    await receiver.waitForArrivals(before + 1)
    expect(receiver.arrivals[before]?.body.equals(body)).toBe(true)
  })

  test('text that is put as text arrives as its UTF-8', async () => {
    const before = receiver.arrivals.length
    const text = '{"hello":"wörld \\ud83d\\ude00"}\n'
    await node.api.put(queueId, text)
    await receiver.waitForArrivals(before + 1)
    expect(receiver.arrivals[before]?.body.toString()).toBe(text)
  })

  test.each([
    ['bytes', { bodyBase64: randomBytes(MIB + 1).toString('base64') }],
    ['text', { body: 'x'.repeat(MIB + 1) }],
    ['text of many bytes a letter', { body: `${'ä'.repeat(MIB / 2)}x` }],
  ])('one byte over 1 MiB of %s is refused with 413, naming the limit, and nothing is stored', async (_, body) => {
    const before = await node.api.count(`where.queueId.eq=${queueId}`)
    const refusal = await node.api.post('/messages/', { queueId, ...body }).then(
      () => null,
      (error: unknown) => error as ApiError,
    )
    expect(refusal).toBeInstanceOf(ApiError)
    expect(refusal?.status).toBe(413)
    expect(refusal?.message).toContain(String(MIB))
    expect(await node.api.count(`where.queueId.eq=${queueId}`)).toBe(before)
  })
})

import { expect } from 'vitest'
import { close, failFirst, slow, status } from '../harness/receiver.ts'
import { type Installation, type Json, pass } from './installations.ts'
import { suite } from './laws.ts'

const isSent = ({ sentAt }: Json): boolean => sentAt !== null
const headersOf = ({ rawHeaders }: { rawHeaders: readonly string[] }): [string, string][] =>
  rawHeaders.flatMap((name, i) => (i % 2 === 0 ? [[name.toLowerCase(), rawHeaders[i + 1]!] as [string, string]] : []))
const named = (arrival: { rawHeaders: readonly string[] }, name: string): string[] =>
  headersOf(arrival).flatMap(([key, value]) => (key === name ? [value] : []))

async function deliver(on: Installation, queue: object, message: object = {}) {
  const target = on.target()
  const { id } = await on.queue({ callbackUrl: target.url, ...queue })
  const put = await on.put(id, message)
  await on.until(put.id, isSent)
  return { target, queueId: id, message: put, arrival: target.arrivals()[0]! }
}

export const deliverySuite = suite(
  'delivery',
  law => {
    law(
      'a message goes out with the queue’s method and URL, and its body byte for byte',
      ['delivery.request', 'delivery.methods', 'delivery.bad-methods'],
      async on => {
        const body = '{ "a":  1 }\n£ ✓'
        const plain = await deliver(on, { method: 'put' }, { body })
        expect(plain.arrival).toMatchObject({ method: 'PUT', body: Buffer.from(body) })
        const empty = await deliver(on, {}, { body: null })
        expect([empty.arrival.body.length, named(empty.arrival, 'content-length')]).toEqual([0, ['0']])
        for (const method of ['GET', 'DELETE']) {
          expect((await deliver(on, { method }, { body })).arrival).toMatchObject({ method, body: Buffer.from(body) })
        }
        expect((await deliver(on, { method: 'HEAD' }, { body })).arrival.method).toBe('HEAD')
        const refused = await on.call('POST', '/queues/', {
          name: 'x',
          callbackUrl: 'http://127.0.0.1:9/',
          method: 'BREW',
        })
        expect([refused.status, refused.json.message]).toEqual([400, expect.stringContaining('body/method')])
      },
    )

    law(
      'headers are the queue’s, the message’s over them in whatever case, and JSON where none says otherwise',
      ['delivery.headers', 'delivery.header-case', 'delivery.no-id'],
      async on => {
        const { arrival } = await deliver(
          on,
          { headers: { 'X-Queue': 'q', 'X-Both': 'queue' } },
          { headers: { 'x-both': 'message', 'x-message': 'm' } },
        )
        expect(named(arrival, 'content-type')).toEqual(['application/json'])
        expect([named(arrival, 'x-queue'), named(arrival, 'x-both'), named(arrival, 'x-message')]).toEqual([
          ['q'],
          ['message'],
          ['m'],
        ])
        expect(named(arrival, 'webhook-id')).toEqual([expect.stringMatching(/^msg_/)])
        const typed = await deliver(on, { headers: { 'Content-Type': 'text/plain' } })
        expect(named(typed.arrival, 'content-type')).toEqual(['text/plain'])
        const over = await deliver(
          on,
          { headers: { 'Content-Type': 'text/plain' } },
          { headers: { 'CONTENT-TYPE': 'text/html' } },
        )
        expect(named(over.arrival, 'content-type')).toEqual(['text/html'])
      },
    )

    law(
      'header values are made text; a name that is none is refused when it is given',
      ['delivery.header-values'],
      async on => {
        const { arrival } = await deliver(
          on,
          { headers: { 'x-number': 7, 'x-true': true } },
          { headers: { 'x-null': null } },
        )
        expect([named(arrival, 'x-number'), named(arrival, 'x-true'), named(arrival, 'x-null')]).toEqual([
          ['7'],
          ['true'],
          [''],
        ])
        const { id } = await on.queue()
        for (const [path, body] of [
          ['/queues/', { name: 'x', callbackUrl: 'http://127.0.0.1:9/' }],
          ['/messages/', { queueId: id }],
        ] as const) {
          const { status, json } = await on.call('POST', path, { ...body, headers: { 'bad name': 'x' } })
          expect([status, json.message]).toEqual([400, expect.stringContaining('body/headers')])
        }
      },
    )

    law(
      '2xx is delivered, and of it is known when, and after how many failures',
      ['delivery.success', 'delivery.delivered', 'delivery.when'],
      async on => {
        const target = on.target(failFirst(2))
        const { id } = await on.queue({ callbackUrl: target.url })
        const put = await on.put(id)
        const sent = await on.until(put.id, isSent)
        expect(sent).toMatchObject({ failed: false, retries: 2, when: put.when })
        expect(Date.parse(sent.sentAt)).toBeGreaterThan(Date.parse(put.when))
        for (const code of [201, 204, 299]) {
          const other = on.target(status(code))
          const queue = await on.queue({ callbackUrl: other.url, maxRetries: 1 })
          expect(await on.until((await on.put(queue.id)).id, isSent)).toMatchObject({ failed: false, retries: 0 })
        }
      },
    )

    law(
      'whatever is not 2xx is a failed attempt: redirects, 4xx, 5xx, cut and refused connections',
      ['delivery.success', 'delivery.dead'],
      async on => {
        const other = on.target()
        const behaviours = [
          status(301, { location: other.url }),
          status(302, { location: other.url }),
          status(404),
          status(410),
          status(500),
          close,
        ]
        const urls = [...behaviours.map(behaviour => on.target(behaviour).url), 'http://127.0.0.1:1/']
        const dead = urls.map(async callbackUrl => {
          const { id } = await on.queue({ callbackUrl, maxRetries: 1 })
          const message = await on.until((await on.put(id)).id, isSent)
          expect([callbackUrl, message.failed, message.retries, message.status]).toEqual([callbackUrl, true, 1, 'dead'])
        })
        await Promise.all(dead)
        expect(other.arrivals()).toEqual([])
      },
    )

    law(
      'retries come 100 ms × 2^n after the failures, and after the last it is failed for good',
      ['delivery.backoff', 'delivery.dead', 'delivery.again'],
      async on => {
        const target = on.target(status(500))
        const { id } = await on.queue({ callbackUrl: target.url, maxRetries: 3 })
        const put = await on.put(id)
        const dead = await on.until(put.id, isSent)
        expect(dead).toMatchObject({ failed: true, retries: 3 })
        const times = target.arrivals().map(({ at }) => at)
        const gaps = times.slice(1).map((at, i) => at - times[i]!)
        expect(gaps).toHaveLength(3)
        for (const [n, gap] of gaps.entries()) expect(gap).toBeGreaterThan(100 * 2 ** n - 20)
        const attempts: Json[] = await on.get(`/messages/${put.id}/attempts?orderby.n=asc`)
        expect(attempts.map(({ n, status }) => [n, status])).toEqual([
          [1, 500],
          [2, 500],
          [3, 500],
          [4, 500],
        ])
        await pass(1000)
        expect(target.arrivals()).toHaveLength(4)
      },
    )

    law('maxRetries 0 is one attempt and no more; less than that is refused', ['delivery.no-retries'], async on => {
      const target = on.target(status(500))
      const { id } = await on.queue({ callbackUrl: target.url, maxRetries: 0 })
      const put = await on.put(id)
      expect(await on.until(put.id, isSent)).toMatchObject({ failed: true, retries: 0 })
      await pass(1500)
      expect(target.arrivals()).toHaveLength(1)
      const refused = await on.call('PUT', `/queues/${id}`, { maxRetries: -1 })
      expect([refused.status, refused.json.message]).toEqual([400, 'body/maxRetries must be >= 0'])
    })

    law(
      'a dead letter is a new message of the dead letter queue, with the body and its own headers',
      ['delivery.dead-letter'],
      async on => {
        const letters = on.target()
        const dead = await on.queue({ callbackUrl: letters.url, method: 'PUT', headers: { 'x-dead': '1' } })
        const queue = {
          callbackUrl: on.target(status(500)).url,
          maxRetries: 0,
          deadLetterQueueId: dead.id,
          headers: { 'x-first': '1' },
        }
        const { id } = await on.queue(queue)
        const put = await on.put(id, { body: 'kept', headers: { 'x-message': 'm' } })
        await on.arrived(letters, 1)
        const [arrival] = letters.arrivals()
        expect(arrival).toMatchObject({ method: 'PUT', body: Buffer.from('kept') })
        expect([named(arrival!, 'x-dead'), named(arrival!, 'x-first'), named(arrival!, 'x-message')]).toEqual([
          ['1'],
          [],
          ['m'],
        ])
        const [letter] = await on.get(`/queues/${dead.id}/messages`)
        expect(letter).toMatchObject({
          queueId: dead.id,
          body: 'kept',
          headers: { 'x-message': 'm' },
          retries: 0,
          originId: put.id,
        })
        expect(letter.id).not.toBe(put.id)
      },
    )

    law(
      'no queue is its own dead letter queue, neither straight nor by a detour',
      ['delivery.own-dead-letter'],
      async on => {
        const target = on.target(status(500))
        const first = await on.queue({ callbackUrl: target.url, maxRetries: 0 })
        const second = await on.queue({ callbackUrl: target.url, maxRetries: 0, deadLetterQueueId: first.id })
        for (const deadLetterQueueId of [first.id, second.id]) {
          const { status, json } = await on.call('PUT', `/queues/${first.id}`, { deadLetterQueueId })
          expect([status, json.code]).toEqual([400, 'dead_letter_circle'])
        }
        await on.put(second.id)
        await on.arrived(target, 2)
        await pass(1000)
        expect(target.arrivals()).toHaveLength(2)
      },
    )

    law(
      'what is settled is sent again by sentAt: null, over REST and GraphQL',
      ['delivery.again', 'rest.state'],
      async on => {
        const { target, message } = await deliver(on, {})
        const again = await on.well('PUT', `/messages/${message.id}`, { sentAt: null })
        await on.arrived(target, 2)
        await on.until(again.id, isSent)
        await on.data(`mutation { saveMessage(input: {id: ${message.id}, sentAt: null}) { id } }`)
        await on.arrived(target, 3)
        expect(new Set(target.arrivals().map(({ id }) => id)).size).toBe(1)
      },
    )

    law('a slow receiver holds up neither itself for long nor another queue at all', ['delivery.rounds'], async on => {
      const [slowly, quick] = [on.target(slow(1500)), on.target()]
      const queue = await on.queue({ callbackUrl: slowly.url, concurrency: 50 })
      const other = await on.queue({ callbackUrl: quick.url })
      const messages = Array.from({ length: 25 }, () => ({ queueId: queue.id, body: 'slow' }))
      await on.well('POST', '/messages/bulk', { messages })
      await on.arrived(slowly, 1)
      await on.put(other.id)
      await on.arrived(quick, 1)
      const answered = slowly.arrivals().filter(({ answeredAt }) => answeredAt !== undefined)
      expect(answered, 'the other queue did not wait for the slow one').toEqual([])
      await on.arrived(slowly, 25)
    })

    law(
      'a wake-up while a request is open sends nothing twice, through whatever node it comes',
      ['delivery.twice', 'leader.writes'],
      async on => {
        const target = on.target(slow(1200))
        const quick = on.target()
        const { id } = await on.queue({ callbackUrl: target.url })
        const other = await on.queue({ callbackUrl: quick.url })
        const puts = [await on.put(id)]
        await on.arrived(target, 1)
        for (let n = 0; n < 20; n++) await on.put(other.id)
        puts.push(await on.put(id))
        await on.well('PUT', `/queues/${id}`, { name: 'changed meanwhile' })
        for (const put of puts) await on.until(put.id, isSent)
        await on.arrived(quick, 20)
        await pass(500)
        expect(target.arrivals().filter(({ repeats }) => repeats > 0)).toEqual([])
        expect([target.arrivals().length, quick.arrivals().length]).toEqual([2, 20])
      },
    )

    law(
      'the second message comes as soon as the first, and one that is due later when it is due',
      ['delivery.second', 'leader.writes'],
      async on => {
        const target = on.target()
        const { id } = await on.queue({ callbackUrl: target.url })
        for (let n = 1; n <= 5; n++) {
          const due = new Date(Date.now() + (n === 3 ? 700 : 0)).toISOString()
          await on.put(id, n === 3 ? { body: `${n}`, when: due } : { body: `${n}` })
          await on.receiver.waitFor(() => target.arrivals().length >= n, `message ${n}`, 5000)
          if (n === 3) expect(performance.timeOrigin + target.arrivals()[2]!.at).toBeGreaterThan(Date.parse(due) - 5)
        }
        expect(target.arrivals().map(({ body }) => body.toString())).toEqual(['1', '2', '3', '4', '5'])
      },
    )

    law('a time that no timer can hold is waited for in peace', ['delivery.far-future'], async on => {
      const target = on.target()
      const { id } = await on.queue({ callbackUrl: target.url })
      const far = await on.put(id, { when: new Date(Date.now() + 25 * 86_400_000).toISOString() })
      // A timer that overflows rings at once, and again and again; Node warns of it.
      const warnings: string[] = []
      const note = ({ name }: Error): void => void warnings.push(name)
      process.on('warning', note)
      await pass(1000)
      process.off('warning', note)
      expect(warnings).not.toContain('TimeoutOverflowWarning')
      const now = await on.put(id)
      await on.until(now.id, isSent)
      expect(target.arrivals()).toHaveLength(1)
      expect(await on.get(`/messages/${far.id}`)).toMatchObject({ sentAt: null, status: 'pending' })
    })

    law('an attempt has a bound, which the queue may set', ['delivery.timeout'], async on => {
      expect((await on.queue()).timeoutMs).toBe(15_000)
      const target = on.target(() => ({ kind: 'hang' }))
      const { id } = await on.queue({ callbackUrl: target.url, timeoutMs: 300, maxRetries: 0 })
      const dead = await on.until((await on.put(id)).id, isSent)
      expect(dead).toMatchObject({ failed: true })
      const [attempt] = await on.get(`/messages/${dead.id}/attempts`)
      expect(attempt).toMatchObject({ outcome: 'dead', status: null, errorCode: expect.any(String) })
    })
  },
  true,
)

import { expect, test } from 'vitest'
import type { Head } from '../engine/port.ts'
import type { Carrier, Described, Tracing } from '../tracing.ts'
import type { Delivery, Done } from './port.ts'
import { type TracedRoute, traceDelivery } from './traced-delivery.ts'

const PUT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
const OWN = PUT.replace('b7ad', 'aaaa')
const route = { id: 7, orgId: 1, name: 'orders', method: 'POST', callbackUrl: 'http://a.example/x?token=secret' }

/** One attempt of a message with these headers, answered with this report. */
function attempt(headers: string | null, report: Parameters<Done>[0] = null) {
  const began: { readonly described: Described; readonly parent: Carrier }[] = []
  const ended: unknown[] = []
  let sent: string | null = null
  const tracing = {
    follow(described: Described, parent: Carrier) {
      began.push({ described, parent })
      return { carrier: { traceparent: OWN }, end: (...how: unknown[]) => void ended.push(how) }
    },
    quietly: (run: (...args: unknown[]) => void, ...args: unknown[]) => run(...args),
  } as unknown as Tracing
  const delivery: Delivery<TracedRoute> = {
    attempt(_route, head, _nth, done) {
      sent = head.headers
      done(report, null as never)
    },
  }
  const answers: unknown[] = []
  const head = { id: 5, headers } as Head
  traceDelivery(delivery, tracing).attempt(route as TracedRoute, head, 2, answer => answers.push(answer))
  expect(answers).toEqual([report])
  return { began, ended, sent, left: head.headers }
}

test('a message without a trace, or with one that nobody records, is sent as it is and begins none', () => {
  for (const headers of [null, '{"a":"b"}', `{"traceparent":"${PUT.slice(0, -2)}00"}`]) {
    expect(attempt(headers)).toEqual({ began: [], ended: [], sent: headers, left: headers })
  }
})

test('an attempt follows the put, goes to the receiver as its parent, and says how it ended', () => {
  const report = { outcome: 'failed', status: 503, errorCode: 'http_status' } as Parameters<Done>[0]
  const { began, ended, sent } = attempt(`{"traceparent":"${PUT}"}`, report)
  expect(sent).toBe(`{"traceparent":"${OWN}"}`)
  expect(began).toMatchObject([{ described: { name: 'deliver orders' }, parent: { traceparent: PUT } }])
  expect(began[0]!.described.attributes).toMatchObject({ 'posthorn.message.id': 5, 'posthorn.attempt': 2 })
  expect(JSON.stringify(began)).not.toContain('secret')
  expect(ended).toEqual([['http_status', { 'http.response.status_code': 503 }]])
})

test('an attempt that is withdrawn leaves the message as it was: the next one follows from the put as well', () => {
  const headers = `{"traceparent":"${PUT}"}`
  const { ended, sent, left } = attempt(headers)
  expect([ended, sent, left]).toEqual([[['withdrawn']], `{"traceparent":"${OWN}"}`, headers])
})

import { trace } from '@opentelemetry/api'
import { afterEach, expect, test } from 'vitest'
import { carrierAlone, carrierIn, openTracing, readCarrier, withCarrier } from './tracing.ts'

const TRACE = '0af7651916cd43dd8448eb211c80319c'
const PARENT = `00-${TRACE}-b7ad6b7169203331-01`
const OTHER = `00-${TRACE}-00f067aa0ba902b7-00`

afterEach(() => trace.disable())

test('without an SDK there is no tracing', () => {
  expect(openTracing('1.2.3')).toBe(null)
})

test('a caller’s trace is taken as W3C Trace Context has it', () => {
  expect(readCarrier({ traceparent: PARENT })).toEqual({ traceparent: PARENT })
  expect(readCarrier({ traceparent: PARENT, tracestate: 'a=1,b=2' })).toEqual({
    traceparent: PARENT,
    tracestate: 'a=1,b=2',
  })
  expect(readCarrier({ traceparent: `cc${PARENT.slice(2)}-more` }), 'a later version').toEqual({ traceparent: PARENT })
})

test.for([
  ['nothing', undefined],
  ['two of them', [PARENT, PARENT]],
  ['no trace', 'hello'],
  ['a trace of zeros', `00-${'0'.repeat(32)}-b7ad6b7169203331-01`],
  ['a span of zeros', `00-${TRACE}-${'0'.repeat(16)}-01`],
  ['the version that is none', `ff${PARENT.slice(2)}`],
  ['capitals', PARENT.toUpperCase()],
  ['too much', `${PARENT}x`],
] as const)('%s is no trace', ([, traceparent]) => {
  expect(readCarrier({ traceparent: traceparent as string })).toBe(null)
})

test('a trace state that is no text of one line is left out', () => {
  for (const tracestate of ['a=1\r\nx: y', 'ä', 'x'.repeat(513), ''])
    expect(readCarrier({ traceparent: PARENT, tracestate })).toEqual({ traceparent: PARENT })
})

test('headers carry a trace beside what they have, and give it back', () => {
  const carrier = { traceparent: PARENT, tracestate: 'v="1"' }
  for (const headers of [null, '{}', '{"a":"b"}', '{"a":"}","b":"{"}']) {
    const carried = withCarrier(headers, { traceparent: PARENT })
    expect(JSON.parse(carried)).toEqual({ ...JSON.parse(headers ?? '{}'), traceparent: PARENT })
    expect(carrierIn(carried)).toEqual({ traceparent: PARENT })
    expect(JSON.parse(withCarrier(headers, carrier))).toMatchObject(carrier)
  }
})

test('the trace of an attempt replaces the one that is there, and leaves its state', () => {
  const stored = JSON.stringify({ TraceParent: PARENT, tracestate: 'a=1', x: 'y' })
  const carried = withCarrier(stored, { traceparent: OTHER, tracestate: 'a=1' })
  expect(JSON.parse(carried)).toEqual({ traceparent: OTHER, tracestate: 'a=1', x: 'y' })
  expect(carrierIn(carried)).toEqual({ traceparent: OTHER, tracestate: 'a=1' })
})

test('headers that are a trace alone are told from all others', () => {
  expect(carrierAlone(withCarrier(null, { traceparent: PARENT }))).toBe(PARENT)
  expect(carrierAlone('{"traceparent":"b7ad6b7169203331"}')).toBe(null)
  expect(carrierAlone(withCarrier('{"a":"b"}', { traceparent: PARENT }))).toBe(null)
  expect(carrierAlone(JSON.stringify({ traceparent: `${'"'}${PARENT.slice(2)}` }))).toBe(null)
})

test('of a trace that nobody records no span is begun: it is passed on as it is', () => {
  const begun: string[] = []
  const startSpan = (name: string) => {
    begun.push(name)
    return trace.wrapSpanContext({ traceId: TRACE, spanId: '00f067aa0ba902b7', traceFlags: 1 })
  }
  trace.setGlobalTracerProvider({ getTracer: () => ({ startSpan }) as never })
  const tracing = openTracing('1.2.3')!
  const span = (parent: string | null) => ({
    name: `after ${parent}`,
    kind: 'put' as const,
    attributes: {},
    parent: parent === null ? null : { traceparent: parent },
  })
  const passed = tracing.start(span(OTHER))
  passed.end('error')
  expect(passed.carrier).toEqual({ traceparent: OTHER })
  expect(begun).toEqual([])
  for (const parent of [PARENT, null]) tracing.start(span(parent)).end(null)
  expect(begun).toEqual([`after ${PARENT}`, 'after null'])
})

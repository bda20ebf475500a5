import { type Context, context, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { carrierAlone, carrierIn, describeSpan, openTracing, readCarrier, withCarrier } from './tracing.ts'

const TRACE = '0af7651916cd43dd8448eb211c80319c'
const PARENT = `00-${TRACE}-b7ad6b7169203331-01`
const OTHER = `00-${TRACE}-00f067aa0ba902b7-00`
const OWN = 'aaaaaaaaaaaaaaaa'

beforeAll(() => context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable()))
afterAll(() => context.disable())
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

/** A tracer whose sampler says `sampled`, and the spans that it was asked for, with the span each was to follow from. */
function traced(sampled = true) {
  const asked: { readonly name: string; readonly after: string | undefined }[] = []
  const startSpan = (name: string, _: unknown, from: Context) => {
    const parent = trace.getSpanContext(from)
    asked.push({ name, after: parent?.spanId })
    const spanContext = { traceId: parent?.traceId ?? TRACE, spanId: OWN, traceFlags: Number(sampled) }
    return Object.assign(trace.wrapSpanContext(spanContext), { isRecording: () => sampled })
  }
  trace.disable()
  trace.setGlobalTracerProvider({ getTracer: () => ({ startSpan }) as never })
  return { asked, tracing: openTracing('1.2.3')! }
}

/** Runs it where a span is active. */
function under<T>(traceparent: string, run: () => T): T {
  const [, traceId = '', spanId = '', flags] = traceparent.split('-')
  const active = trace.wrapSpanContext({ traceId, spanId, traceFlags: Number(flags) })
  return context.with(trace.setSpan(context.active(), active), run)
}

const call = describeSpan('put', 'put', {})

test('a call that nobody brought a trace to leaves nothing if the sampler says no', () => {
  const { tracing, asked } = traced(false)
  expect(tracing.call(call, undefined)).toBe(null)
  expect(tracing.begin(call)).toBe(null)
  expect(asked).toEqual([
    { name: 'put', after: undefined },
    { name: 'put', after: undefined },
  ])
  expect(traced(true).tracing.call(call, undefined)?.carrier).toEqual({ traceparent: `00-${TRACE}-${OWN}-01` })
})

test('of a brought trace that the sampler declines, the declined span goes on', () => {
  const { tracing } = traced(false)
  expect(tracing.call(call, { traceparent: PARENT })?.carrier).toEqual({ traceparent: `00-${TRACE}-${OWN}-00` })
  expect(tracing.follow(call, { traceparent: PARENT })?.carrier).toEqual({ traceparent: `00-${TRACE}-${OWN}-00` })
})

test('of a trace that nobody records no span is begun: it is passed on as it is', () => {
  const { tracing, asked } = traced()
  expect(tracing.call(call, { traceparent: OTHER })).toBe(null)
  expect(under(OTHER, () => tracing.call(call, { traceparent: PARENT }))?.carrier).toEqual({ traceparent: OTHER })
  expect(under(OTHER, () => tracing.active())).toEqual({ traceparent: OTHER })
  expect(asked).toEqual([])
})

test('a request that brought no trace, and whose span nobody records, leaves nothing', () => {
  const { tracing, asked } = traced()
  expect(under(OTHER, () => tracing.call(call, undefined))).toBe(null)
  expect(asked).toEqual([])
})

test('what is active is nearer than what was brought; what follows from a message, or begins a trace, does not look at it', () => {
  const { tracing, asked } = traced()
  under(`00-${'1'.repeat(32)}-${'2'.repeat(16)}-01`, () => {
    tracing.call(call, { traceparent: PARENT })
    tracing.follow(call, { traceparent: PARENT })
    tracing.begin(call)
  })
  expect(asked.map(({ after }) => after)).toEqual(['2'.repeat(16), 'b7ad6b7169203331', undefined])
})

test('where the SDK is told to be silent, nothing is begun, and what was brought goes on', () => {
  const none = trace.wrapSpanContext({ traceId: '0'.repeat(32), spanId: '0'.repeat(16), traceFlags: 0 })
  trace.setGlobalTracerProvider({ getTracer: () => ({ startSpan: () => none }) as never })
  const tracing = openTracing('1.2.3')!
  for (const brought of [undefined, { traceparent: PARENT }]) expect(tracing.call(call, brought)).toBe(null)
})

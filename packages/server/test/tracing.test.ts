/** From a caller's trace over a put and its attempts to the receiver, with an SDK as users bring it. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { context, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BasicTracerProvider,
  InMemorySpanExporter,
  ParentBasedSampler,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type RunningNode, startNode } from '../src/app.ts'
import { loadConfig } from '../src/config.ts'
import { silentLog } from '../src/log.ts'
import { copyEmbedded } from './databases.ts'
import { Api } from './harness/api.ts'
import { secretKey } from './leaks/marked.ts'

const CALLER = { trace: '0af7651916cd43dd8448eb211c80319c', span: 'b7ad6b7169203331' }
const traceparent = `00-${CALLER.trace}-${CALLER.span}-01`

const exporter = new InMemorySpanExporter()
/** What is asked of traces that begin here. */
const root = { declines: false }
const sampler = new ParentBasedSampler({
  root: {
    shouldSample: () => (root.declines ? new AlwaysOffSampler() : new AlwaysOnSampler()).shouldSample(),
  },
})
let folder: string
let node: RunningNode
let receiver: Server
/** What came, by path. */
const came = new Map<string, IncomingHttpHeaders[]>()
let api: Api

beforeAll(async () => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  trace.setGlobalTracerProvider(
    new BasicTracerProvider({ sampler, spanProcessors: [new SimpleSpanProcessor(exporter)] }),
  )
  folder = mkdtempSync(join(tmpdir(), 'posthorn-traced-'))
  await copyEmbedded(folder)
  const env = {
    POSTHORN_DATA_DIR: folder,
    POSTHORN_PORT: '0',
    POSTHORN_SECRET_KEY: secretKey(),
  }
  node = await startNode(loadConfig({ env, flags: {}, readFile: () => '{}' }), silentLog)
  // The first request of /fails is answered 503, all others 204.
  receiver = createServer((request, response) => {
    const path = request.url!.split('?')[0]!
    const before = came.get(path) ?? []
    came.set(path, [...before, request.headers])
    response.writeHead(path === '/fails' && before.length === 0 ? 503 : 204).end()
  })
  await new Promise<void>(resolve => receiver.listen(0, '127.0.0.1', resolve))
  api = new Api(node.url)
})

afterAll(async () => {
  await node.stop()
  receiver.closeAllConnections()
  receiver.close()
  rmSync(folder, { recursive: true, force: true })
  trace.disable()
  context.disable()
})

beforeEach(() => {
  root.declines = false
  exporter.reset()
})

async function post(path: string, body: object, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(node.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  })
}

/** The spans so far, once there are so many of this kind. */
async function spansOf(kind: SpanKind, count: number): Promise<ReadableSpan[]> {
  const found = (): ReadableSpan[] => exporter.getFinishedSpans().filter(span => span.kind === kind)
  await expect.poll(found, { timeout: 10_000 }).toHaveLength(count)
  return found()
}

/** As undici's instrumentation does it: a span for each request that is made, and its header. */
function instrumentRequests(): () => void {
  const tracer = trace.getTracer('another')
  const created = (message: unknown): void => {
    const { request } = message as {
      request: { addHeader(name: string, value: string): void; method: string; origin: string }
    }
    // Not this test's own calls.
    if (!to('').startsWith(request.origin)) return
    const span = tracer.startSpan(request.method)
    if (span.isRecording()) request.addHeader('traceparent', `00-${'e'.repeat(32)}-${span.spanContext().spanId}-01`)
    span.end()
  }
  subscribe('undici:request:create', created)
  return () => unsubscribe('undici:request:create', created)
}

const named = (name: string): ReadableSpan[] => exporter.getFinishedSpans().filter(span => span.name === name)
const headerOf = (path: string, name: string): unknown => came.get(path)?.[0]?.[name]
const to = (path: string): string => `http://127.0.0.1:${(receiver.address() as AddressInfo).port}${path}`

test('a put belongs to its caller’s trace, its attempts to the put, and the receiver gets the attempt as its parent', async () => {
  const { id: queueId, name } = await api.createQueue({ callbackUrl: to('/fails?token=secret') })
  await post('/messages/', { queueId, body: 'x' }, { traceparent, tracestate: 'vendor=1' })
  const [put] = await spansOf(SpanKind.PRODUCER, 1)
  expect(put!.name).toBe(`put ${name}`)
  expect(put!.spanContext().traceId).toBe(CALLER.trace)
  expect(put!.parentSpanContext?.spanId).toBe(CALLER.span)
  const attempts = await spansOf(SpanKind.CLIENT, 2)
  for (const attempt of attempts) {
    expect(attempt.spanContext().traceId).toBe(CALLER.trace)
    expect(attempt.parentSpanContext?.spanId).toBe(put!.spanContext().spanId)
    expect(JSON.stringify(attempt.attributes)).not.toContain('secret')
  }
  expect(attempts.map(({ status: { code }, attributes }) => [code, attributes['error.type']])).toEqual([
    [SpanStatusCode.ERROR, 'http_status'],
    [SpanStatusCode.UNSET, undefined],
  ])
  expect(attempts.map(({ attributes }) => attributes['http.response.status_code'])).toEqual([503, 204])
  expect(attempts.map(({ attributes }) => attributes['posthorn.attempt'])).toEqual([1, 2])
  expect(came.get('/fails')!.map(headers => headers.traceparent)).toEqual(
    attempts.map(span => `00-${CALLER.trace}-${span.spanContext().spanId}-01`),
  )
  expect(headerOf('/fails', 'tracestate')).toBe('vendor=1')
})

test('a put in process belongs to the span that is active where it is called', async () => {
  const { id: queueId, name } = await api.createQueue({ callbackUrl: to('/in-process') })
  const span = trace.getTracer('program').startSpan('order')
  const { id } = await context.with(trace.setSpan(context.active(), span), () =>
    node.client.messages.put({ queueId, body: 'x' }),
  )
  span.end()
  await spansOf(SpanKind.PRODUCER, 1)
  const [put] = named(`put ${name}`)
  expect(put!.parentSpanContext?.spanId).toBe(span.spanContext().spanId)
  await spansOf(SpanKind.CLIENT, 1)
  const { traceId } = span.spanContext()
  expect(headerOf('/in-process', 'traceparent')).toContain(traceId)
  expect((await node.client.messages.get({ id })).headers?.traceparent).toContain(put!.spanContext().spanId)
})

test('a put that names no trace begins one', async () => {
  const { id: queueId } = await api.createQueue({ callbackUrl: to('/own') })
  await post('/messages/', { queueId, body: 'x' })
  const [put] = await spansOf(SpanKind.PRODUCER, 1)
  const [attempt] = await spansOf(SpanKind.CLIENT, 1)
  expect(put!.parentSpanContext).toBe(undefined)
  expect(attempt!.spanContext().traceId).toBe(put!.spanContext().traceId)
  expect(headerOf('/own', 'traceparent')).toContain(attempt!.spanContext().spanId)
})

test('many messages of one call share a put, over REST and over GraphQL', async () => {
  const { id: queueId } = await api.createQueue({ callbackUrl: to('/many') })
  const messages = ['a', 'b', 'c'].map(body => ({ queueId, body }))
  await post('/messages/bulk', { messages }, { traceparent })
  const [put] = await spansOf(SpanKind.PRODUCER, 1)
  expect(put!.attributes['messaging.batch.message_count']).toBe(3)
  const attempts = await spansOf(SpanKind.CLIENT, 3)
  expect(new Set(attempts.map(span => span.parentSpanContext?.spanId))).toEqual(new Set([put!.spanContext().spanId]))
  exporter.reset()
  const query = `mutation { insertMessages(inputs: [{ queueId: "${queueId}", body: "d" }]) { id } }`
  expect(await (await post('/graphql', { query }, { traceparent })).json()).not.toHaveProperty('errors')
  const [second] = await spansOf(SpanKind.PRODUCER, 1)
  expect(second!.spanContext().traceId).toBe(CALLER.trace)
})

test('a repeated put is the same put, though it belongs to another trace', async () => {
  const { id: queueId } = await api.createQueue({ callbackUrl: to('/same') })
  const put = (trace: string) => post('/messages/', { queueId, body: 'x', idempotencyKey: 'k' }, { traceparent: trace })
  const first = (await (await put(traceparent)).json()) as { id: number }
  const again = await put(traceparent.replace('b7ad', 'b7ae'))
  expect([again.status, ((await again.json()) as { id: number }).id]).toEqual([200, first.id])
})

test('a put that is refused says why', async () => {
  await post('/messages/', { queueId: 999_999, body: 'x' }, { traceparent })
  const [put] = await spansOf(SpanKind.PRODUCER, 1)
  expect([put!.status.code, put!.attributes['error.type']]).toEqual([SpanStatusCode.ERROR, 'queue_not_found'])
})

test('a trace that the message brings itself is not replaced by the request’s, and the attempt follows from it', async () => {
  const { id: queueId } = await api.createQueue({ callbackUrl: to('/given') })
  const given = '00-11111111111111111111111111111111-2222222222222222-01'
  await post('/messages/', { queueId, body: 'x', headers: { traceparent: given, 'x-own': 'kept' } }, { traceparent })
  const [attempt] = await spansOf(SpanKind.CLIENT, 1)
  expect(attempt!.parentSpanContext?.spanId).toBe('2222222222222222')
  expect(headerOf('/given', 'x-own')).toBe('kept')
})

test('what instruments all requests of the process leaves those to receivers alone', async () => {
  const { id: queueId } = await api.createQueue({ callbackUrl: to('/quiet') })
  const stop = instrumentRequests()
  await post('/messages/', { queueId, body: 'x' }, { traceparent })
  const [attempt] = await spansOf(SpanKind.CLIENT, 1)
  stop()
  expect(headerOf('/quiet', 'traceparent')).toBe(`00-${CALLER.trace}-${attempt!.spanContext().spanId}-01`)
})

test('a trace that its caller does not sample is passed on, and nothing of it is recorded', async () => {
  const { id: queueId } = await api.createQueue({ callbackUrl: to('/unsampled') })
  await post('/messages/', { queueId, body: 'x' }, { traceparent: `${traceparent.slice(0, -2)}00` })
  await expect.poll(() => came.get('/unsampled')?.length).toBe(1)
  expect(headerOf('/unsampled', 'traceparent')).toMatch(new RegExp(`^00-${CALLER.trace}-[0-9a-f]{16}-00$`))
  expect(exporter.getFinishedSpans()).toEqual([])
})

test('what a worker gives to a service belongs to its put too; a webhook gets the attempt as its parent', async () => {
  await api.post('/services/', { name: 'webhook', host: to('/function?token=secret') })
  await api.change('/processing/', { pushBackend: 'webhook' })
  const [{ id: queueId } = { id: 0 }] = await api.get<{ id: number }[]>('/workers/')
  const messages = Array.from({ length: 40 }, () => ({ queueId, body: '{}' }))
  await post('/messages/bulk', { messages }, { traceparent, tracestate: 'vendor=1' })
  await expect.poll(() => came.get('/function')?.length, { timeout: 10_000 }).toBe(40)
  const [put] = await spansOf(SpanKind.PRODUCER, 1)
  const spans = exporter.getFinishedSpans()
  await expect.poll(() => named('deliver org.instance.push').length).toBe(40)
  const attempts = named('deliver org.instance.push')
  for (const attempt of attempts) {
    expect(attempt.spanContext().traceId).toBe(CALLER.trace)
    expect(attempt.parentSpanContext?.spanId).toBe(put!.spanContext().spanId)
    expect(attempt.attributes).toMatchObject({ 'posthorn.queue.id': queueId, 'posthorn.attempt': 1 })
  }
  const idOf = (span: ReadableSpan) => `00-${CALLER.trace}-${span.spanContext().spanId}-01`
  expect(
    came
      .get('/function')!
      .map(headers => headers.traceparent)
      .sort(),
  ).toEqual(attempts.map(idOf).sort())
  expect(headerOf('/function', 'tracestate')).toBe('vendor=1')
  // What went together shows as that: a span under the first of a batch, with links to the others.
  await expect.poll(() => named('send org.instance.push').length).toBeGreaterThan(0)
  const batches = named('send org.instance.push')
  for (const { parentSpanContext, links, attributes } of batches) {
    const members = [parentSpanContext?.spanId, ...links.map(({ context: { spanId } }) => spanId)]
    expect(members.length).toBe(attributes['messaging.batch.message_count'])
    expect(members.length).toBeGreaterThan(1)
    expect(attempts.map(span => span.spanContext().spanId)).toEqual(expect.arrayContaining(members))
    expect(attributes['posthorn.service']).toBe('webhook')
  }
  expect(JSON.stringify(spans.map(({ attributes }) => attributes))).not.toContain('secret')
})

test('an email belongs to its caller’s trace, and says how it failed', async () => {
  await api.post('/services/', { name: 'testmail' })
  await api.change('/processing/', { emailBackend: 'testmail', emailFrom: 'us@example.org' })
  await post('/emails/', { to: [{ address: 'rejected@example.org' }], subject: 's', text: 't' }, { traceparent })
  const [put] = await spansOf(SpanKind.PRODUCER, 1)
  const [attempt] = await spansOf(SpanKind.CLIENT, 1)
  expect([put!.spanContext().traceId, put!.parentSpanContext?.spanId]).toEqual([CALLER.trace, CALLER.span])
  expect(attempt!.parentSpanContext?.spanId).toBe(put!.spanContext().spanId)
  expect([attempt!.status.code, attempt!.attributes['error.type']]).toEqual([SpanStatusCode.ERROR, 'rejected'])
})

test('a trace that would begin with the put, and that the sampler declines, leaves nothing: neither in the message nor for the receiver', async () => {
  root.declines = true
  const { id: queueId } = await api.createQueue({ callbackUrl: to('/declined') })
  const input = { queueId, body: 'x' }
  const { id } = (await (await post('/messages/', input)).json()) as { id: number }
  await post('/messages/bulk', { messages: [input, input] })
  await node.client.messages.put(input)
  await expect.poll(() => came.get('/declined')?.length).toBe(4)
  expect(came.get('/declined')!.map(headers => headers.traceparent)).toEqual(Array(4).fill(undefined))
  expect((await node.client.messages.get({ id })).headers).toBe(null)
  expect(exporter.getFinishedSpans()).toEqual([])
})

test('in process, a span that nobody records is the caller’s decision: it is passed on', async () => {
  root.declines = true
  const { id: queueId } = await api.createQueue({ callbackUrl: to('/decided') })
  const declined = trace.getTracer('program').startSpan('order')
  const { traceId, spanId } = declined.spanContext()
  const { id } = await context.with(trace.setSpan(context.active(), declined), () =>
    node.client.messages.put({ queueId, body: 'x' }),
  )
  await expect.poll(() => came.get('/decided')?.length).toBe(1)
  expect(headerOf('/decided', 'traceparent')).toBe(`00-${traceId}-${spanId}-00`)
  expect((await node.client.messages.get({ id })).headers).toEqual({ traceparent: `00-${traceId}-${spanId}-00` })
  expect(exporter.getFinishedSpans()).toEqual([])
})

test('puts that share a commit share no trace: each attempt follows its own put, whoever’s call went on to it', async () => {
  const { id: queueId } = await api.createQueue({ callbackUrl: to('/shared') })
  const orders = ['a', 'b', 'c'].map(body => ({ body, span: trace.getTracer('program').startSpan(body) }))
  await Promise.all(
    orders.map(({ body, span }) =>
      context.with(trace.setSpan(context.active(), span), () => node.client.messages.put({ queueId, body })),
    ),
  )
  const puts = await spansOf(SpanKind.PRODUCER, 3)
  const attempts = await spansOf(SpanKind.CLIENT, 3)
  const idOf = (span: ReadableSpan) => `${span.spanContext().traceId} ${span.spanContext().spanId}`
  const parentOf = (span: ReadableSpan) => `${span.spanContext().traceId} ${span.parentSpanContext?.spanId}`
  expect(puts.map(parentOf).sort()).toEqual(orders.map(({ span }) => idOf(span as never)).sort())
  expect(attempts.map(parentOf).sort()).toEqual(puts.map(idOf).sort())
})

test('a tick begins a trace when its message is stored; a cron that is told to run now belongs to who tells it', async () => {
  const { id: queueId, name } = await api.createQueue({ callbackUrl: to('/ticks') })
  const cron = await post('/crons/', { queueId, schedule: '* * * * * *', body: 'x' }, { traceparent })
  const { id } = (await cron.json()) as { id: number }
  await expect.poll(() => named(`deliver ${name}`).length, { timeout: 10_000 }).toBeGreaterThan(0)
  const [attempt] = named(`deliver ${name}`)
  const tick = named(`put ${name}`).find(put => put.spanContext().spanId === attempt!.parentSpanContext?.spanId)
  expect([tick!.parentSpanContext, tick!.spanContext().traceId === CALLER.trace]).toEqual([undefined, false])
  await post(`/crons/${id}/pause`, {})
  await post(`/crons/${id}/run`, {}, { traceparent })
  await expect.poll(() => named('put').length).toBe(1)
  expect(named('put')[0]!.parentSpanContext?.spanId).toBe(CALLER.span)
  const followed = () => named(`deliver ${name}`).filter(span => span.spanContext().traceId === CALLER.trace)
  await expect.poll(() => followed().length).toBe(1)
  expect(followed()[0]!.parentSpanContext?.spanId).toBe(named('put')[0]!.spanContext().spanId)
})

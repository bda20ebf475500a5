/**
 * Traces, through OpenTelemetry's API alone: whoever runs Posthorn brings the SDK and registers it before the start
 * (docs/guides/observability.md). Without one there is nothing here, and everybody else has one branch.
 *
 * A message carries its trace as W3C Trace Context has it, in its own headers: so it needs no column, and reaches a
 * receiver also where only its caller is traced.
 */
import { channel } from 'node:diagnostics_channel'
import {
  type Attributes,
  type Context,
  context,
  createContextKey,
  createTraceState,
  isSpanContextValid,
  type ProxyTracerProvider,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api'

/** What goes with a message: the headers of W3C Trace Context, as `readCarrier` has found them sound. */
export interface Carrier {
  readonly traceparent: string
  readonly tracestate?: string
}

export interface SpanStart {
  readonly name: string
  readonly kind: 'put' | 'attempt'
  readonly attributes: Attributes
  /** What it follows from; otherwise from what is active, or from nothing. */
  readonly parent: Carrier | null
  /** What else it has to do with. */
  readonly links?: readonly Carrier[]
}

export interface OpenSpan {
  readonly carrier: Carrier
  /** `error`: its type, in a word; null if it went well. */
  end(error: string | null, attributes?: Attributes): void
}

export interface Tracing {
  start(span: SpanStart): OpenSpan
  /** Runs a request of ours, which other instrumentation must not take for a trace of its own, nor add a second one to. */
  quietly(run: () => void): void
}

/** What undici's instrumentation subscribes to. */
const REQUESTS = channel('undici:request:create')
const KINDS = { put: SpanKind.PRODUCER, attempt: SpanKind.CLIENT }
/** The SDK's own, by its name: what runs under it makes no spans and injects no headers. */
const QUIET = ROOT_CONTEXT.setValue(createContextKey('OpenTelemetry SDK Context Key SUPPRESS_TRACING'), true)

/** Null if no SDK is registered. `version`: Posthorn's. */
export function openTracing(version: string): Tracing | null {
  const provider = trace.getTracerProvider() as Partial<ProxyTracerProvider>
  const tracer = provider.getDelegateTracer?.('posthorn', version)
  if (!tracer) return null
  return {
    start({ name, kind, attributes, parent, links = [] }) {
      const passed = unsampledOf(parent)
      if (passed !== null) return { carrier: passed, end: ignore }
      const linked = links.map(carrier => ({ context: spanContextOf(carrier) }))
      const span = tracer.startSpan(name, { kind: KINDS[kind], attributes, links: linked }, parentOf(parent))
      const carrier = carrierOf(span)
      return span.isRecording()
        ? { carrier, end: (error, more) => endSpan(span, error, more) }
        : { carrier, end: ignore }
    },
    quietly(run) {
      // On Node 20 a context costs every promise of the process (a third of a drain's CPU): only where somebody listens.
      if (REQUESTS.hasSubscribers) context.with(QUIET, run)
      else run()
    },
  }
}

/** What every span of a message says, in the words of OpenTelemetry's semantic conventions. */
export function messaging(operation: string, type: 'send' | 'process', queue: string | null): Record<string, string> {
  return {
    'messaging.system': 'posthorn',
    'messaging.operation.name': operation,
    'messaging.operation.type': type,
    ...(queue !== null && { 'messaging.destination.name': queue }),
  }
}

/** The same description for as long as what is described stays the same object. */
export function describedOnce<T extends object, D>(describe: (one: T) => D): (one: T) => D {
  const known = new WeakMap<T, D>()
  return one => {
    const found = known.get(one)
    if (found !== undefined) return found
    const described = describe(one)
    known.set(one, described)
    return described
  }
}

/** The end of a span that nobody records. */
const ignore = (): void => {}

/** What a span would follow from, if nobody records that: it is passed on as it is, without a span that would be thrown away. */
function unsampledOf(parent: Carrier | null): Carrier | null {
  const active = trace.getSpan(context.active())
  if (active === undefined) return parent !== null && !isSampled(parent) ? parent : null
  const found = active.spanContext()
  return isSpanContextValid(found) && (found.traceFlags & 1) === 0 ? carrierOf(active) : null
}

/** A span that is active here (of the HTTP server, of a program that embeds Posthorn) is nearer than what came from afar. */
function parentOf(carrier: Carrier | null): Context {
  const active = context.active()
  if (carrier === null || trace.getSpan(active)) return active
  return trace.setSpanContext(ROOT_CONTEXT, spanContextOf(carrier))
}

function spanContextOf({ traceparent, tracestate }: Carrier): SpanContext {
  const found = {
    traceId: traceparent.slice(3, 35),
    spanId: traceparent.slice(36, 52),
    traceFlags: Number.parseInt(traceparent.slice(53), 16) & 1,
    isRemote: true,
  }
  return tracestate === undefined ? found : { ...found, traceState: createTraceState(tracestate) }
}

function carrierOf(span: Span): Carrier {
  const { traceId, spanId, traceFlags, traceState } = span.spanContext()
  const tracestate = traceState?.serialize()
  return { traceparent: `00-${traceId}-${spanId}-0${traceFlags & 1}`, ...(tracestate ? { tracestate } : {}) }
}

function endSpan(span: Span, error: string | null, attributes: Attributes = {}): void {
  if (error !== null) span.setStatus({ code: SpanStatusCode.ERROR }).setAttribute('error.type', error)
  span.setAttributes(attributes).end()
}

const PARENT = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-|$)/
const STATE_MOST = 512

/** What a caller's request says of its trace; null if nothing, or nothing that can be believed. */
export function readCarrier(headers: Readonly<Record<string, string | string[] | undefined>>): Carrier | null {
  const { traceparent, tracestate } = headers
  if (typeof traceparent !== 'string') return null
  const [, traceId = '', spanId = ''] = PARENT.exec(traceparent) ?? []
  if (!isSpanContextValid({ traceId, spanId, traceFlags: 0 }) || traceparent.startsWith('ff')) return null
  const isSound = typeof tracestate === 'string' && tracestate.length <= STATE_MOST && /^[\x20-\x7e]+$/.test(tracestate)
  // A later version has more fields than this one knows.
  return { traceparent: `00${traceparent.slice(2, 55)}`, ...(isSound && { tracestate }) }
}

const STORED = /"traceparent":"([^"\\]+)"/i
const STORED_STATE = /"tracestate":"([^"\\]+)"/i

/** The trace that a message carries in its headers (JSON text, as stored). */
export function carrierIn(headers: string | null): Carrier | null {
  if (headers === null) return null
  const alone = carrierAlone(headers)
  if (alone !== null) return { traceparent: alone }
  const traceparent = STORED.exec(headers)?.[1]
  return traceparent === undefined ? null : readCarrier({ traceparent, tracestate: STORED_STATE.exec(headers)?.[1] })
}

/** Whether somebody records this trace. One that nobody does is passed on as it is. */
export function isSampled({ traceparent }: Carrier): boolean {
  return (Number.parseInt(traceparent.slice(53), 16) & 1) === 1
}

/** The headers with this trace instead of, or beside, what they have. */
export function withCarrier(headers: string | null, { traceparent, tracestate }: Carrier): string {
  const fields = `"traceparent":"${traceparent}"${tracestate === undefined ? '' : `,"tracestate":${JSON.stringify(tracestate)}`}`
  if (headers === null || headers === '{}' || carrierAlone(headers) !== null) return `{${fields}}`
  if (STORED.test(headers)) return headers.replace(STORED, `"traceparent":"${traceparent}"`)
  return `${headers.slice(0, -1)},${fields}}`
}

const ALONE = /^\{"traceparent":"(00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2})"\}$/

/** The trace of headers that hold nothing else, which is what most traced messages have. */
export function carrierAlone(headers: string): string | null {
  return headers.length === 73 ? (ALONE.exec(headers)?.[1] ?? null) : null
}

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
  type Tracer,
  trace,
} from '@opentelemetry/api'

/** What goes with a message: the headers of W3C Trace Context, as `readCarrier` has found them sound. */
export interface Carrier {
  readonly traceparent: string
  readonly tracestate?: string
}

/** A span before it begins. Of a queue one that is kept: a sampler is asked with it for every message. */
export interface Described {
  readonly name: string
  readonly kind: SpanKind
  /** What a sampler may want to know. */
  readonly attributes: Attributes
  /** What else it has to do with. */
  readonly links?: { context: SpanContext }[]
}

export interface OpenSpan {
  readonly carrier: Carrier
  /** `error`: its type, in a word; null if it went well. */
  end(error: string | null, attributes?: Attributes): void
}

/** Of each span it gives null where nobody records it: what was there to follow from then goes on as it is, if there was any. */
export interface Tracing {
  /**
   * What a caller does: it follows from what is active where it is called, or from what the caller brought. Where neither
   * is, it begins a trace.
   */
  call(described: Described, brought: Carrier | undefined): OpenSpan | null
  /** What follows from this alone, whatever is active: that may be the call of somebody else, whose turn it was to go on. */
  follow(described: Described, parent: Carrier): OpenSpan | null
  /** What begins a trace, whatever is active. */
  begin(described: Described): OpenSpan | null
  /** What is active here: in process, that is what a caller brings. */
  active(): Carrier | null
  /** Runs a request of ours, which other instrumentation must not take for a trace of its own, nor add a second one to. */
  quietly<Args extends unknown[]>(run: (...args: Args) => void, ...args: Args): void
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
  return tracer ? createTracing(tracer) : null
}

function createTracing(tracer: Tracer): Tracing {
  /** `follows`: whether there is something in `from` that it follows from, which then has to be told of. */
  const start = (described: Described, from: Context, follows: boolean): OpenSpan | null => {
    const span = tracer.startSpan(described.name, described, from)
    const found = span.spanContext()
    if (span.isRecording()) return { carrier: carrierOf(found), end: (error, more) => endSpan(span, error, more) }
    const isOver = !follows && !isRecorded(found)
    return isOver || !isSpanContextValid(found) ? null : { carrier: carrierOf(found), end: ignore }
  }
  return {
    call(described, brought) {
      const here = context.active()
      const active = trace.getSpanContext(here)
      if (active !== undefined && isSpanContextValid(active)) {
        if (isRecorded(active)) return start(described, here, true)
        // Nobody brought it: it began here, with the request itself, and is over.
        return brought === undefined ? null : { carrier: carrierOf(active), end: ignore }
      }
      if (brought === undefined) return start(described, here, false)
      return isSampled(brought) ? start(described, contextOf(brought), true) : null
    },
    follow: (described, parent) => start(described, contextOf(parent), true),
    begin: described => start(described, ROOT_CONTEXT, false),
    active() {
      const active = trace.getSpanContext(context.active())
      return active !== undefined && isSpanContextValid(active) ? carrierOf(active) : null
    },
    quietly(run, ...args) {
      // On Node 20 a context costs every promise of the process (a third of a drain's CPU): only where somebody listens.
      if (REQUESTS.hasSubscribers) context.with(QUIET, run, undefined, ...args)
      else run(...args)
    },
  }
}

/** @param links what else it has to do with */
export function describeSpan(
  kind: keyof typeof KINDS,
  name: string,
  attributes: Attributes,
  links?: readonly Carrier[],
): Described {
  const described = { name, kind: KINDS[kind], attributes }
  return links === undefined ? described : { ...described, links: links.map(one => ({ context: spanContextOf(one) })) }
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

const contextOf = (carrier: Carrier): Context => trace.setSpanContext(ROOT_CONTEXT, spanContextOf(carrier))

const isRecorded = ({ traceFlags }: SpanContext): boolean => (traceFlags & 1) === 1

function spanContextOf({ traceparent, tracestate }: Carrier): SpanContext {
  const found = {
    traceId: traceparent.slice(3, 35),
    spanId: traceparent.slice(36, 52),
    traceFlags: Number.parseInt(traceparent.slice(53), 16) & 1,
    isRemote: true,
  }
  return tracestate === undefined ? found : { ...found, traceState: createTraceState(tracestate) }
}

function carrierOf({ traceId, spanId, traceFlags, traceState }: SpanContext): Carrier {
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

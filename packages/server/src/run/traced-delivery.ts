import { carrierIn, describedOnce, describeSpan, isSampled, messaging, type Tracing, withCarrier } from '../tracing.ts'
import type { Delivery, Done, Route } from './port.ts'

/** What a span says of its queue. */
export interface TracedRoute extends Route {
  readonly name: string
  readonly method: string
}

/**
 * Attempts with a span each, which follows from the put that stored the message. The receiver gets that span as its parent,
 * in the headers of the message, and whatever else watches this process's requests is told to leave them alone. A trace that
 * nobody records goes on to the receiver as it is, and a message without one has none: that was decided when it was put.
 */
export function traceDelivery<R extends TracedRoute>(delivery: Delivery<R>, tracing: Tracing): Delivery<R> {
  const describedOf = describedOnce<R, ReturnType<typeof describe>>(describe)
  const send: Delivery<R>['attempt'] = (route, head, nth, done) => delivery.attempt(route, head, nth, done)
  return {
    attempt(route, head, nth, done) {
      const parent = carrierIn(head.headers)
      const isTraced = parent !== null && isSampled(parent)
      const span = isTraced ? tracing.follow(describeAttempt(describedOf(route), head.id, nth), parent) : null
      if (span === null) return tracing.quietly(send, route, head, nth, done)
      const { headers } = head
      head.headers = withCarrier(headers, span.carrier)
      const ended: Done = (report, decide, restMs) => {
        if (report === null) {
          // The next one follows from the put too.
          head.headers = headers
          span.end('withdrawn')
        } else {
          const error = report.outcome === 'delivered' ? null : (report.errorCode ?? report.outcome)
          span.end(error, report.status === null ? undefined : { 'http.response.status_code': report.status })
        }
        done(report, decide, restMs)
      }
      tracing.quietly(send, route, head, nth, ended)
    },
  }
}

function describe({ id, orgId, name, method, callbackUrl }: TracedRoute) {
  const url = callbackUrl !== null && URL.canParse(callbackUrl) ? new URL(callbackUrl) : null
  const attributes = {
    ...messaging('deliver', 'process', name),
    'posthorn.queue.id': id,
    'posthorn.org.id': orgId,
    // Never the path or the query: they may hold secrets.
    ...(url !== null && { 'http.request.method': method, 'server.address': url.hostname }),
  }
  return { name: `deliver ${name}`, attributes }
}

function describeAttempt({ name, attributes }: ReturnType<typeof describe>, id: number, nth: number) {
  return describeSpan('attempt', name, { ...attributes, 'posthorn.message.id': id, 'posthorn.attempt': nth })
}

import { carrierIn, describedOnce, isSampled, messaging, type Tracing, withCarrier } from '../tracing.ts'
import type { Delivery, Route } from './port.ts'

/** What a span says of its queue. */
export interface TracedRoute extends Route {
  readonly name: string
  readonly method: string
}

/**
 * Attempts with a span each, which follows from the put that stored the message. The receiver gets that span as its parent,
 * in the headers of the message, and whatever else watches this process's requests is told to leave them alone. A trace that
 * its caller does not sample goes on to the receiver as it is, and costs next to nothing.
 */
export function traceDelivery<R extends TracedRoute>(delivery: Delivery<R>, tracing: Tracing): Delivery<R> {
  const describedOf = describedOnce<R, ReturnType<typeof describe>>(describe)
  return {
    attempt(route, head, nth, done) {
      const parent = carrierIn(head.headers)
      if (parent !== null && !isSampled(parent)) {
        tracing.quietly(() => delivery.attempt(route, head, nth, done))
        return
      }
      const { name, attributes } = describedOf(route)
      const own = { ...attributes, 'posthorn.message.id': head.id, 'posthorn.attempt': nth }
      const span = tracing.start({ name, kind: 'attempt', attributes: own, parent })
      head.headers = withCarrier(head.headers, span.carrier)
      tracing.quietly(() =>
        delivery.attempt(route, head, nth, (report, decide, restMs) => {
          if (report === null) span.end('withdrawn')
          else {
            const error = report.outcome === 'delivered' ? null : (report.errorCode ?? report.outcome)
            span.end(error, report.status === null ? undefined : { 'http.response.status_code': report.status })
          }
          done(report, decide, restMs)
        }),
      )
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

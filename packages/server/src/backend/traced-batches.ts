import type { Outcome, Service } from '../services/port.ts'
import { type Carrier, carrierIn, describeSpan, isSampled, messaging, type Tracing } from '../tracing.ts'
import type { Assignment } from './assignments.ts'
import type { Task } from './worker.ts'

type DeliverBatch = (service: Service, assignment: Assignment, tasks: readonly Task[]) => Promise<readonly Outcome[]>

/**
 * Batches with a span each, where more than one message goes together: under the attempt of the first of them that somebody
 * records, with links to the others, so that it shows in a trace that there is.
 */
export function traceBatches(deliver: DeliverBatch, tracing: Tracing): DeliverBatch {
  return async (service, assignment, tasks) => {
    const [parent, ...links] = tasks.length > 1 ? carriersOf(tasks) : []
    if (!parent) return deliver(service, assignment, tasks)
    const { name, id, orgId } = tasks[0]!.route
    const attributes = {
      ...messaging('send', 'send', name),
      'messaging.batch.message_count': tasks.length,
      'posthorn.service': service.type.name,
      'posthorn.queue.id': id,
      'posthorn.org.id': orgId,
    }
    const span = tracing.follow(describeSpan('attempt', `send ${name}`, attributes, links), parent)
    try {
      const outcomes = await deliver(service, assignment, tasks)
      span?.end(null)
      return outcomes
    } catch (error) {
      span?.end('error')
      throw error
    }
  }
}

function carriersOf(tasks: readonly Task[]): Carrier[] {
  return tasks.flatMap(({ head }) => carrierIn(head.headers) ?? []).filter(isSampled)
}

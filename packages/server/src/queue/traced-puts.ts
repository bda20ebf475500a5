import { Problem } from '@posthorn/contract'
import type { Tracing } from '../tracing.ts'
import type { QueueBook } from './book.ts'
import type { Messages } from './messages.ts'

/**
 * Puts with a span each, one for a call that brings many. What is stored carries the span, so that attempts follow from it;
 * it follows itself from the caller's.
 */
export function tracePuts(messages: Messages, tracing: Tracing, book: Pick<QueueBook, 'find'>): Messages {
  const traced = async <C extends Parameters<Messages['put']>[0], T>(
    caller: C,
    queueId: number | null,
    count: number,
    put: (caller: C) => Promise<T>,
  ): Promise<T> => {
    const queue = queueId === null ? null : ((await book.find([queueId])).get(queueId)?.name ?? `${queueId}`)
    const attributes = {
      'messaging.system': 'posthorn',
      'messaging.operation.name': 'put',
      'messaging.operation.type': 'send',
      ...(queue !== null && { 'messaging.destination.name': queue }),
      ...(count > 1 && { 'messaging.batch.message_count': count }),
    }
    const parent = caller.trace ?? null
    const span = tracing.start({ name: queue === null ? 'put' : `put ${queue}`, kind: 'put', attributes, parent })
    try {
      const result = await put({ ...caller, trace: span.carrier })
      span.end(null)
      return result
    } catch (error) {
      span.end(error instanceof Problem ? error.code : 'error')
      throw error
    }
  }
  return {
    ...messages,
    put: (caller, input) => traced(caller, input.queueId, 1, own => messages.put(own, input)),
    putMany(caller, input) {
      const ids = new Set(input.messages.map(({ queueId }) => queueId))
      const [only = null] = ids.size === 1 ? ids : []
      return traced(caller, only, input.messages.length, own => messages.putMany(own, input))
    },
  }
}

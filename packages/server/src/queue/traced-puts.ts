import { Problem } from '@posthorn/contract'
import { describedOnce, messaging, type Tracing } from '../tracing.ts'
import type { QueueBook, QueueConfig } from './book.ts'
import type { Messages } from './messages.ts'

interface Described {
  readonly name: string
  readonly attributes: Readonly<Record<string, string>>
}

/** For several queues. */
const MIXED: Described = { name: 'put', attributes: messaging('put', 'send', null) }

const describe = (queue: string): Described => ({ name: `put ${queue}`, attributes: messaging('put', 'send', queue) })

/**
 * Puts with a span each, one for a call that brings many. What is stored carries the span, so that attempts follow from it;
 * it follows itself from the caller's.
 */
export function tracePuts(messages: Messages, tracing: Tracing, book: Pick<QueueBook, 'get' | 'find'>): Messages {
  const describeQueue = describedOnce(({ name }: QueueConfig) => describe(name))
  const describedOf = async (queueId: number): Promise<Described> => {
    const queue = book.get(queueId) ?? (await book.find([queueId])).get(queueId)
    return queue ? describeQueue(queue) : describe(`${queueId}`)
  }
  const traced = async <C extends Parameters<Messages['put']>[0], T>(
    caller: C,
    queueId: number | null,
    count: number,
    put: (caller: C) => Promise<T>,
  ): Promise<T> => {
    const { name, attributes: own } = queueId === null ? MIXED : await describedOf(queueId)
    const attributes = count > 1 ? { ...own, 'messaging.batch.message_count': count } : own
    const span = tracing.start({ name, kind: 'put', attributes, parent: caller.trace ?? null })
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

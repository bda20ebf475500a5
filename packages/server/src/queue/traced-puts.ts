/**
 * Puts with a span each, one for a call that brings many. What is stored carries the span, so that attempts follow from it;
 * it follows itself from the caller's.
 *
 * A message without a trace is one that nobody records: no attempt begins a trace for it. So every way in is one of these.
 */
import { Problem } from '@posthorn/contract'
import type { Executor } from '../db/port.ts'
import type { NewMessage } from '../engine/port.ts'
import type { Caller } from '../tenant/caller.ts'
import {
  carrierIn,
  type Described,
  describedOnce,
  describeSpan,
  messaging,
  type OpenSpan,
  type Tracing,
} from '../tracing.ts'
import type { QueueBook, QueueConfig } from './book.ts'
import type { PutWithin } from './cron-chain.ts'
import type { Crons } from './crons.ts'
import { withTrace } from './message-input.ts'
import type { Messages } from './messages.ts'

/** For several queues. */
const MIXED = describeSpan('put', 'put', messaging('put', 'send', null))

const describe = (queue: string): Described => describeSpan('put', `put ${queue}`, messaging('put', 'send', queue))
const describeQueue = describedOnce(({ name }: QueueConfig) => describe(name))
const describeMany = ({ name, attributes }: Described, count: number): Described =>
  describeSpan('put', name, { ...attributes, 'messaging.batch.message_count': count })

export function tracePuts(messages: Messages, tracing: Tracing, book: Pick<QueueBook, 'get' | 'find'>): Messages {
  const find = async (queueId: number): Promise<Described> => {
    const queue = (await book.find([queueId])).get(queueId)
    return queue ? describeQueue(queue) : describe(`${queueId}`)
  }
  const putOne = (described: Described, caller: Caller, input: Parameters<Messages['put']>[1]) =>
    called(tracing, described, caller, own => messages.put(own, input))
  return {
    ...messages,
    put(caller, input) {
      const queue = book.get(input.queueId)
      if (queue) return putOne(describeQueue(queue), caller, input)
      return find(input.queueId).then(described => putOne(described, caller, input))
    },
    async putMany(caller, input) {
      const [queueId, ...others] = new Set(input.messages.map(message => message.queueId))
      const described = queueId === undefined || others.length > 0 ? MIXED : await find(queueId)
      const ofMany = describeMany(described, input.messages.length)
      return called(tracing, ofMany, caller, own => messages.putMany(own, input))
    },
  }
}

/** A cron that is told to run now belongs to whoever tells it. */
export function traceRuns(crons: Crons, tracing: Tracing): Crons {
  return { ...crons, run: (caller, input) => called(tracing, MIXED, caller, own => crons.run(own, input)) }
}

const NAMES = { name: 'queue_names', text: 'SELECT id, name FROM posthorn.queue WHERE id = ANY ($1::int[])' }

/** Ticks belong to nobody's call, and have nothing to do with each other: each begins a trace when its message is stored. */
export function traceTicks(putWithin: PutWithin, tracing: Tracing, book: Pick<QueueBook, 'get'>): PutWithin {
  return async (tx, messages) => {
    const nameOf = await namesOf(tx, messages, book)
    const spans = messages.map(({ queueId, headers }) =>
      carrierIn(headers) === null ? tracing.begin(describe(nameOf(queueId))) : null,
    )
    const end: OpenSpan['end'] = error => {
      for (const span of spans) span?.end(error)
    }
    const traced = messages.map((message, i) => withTrace(message, spans[i]?.carrier))
    return ended({ end }, putWithin(tx, traced))
  }
}

/** What is not in memory is asked for in the transaction: the embedded database has no other while it lasts. */
async function namesOf(tx: Executor, messages: readonly NewMessage[], book: Pick<QueueBook, 'get'>) {
  const ids = [...new Set(messages.map(({ queueId }) => queueId))]
  const missing = ids.filter(id => !book.get(id))
  const rows = missing.length > 0 ? await tx.query<{ id: number; name: string }>(NAMES, [missing]) : []
  const names = new Map(rows.map(({ id, name }) => [id, name]))
  return (id: number): string => book.get(id)?.name ?? names.get(id) ?? `${id}`
}

/** What a caller does, under a span of its own if somebody records it. */
function called<T>(
  tracing: Tracing,
  described: Described,
  caller: Caller,
  act: (caller: Caller) => Promise<T>,
): Promise<T> {
  const span = tracing.call(described, caller.trace)
  return span === null ? act(caller) : ended(span, act({ ...caller, trace: span.carrier }))
}

async function ended<T>({ end }: Pick<OpenSpan, 'end'>, act: Promise<T>): Promise<T> {
  try {
    const result = await act
    end(null)
    return result
  } catch (error) {
    end(error instanceof Problem ? error.code : 'error')
    throw error
  }
}

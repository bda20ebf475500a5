/**
 * What an installation tells its operator, declared once: the events, what each of them says, and their reference page.
 * They have the shape of Standard Webhooks: `{"type":"queue.paused","timestamp":"…","data":{…}}`.
 */
import { type Static, type TObject, type TProperties, Type } from '@sinclair/typebox'
import { MessageId, Nullable, RecordId, Timestamp } from './schema.ts'

interface EventKind<P extends TProperties = TProperties> {
  readonly summary: string
  readonly data: TObject<P>
}

const event = <P extends TProperties>(summary: string, data: P): EventKind<P> => ({ summary, data: Type.Object(data) })

const text = (description: string) => Type.String({ description })
const time = (description: string) => ({ ...Timestamp, description }) as typeof Timestamp
const count = (description: string) => Type.Integer({ minimum: 0, description })

/** The queue that an event is about. */
const ofQueue = {
  orgId: { ...RecordId, description: 'The org that the queue belongs to.' } as typeof RecordId,
  queueId: RecordId,
  queueName: Nullable(text('As it was at that time; null if it was not at hand.')),
}
const limitMs = count('The bound that held for this queue: its own, or `backlogAgeLimit`.')

export const operationalEvents = {
  'queue.paused': event('A receiver answered 410 Gone, and its queue (`onGone: pause`) was paused for it.', {
    ...ofQueue,
    reason: text('Why, in one sentence.'),
  }),
  'breaker.opened': event('Too many attempts in a row failed: of this queue only probes go out for now.', {
    ...ofQueue,
    reason: text('Why, in one sentence.'),
  }),
  'breaker.closed': event('A queue whose breaker was open is served as before.', {
    ...ofQueue,
    since: time('When it had been told to be open.'),
    reason: text('Why, in one sentence.'),
  }),
  'message.dead': event('A message used up its retries, or can never be delivered. It is kept and can be redriven.', {
    ...ofQueue,
    messageId: MessageId,
    webhookId: text('What its receiver knows it by.'),
    attempts: count('How often it was tried.'),
    reason: text('What became of the last attempt.'),
    deadLetterQueueId: Nullable({ ...RecordId, description: 'Where a copy of it went, if that queue still was.' }),
  }),
  'backlog.old': event('The oldest message that a queue could send has waited for longer than its bound.', {
    ...ofQueue,
    ageMs: count('How long it had waited.'),
    limitMs,
    pausedAt: Nullable(time('Since when the queue is paused, if it is.')),
  }),
  'backlog.recovered': event('A backlog that was too old is gone, or younger than half of its bound.', {
    ...ofQueue,
    since: time('When it had been told to be too old.'),
    limitMs,
  }),
  'workers.gone': event('No worker node runs: nothing is delivered until one does.', {
    goneMs: count('For how long none had been seen.'),
  }),
  'workers.available': event('There are worker nodes again.', {
    since: time('When it had been told that there was none.'),
    workers: Type.Integer({ minimum: 1, description: 'How many there are.' }),
  }),
} satisfies Record<string, EventKind>

export type OperationalEventType = keyof typeof operationalEvents
export type OperationalEventData<T extends OperationalEventType> = Static<(typeof operationalEvents)[T]['data']>

/** An event as it is delivered. */
export type OperationalEvent = {
  [T in OperationalEventType]: { readonly type: T; readonly timestamp: string; readonly data: OperationalEventData<T> }
}[OperationalEventType]

export const operationalEventTypes = Object.keys(operationalEvents) as [OperationalEventType, ...OperationalEventType[]]

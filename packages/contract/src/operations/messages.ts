import { type Static, Type } from '@sinclair/typebox'
import type { ErrorCode } from '../errors.ts'
import { act, eachFound, following, list, MAX_BATCH, row, typed } from '../operation.ts'
import { attempt } from '../resources/attempt.ts'
import { cron } from '../resources/cron.ts'
import { type MessageCreate, type MessageUpdate, message } from '../resources/message.ts'
import { queue } from '../resources/queue.ts'
import { MessageId, OneOf, Text } from '../schema.ts'

const id = { id: MessageId }

const IdempotencyKey = Text({
  minLength: 1,
  maxLength: 255,
  description: 'A repeated put with the same key answers with the first message and stores nothing.',
})
const PutInput = Type.Object(
  { ...message.create.properties, idempotencyKey: Type.Optional(IdempotencyKey) },
  { additionalProperties: false },
)
export type MessagePut = MessageCreate & { idempotencyKey?: string }

const BatchError = Type.Object({
  code: Type.Unsafe<ErrorCode>({ type: 'string' }),
  status: Type.Integer(),
  message: Type.String(),
  details: Type.Record(Type.String(), Type.Unsafe<string | number>({ type: ['string', 'number'] })),
})
const PutResult = Type.Object({
  result: OneOf(['stored', 'repeated', 'error']),
  id: Type.Unsafe<number | null>({ type: ['integer', 'null'], description: 'The message: the first one if repeated.' }),
  error: Type.Optional(BatchError),
})
/** What became of one message of many. */
export type PutManyResult = Static<typeof PutResult>

const putErrors = [
  'queue_not_found',
  'queue_is_ordered',
  'function_detached',
  'idempotency_conflict',
  'message_not_found',
] as const

export const messageOperations = {
  'messages.list': list(message, {
    verb: 'GET',
    path: '/messages/',
    scope: 'message:find',
    summary: 'Lists messages.',
  }),
  'messages.put': row(message, {
    verb: 'POST',
    path: '/messages/',
    scope: 'message:save',
    summary: 'Puts a message on a queue; answered once it is durable.',
    errors: putErrors,
    input: PutInput,
    _input: typed<MessagePut>(),
    headers: { idempotencyKey: 'idempotency-key' },
  }),
  'messages.putMany': act({
    verb: 'POST',
    path: '/messages/bulk',
    scope: 'message:save',
    summary: 'Puts up to 1000 messages. One that is refused does not stop the others, unless they go together.',
    input: Type.Object({
      messages: Type.Array(PutInput, { minItems: 1, maxItems: MAX_BATCH }),
      together: Type.Optional(
        Type.Boolean({ description: 'All of them or none, in one commit. Takes no idempotency keys.' }),
      ),
    }),
    _input: typed<{ messages: MessagePut[]; together?: boolean }>(),
    output: Type.Object({ results: Type.Array(PutResult, { description: 'In the order of the messages.' }) }),
    batch: { items: 'messages', operation: 'messages.put', together: 'asked' },
  }),
  'messages.get': row(message, {
    verb: 'GET',
    path: '/messages/{id}',
    scope: 'message:find',
    summary: 'Gives a message.',
    errors: ['message_not_found'],
    params: id,
  }),
  'messages.update': row(message, {
    verb: 'PUT',
    path: '/messages/{id}',
    scope: 'message:save',
    summary: 'Changes a pending message; fields left out keep their value.',
    errors: [
      'message_not_found',
      'message_not_live',
      'message_body_gone',
      'message_expunged',
      'queue_not_found',
      'queue_is_ordered',
    ],
    params: id,
    input: message.update,
    _input: typed<MessageUpdate>(),
  }),
  'messages.updateMany': eachFound(message, {
    verb: 'PUT',
    path: '/messages/',
    scope: 'message:save',
    summary: 'Changes all messages that `where` finds, at most 1000, in one commit: all of them or none.',
    errors: ['message_not_live', 'message_busy', 'message_body_gone', 'queue_not_found', 'queue_is_ordered'],
    each: 'messages.update',
    input: message.update,
    _input: typed<MessageUpdate>(),
  }),
  'messages.delete': row(message, {
    verb: 'DELETE',
    path: '/messages/{id}',
    scope: 'message:delete',
    summary: 'Deletes a message and what is known of it. To stop it and keep the record, cancel it.',
    errors: ['message_not_found'],
    params: id,
  }),
  'messages.redrive': row(message, {
    verb: 'POST',
    path: '/messages/{id}/redrive',
    scope: 'message:save',
    summary: 'Sends a dead message again, with all its retries.',
    errors: ['message_not_found', 'message_not_dead', 'message_body_gone', 'message_expunged', 'queue_not_found'],
    params: id,
  }),
  'messages.cancel': row(message, {
    verb: 'POST',
    path: '/messages/{id}/cancel',
    scope: 'message:save',
    summary: 'Stops a pending message; it stays on record.',
    errors: ['message_not_found', 'message_not_live'],
    params: id,
    input: Type.Object({ reason: Type.Optional(Text({ maxLength: 1000 })) }),
    _input: typed<{ reason?: string }>(),
  }),
  'messages.expunge': row(message, {
    verb: 'POST',
    path: '/messages/{id}/expunge',
    scope: 'message:delete',
    line: 'originId',
    summary: 'Removes the content of a message and of its dead letters for good; what became of them stays on record.',
    errors: ['message_not_found'],
    params: id,
  }),
  'messages.resend': row(message, {
    verb: 'POST',
    path: '/messages/{id}/resend',
    scope: 'message:save',
    summary: 'Sends a settled message once more, under the same webhook-id.',
    errors: ['message_not_found', 'message_not_settled', 'message_body_gone', 'message_expunged', 'queue_not_found'],
    params: id,
  }),
  'messages.getQueue': following(
    message,
    'queue',
    row(queue, {
      verb: 'GET',
      path: '/messages/{id}/queue',
      scope: 'queue:find',
      summary: 'Gives the queue of a message.',
      errors: ['message_not_found', 'queue_not_found'],
      params: id,
    }),
  ),
  'messages.getCron': following(
    message,
    'cron',
    row(cron, {
      verb: 'GET',
      path: '/messages/{id}/cron',
      scope: 'cron:find',
      summary: 'Gives the cron that a message is a tick of.',
      errors: ['message_not_found', 'relation_empty', 'cron_not_found'],
      params: id,
    }),
  ),
  'messages.listAttempts': list(attempt, {
    verb: 'GET',
    path: '/messages/{id}/attempts',
    scope: 'message:find',
    summary: 'Lists the attempts of a message.',
    errors: ['message_not_found'],
    params: id,
  }),
}

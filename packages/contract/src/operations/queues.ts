import { Type } from '@sinclair/typebox'
import { act, alike, createMany, eachFound, following, list, row, typed } from '../operation.ts'
import { attempt } from '../resources/attempt.ts'
import { cron } from '../resources/cron.ts'
import { message } from '../resources/message.ts'
import { type QueueCreate, type QueueUpdate, queue } from '../resources/queue.ts'
import { RecordId, Text } from '../schema.ts'
import { messageOperations } from './messages.ts'

const id = { id: RecordId }
const reason = Type.Optional(Text({ maxLength: 1000, description: 'Kept with it, for whoever looks.' }))
const limit = Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000, default: 1000 }))
const more = Type.Boolean({ description: 'More are left: call again.' })

export const queueOperations = {
  'queues.list': list(queue, { verb: 'GET', path: '/queues/', scope: 'queue:find', summary: 'Lists queues.' }),
  'queues.create': row(queue, {
    verb: 'POST',
    path: '/queues/',
    scope: 'queue:save',
    summary: 'Creates a queue.',
    errors: ['dead_letter_queue_unknown'],
    input: queue.create,
    _input: typed<QueueCreate>(),
  }),
  'queues.get': row(queue, {
    verb: 'GET',
    path: '/queues/{id}',
    scope: 'queue:find',
    summary: 'Gives a queue.',
    errors: ['queue_not_found'],
    params: id,
  }),
  'queues.update': row(queue, {
    verb: 'PUT',
    path: '/queues/{id}',
    scope: 'queue:save',
    summary: 'Changes a queue; fields left out keep their value.',
    errors: ['queue_not_found', 'dead_letter_queue_unknown', 'dead_letter_circle', 'queue_of_function'],
    params: id,
    input: queue.update,
    _input: typed<QueueUpdate>(),
  }),
  'queues.createMany': createMany({
    path: '/queues/bulk',
    scope: 'queue:save',
    summary: 'Creates up to 1000 queues in one commit: all of them or none.',
    items: 'queues',
    operation: 'queues.create',
    errors: ['dead_letter_queue_unknown'],
    input: queue.create,
    _input: typed<{ queues: QueueCreate[] }>(),
  }),
  'queues.updateMany': eachFound(queue, {
    verb: 'PUT',
    path: '/queues/',
    scope: 'queue:save',
    summary: 'Changes all queues that `where` finds, at most 1000, in one commit: all of them or none.',
    errors: ['dead_letter_queue_unknown', 'dead_letter_circle', 'queue_of_function'],
    each: 'queues.update',
    input: queue.update,
    _input: typed<QueueUpdate>(),
  }),
  'queues.delete': row(queue, {
    verb: 'DELETE',
    path: '/queues/{id}',
    scope: 'queue:delete',
    summary: 'Deletes a queue and its crons; its pending messages are cancelled, its history stays.',
    errors: ['queue_not_found', 'queue_of_function'],
    params: id,
  }),
  'queues.previewDelete': act({
    verb: 'GET',
    path: '/queues/{id}/deletion',
    scope: 'queue:find',
    alsoScopes: ['message:find', 'cron:find'],
    summary: 'Says what deleting a queue would do, and does nothing.',
    errors: ['queue_not_found', 'list_too_slow'],
    params: id,
    output: Type.Object({
      cancelled: Type.Integer({ description: 'Pending messages that would be cancelled.' }),
      crons: Type.Integer({ description: 'Crons that would be deleted.' }),
      orphaned: Type.Integer({ description: 'Queues that would lose their dead letter queue.' }),
    }),
  }),
  'queues.pause': row(queue, {
    verb: 'POST',
    path: '/queues/{id}/pause',
    scope: 'queue:save',
    summary: 'Stops delivering; what is queued stays.',
    errors: ['queue_not_found'],
    params: id,
    input: Type.Object({ reason }),
    _input: typed<{ reason?: string }>(),
  }),
  'queues.resume': row(queue, {
    verb: 'POST',
    path: '/queues/{id}/resume',
    scope: 'queue:save',
    summary: 'Delivers again.',
    errors: ['queue_not_found'],
    params: id,
  }),
  'queues.purge': act({
    verb: 'POST',
    path: '/queues/{id}/purge',
    scope: 'queue:delete',
    summary: 'Cancels pending messages of a queue, the oldest first; each is recorded as cancelled.',
    errors: ['queue_not_found'],
    params: id,
    input: Type.Object({ reason, limit }),
    _input: typed<{ reason?: string; limit?: number }>(),
    output: Type.Object({ cancelled: Type.Integer(), more }),
  }),
  'queues.redrive': act({
    verb: 'POST',
    path: '/queues/{id}/redrive',
    scope: 'message:save',
    summary: 'Sends the dead messages of a queue again, the oldest first.',
    errors: ['queue_not_found'],
    params: id,
    input: Type.Object({ limit }),
    _input: typed<{ limit?: number }>(),
    output: Type.Object({ redriven: Type.Integer(), more }),
  }),
  'queues.listMessages': following(
    queue,
    'messages',
    list(message, {
      verb: 'GET',
      path: '/queues/{id}/messages',
      scope: 'message:find',
      summary: 'Lists the messages of a queue.',
      errors: ['queue_not_found'],
      params: id,
    }),
  ),
  'queues.putMessage': alike('messages.put', messageOperations['messages.put'], {
    path: '/queues/{id}/messages',
    pathNames: { id: 'queueId' },
    summary: 'Puts a message on a queue: as JSON, or with any other content type the very bytes of the request.',
    raw: true,
  }),
  'queues.listCrons': following(
    queue,
    'crons',
    list(cron, {
      verb: 'GET',
      path: '/queues/{id}/crons',
      scope: 'cron:find',
      summary: 'Lists the crons of a queue.',
      errors: ['queue_not_found'],
      params: id,
    }),
  ),
  'queues.listQueues': following(
    queue,
    'queues',
    list(queue, {
      verb: 'GET',
      path: '/queues/{id}/queues',
      scope: 'queue:find',
      summary: 'Lists the queues that have this one as their dead letter queue.',
      errors: ['queue_not_found'],
      params: id,
    }),
  ),
  'queues.getDeadLetterQueue': following(
    queue,
    'deadLetterQueue',
    row(queue, {
      verb: 'GET',
      path: '/queues/{id}/dead_letter_queue',
      scope: 'queue:find',
      summary: 'Gives the dead letter queue of a queue.',
      errors: ['queue_not_found', 'relation_empty'],
      params: id,
    }),
  ),
  'queues.listAttempts': list(attempt, {
    verb: 'GET',
    path: '/queues/{id}/attempts',
    scope: 'message:find',
    summary: 'Lists the attempts of a queue, all its messages together.',
    errors: ['queue_not_found'],
    params: id,
  }),
}

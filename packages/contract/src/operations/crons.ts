import { Type } from '@sinclair/typebox'
import { act, createMany, eachFound, following, list, row, typed } from '../operation.ts'
import { type CronCreate, type CronUpdate, cron } from '../resources/cron.ts'
import { message } from '../resources/message.ts'
import { queue } from '../resources/queue.ts'
import { RecordId } from '../schema.ts'

const id = { id: RecordId }

export const cronOperations = {
  'crons.list': list(cron, { verb: 'GET', path: '/crons/', scope: 'cron:find', summary: 'Lists crons.' }),
  'crons.create': row(cron, {
    verb: 'POST',
    path: '/crons/',
    scope: 'cron:save',
    summary: 'Creates a cron; the message of its first tick is stored with it.',
    errors: ['queue_not_found', 'queue_is_ordered', 'function_detached'],
    input: cron.create,
    _input: typed<CronCreate>(),
  }),
  'crons.get': row(cron, {
    verb: 'GET',
    path: '/crons/{id}',
    scope: 'cron:find',
    summary: 'Gives a cron.',
    errors: ['cron_not_found'],
    params: id,
  }),
  'crons.update': row(cron, {
    verb: 'PUT',
    path: '/crons/{id}',
    scope: 'cron:save',
    summary: 'Changes a cron; fields left out keep their value. The pending message of its next tick is replaced.',
    errors: ['cron_not_found', 'queue_not_found', 'queue_is_ordered', 'function_detached'],
    params: id,
    input: cron.update,
    _input: typed<CronUpdate>(),
  }),
  'crons.createMany': createMany({
    path: '/crons/bulk',
    scope: 'cron:save',
    summary: 'Creates up to 1000 crons with their first ticks in one commit: all of them or none.',
    items: 'crons',
    operation: 'crons.create',
    errors: ['queue_not_found', 'queue_is_ordered', 'function_detached'],
    input: cron.create,
    _input: typed<{ crons: CronCreate[] }>(),
  }),
  'crons.updateMany': eachFound(cron, {
    verb: 'PUT',
    path: '/crons/',
    scope: 'cron:save',
    summary: 'Changes all crons that `where` finds, at most 1000, in one commit: all of them or none.',
    errors: ['queue_not_found', 'queue_is_ordered', 'function_detached'],
    each: 'crons.update',
    input: cron.update,
    _input: typed<CronUpdate>(),
  }),
  'crons.delete': row(cron, {
    verb: 'DELETE',
    path: '/crons/{id}',
    scope: 'cron:delete',
    summary: 'Deletes a cron with the pending message of its next tick; the messages of earlier ticks stay.',
    errors: ['cron_not_found'],
    params: id,
  }),
  'crons.previewDelete': act({
    verb: 'GET',
    path: '/crons/{id}/deletion',
    scope: 'cron:find',
    alsoScopes: ['message:find'],
    summary: 'Says what deleting a cron would do, and does nothing.',
    errors: ['cron_not_found', 'list_too_slow'],
    params: id,
    output: Type.Object({
      removed: Type.Integer({ description: 'Messages that would go: that of the next tick, if it is pending.' }),
      pending: Type.Integer({ description: 'Messages of earlier ticks that would still be delivered.' }),
      kept: Type.Integer({ description: 'Settled messages that would stay as history.' }),
    }),
  }),
  'crons.run': row(message, {
    verb: 'POST',
    path: '/crons/{id}/run',
    scope: 'cron:save',
    summary: 'Puts one message on the queue now, besides those of the ticks.',
    errors: ['cron_not_found', 'queue_not_found', 'function_detached'],
    params: id,
  }),
  'crons.pause': row(cron, {
    verb: 'POST',
    path: '/crons/{id}/pause',
    scope: 'cron:save',
    summary: 'Stops ticking; the pending message of the next tick is removed.',
    errors: ['cron_not_found'],
    params: id,
  }),
  'crons.resume': row(cron, {
    verb: 'POST',
    path: '/crons/{id}/resume',
    scope: 'cron:save',
    summary: 'Ticks again, from now on.',
    errors: ['cron_not_found', 'queue_not_found', 'function_detached'],
    params: id,
  }),
  'crons.getQueue': following(
    cron,
    'queue',
    row(queue, {
      verb: 'GET',
      path: '/crons/{id}/queue',
      scope: 'queue:find',
      summary: 'Gives the queue of a cron.',
      errors: ['cron_not_found', 'queue_not_found'],
      params: id,
    }),
  ),
  'crons.listMessages': following(
    cron,
    'messages',
    list(message, {
      verb: 'GET',
      path: '/crons/{id}/messages',
      scope: 'message:find',
      summary: 'Lists the messages of a cron.',
      errors: ['cron_not_found'],
      params: id,
    }),
  ),
}

import { Type } from '@sinclair/typebox'
import { misfireRules } from '../delivery.ts'
import { type CreateOf, optional, type RowOf, readOnly, required, resource, type UpdateOf } from '../resource.ts'
import { Headers, Nullable, OneOf, RecordId, Text, Timestamp } from '../schema.ts'

export const cron = resource({
  name: 'cron',
  plural: 'crons',
  summary: 'A schedule that puts a message on a queue at every tick.',
  primaryKey: ['id'],
  relations: {
    queue: { kind: 'one', to: 'queue', by: 'queueId' },
    messages: { kind: 'many', to: 'message', by: 'cronId' },
  },
  fields: {
    id: readOnly(RecordId),
    queueId: required(RecordId),
    schedule: required(
      Text({
        minLength: 1,
        maxLength: 255,
        description: 'Five fields, or six with the seconds first, or a name such as @hourly.',
      }),
    ),
    createdAt: readOnly(Timestamp),
    updatedAt: readOnly(Timestamp),
    body: optional(Nullable(Text({ description: 'The body of each of its messages.' })), {
      sort: false,
      default: null,
    }),
    headers: optional(Nullable(Headers), { filter: false, sort: false, default: null }),
    timeZone: optional(
      Text({ minLength: 1, maxLength: 64, description: 'What the schedule is read in: a name such as Europe/Berlin.' }),
      { default: 'UTC' },
    ),
    misfire: optional(
      OneOf(misfireRules, {
        description: 'What becomes of the ticks that were missed while nothing ran: none, one message, or all of them.',
      }),
      { default: 'one' },
    ),
    priority: optional(
      Type.Integer({ minimum: 0, maximum: 9, description: 'Of its messages. Ordered queues take 0 only.' }),
      { default: 0 },
    ),
    pausedAt: readOnly(Nullable(Timestamp)),
    nextAt: readOnly(Nullable(Type.String({ format: 'date-time', description: 'The next tick; null while paused.' }))),
    next: readOnly(Type.Array(Timestamp, { description: 'The next five ticks.' }), { filter: false, sort: false }),
  },
})

export type Cron = RowOf<typeof cron.fields>
export type CronCreate = CreateOf<typeof cron.fields>
export type CronUpdate = UpdateOf<typeof cron.fields>

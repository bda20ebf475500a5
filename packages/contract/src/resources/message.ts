import { Type } from '@sinclair/typebox'
import { messageStatuses } from '../delivery.ts'
import { type CreateOf, optional, type RowOf, readOnly, required, resource, type UpdateOf } from '../resource.ts'
import { Headers, MessageId, Nullable, OneOf, RecordId, Text, Timestamp } from '../schema.ts'

const Base64 = Type.String({
  pattern: '^[A-Za-z0-9+/_-]*={0,2}$',
  description: 'The body where it is not text: instead of `body`, never with it.',
})

export const message = resource({
  name: 'message',
  plural: 'messages',
  summary: 'One payload on one queue, due at a time.',
  primaryKey: ['id'],
  relations: {
    queue: { kind: 'one', to: 'queue', by: 'queueId' },
    cron: { kind: 'one', to: 'cron', by: 'cronId' },
  },
  fields: {
    id: readOnly(MessageId),
    queueId: required(RecordId, { fixed: true }),
    when: optional(Timestamp, {
      input: Nullable(Type.String({ format: 'date-time', description: 'Not before; null is at once.' })),
    }),
    body: optional(Nullable(Type.String({ description: 'null also where the body is not text.' })), { sort: false }),
    failed: optional(Type.Boolean(), {
      input: Type.Unsafe<false>({ type: 'boolean', const: false, description: 'Accepted without effect.' }),
    }),
    headers: optional(Nullable(Headers), { filter: false, sort: false }),
    sentAt: optional(Nullable(Timestamp), {
      input: Type.Unsafe<null>({ type: 'null', description: 'In an update of a settled message: send it again.' }),
    }),
    retries: readOnly(Type.Integer()),
    cronId: readOnly(Nullable(RecordId)),
    createdAt: readOnly(Timestamp),
    updatedAt: readOnly(Timestamp),
    bodyBase64: optional(Nullable(Base64), { filter: false, sort: false }),
    status: readOnly(OneOf(messageStatuses)),
    reason: readOnly(Nullable(Type.String({ description: 'Why it is dead, cancelled or expired.' }))),
    attempts: readOnly(Type.Integer()),
    priority: optional(
      Type.Integer({ minimum: 0, maximum: 9, description: 'Higher goes first. Ordered queues take 0 only.' }),
      { default: 0 },
    ),
    key: optional(Nullable(Text({ minLength: 1, maxLength: 255, description: 'What order by key goes by.' })), {
      fixed: true,
      default: null,
    }),
    expiresAt: optional(Nullable(Timestamp), { default: null }),
    originId: readOnly(Nullable(MessageId)),
    expungedAt: readOnly(Nullable({ ...Timestamp, description: 'When its content was removed for good.' })),
    webhookId: readOnly(Type.String({ description: 'The same in every attempt, resend and redrive.' }), {
      filter: false,
      sort: false,
    }),
  },
})

export type Message = RowOf<typeof message.fields>
export type MessageCreate = CreateOf<typeof message.fields>
export type MessageUpdate = UpdateOf<typeof message.fields>

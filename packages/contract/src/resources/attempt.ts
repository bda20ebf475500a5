import { Type } from '@sinclair/typebox'
import { attemptOutcomes } from '../delivery.ts'
import { type RowOf, readOnly, resource } from '../resource.ts'
import { MessageId, Nullable, OneOf, RecordId, Timestamp } from '../schema.ts'

export const attempt = resource({
  name: 'attempt',
  plural: 'attempts',
  summary: 'One try at delivering a message.',
  primaryKey: ['messageId', 'n'],
  relations: { message: { kind: 'one', to: 'message', by: 'messageId' } },
  fields: {
    messageId: readOnly(MessageId),
    queueId: readOnly(RecordId),
    n: readOnly(Type.Integer({ description: '1 for the first.' })),
    startedAt: readOnly(Timestamp),
    durationMs: readOnly(Type.Integer()),
    status: readOnly(Nullable(Type.Integer({ description: 'The HTTP status; null where no answer came.' }))),
    outcome: readOnly(OneOf(attemptOutcomes)),
    errorCode: readOnly(Nullable(Type.String())),
    error: readOnly(Nullable(Type.String()), { sort: false }),
    excerpt: readOnly(Nullable(Type.String({ description: 'The beginning of the answer.' })), {
      filter: false,
      sort: false,
    }),
    queueVersion: readOnly(Type.Integer({ description: 'The version of the queue that it was made under.' })),
  },
})

export type Attempt = RowOf<typeof attempt.fields>

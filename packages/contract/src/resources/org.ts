import { Type } from '@sinclair/typebox'
import { OrgWeight, USUAL_WEIGHT } from '../queue-limits.ts'
import {
  type CreateOf,
  optional,
  type RowOf,
  readOnly,
  required,
  resource,
  type UpdateOf,
  withoutGrants,
} from '../resource.ts'
import { Nullable, RecordId, Text, Timestamp } from '../schema.ts'

/** What an org may be called: it stands in headers, on command lines and in names of queues. */
export const ORG_NAME = '^[A-Za-z0-9_-]{1,64}$'

/** Names the org that the operator acts for; without it, that is the instance org. */
export const ORG_HEADER = 'x-posthorn-org'

export const org = resource({
  name: 'org',
  plural: 'orgs',
  summary: 'A tenant: it has queues, messages, crons and keys of its own, and sees no other’s.',
  primaryKey: ['id'],
  grants: withoutGrants,
  fields: {
    id: readOnly(RecordId),
    name: required(
      Type.String({ pattern: ORG_NAME, description: 'Letters, digits, _ and -, at most 64; it cannot be changed.' }),
      { fixed: true },
    ),
    title: optional(Text({ maxLength: 255, description: 'For people; its name if not given.' })),
    config: optional(
      Type.Unsafe<Record<string, unknown>>({
        type: 'object',
        additionalProperties: true,
        description:
          'A JSON object of the org’s own, at most 64 KiB, and 100 deep. Not for secrets: it is given out as it is.',
      }),
      { filter: false, sort: false, default: {} },
    ),
    emailFrom: optional(
      Nullable(
        Type.String({
          maxLength: 320,
          pattern: '^[^\\s@<>]+@[^\\s@<>]+$',
          description: 'The address that its emails are sent from.',
        }),
      ),
      { default: null },
    ),
    weight: optional(OrgWeight, { default: USUAL_WEIGHT }),
    isInstance: readOnly(Type.Boolean({ description: 'Whether it runs the installation. It cannot be deleted.' }), {
      filter: false,
      sort: false,
    }),
    createdAt: readOnly(Timestamp),
    updatedAt: readOnly(Timestamp),
  },
})

export type Org = RowOf<typeof org.fields>
export type OrgCreate = CreateOf<typeof org.fields>
export type OrgUpdate = UpdateOf<typeof org.fields>

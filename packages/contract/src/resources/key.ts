import { Type } from '@sinclair/typebox'
import { type CreateOf, keyGrants, optional, type RowOf, readOnly, required, resource } from '../resource.ts'
import { Nullable, RecordId, Text, Timestamp } from '../schema.ts'

/** How every API key begins, so that one that was lost is recognised wherever it turns up. */
export const KEY_PREFIX = 'phk_'

export const key = resource({
  name: 'key',
  plural: 'keys',
  summary: 'An API key of an org: it reaches that org’s records, as far as its scopes go.',
  primaryKey: ['id'],
  grants: keyGrants,
  fields: {
    id: readOnly(RecordId),
    name: required(Text({ minLength: 1, maxLength: 255, description: 'What it is for.' }), { fixed: true }),
    scopes: required(
      Type.Array(Type.String({ maxLength: 64 }), {
        minItems: 1,
        maxItems: 64,
        description: 'What it may do: queue:find, message:save …, queue:* for all of one kind, * for everything.',
      }),
      { fixed: true, filter: false, sort: false },
    ),
    expiresAt: optional(Nullable(Timestamp), { fixed: true, default: null }),
    prefix: readOnly(Type.String({ description: 'How the key begins.' })),
    token: readOnly(
      Nullable(Type.String({ description: 'The key itself: only in the answer to its creation. It is kept nowhere.' })),
      { filter: false, sort: false },
    ),
    lastUsedAt: readOnly(Nullable(Timestamp)),
    createdAt: readOnly(Timestamp),
  },
})

export type Key = RowOf<typeof key.fields>
export type KeyCreate = CreateOf<typeof key.fields>

import { Type } from '@sinclair/typebox'
import { type CreateOf, optional, type RowOf, readOnly, required, resource, writeOnly } from '../resource.ts'
import { Nullable, OneOf, RecordId, Text, Timestamp } from '../schema.ts'
import { serviceFunctions, serviceNames } from '../services.ts'

const field = (description: string) => Nullable(Text({ maxLength: 4096, description }))

export const service = resource({
  name: 'service',
  plural: 'services',
  summary:
    "An org's credentials for one external API. What its fields mean for each service: docs/reference/services.md.",
  primaryKey: ['id'],
  fields: {
    id: readOnly(RecordId),
    orgName: readOnly(Text({ description: 'Whose it is.' })),
    name: required(OneOf(serviceNames, { description: 'Which service it is; never changes.' }), { fixed: true }),
    host: optional(field('Where it is: a URL, a region, a server.'), { sort: false }),
    user: optional(field('User, or id of the key.'), { sort: false }),
    password: writeOnly(field('Password, or secret of the key.'), { secret: true }),
    path: optional(field('What it has besides: a queue, a bucket, a route.'), { sort: false }),
    hasPassword: readOnly(Type.Boolean({ description: 'Whether a password is stored.' }), {
      filter: false,
      sort: false,
    }),
    attachedTo: readOnly(
      Type.Array(OneOf(serviceFunctions), { description: 'The functions of its org that it serves.' }),
      {
        filter: false,
        sort: false,
      },
    ),
    createdAt: readOnly(Timestamp),
    updatedAt: readOnly(Timestamp),
    version: readOnly(Type.Integer({ description: 'Counts the changes of this service.' })),
  },
})

export type Service = RowOf<typeof service.fields>
export type ServiceCreate = CreateOf<typeof service.fields>

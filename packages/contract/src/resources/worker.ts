import { Type } from '@sinclair/typebox'
import { type RowOf, readOnly, resource } from '../resource.ts'
import { Nullable, OneOf, RecordId, Text, Timestamp } from '../schema.ts'
import { serviceFunctions, serviceNames } from '../services.ts'

export const workerStates = ['running', 'stopped', 'detached'] as const
const unlisted = { filter: false, sort: false } as const

export const worker = resource({
  name: 'worker',
  plural: 'workers',
  summary:
    'What performs one function of one org: the delivery of that function’s queue to the service attached to it.',
  primaryKey: ['id'],
  fields: {
    id: readOnly(Type.Integer({ minimum: 1, maximum: 2 ** 31 - 1, description: 'The id of its queue.' })),
    orgName: readOnly(Text()),
    function: readOnly(OneOf(serviceFunctions)),
    queueName: readOnly(Text({ description: 'Where its messages wait: `org.<name>.<function>`.' }), unlisted),
    state: readOnly(
      OneOf(workerStates, {
        description: 'stopped: by its operator, new messages are taken; detached: it has no backend, and none are.',
      }),
      unlisted,
    ),
    service: readOnly(
      Nullable(OneOf(serviceNames, { description: 'What it delivers to; null if nothing.' })),
      unlisted,
    ),
    serviceId: readOnly(Nullable(RecordId), unlisted),
    system: readOnly(Type.Boolean({ description: 'Whether that is the backend of the instance org.' }), unlisted),
    node: readOnly(Nullable(Type.String({ description: 'The node that runs it; null if none does.' })), unlisted),
    since: readOnly(Nullable(Timestamp), unlisted),
    waiting: readOnly(
      Type.Integer({ description: 'Messages that wait or are under way; counted up to 10000.' }),
      unlisted,
    ),
    inFlight: readOnly(Type.Integer({ description: 'Messages under way, within a second or so.' }), unlisted),
    lastError: readOnly(Nullable(Type.String()), unlisted),
    lastErrorAt: readOnly(Nullable(Timestamp), unlisted),
  },
})

export type Worker = RowOf<typeof worker.fields>

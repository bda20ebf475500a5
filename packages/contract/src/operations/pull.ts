/** What consumers do with a pull queue: claim messages for a time, and say what became of them. */
import { type Static, Type } from '@sinclair/typebox'
import { act, typed } from '../operation.ts'
import { Headers, MessageId, Nullable, RecordId, Text, Timestamp } from '../schema.ts'

const id = { id: RecordId }
const errors = ['queue_not_found', 'queue_not_pull'] as const

const limit = Type.Optional(Type.Integer({ minimum: 1, maximum: 100, description: 'How many at most; 10 by default.' }))
const visibilityMs = Type.Integer({
  minimum: 1000,
  maximum: 43_200_000,
  description:
    'How long the claim holds, in milliseconds; 30,000 by default. After that the message is handed out again.',
})
const Claimed = Type.Object(
  {
    id: MessageId,
    claim: Type.String({ description: 'Proves the claim: give it back with whatever becomes of the message.' }),
    claimedUntil: Timestamp,
    attempt: Type.Integer({ description: '1 for the first time it is handed out.' }),
    body: Nullable(Type.String()),
    bodyBase64: Nullable(Type.String({ description: 'The body, where it is not text.' })),
    headers: Nullable(Headers),
    key: Nullable(Type.String()),
    webhookId: Type.String(),
  },
  { title: 'ClaimedMessage' },
)
export type ClaimedMessage = Static<typeof Claimed>

const claims = Type.Array(
  Type.Object({ id: MessageId, claim: Text({ pattern: '^[0-9a-f-]{36}$' }) }, { title: 'Claim' }),
  {
    minItems: 1,
    maxItems: 100,
  },
)
type Held = { claims: { id: number; claim: string }[] }
const lost = Type.Array(MessageId, { description: 'Those whose claim has run out, or never was.' })

export const pullOperations = {
  'queues.claim': act({
    verb: 'POST',
    path: '/queues/{id}/claim',
    scope: 'message:save',
    alsoScopes: ['message:find'],
    summary: 'Claims due messages of a pull queue; an ordered one gives one at a time.',
    errors,
    params: id,
    input: Type.Object({ limit, visibilityMs: Type.Optional(visibilityMs) }),
    _input: typed<{ limit?: number; visibilityMs?: number }>(),
    output: Type.Object({ messages: Type.Array(Claimed) }),
  }),
  'queues.acknowledge': act({
    verb: 'POST',
    path: '/queues/{id}/acknowledge',
    scope: 'message:save',
    summary: 'Says that claimed messages are done.',
    errors,
    params: id,
    input: Type.Object({ claims }),
    _input: typed<Held>(),
    output: Type.Object({ acknowledged: Type.Array(MessageId), lost }),
  }),
  'queues.reject': act({
    verb: 'POST',
    path: '/queues/{id}/reject',
    scope: 'message:save',
    summary: 'Gives claimed messages back: retried after the backoff, or dead when their retries are used up.',
    errors,
    params: id,
    input: Type.Object({ claims, reason: Type.Optional(Text({ maxLength: 1000 })) }),
    _input: typed<Held & { reason?: string }>(),
    output: Type.Object({ retried: Type.Array(MessageId), dead: Type.Array(MessageId), lost }),
  }),
  'queues.extend': act({
    verb: 'POST',
    path: '/queues/{id}/extend',
    scope: 'message:save',
    summary: 'Holds claims for longer, from now on.',
    errors,
    params: id,
    input: Type.Object({ claims, visibilityMs }),
    _input: typed<Held & { visibilityMs: number }>(),
    output: Type.Object({ extended: Type.Array(MessageId), lost }),
  }),
}

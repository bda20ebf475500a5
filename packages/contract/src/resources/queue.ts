import { Type } from '@sinclair/typebox'
import { goneRules, methods, orderings } from '../delivery.ts'
import {
  CircuitBreaker,
  CircuitBreakerInput,
  RateLimit,
  RateLimitInput,
  Spread,
  USUAL_WEIGHT,
  Weight,
} from '../queue-limits.ts'
import {
  type CreateOf,
  optional,
  type RowOf,
  readOnly,
  required,
  resource,
  type UpdateOf,
  writeOnly,
} from '../resource.ts'
import { Backoff, BackoffInput } from '../retry-policy.ts'
import { Headers, Nullable, OneOf, RecordId, Text, Timestamp } from '../schema.ts'

/** The verb in any case; it is stored and sent in capitals. */
const AnyCaseMethod = Type.Unsafe<string>({
  type: 'string',
  pattern: `^(?:${methods.map(anyCase).join('|')})$`,
  description: `One of ${methods.join(', ')}, in any case.`,
})

function anyCase(word: string): string {
  return [...word].map(letter => `[${letter}${letter.toLowerCase()}]`).join('')
}

const MAX_BACKLOG_AGE_MS = 14 * 24 * 3_600_000

/** Ten years: as long as the installation's may be. */
const LONGEST_RETENTION_MS = 3650 * 86_400_000
const Retention = (description: string) =>
  Nullable(
    Type.Integer({
      minimum: 0,
      maximum: LONGEST_RETENTION_MS,
      description: `${description} Counted from when they were settled; null is the installation’s retention.`,
    }),
  )

export const queue = resource({
  name: 'queue',
  plural: 'queues',
  summary: 'A durable line of messages, delivered to one URL or pulled by consumers.',
  primaryKey: ['id'],
  relations: {
    messages: { kind: 'many', to: 'message', by: 'queueId' },
    crons: { kind: 'many', to: 'cron', by: 'queueId' },
    queues: { kind: 'many', to: 'queue', by: 'deadLetterQueueId' },
    deadLetterQueue: { kind: 'one', to: 'queue', by: 'deadLetterQueueId' },
  },
  fields: {
    id: readOnly(RecordId),
    name: required(Text({ minLength: 1, maxLength: 255 })),
    callbackUrl: optional(
      Nullable(
        Type.String({
          maxLength: 2048,
          format: 'http-url',
          description: 'An http or https URL; null for a pull queue.',
        }),
      ),
      { default: null },
    ),
    method: optional(OneOf(methods), { input: AnyCaseMethod, default: 'POST' }),
    headers: optional(
      Nullable({ ...Headers, description: 'Sent with every message; a message’s own headers win.' } as typeof Headers),
      { filter: false, sort: false, default: null },
    ),
    deadLetterQueueId: optional(Nullable(RecordId), { default: null }),
    maxRetries: optional(Type.Integer({ minimum: 0, maximum: 100, description: 'Retries after the first attempt.' })),
    createdAt: readOnly(Timestamp),
    updatedAt: readOnly(Timestamp),
    backoff: optional(Backoff, { input: BackoffInput, filter: false, sort: false }),
    timeoutMs: optional(Type.Integer({ minimum: 100, maximum: 300_000, description: 'Bound on a whole attempt.' }), {
      default: 15_000,
    }),
    concurrency: optional(
      Type.Integer({ minimum: 1, maximum: 1000, description: 'Most attempts under way at once.' }),
      { default: 50 },
    ),
    rateLimit: optional(Nullable(RateLimit), {
      input: Nullable(RateLimitInput),
      filter: false,
      sort: false,
      default: null,
    }),
    circuitBreaker: optional(Nullable(CircuitBreaker), {
      input: Nullable(CircuitBreakerInput),
      filter: false,
      sort: false,
      default: null,
    }),
    weight: optional(Weight, { default: USUAL_WEIGHT }),
    spread: optional(Spread, { default: 1 }),
    backlogAgeLimitMs: optional(
      Nullable(
        Type.Integer({
          minimum: 0,
          maximum: MAX_BACKLOG_AGE_MS,
          description:
            'How long a message may wait to be sent before operators are told; 0 is no bound, null the one of the settings.',
        }),
      ),
      { default: null },
    ),
    ordered: optional(OneOf(orderings), { default: 'none' }),
    followRedirects: optional(Type.Boolean(), { default: false }),
    onGone: optional(OneOf(goneRules, { description: 'What a 410 answer does.' }), { default: 'fail' }),
    secrets: writeOnly(
      Type.Array(Type.String({ maxLength: 255, pattern: '^whsec_[A-Za-z0-9+/]{32,88}={0,2}$' }), {
        maxItems: 5,
        description: 'Signing secrets, newest first; every request is signed with each of them.',
      }),
      { secret: true },
    ),
    signed: readOnly(Type.Boolean({ description: 'Whether it has signing secrets.' }), { filter: false, sort: false }),
    messageRetentionMs: optional(Retention('How long settled messages are kept.'), { default: null }),
    bodyRetentionMs: optional(Retention('How long their bodies and headers are kept; not longer than they are.'), {
      default: null,
    }),
    attemptRetentionMs: optional(Retention('How long their attempts are kept; not longer than they are.'), {
      default: null,
    }),
    pausedAt: readOnly(Nullable(Timestamp)),
    pauseReason: readOnly(Nullable(Type.String())),
    version: readOnly(Type.Integer({ description: 'Counts the changes of this queue.' })),
  },
})

export type Queue = RowOf<typeof queue.fields>
export type QueueCreate = CreateOf<typeof queue.fields>
export type QueueUpdate = UpdateOf<typeof queue.fields>

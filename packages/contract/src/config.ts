/**
 * Every setting, declared once: the file's keys, the environment's names, the flags, their checks, `--help` and the
 * reference page follow. Reading them is the server's config.ts.
 */
import { type Static, type TSchema, Type } from '@sinclair/typebox'
import type { Authorization } from './authorization.ts'
import { operationalEventTypes } from './operational-events.ts'
import { type Reading, readAuthorization } from './read-authorization.ts'
import { Nullable, OneOf } from './schema.ts'

export interface Setting<S extends TSchema = TSchema, D extends boolean = boolean> {
  readonly schema: S
  readonly summary: string
  readonly default: unknown
  /** Never printed. */
  readonly secret: boolean
  /** Written "30s", "24h" or in milliseconds; in the configuration its name ends in Ms. */
  readonly duration: D
  /** Other environment variables that are read where ours is not set. */
  readonly otherEnv: readonly string[]
  /** Reads and checks what is more than a value: JSON in the environment and in flags, an object in the file. */
  readonly read?: (given: unknown, place: string, env: Readonly<Record<string, string | undefined>>) => Reading<unknown>
}

interface Options {
  readonly summary: string
  readonly secret?: true
  readonly otherEnv?: readonly string[]
  readonly read?: Setting['read']
}

const setting = <S extends TSchema>(schema: S, initial: Static<S>, options: Options): Setting<S, false> => ({
  schema,
  default: initial,
  secret: false,
  otherEnv: [],
  duration: false,
  ...options,
})

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

const duration = (initial: number, minimum: number, maximum: number, options: Options) => ({
  ...setting(Type.Integer({ minimum, maximum }), initial, options),
  duration: true as const,
})

const OptionalText = Nullable(Type.String({ minLength: 1 }))
const DatabaseUrl = Nullable(Type.String({ pattern: '^postgres(ql)?://', description: 'a postgres:// URL' }))

export const nodeRoles = ['api', 'worker'] as const
export type NodeRole = (typeof nodeRoles)[number]
export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const

export const settings = {
  databaseUrl: setting(DatabaseUrl, null, {
    summary: 'PostgreSQL to store in; without it an embedded one in the data folder.',
    secret: true,
    otherEnv: ['DATABASE_URL'],
  }),
  databaseLockUrl: setting(DatabaseUrl, null, {
    summary: 'Direct URL for the lock session, where databaseUrl leads through a pooler in transaction mode.',
    secret: true,
  }),
  databaseSchema: setting(
    Type.String({ pattern: '^[a-z_][a-z0-9_]{0,62}$', description: 'lower case letters, digits and _, at most 63' }),
    'posthorn',
    { summary: 'Schema of the tables; two installations can share a database under two names.' },
  ),
  lockKey: setting(
    Nullable(Type.Integer({ minimum: 0, maximum: 2_147_483_647, description: 'an integer from 0 to 2147483647' })),
    null,
    {
      summary:
        'First key of all advisory locks in PostgreSQL, the same on every node; made from the schema’s name if not given.',
    },
  ),
  databasePoolSize: setting(Type.Integer({ minimum: 2, maximum: 1000 }), 10, {
    summary: 'Most connections of this node for its work; the lock session and the listener have their own.',
  }),
  dataDir: setting(Type.String({ minLength: 1 }), './data', {
    summary: 'Folder of the embedded database and of the key that encrypts secrets.',
  }),
  host: setting(Type.String({ minLength: 1 }), '127.0.0.1', {
    summary: 'Address to listen on. Any but a loopback one needs an admin secret.',
  }),
  port: setting(Type.Integer({ minimum: 0, maximum: 65_535 }), 3042, {
    summary: 'Port to listen on; 0 takes a free one.',
  }),
  adminSecret: setting(OptionalText, null, {
    summary: 'What callers must send as Authorization: Bearer or X-PLATFORMATIC-ADMIN-SECRET.',
    secret: true,
    otherEnv: ['PLT_ADMIN_SECRET'],
  }),
  authorization: setting(
    Nullable(Type.Unsafe<Authorization>({ type: 'object', description: 'a JSON object, as pg-hooks takes it' })),
    null,
    {
      summary: 'Who may do what: roles and their rules, tokens, a webhook; see docs/guides/access.md.',
      secret: true,
      read: readAuthorization,
    },
  ),
  instanceOrg: setting(
    Nullable(
      Type.String({ pattern: '^[A-Za-z0-9_-]{1,64}$', description: 'letters, digits, _ and -, at most 64 of them' }),
    ),
    null,
    { summary: 'Name of the org that runs the installation, given to it at the first start; "instance" if not set.' },
  ),
  roles: setting(Type.Array(OneOf(nodeRoles), { minItems: 1, uniqueItems: true }), [...nodeRoles], {
    summary: 'What this node does: answer callers, deliver messages, or both.',
  }),
  allowTargets: setting(Type.Array(Type.String({ minLength: 1 })), [], {
    summary: 'Special addresses that may be sent to nonetheless: hosts, addresses or ranges such as 10.0.0.0/8.',
  }),
  serviceEndpoints: setting(Type.Array(Type.String({ minLength: 1 })), [], {
    summary:
      'Where the APIs of services are instead of their usual places: a list of name=URL, such as ses=https://mail.example.org.',
  }),
  maxBodyBytes: setting(Type.Integer({ minimum: 1, maximum: 67_108_864 }), 1_048_576, {
    summary: 'Largest message body, in bytes.',
  }),
  ownershipTimeout: duration(3 * SECOND, 500, MINUTE, {
    summary: 'How soon the queues of a frozen or unreachable node are taken over.',
  }),
  pollInterval: duration(800, 50, MINUTE, {
    summary: 'How soon a node finds by itself what another stored, should the notification about it not arrive.',
  }),
  shutdownTimeout: duration(30 * SECOND, 0, HOUR, {
    summary: 'How long a stopping node lets attempts and requests finish.',
  }),
  retention: duration(30 * DAY, HOUR, 3650 * DAY, {
    summary: 'How long settled messages, their bodies and attempts are kept.',
  }),
  idempotencyTtl: duration(DAY, MINUTE, 30 * DAY, { summary: 'How long an idempotency key is remembered.' }),
  secretKey: setting(
    Nullable(Type.String({ pattern: '^[A-Za-z0-9+/]{43}=$', description: '32 bytes in base64' })),
    null,
    {
      summary: 'Key that encrypts secrets at rest; without it one is made at the first start, in the data folder.',
      secret: true,
    },
  ),
  logLevel: setting(OneOf(logLevels), 'info', { summary: 'What is logged.' }),
  operationalEventsQueue: setting(OptionalText, null, {
    summary:
      'Queue of the instance org that operational events are put on: its id or its name. Without it they are logged and counted.',
  }),
  operationalEvents: setting(
    Type.Array(OneOf(operationalEventTypes), { uniqueItems: true }),
    [...operationalEventTypes],
    { summary: 'Which operational events are put on that queue; see docs/reference/operational-events.md.' },
  ),
  backlogAgeLimit: duration(HOUR, 0, 14 * DAY, {
    summary:
      'How long a message may wait to be sent before its queue counts as behind; a queue can have its own bound. 0 is none.',
  }),
  maxInFlight: setting(Type.Integer({ minimum: 1, maximum: 100_000 }), 1000, {
    summary: 'Most attempts at once on a node.',
  }),
  maxSockets: setting(
    Nullable(Type.Integer({ minimum: 16, maximum: 1_000_000, description: 'an integer from 16 to 1000000' })),
    null,
    {
      summary:
        'Most connections to receivers at once; made from maxInFlight and from how many files the process may open if not given.',
    },
  ),
  maxUnsettled: setting(Type.Integer({ minimum: 100, maximum: 1_000_000 }), 10_000, {
    summary: 'Most outcomes that wait for a slow database to record them: with more, nothing new is sent.',
  }),
  metricsQueues: setting(Type.Integer({ minimum: 0, maximum: 10_000 }), 200, {
    summary: 'How many queues have series of their own at /metrics; those of all others are one.',
  }),
  maxWaitingPuts: setting(Type.Integer({ minimum: 1000, maximum: 1_000_000 }), 20_000, {
    summary: 'Most messages that wait for a slow database to store them: further ones are answered 503 at once.',
  }),
  maxIncomingBytes: setting(Type.Integer({ minimum: 1_048_576, maximum: 17_179_869_184 }), 134_217_728, {
    summary:
      'Most bytes of requests at once, from when they are announced until they are answered: further ones get 503.',
  }),
} satisfies Record<string, Setting>

export type SettingName = keyof typeof settings
type Settings = typeof settings

/** The configuration of a node, checked and complete. Durations are milliseconds. */
export type Config = {
  readonly [K in SettingName as Settings[K]['duration'] extends true ? `${K}Ms` : K]: Readonly<
    Static<Settings[K]['schema']>
  >
}

/** What only commands read that call a server. */
export const clientVariables = {
  url: 'POSTHORN_URL',
  apiKey: 'POSTHORN_API_KEY',
  servicePassword: 'POSTHORN_SERVICE_PASSWORD',
} as const

/** Where the settings themselves are read from; it cannot stand in the file. */
export const configFileVariable = 'POSTHORN_CONFIG'
export const configFileDefault = './posthorn.json'

/** `databaseUrl` → `POSTHORN_DATABASE_URL`. */
export const variableOf = (name: string): string => `POSTHORN_${words(name).join('_').toUpperCase()}`
/** `databaseUrl` → `--database-url`. */
export const flagOf = (name: string): string => `--${words(name).join('-').toLowerCase()}`
/** `retention` → `retentionMs`: its name in `Config`. */
export const configKeyOf = (name: SettingName): keyof Config =>
  (settings[name].duration ? `${name}Ms` : name) as keyof Config

function words(name: string): string[] {
  return name.split(/(?=[A-Z])/)
}

/**
 * The `authorization` section as Platformatic DB and pg-hooks write it: who a caller is, and what a role may do.
 * What that section knows and we do not do stands here as refused, with the reason: none of it is ignored in silence.
 */
import { type Static, Type } from '@sinclair/typebox'

/** A key that others know and we refuse, and why. */
const Refused = (why: string) => Type.Optional(Type.Unsafe<undefined>({ refused: why }))
const Text = (description = 'text') => Type.String({ minLength: 1, description })
const HttpUrl = Type.String({ pattern: '^https?://[^/]', description: 'an http or https URL' })
const Texts = Type.Array(Text(), { minItems: 1, description: 'a list of texts' })
const OneOrMore = Type.Union([Text(), Texts], { description: 'a text or a list of texts' })
const Ms = Type.Integer({ minimum: 0, maximum: 31_536_000_000, description: 'milliseconds' })
const closed = { additionalProperties: false }

export const tokenAlgorithms = {
  secret: ['HS256', 'HS384', 'HS512'],
  key: ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'],
} as const
const Algorithm = Type.Unsafe<string>({
  type: 'string',
  enum: [...tokenAlgorithms.secret, ...tokenAlgorithms.key],
  description: `one of ${[...tokenAlgorithms.secret, ...tokenAlgorithms.key].join(', ')}`,
})

const Verify = Type.Object(
  {
    algorithms: Type.Optional(Type.Array(Algorithm, { minItems: 1, description: 'a list of algorithms' })),
    allowedIss: Type.Optional(OneOrMore),
    allowedAud: Type.Optional(OneOrMore),
    allowedSub: Type.Optional(Text()),
    clockTolerance: Type.Optional(Ms),
    maxAge: Type.Optional(Ms),
    requiredClaims: Type.Optional(Texts),
    ignoreExpiration: Refused('a token that has run out is never accepted'),
    ignoreNotBefore: Refused('a token is never accepted before its time'),
    allowedJti: Refused('single tokens cannot be named'),
    allowedNonce: Refused('nonces are not checked'),
    cache: Refused('every token is verified anew'),
    cacheTTL: Refused('every token is verified anew'),
    clockTimestamp: Refused('the clock is the system’s'),
    extractToken: Refused('tokens are read from the header Authorization'),
  },
  closed,
)

const KeySets = Type.Object(
  {
    issuersWhitelist: Type.Optional(Type.Array(HttpUrl, { minItems: 1, description: 'a list of issuers’ URLs' })),
    allowedDomains: Type.Optional(Type.Array(HttpUrl, { minItems: 1, description: 'a list of issuers’ URLs' })),
    url: Type.Optional(HttpUrl),
    jwksPath: Type.Optional(Text('the path of the key set on the issuer’s host')),
    providerDiscovery: Type.Optional(Type.Boolean()),
    ttl: Type.Optional(Ms),
    timeout: Type.Optional(Type.Integer({ minimum: 1, maximum: 60_000, description: 'milliseconds, at most 60000' })),
    max: Refused('an issuer’s key set is kept whole'),
    checkIssuer: Refused('a function cannot stand in a file; name the issuers in issuersWhitelist'),
    fetchOptions: Refused('how keys are fetched cannot be changed, but for timeout'),
    agent: Refused('an agent cannot stand in a file'),
  },
  {
    ...closed,
    description: 'an object with issuersWhitelist or url: else whoever has a server could issue tokens',
  },
)

const Jwt = Type.Object(
  {
    secret: Type.Optional(
      Type.Union([Text(), Type.Object({ public: Text('a public key in PEM') }, closed)], {
        description: 'a shared secret, or { "public": a public key in PEM }',
      }),
    ),
    jwks: Type.Optional(KeySets),
    namespace: Type.Optional(Text()),
    verify: Type.Optional(Verify),
    cookie: Refused('tokens are read from the header Authorization'),
    sign: Refused('tokens are checked here and issued elsewhere'),
    decode: Refused('tokens are verified, not only decoded'),
    messages: Refused('all callers are refused in the same words'),
    formatUser: Refused('a function cannot stand in a file'),
    trusted: Refused('a function cannot stand in a file'),
  },
  closed,
)

const Compared = Type.Union([Type.String({ minLength: 1 }), Type.Number(), Type.Boolean(), Type.Array(Type.Number())], {
  description: 'a key of the user’s metadata, a number, true, false or a list of numbers',
})
const Check = Type.Union([Compared, Type.Record(Type.String(), Compared)], {
  description: 'a key of the user’s metadata, a number, true or false, or an object of operators with one of these',
})
const Extent = Type.Union(
  [
    Type.Boolean(),
    Type.Object(
      { checks: Type.Optional(Type.Record(Type.String(), Check)), fields: Type.Optional(Type.Array(Type.String())) },
      closed,
    ),
  ],
  { description: 'true, false or an object with checks and fields' },
)

const Rule = Type.Object(
  {
    role: Text(),
    entity: Type.Optional(Text()),
    entities: Type.Optional(Texts),
    find: Type.Optional(Extent),
    save: Type.Optional(Extent),
    delete: Type.Optional(Extent),
    defaults: Type.Optional(Type.Record(Type.String(), Text('a key of the user’s metadata'))),
    updateMany: Refused('an update of many records takes the right save'),
    endpoint: Refused('rules are for entities, not for routes'),
  },
  closed,
)

export const Authorization = Type.Object(
  {
    adminSecret: Type.Optional(Text()),
    roleKey: Type.Optional(Text()),
    rolePath: Type.Optional(Text()),
    anonymousRole: Type.Optional(Text()),
    roleMergeStrategy: Type.Optional(
      Type.Unsafe<'first-match' | 'most-permissive'>({
        type: 'string',
        enum: ['first-match', 'most-permissive'],
        description: 'first-match or most-permissive',
      }),
    ),
    jwt: Type.Optional(Jwt),
    webhook: Type.Optional(Type.Object({ url: HttpUrl }, closed)),
    rules: Type.Optional(Type.Array(Rule, { description: 'a list of rules' })),
    module: Refused('code cannot be loaded from the settings'),
    authStrategies: Refused('code cannot be loaded from the settings'),
  },
  closed,
)

export type Authorization = Static<typeof Authorization>
export type AuthorizationJwt = Static<typeof Jwt>
export type AuthorizationRule = Static<typeof Rule>
/** What a rule says of one right: true, false, or where and which fields. */
export type RuleExtent = Static<typeof Extent>
/** A key of the user's metadata, or a value itself. */
export type RuleCompared = Static<typeof Compared>

/** Whom the admin secret makes one. */
export const ADMIN_ROLE = 'platformatic-admin'
export const DEFAULT_ROLE_KEY = 'X-PLATFORMATIC-ROLE'
export const DEFAULT_ANONYMOUS_ROLE = 'anonymous'

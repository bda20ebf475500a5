import { describe, expect, test } from 'vitest'
import { type Authorization, readAuthorization } from './index.ts'

const SECRET = 'tell-nobody'
const problemsOf = (given: unknown, env = {}): readonly string[] =>
  readAuthorization(given, 'authorization', env).problems
const withRules = (...rules: unknown[]): readonly string[] => problemsOf({ adminSecret: SECRET, rules })

describe('the section of pg-hooks', () => {
  const none = { find: false, save: false, delete: false }
  const section = {
    adminSecret: '{PLT_ADMIN_SECRET}',
    rules: ['queue', 'cron', 'message'].map(entity => ({ role: 'anonymous', entity, ...none })),
  }

  test('is taken as it is written, with the secret from the environment', () => {
    const { value, problems } = readAuthorization(section, 'authorization', { PLT_ADMIN_SECRET: SECRET })
    expect(problems).toEqual([])
    expect(value).toEqual({ ...section, adminSecret: SECRET })
  })

  test('may be JSON in a text', () => {
    expect(readAuthorization(JSON.stringify(section), 'x', { PLT_ADMIN_SECRET: SECRET }).problems).toEqual([])
    expect(readAuthorization('{', 'POSTHORN_AUTHORIZATION', {}).problems).toEqual([
      'POSTHORN_AUTHORIZATION must be a JSON object',
    ])
  })

  test.each([{}, { PLT_ADMIN_SECRET: '' }])('is refused where the environment lacks what it names', env => {
    expect(problemsOf(section, env)).toEqual([
      'authorization.adminSecret names {PLT_ADMIN_SECRET}, which the environment does not have',
    ])
  })

  test('may use every strategy and form of rule that is supported', () => {
    const full: Authorization = {
      adminSecret: SECRET,
      roleKey: 'X-ROLE',
      rolePath: 'user.roles',
      anonymousRole: 'guest',
      roleMergeStrategy: 'most-permissive',
      jwt: {
        jwks: { issuersWhitelist: ['https://id.example/'], providerDiscovery: true, ttl: 1000, timeout: 500 },
        namespace: 'https://posthorn.example/',
        verify: {
          algorithms: ['RS256'],
          allowedAud: ['a', 'b'],
          allowedIss: 'https://id.example/',
          clockTolerance: 10,
        },
      },
      webhook: { url: 'http://127.0.0.1:1/who' },
      rules: [
        { role: 'a', entities: ['queue', 'cron'], find: true, save: { fields: ['name', 'schedule', 'queueId'] } },
        {
          role: 'b',
          entity: 'message',
          find: { checks: { queueId: { in: 'X-QUEUES' }, priority: { gte: 3 } }, fields: ['id', 'body'] },
          delete: { checks: { queueId: 'X-QUEUE', createdAt: { lt: 'X-SINCE' } } },
          defaults: { queueId: 'X-QUEUE' },
        },
        { role: 'c', entity: '*', find: true },
      ],
    }
    const problems = problemsOf({ ...full, rules: full.rules?.slice(1) })
    expect(problems).toEqual([])
    // A rule for several entities must fit each of them.
    expect(problemsOf(full)).toEqual([
      'authorization.rules[0].save.fields: queue has no field schedule; the nearest is headers',
      'authorization.rules[0].save.fields: queue has no field queueId; the nearest is method',
      'authorization.rules[0].save.fields: cron has no field name; the nearest is next',
    ])
  })
})

describe('what is not supported is refused with the reason', () => {
  test.each([
    [
      { jwt: { secret: 's', cookie: {} } },
      '.jwt.cookie is not supported: tokens are read from the header Authorization',
    ],
    [
      { jwt: { secret: 's', verify: { ignoreExpiration: true } } },
      '.jwt.verify.ignoreExpiration is not supported: a token that has run out is never accepted',
    ],
    [{ jwt: { jwks: true } }, '.jwt.jwks must be an object with issuersWhitelist or url: else whoever'],
    [
      { jwt: { jwks: {} } },
      '.jwt.jwks must have issuersWhitelist or url: else whoever has a server could issue tokens',
    ],
    [
      { jwt: { jwks: { url: 'http://h/', max: 3 } } },
      '.jwt.jwks.max is not supported: an issuer’s key set is kept whole',
    ],
    [
      { jwt: { jwks: { url: 'http://h/', jwksPath: '/k' } } },
      '.jwt.jwks must have url, or jwksPath or providerDiscovery, not both',
    ],
    [{ jwt: {} }, '.jwt must have either secret or jwks'],
    [
      { jwt: { secret: 's', verify: { algorithms: ['RS256'] } } },
      '.jwt.verify.algorithms: RS256 does not go with this secret',
    ],
    [{ jwt: { secret: 's', verify: { algorithms: ['none'] } } }, '.jwt.verify.algorithms[0] must be one of HS256'],
    [{ module: './auth.js' }, '.module is not supported: code cannot be loaded from the settings'],
    [{ anonymousRole: 'platformatic-admin' }, '.anonymousRole cannot be platformatic-admin'],
    [{ webhook: { url: 'ftp://h' } }, '.webhook.url must be an http or https URL'],
    [{ webhook: {} }, '.webhook.url is missing'],
    [{ roleMergeStrategy: 'last' }, '.roleMergeStrategy must be first-match or most-permissive'],
    [{ rulez: [] }, '.rulez is not known; the nearest is rules'],
    [{ jwt: { secrte: 's' } }, '.jwt.secrte is not known; the nearest is secret'],
  ])('%j', (part, sentence) => {
    expect(problemsOf({ adminSecret: SECRET, ...part })[0]).toContain(`authorization${sentence}`)
  })

  test('a section by which nobody could do anything', () => {
    expect(problemsOf({ jwt: { secret: SECRET } })).toEqual([
      'authorization has neither adminSecret nor rules: nobody could do anything',
    ])
  })

  test.each([
    [{ role: 'a' }, ' must have either entity or entities'],
    [{ role: 'a', entity: 'queue', entities: ['cron'] }, ' must have either entity or entities'],
    [{ entity: 'queue' }, '.role is missing'],
    [
      { role: 'platformatic-admin', entity: 'queue' },
      '.role: platformatic-admin may do everything, and no rule is for it',
    ],
    [{ role: 'a', entity: 'queues' }, ': queues is no entity; the nearest is queue'],
    [{ role: 'a', entity: 'version' }, ': version is the table of migrations, which nobody can reach'],
    [
      { role: 'a', entity: 'queue', updateMany: true },
      '.updateMany is not supported: an update of many records takes the right save',
    ],
    [{ role: 'a', entity: 'queue', fnd: true }, '.fnd is not known; the nearest is find'],
    [{ role: 'a', entity: 'queue', find: 'yes' }, '.find must be true, false or an object with checks and fields'],
    [{ role: 'a', entity: 'queue', find: { check: {} } }, '.find.check is not known; the nearest is checks'],
    [
      { role: 'a', entity: 'queue', find: { fields: ['nam'] } },
      '.find.fields: queue has no field nam; the nearest is name',
    ],
    [{ role: 'a', entity: 'queue', find: { fields: ['secrets'] } }, '.find.fields: secrets is never given out'],
    [
      { role: 'a', entity: 'queue', delete: { fields: ['id'] } },
      '.delete.fields is not supported: a record is deleted as a whole',
    ],
    [
      { role: 'a', entity: 'queue', find: { checks: { userId: 'X' } } },
      '.find.checks.userId: queue has no field userId',
    ],
    [
      { role: 'a', entity: 'queue', find: { checks: { headers: 'X' } } },
      '.find.checks.headers: lists do not filter by headers',
    ],
    [
      { role: 'a', entity: 'queue', find: { checks: { name: { like: 'X' } } } },
      '.find.checks.name.like is not supported: checks compare with eq',
    ],
    [
      { role: 'a', entity: 'queue', find: { checks: { name: { gt: 'X' } } } },
      '.find.checks.name.gt is not supported: name is no number and no time',
    ],
    [
      { role: 'a', entity: 'queue', find: { checks: { id: null } } },
      '.find.checks.id must be a key of the user’s metadata, a number',
    ],
    [{ role: 'a', entity: 'queue', defaults: { name: 5 } }, '.defaults.name must be a key of the user’s metadata'],
    [{ role: 'a', entity: 'queue', defaults: { owner: 'X' } }, '.defaults.owner: queue has no field owner'],
    [{ role: 'a', entity: 'queue', defaults: { id: 'X' } }, '.defaults.id: id cannot be set from the user’s metadata'],
    [
      { role: 'a', entity: 'queue', defaults: { secrets: 'X' } },
      '.defaults.secrets: secrets cannot be set from the user’s metadata',
    ],
  ])('the rule %j', (rule, sentence) => {
    expect(withRules(rule)[0]).toContain(`authorization.rules[0]${sentence}`)
  })

  test('a rule that is never reached, unless roles are merged', () => {
    const rules = [
      { role: 'a', entity: 'queue', find: true },
      { role: 'a', entity: 'cron', find: true },
      { role: 'a', entities: ['message', 'queue'], save: true },
    ]
    expect(withRules(...rules)).toEqual([
      'authorization.rules[2] is never reached: rules[0] is for the same role and entity',
    ])
    expect(problemsOf({ adminSecret: SECRET, roleMergeStrategy: 'most-permissive', rules })).toEqual([])
    expect(withRules(rules[0], { role: 'a', entity: '*', find: false })).toEqual([])
  })
})

test('no value stands in a problem: it may be a secret', () => {
  const given = {
    adminSecret: [SECRET],
    jwt: { secret: { private: SECRET }, namespace: { a: SECRET } },
    webhook: { url: SECRET },
    roleKey: { b: SECRET },
    rules: SECRET,
  }
  const problems = problemsOf(given)
  expect(problems.length).toBeGreaterThan(4)
  expect(problems.join()).not.toContain(SECRET)
  expect(problemsOf(SECRET).join()).not.toContain(SECRET)
})

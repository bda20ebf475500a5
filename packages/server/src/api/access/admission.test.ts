import type { IncomingHttpHeaders } from 'node:http'
import type { Authorization, AuthorizationRule } from '@posthorn/contract'
import { SignJWT } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type LoopbackServer, listen } from '../../../test/access/issuer.ts'
import { fakeTenants } from '../../../test/api/fake-tenants.ts'
import { serve } from '../../../test/api/serve.ts'
import { secretWord } from '../../../test/leaks/marked.ts'
import { silentLog } from '../../log.ts'
import type { Admitted } from '../handlers.ts'
import { createAccess } from './access.ts'

const ADMIN = secretWord()
const SHARED = 'a secret of some length, shared with the issuer'
const secret = { 'x-platformatic-admin-secret': ADMIN }
const rules: AuthorizationRule[] = [
  { role: 'user', entity: 'message', find: true },
  { role: 'guest', entity: 'queue', find: true },
]
const token = (claims: Record<string, unknown>, key = SHARED) =>
  new SignJWT(claims).setProtectedHeader({ alg: 'HS256' }).sign(new TextEncoder().encode(key))

function admitWith(authorization: Authorization, adminSecret: string | null = ADMIN) {
  const { admit } = createAccess({ adminSecret, authorization, host: '0.0.0.0', tenants: fakeTenants, log: silentLog })
  return async (headers: IncomingHttpHeaders): Promise<string> => describeCaller(await admit(headers))
}

/** `admin`, `refused`, or the entities that may be found. */
function describeCaller(admitted: Admitted): string {
  if (admitted instanceof Error) return 'refused'
  const { rights } = admitted
  if (rights === null) return 'admin'
  return ['queue', 'message', 'cron'].filter(entity => rights.of(entity, 'find')).join(' and ')
}

describe('with rules alone', () => {
  const admit = admitWith({ rules, anonymousRole: 'guest' })

  test('who shows nothing is anonymous', async () => {
    expect(await admit({})).toBe('queue')
    expect(await admit({ authorization: 'Basic abc' })).toBe('queue')
  })

  test('who shows what is wrong is refused, not anonymous', async () => {
    expect(await admit({ 'x-platformatic-admin-secret': 'wrong' })).toBe('refused')
    expect(await admit({ 'x-platformatic-admin-secret': '' })).toBe('refused')
    expect(await admit({ authorization: 'Bearer wrong' })).toBe('refused')
    expect(await admit({ authorization: `Bearer ${await token({ 'X-PLATFORMATIC-ROLE': 'user' })}` })).toBe('refused')
  })

  test('the admin secret makes the admin, and lets it speak for a role', async () => {
    expect(await admit(secret)).toBe('admin')
    expect(await admit({ authorization: `Bearer ${ADMIN}` })).toBe('admin')
    expect(await admit({ ...secret, 'x-platformatic-role': 'user' })).toBe('message')
    expect(await admit({ ...secret, 'x-platformatic-role': 'user, guest' })).toBe('queue and message')
    expect(await admit({ ...secret, 'x-platformatic-role': 'platformatic-admin' })).toBe('admin')
    expect(await admit({ ...secret, 'x-platformatic-role': 'nobody' })).toBe('refused')
  })

  test('a role in a header is nothing without the secret', async () => {
    expect(await admit({ 'x-platformatic-role': 'user' })).toBe('queue')
    expect(await admit({ 'x-platformatic-role': 'platformatic-admin' })).toBe('queue')
  })

  test('anonymous callers are refused where no rule is for them', async () => {
    expect(await admitWith({ rules })({})).toBe('refused')
    expect(await admitWith({})({})).toBe('refused')
  })

  test('the section of pg-hooks lets the admin do everything, and nobody else anything', async () => {
    const none = { role: 'anonymous', find: false, save: false, delete: false }
    const own = admitWith({ rules: ['queue', 'cron', 'message'].map(entity => ({ ...none, entity })) })
    expect([await own({}), await own({ 'x-platformatic-role': 'user' }), await own(secret)]).toEqual([
      'refused',
      'refused',
      'admin',
    ])
  })

  test('without an admin secret there is no admin', async () => {
    const nobody = admitWith({ rules, anonymousRole: 'guest' }, null)
    expect(await nobody(secret)).toBe('refused')
    expect(await nobody({ ...secret, 'x-platformatic-role': 'user' })).toBe('refused')
    expect(await nobody({ 'x-platformatic-admin-secret': '' })).toBe('refused')
    expect(await nobody({ 'x-platformatic-admin-secret': 'null' })).toBe('refused')
    expect(await nobody({})).toBe('queue')
  })
})

describe('with tokens', () => {
  const admit = admitWith({ rules, anonymousRole: 'guest', jwt: { secret: SHARED, namespace: 'https://p.example/' } })
  const bearer = async (claims: Record<string, unknown>, key?: string) => ({
    authorization: `Bearer ${await token(claims, key)}`,
  })

  test('the claims of a sound token are the caller', async () => {
    expect(await admit(await bearer({ 'X-PLATFORMATIC-ROLE': 'user' }))).toBe('message')
    expect(await admit(await bearer({ 'https://p.example/X-PLATFORMATIC-ROLE': ['user', 'guest'] }))).toBe(
      'queue and message',
    )
    expect(await admit(await bearer({ sub: 'me' }))).toBe('queue')
    expect(await admit(await bearer({ 'X-PLATFORMATIC-ROLE': 'nobody' }))).toBe('refused')
    expect(await admit(await bearer({ 'X-PLATFORMATIC-ROLE': 'platformatic-admin' }))).toBe('admin')
  })

  test('any other is refused; the admin secret is still one', async () => {
    expect(await admit(await bearer({ 'X-PLATFORMATIC-ROLE': 'user' }, 'of somebody else'))).toBe('refused')
    expect(await admit(await bearer({ 'X-PLATFORMATIC-ROLE': 'user', exp: 1 }))).toBe('refused')
    expect(await admit({ authorization: `Bearer ${ADMIN}` })).toBe('admin')
    expect(await admit({})).toBe('queue')
  })

  test('the holder of the admin secret speaks for nobody else', async () => {
    expect(await admit({ ...secret, 'x-platformatic-role': 'user' })).toBe('admin')
  })

  test('rights end when the token does', async () => {
    const { admit: whole } = createAccess({
      adminSecret: ADMIN,
      authorization: { rules, jwt: { secret: SHARED } },
      host: '0.0.0.0',
      tenants: fakeTenants,
      log: silentLog,
    })
    const exp = Math.floor(Date.now() / 1000) + 60
    for (const role of ['user', 'platformatic-admin']) {
      const caller = await whole(await bearer({ 'X-PLATFORMATIC-ROLE': role, exp, sub: 'me' }))
      expect(caller).toMatchObject({ orgId: 1, actor: 'me', until: exp * 1000 })
    }
  })
})

describe('with a webhook', () => {
  const answers: Record<string, readonly [number, string]> = {
    user: [200, '{"X-PLATFORMATIC-ROLE":"user"}'],
    stranger: [200, '{}'],
    banned: [403, '{}'],
    broken: [500, ''],
  }
  let server: LoopbackServer
  let asked = 0
  beforeAll(async () => {
    server = await listen((request, response) => {
      asked++
      const [status, body] = answers[String(request.headers.cookie ?? 'stranger')]!
      response.writeHead(status).end(body)
    })
  })
  afterAll(() => server.close())
  const admitVia = (more: Partial<Authorization> = {}) =>
    admitWith({ rules, anonymousRole: 'guest', webhook: { url: server.url }, ...more })

  test('its answer is the caller, and its refusal or failure a refusal', async () => {
    const admit = admitVia()
    expect(await admit({ cookie: 'user' })).toBe('message')
    expect(await admit({})).toBe('queue')
    expect(await admit({ cookie: 'banned' })).toBe('refused')
    expect(await admit({ cookie: 'broken' })).toBe('refused')
  })

  test('it is not asked about the holder of the admin secret, who speaks for nobody else', async () => {
    const admit = admitVia()
    asked = 0
    expect(await admit({ ...secret, 'x-platformatic-role': 'user' })).toBe('admin')
    expect(await admit({ authorization: `Bearer ${ADMIN}`, cookie: 'user' })).toBe('admin')
    expect(await admit({ 'x-platformatic-admin-secret': 'wrong', cookie: 'user' })).toBe('refused')
    expect(asked).toBe(0)
  })

  test('it is asked after a token that is not sound, and not about one that is', async () => {
    const admit = admitVia({ jwt: { secret: SHARED } })
    asked = 0
    expect(await admit({ authorization: `Bearer ${await token({ 'X-PLATFORMATIC-ROLE': 'guest' })}` })).toBe('queue')
    expect(asked).toBe(0)
    expect(await admit({ authorization: 'Bearer of another kind', cookie: 'user' })).toBe('message')
    expect(await admit({ authorization: 'Bearer of another kind', cookie: 'banned' })).toBe('refused')
    expect(asked).toBe(2)
  })
})

describe('over HTTP', () => {
  const authorization: Authorization = { adminSecret: ADMIN, rules, anonymousRole: 'guest' }

  test('refusals say in which way to authenticate, and nothing else', async () => {
    const { call } = await serve({ adminSecret: ADMIN, authorization })
    for (const headers of [{ ...secret, 'x-platformatic-role': 'user' }, { authorization: 'Bearer wrong' }]) {
      const refused = await call('GET', '/queues/', undefined, headers as Record<string, string>)
      expect(refused.status).toBe(401)
      expect(refused.headers.get('www-authenticate')).toBe('Bearer realm="posthorn"')
      expect(refused.json).toEqual({
        statusCode: 401,
        code: 'PLT_DB_AUTH_UNAUTHORIZED',
        error: 'Unauthorized',
        message: 'operation not allowed',
      })
    }
    expect((await call('GET', '/queues/')).status).toBe(200)
  })

  test('the numbers are the admin’s', async () => {
    const { call } = await serve({ adminSecret: ADMIN, authorization })
    expect((await call('GET', '/metrics')).status).toBe(401)
    expect((await call('GET', '/metrics', undefined, { ...secret, 'x-platformatic-role': 'user' })).status).toBe(401)
    expect((await call('GET', '/metrics', undefined, secret)).status).toBe(200)
  })

  test('the table of migrations is no one’s', async () => {
    const { call } = await serve({ adminSecret: ADMIN, authorization })
    for (const path of ['/versions/', '/versions/1', '/migrations/', '/migration/']) {
      expect((await call('GET', path, undefined, secret)).status).toBe(404)
    }
  })
})

import { generateKeyPairSync } from 'node:crypto'
import { type JWTPayload, SignJWT, UnsecuredJWT } from 'jose'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Issuer, startIssuer } from '../../../test/access/issuer.ts'
import { secretWord } from '../../../test/leaks/marked.ts'
import { createTokens } from './tokens.ts'

const SECRET = secretWord(' of some length, shared with the issuer')
const warned: { fields: object; message: string }[] = []
const note = (fields: object, message: string) => void warned.push({ fields, message })
const log = { debug: note, info: note, warn: note, error: note }
const NOW = Math.floor(Date.now() / 1000)

const sign = (claims: JWTPayload, alg = 'HS256', secret = SECRET) =>
  new SignJWT(claims).setProtectedHeader({ alg }).sign(new TextEncoder().encode(secret))

beforeEach(() => {
  warned.length = 0
})

describe('tokens signed with a shared secret', () => {
  const verify = createTokens({ secret: SECRET }, log)

  test.each(['HS256', 'HS384', 'HS512'])('are sound with %s', async alg => {
    expect(await verify(await sign({ sub: 'me', role: 'a' }, alg))).toMatchObject({ sub: 'me', role: 'a' })
  })

  test('are refused with another secret, out of time, or with a byte changed', async () => {
    const good = await sign({ sub: 'me' })
    const changed = `${good.slice(0, -3)}${good.at(-3) === 'A' ? 'B' : 'A'}${good.slice(-2)}`
    const bad = [
      await sign({}, 'HS256', 'another secret of some length, not shared at all'),
      await sign({ exp: NOW - 1 }),
      await sign({ nbf: NOW + 60 }),
      changed,
      new UnsecuredJWT({ sub: 'me' }).encode(),
      '',
      'a.b.c',
      'nonsense',
      `${good}.`,
      'x'.repeat(20_000),
    ]
    for (const token of bad) expect(await verify(token), token.slice(0, 40)).toBeNull()
    expect(warned).toEqual([])
  })

  test('are held to issuer, audience, subject, age and claims', async () => {
    const strict = createTokens(
      {
        secret: SECRET,
        verify: {
          algorithms: ['HS512'],
          allowedIss: ['one', 'two'],
          allowedAud: 'us',
          allowedSub: 'me',
          maxAge: 60_000,
          requiredClaims: ['exp'],
        },
      },
      log,
    )
    const claims = { iss: 'two', aud: 'us', sub: 'me', iat: NOW, exp: NOW + 60 }
    expect(await strict(await sign(claims, 'HS512'))).toMatchObject({ sub: 'me' })
    const bad = [{ iss: 'three' }, { aud: 'them' }, { sub: 'you' }, { iat: NOW - 61 }, { exp: undefined as never }]
    for (const other of bad) expect(await strict(await sign({ ...claims, ...other }, 'HS512'))).toBeNull()
    expect(await strict(await sign(claims, 'HS256'))).toBeNull()
  })

  test('may be a little late where that is tolerated', async () => {
    const token = await sign({ exp: NOW - 5 })
    expect(await createTokens({ secret: SECRET, verify: { clockTolerance: 60_000 } }, log)(token)).not.toBeNull()
  })
})

describe('tokens signed with a private key', () => {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString()

  test('are verified with the public one, which is no shared secret', async () => {
    const verify = createTokens({ secret: { public: pem } }, log)
    const token = await new SignJWT({ sub: 'me' }).setProtectedHeader({ alg: 'RS256' }).sign(privateKey)
    expect(await verify(token)).toMatchObject({ sub: 'me' })
    // Who knows the public key could else sign with it as if it were one.
    expect(await verify(await sign({ sub: 'me' }, 'HS256', pem))).toBeNull()
  })

  test('need a key that is one', () => {
    expect(() => createTokens({ secret: { public: 'no key' } }, log)).toThrow('must be a public key in PEM')
  })
})

describe('tokens of an issuer with a key set', () => {
  let issuer: Issuer
  beforeAll(async () => {
    issuer = await startIssuer()
  })
  afterAll(() => issuer.close())
  beforeEach(() => {
    issuer.mode = 'well'
    issuer.asked.length = 0
  })

  test.each([
    ['its own path', {}, ['/.well-known/jwks.json']],
    ['another path', { jwksPath: '/certs' }, ['/certs']],
    ['where it says', { providerDiscovery: true }, ['/.well-known/openid-configuration', '/keys']],
  ])('are verified with keys from %s, which are fetched once', async (_, more, asked) => {
    const verify = createTokens({ jwks: { issuersWhitelist: [`${issuer.url}/`], ...more } }, log)
    const token = await issuer.sign({ sub: 'me' })
    expect(await verify(token)).toMatchObject({ sub: 'me' })
    expect(await verify(token)).toMatchObject({ sub: 'me' })
    expect(issuer.asked).toEqual(asked)
  })

  test('may come from anyone whose keys stand at the configured URL, held to the issuers that are named', async () => {
    const at = `${issuer.url}/keys`
    const token = await issuer.sign({ iss: 'https://elsewhere.example', sub: 'me' })
    expect(await createTokens({ jwks: { url: at } }, log)(token)).toMatchObject({ sub: 'me' })
    const named = createTokens({ jwks: { url: at, issuersWhitelist: ['https://other.example'] } }, log)
    expect(await named(token)).toBeNull()
  })

  test('of nobody who is named are refused, and their server is not asked', async () => {
    const verify = createTokens({ jwks: { allowedDomains: ['https://id.example'] } }, log)
    expect(await verify(await issuer.sign({}))).toBeNull()
    expect(await verify(await issuer.sign({ iss: undefined as never }))).toBeNull()
    expect(issuer.asked).toEqual([])
  })

  test('are refused when signed with a secret, whatever it is', async () => {
    const verify = createTokens({ jwks: { issuersWhitelist: [issuer.url] } }, log)
    expect(await verify(await sign({ iss: issuer.url }))).toBeNull()
    expect(await verify(new UnsecuredJWT({ iss: issuer.url }).encode())).toBeNull()
  })

  test('follow a change of keys, and unknown keys are not asked for again and again', async () => {
    const verify = createTokens({ jwks: { issuersWhitelist: [issuer.url], ttl: 1 } }, log)
    const old = await issuer.sign({})
    expect(await verify(old)).not.toBeNull()
    await issuer.rotate('second', 'ES256')
    await expect.poll(async () => verify(await issuer.sign({ sub: 'new' }))).toMatchObject({ sub: 'new' })
    expect(await verify(old)).toBeNull()

    const kept = createTokens({ jwks: { issuersWhitelist: [issuer.url] } }, log)
    await kept(await issuer.sign({}))
    issuer.asked.length = 0
    for (let i = 0; i < 5; i++) expect(await kept(await issuer.sign({}, { kid: `forged-${i}` }))).toBeNull()
    expect(issuer.asked).toEqual([])
  })

  test.each([
    ['failing', {}],
    ['silent', {}],
    ['failing', { providerDiscovery: true }],
    ['silent', { providerDiscovery: true }],
  ] as const)('are refused while it is %s, said once, and accepted when it is well again', async (mode, more) => {
    const verify = createTokens({ jwks: { issuersWhitelist: [issuer.url], timeout: 50, ...more } }, log)
    issuer.mode = mode
    const token = await issuer.sign({ sub: 'me' })
    expect(await verify(token)).toBeNull()
    expect(await verify(token)).toBeNull()
    expect(warned.map(({ message }) => message)).toEqual([
      expect.stringContaining('the issuer of tokens cannot be asked'),
    ])
    expect(JSON.stringify(warned)).not.toContain(token)
    issuer.mode = 'well'
    expect(await verify(token)).toMatchObject({ sub: 'me' })
    expect(warned.at(-1)?.message).toBe('the issuer of tokens can be asked again')
  })
})

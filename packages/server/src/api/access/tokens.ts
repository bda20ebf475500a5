/** JSON Web Tokens: whether one is sound, and what it claims. */
import { createPublicKey } from 'node:crypto'
import { type AuthorizationJwt, tokenAlgorithms } from '@posthorn/contract'
import { decodeJwt, errors, type JWTPayload, type JWTVerifyOptions, jwtVerify } from 'jose'
import type { Log } from '../../log.ts'
import { createKeySets } from './key-sets.ts'
import { createReachLog } from './reach-log.ts'

/** The claims of a token, or null for one that is forged, out of date or not for us. Never rejects. */
export type Tokens = (token: string) => Promise<JWTPayload | null>

/** No token of an ordinary issuer is longer; the work of looking at one is bounded. */
const MAX_TOKEN_LENGTH = 16_384

/** @throws Error for a public key that is none */
export function createTokens(jwt: AuthorizationJwt, log: Log): Tokens {
  const verify = verifierOf(jwt)
  const reach = createReachLog(log, 'the issuer of tokens')
  return async token => {
    if (token.length > MAX_TOKEN_LENGTH) return null
    try {
      const claims = await verify(token)
      if (claims) reach.well()
      return claims
    } catch (error) {
      if (!isTokensFault(error)) reach.failed(error)
      return null
    }
  }
}

function verifierOf(jwt: AuthorizationJwt): Tokens {
  const options = verifyOptions(jwt)
  const { secret, jwks } = jwt
  if (jwks) {
    const sets = createKeySets(jwks)
    return async token => {
      const keys = await sets.of(decodeJwt(token).iss)
      return keys && (await jwtVerify(token, keys, options)).payload
    }
  }
  const key = typeof secret === 'string' ? new TextEncoder().encode(secret) : publicKey(secret!.public)
  return async token => (await jwtVerify(token, key, options)).payload
}

/** The names of @fastify/jwt, in milliseconds; jose's are in seconds. */
function verifyOptions({ secret, verify = {} }: AuthorizationJwt): JWTVerifyOptions {
  const { allowedIss, allowedAud, allowedSub, clockTolerance, maxAge, requiredClaims } = verify
  const fitting = typeof secret === 'string' ? tokenAlgorithms.secret : tokenAlgorithms.key
  return {
    algorithms: verify.algorithms ?? [...fitting],
    ...(allowedIss !== undefined && { issuer: allowedIss }),
    ...(allowedAud !== undefined && { audience: allowedAud }),
    ...(allowedSub !== undefined && { subject: allowedSub }),
    ...(clockTolerance !== undefined && { clockTolerance: clockTolerance / 1000 }),
    ...(maxAge !== undefined && { maxTokenAge: maxAge / 1000 }),
    ...(requiredClaims !== undefined && { requiredClaims }),
  }
}

function publicKey(pem: string) {
  try {
    return createPublicKey(pem)
  } catch {
    throw new Error('authorization.jwt.secret.public must be a public key in PEM')
  }
}

/** Whether the caller is to blame, and not an issuer that did not answer. */
function isTokensFault(error: unknown): boolean {
  if (!(error instanceof errors.JOSEError)) return error instanceof TypeError && error.cause === undefined
  return !UNREACHED.includes(error.code)
}

const UNREACHED: readonly string[] = ['ERR_JOSE_GENERIC', 'ERR_JWKS_TIMEOUT', 'ERR_JWKS_INVALID']

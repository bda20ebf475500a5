/** What a caller shows: the admin secret, a token, or an API key. */
import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { headerAliases, KEY_PREFIX } from '@posthorn/contract'

export function givenSecret(headers: IncomingHttpHeaders): string | null {
  const given = headers[headerAliases.adminSecret]
  return typeof given === 'string' ? given : null
}

export function givenToken({ authorization }: IncomingHttpHeaders): string | null {
  return authorization && /^bearer /i.test(authorization) ? authorization.slice(7).trim() : null
}

/** What can only be meant as an API key; the admin secret beside it goes before. */
export function givenKey(headers: IncomingHttpHeaders): string | null {
  const token = givenToken(headers)
  return token?.startsWith(KEY_PREFIX) && givenSecret(headers) === null ? token : null
}

/** Compares with a secret in a time that tells nothing: digests are of equal length whatever is given. */
export function secretMatcher(secret: string | null): (given: string) => boolean {
  if (secret === null) return () => false
  const expected = digest(secret)
  return given => timingSafeEqual(digest(given), expected)
}

function digest(secret: string): Buffer {
  return createHash('sha256').update(secret).digest()
}

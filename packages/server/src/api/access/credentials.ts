/** What a caller shows: the admin secret, or a token. */
import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { headerAliases } from '@posthorn/contract'

export function givenSecret(headers: IncomingHttpHeaders): string | null {
  const given = headers[headerAliases.adminSecret]
  return typeof given === 'string' ? given : null
}

export function givenToken({ authorization }: IncomingHttpHeaders): string | null {
  return authorization && /^bearer /i.test(authorization) ? authorization.slice(7).trim() : null
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

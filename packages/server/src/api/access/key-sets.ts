/**
 * The public keys that tokens are signed with, by issuer.
 *
 * A key set is fetched when it is first needed, kept for its time, and fetched anew when a token names a key that it
 * does not have, though not more than twice a minute: an issuer may change its keys, and nobody can make us ask it at
 * will. An issuer that does not answer in time leaves its tokens unverified; it is asked again with the next one.
 */
import type { AuthorizationJwt } from '@posthorn/contract'
import { createRemoteJWKSet, type RemoteJWKSet } from 'jose'

type Options = NonNullable<AuthorizationJwt['jwks']>

export interface KeySets {
  /** Null for an issuer that is not trusted. @throws Error where the issuer cannot be asked */
  of(issuer: string | undefined): Promise<RemoteJWKSet | null>
}

const TIMEOUT_MS = 5000
const TTL_MS = 600_000
const COOLDOWN_MS = 30_000

export function createKeySets(options: Options): KeySets {
  const { url, timeout = TIMEOUT_MS, ttl = TTL_MS } = options
  const open = (location: string): RemoteJWKSet =>
    createRemoteJWKSet(new URL(location), {
      timeoutDuration: timeout,
      cacheMaxAge: ttl,
      cooldownDuration: COOLDOWN_MS,
    })
  const named = [...(options.issuersWhitelist ?? []), ...(options.allowedDomains ?? [])].map(withSlash)
  const single = url === undefined ? null : open(url)
  const sets = new Map<string, Promise<RemoteJWKSet>>()
  return {
    async of(issuer) {
      const key = withSlash(issuer ?? '')
      if (named.length > 0 && !named.includes(key)) return null
      if (single) return single
      const known = sets.get(key) ?? locate(key, options, timeout).then(open)
      sets.set(key, known)
      known.catch(() => sets.delete(key))
      return known
    },
  }
}

const withSlash = (issuer: string): string => (issuer.endsWith('/') ? issuer : `${issuer}/`)

/** Where an issuer has its keys. */
async function locate(issuer: string, { jwksPath, providerDiscovery }: Options, timeoutMs: number): Promise<string> {
  if (jwksPath !== undefined) return issuer + jwksPath.replace(/^\/+/, '')
  if (!providerDiscovery) return `${issuer}.well-known/jwks.json`
  const answer = await fetch(`${issuer}.well-known/openid-configuration`, {
    redirect: 'error',
    signal: AbortSignal.timeout(timeoutMs),
  })
  const found = answer.ok ? ((await answer.json()) as { readonly jwks_uri?: unknown }) : {}
  if (typeof found.jwks_uri !== 'string') throw new Error(`${issuer} does not say where its keys are`)
  return found.jwks_uri
}

/** Who a caller turns out to be: roles, and the metadata that rules compare with. */
import type { IncomingHttpHeaders } from 'node:http'
import { type Authorization, DEFAULT_ANONYMOUS_ROLE, DEFAULT_ROLE_KEY } from '@posthorn/contract'
import type { Metadata } from './checks.ts'

export interface User {
  readonly roles: readonly string[]
  readonly metadata: Metadata
  /** For records of who did what. */
  readonly name: string
  /** When this stops being known, in milliseconds since 1970. */
  readonly until: number | null
}

type Claims = Readonly<Record<string, unknown>>
type RoleNames = Pick<Authorization, 'roleKey' | 'rolePath' | 'anonymousRole'>

const USER_ID = 'X-PLATFORMATIC-USER-ID'

export function anonymousUser({ anonymousRole = DEFAULT_ANONYMOUS_ROLE }: RoleNames): User {
  return { roles: [anonymousRole], metadata: () => undefined, name: 'anonymous', until: null }
}

/** A user by the claims of a token, or by a webhook's answer. Claims of the namespace are known without it. */
export function userOfClaims(claims: Claims, names: RoleNames, namespace = ''): User {
  const metadata: Metadata = key => own(claims, namespace + key) ?? own(claims, key)
  const [first = '', ...rest] = names.rolePath?.split('.') ?? []
  const raw = names.rolePath
    ? rest.reduce<unknown>((value, key) => own(value, key), metadata(first))
    : metadata(names.roleKey ?? DEFAULT_ROLE_KEY)
  return userOf(rolesIn(raw), metadata, names, typeof claims.exp === 'number' ? claims.exp * 1000 : null)
}

/** The user that the holder of the admin secret speaks for; null where no role is named. */
export function userOfHeaders(headers: IncomingHttpHeaders, names: RoleNames): User | null {
  const metadata: Metadata = key => own(headers, key.toLowerCase())
  const roles = rolesIn(metadata(names.rolePath ?? names.roleKey ?? DEFAULT_ROLE_KEY))
  return roles.length > 0 ? userOf(roles, metadata, names, null) : null
}

function userOf(roles: readonly string[], metadata: Metadata, names: RoleNames, until: number | null): User {
  const known = roles.length > 0 ? roles : anonymousUser(names).roles
  const id = [metadata('sub'), metadata(USER_ID)].find(value => typeof value === 'string' || typeof value === 'number')
  return { roles: known, metadata, name: String(id ?? known.join(',')), until }
}

/** Names with commas between, or a list of names. */
function rolesIn(raw: unknown): string[] {
  const parts = typeof raw === 'string' ? raw.split(',') : Array.isArray(raw) ? raw : []
  return parts.flatMap(part => (typeof part === 'string' && part.trim() !== '' ? [part.trim()] : []))
}

function own(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key) ? (value as Claims)[key] : undefined
}

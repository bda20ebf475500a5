/**
 * Who may call.
 *
 * The admin, by the secret: everything. With an `authorization` section also whoever a token or a webhook says the caller
 * is, and the holder of the secret on behalf of roles that it names; everybody else is anonymous. What is shown and is
 * wrong is refused, never taken for nothing. With neither secret nor section the server must listen on loopback only,
 * and answers requests that name this machine. An API key is taken in all of these cases, and reaches its own org alone.
 */
import type { IncomingHttpHeaders } from 'node:http'
import { ADMIN_ROLE, type Authorization, Problem } from '@posthorn/contract'
import type { Log } from '../../log.ts'
import type { Admitted, CallContext } from '../handlers.ts'
import { givenKey, givenSecret, givenToken, secretMatcher } from './credentials.ts'
import { isLoopback, refuseStrangers } from './local.ts'
import { readRules, rightsOf } from './rules.ts'
import { actingFor, holderOf, namedOrg, operatorOf, type Tenants } from './tenants.ts'
import { createTokens } from './tokens.ts'
import { anonymousUser, type User, userOfClaims, userOfHeaders } from './users.ts'
import { createWebhook } from './webhook.ts'

export interface Access {
  /** A promise only where somebody else is asked: a token's issuer, a webhook. Never rejects. */
  admit(headers: IncomingHttpHeaders): Admitted | Promise<Admitted>
  /** Why nothing at all is answered to this request, or null. */
  refuse(headers: IncomingHttpHeaders): Problem | null
  readonly open: boolean
}

export interface AccessOptions {
  readonly adminSecret: string | null
  readonly authorization: Authorization | null
  readonly host: string
  readonly tenants: Tenants
  readonly log: Log
}

type Admit = (headers: IncomingHttpHeaders) => Admitted | Promise<Admitted>

/** @throws Error if anyone on the network could call without a secret */
export function createAccess(options: AccessOptions): Access {
  const { adminSecret, authorization, host, tenants } = options
  const admin = operatorOf(tenants)
  const admit = (others: Admit): Admit => admitToOrgs(others, tenants)
  if (authorization !== null)
    return { open: false, admit: admit(admitByRules(options, authorization, admin)), refuse: noObjection }
  if (adminSecret !== null) return { open: false, admit: admit(admitBySecret(adminSecret, admin)), refuse: noObjection }
  if (!isLoopback(host)) {
    throw new Error(
      `host ${host} can be reached by others, so an admin secret is needed: set POSTHORN_ADMIN_SECRET, or listen on 127.0.0.1`,
    )
  }
  return { open: true, admit: admit(() => admin), refuse: refuseStrangers }
}

/** Refuses at once, before anything is opened, what `createAccess` would refuse. @throws Error */
export function checkAccess(options: Omit<AccessOptions, 'tenants'>): void {
  const tenants: Tenants = { findKey: () => null, findOrg: () => null, instanceOrg: { id: 0, name: '' } }
  createAccess({ ...options, tenants })
}

/** Keys are for their holders' orgs; whoever else is admitted may name one. A caller who does neither pays two comparisons. */
function admitToOrgs(others: Admit, tenants: Tenants): Admit {
  return headers => {
    const token = givenKey(headers)
    return actingFor(token === null ? others(headers) : holderOf(token, tenants), namedOrg(headers), tenants)
  }
}

const noObjection = (): null => null
const unauthorized = (): Problem => new Problem('unauthorized', {})

function admitBySecret(adminSecret: string, admin: CallContext): Admit {
  const matches = secretMatcher(adminSecret)
  return headers => {
    const given = givenSecret(headers) ?? givenToken(headers)
    return given !== null && matches(given) ? admin : unauthorized()
  }
}

function admitByRules(options: AccessOptions, authorization: Authorization, admin: CallContext): Admit {
  const { adminSecret, log } = options
  const { orgId } = admin
  const { jwt, webhook } = authorization
  const matches = secretMatcher(adminSecret)
  const verify = jwt && createTokens(jwt, log)
  const ask = webhook && createWebhook(webhook.url, log)
  const choice = {
    rules: readRules(authorization, adminSecret !== null),
    merge: authorization.roleMergeStrategy ?? 'first-match',
  } as const
  const admitUser = (user: User): Admitted => {
    if (adminSecret !== null && user.roles.every(role => role === ADMIN_ROLE))
      return { ...admin, actor: user.name, until: user.until }
    const rights = rightsOf(choice, user.roles, user.metadata)
    return rights ? { orgId, actor: user.name, rights, until: user.until } : unauthorized()
  }
  const anonymous = admitUser(anonymousUser(authorization))
  /** Where others say who calls, nobody speaks for roles of their own choice. */
  const admitAdmin = (headers: IncomingHttpHeaders): Admitted => {
    const user = verify || ask ? null : userOfHeaders(headers, authorization)
    return user ? admitUser(user) : admin
  }
  const askOthers = async (headers: IncomingHttpHeaders, token: string | null): Promise<Admitted> => {
    const claims = token !== null && verify ? await verify(token) : null
    if (claims) return admitUser(userOfClaims(claims, authorization, jwt?.namespace))
    const answer = ask ? await ask(headers) : null
    return answer ? admitUser(userOfClaims(answer, authorization)) : unauthorized()
  }
  return headers => {
    const secret = givenSecret(headers)
    if (secret !== null) return matches(secret) ? admitAdmin(headers) : unauthorized()
    const token = givenToken(headers)
    if (token !== null && matches(token)) return admitAdmin(headers)
    if (ask || (token !== null && verify)) return askOthers(headers, token)
    return token === null ? anonymous : unauthorized()
  }
}

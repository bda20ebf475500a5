/**
 * Who may call.
 *
 * With an admin secret, whoever sends it. Without one the server must listen on loopback only, and answers requests
 * that name this machine: a page of another site, and a name of another site that resolves to 127.0.0.1, come with
 * their own Origin or Host.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { headerAliases, Problem } from '@posthorn/contract'
import type { CallContext } from '../handlers.ts'

export type Admitted = CallContext | Problem

export interface Access {
  /** The caller, or why there is none. A promise only where somebody else is asked (a token's keys, a webhook). Never rejects. */
  admit(headers: IncomingHttpHeaders): Admitted | Promise<Admitted>
  /** Why nothing at all is answered to this request, or null. */
  refuse(headers: IncomingHttpHeaders): Problem | null
  readonly open: boolean
}

/** @throws Error if anyone on the network could call without a secret */
export function createAccess(options: { adminSecret: string | null; host: string; orgId: number }): Access {
  const admin: CallContext = Object.freeze({ orgId: options.orgId, actor: 'admin', rights: null, until: null })
  if (options.adminSecret === null) {
    if (!isLoopback(options.host)) {
      throw new Error(
        `host ${options.host} can be reached by others, so an admin secret is needed: set POSTHORN_ADMIN_SECRET, or listen on 127.0.0.1`,
      )
    }
    return { open: true, admit: () => admin, refuse: refuseStrangers }
  }
  const expected = digest(options.adminSecret)
  const matches = (given: string): boolean => timingSafeEqual(digest(given), expected)
  return {
    open: false,
    admit: headers => {
      const given = givenSecret(headers)
      return given !== null && matches(given) ? admin : new Problem('unauthorized', {})
    },
    refuse: () => null,
  }
}

/** Of equal length whatever is compared, so that time tells nothing. */
function digest(secret: string): Buffer {
  return createHash('sha256').update(secret).digest()
}

function givenSecret(headers: IncomingHttpHeaders): string | null {
  const own = headers[headerAliases.adminSecret]
  if (typeof own === 'string') return own
  const { authorization } = headers
  return authorization && /^bearer /i.test(authorization) ? authorization.slice(7).trim() : null
}

function refuseStrangers(headers: IncomingHttpHeaders): Problem | null {
  if (!isLocalUrl(`http://${headers.host}`)) return new Problem('host_not_local', { header: 'Host' })
  const { origin } = headers
  if (origin !== undefined && !isLocalUrl(origin)) return new Problem('host_not_local', { header: 'Origin' })
  return null
}

function isLocalUrl(url: string): boolean {
  return URL.canParse(url) && isLoopback(new URL(url).hostname)
}

/** Whether a name or address can only be this machine. */
export function isLoopback(host: string): boolean {
  const name = host.toLowerCase().replace(/^\[|\]$/g, '')
  return name === 'localhost' || name.endsWith('.localhost') || name === '::1' || /^127(\.\d{1,3}){3}$/.test(name)
}

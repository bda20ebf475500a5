import type { LookupFunction } from 'node:net'
import { systemClock } from '../clock.ts'
import { describeSpecial, isLoopback, parseAddress } from './address.ts'
import { type AllowRule, normalizeHost, parseAllowRule } from './allow.ts'
import { createNames, type Resolver } from './names.ts'

/**
 * The address guard: where requests may go.
 *
 * Guarantees that no connection is made to a private, loopback, link-local, metadata or otherwise special address unless
 * the installation allows it, whatever a URL, a redirect or a name server says. That holds because a connection only
 * ever gets addresses that came through `refuseUrl` (literal ones, which no lookup sees) or `lookup` (all others), which
 * judges them anew for every connection, whether they were kept (names.ts) or asked for:
 * the very addresses that were judged are connected to, and a name cannot change its mind in between. The peer's
 * address is judged once more when the connection stands.
 *
 * A refusal is an AddressRefusedError or a sentence; the attempt's outcome is `refused`, and it is not retried.
 */
export interface AddressGuard {
  /** Why this URL may not be called, as far as that shows before its name is resolved; null if it does not. */
  refuseUrl(url: URL): string | null
  /** Why this address may not be connected to on behalf of host and port; null if it may. */
  refuseAddress(address: string, host: string, port: number): string | null
  /** For connections to this port: resolves a name to those of its addresses that may be connected to, at least one, or an error. */
  lookup(port: number): LookupFunction
}

export interface GuardOptions {
  /** Whether targets on this machine are allowed: while the server itself listens on loopback only. */
  readonly allowLoopback: boolean
  /** Entries of POSTHORN_ALLOW_TARGETS; see allow.ts. */
  readonly allow: readonly string[]
  /** Instead of the system's names, kept as long as they are good. */
  readonly resolver?: Resolver
}

export class AddressRefusedError extends Error {
  readonly code = 'address_refused'

  constructor(message: string) {
    super(message)
    this.name = 'AddressRefusedError'
  }
}

/** @throws RangeError naming the entry of `allow` that cannot be read */
export function createGuard(options: GuardOptions): AddressGuard {
  const rules = options.allow.map(readRule)
  const resolve = options.resolver ?? createNames({ clock: systemClock })

  const refuseAddress = (text: string, host: string, port: number): string | null => {
    const address = parseAddress(text)
    if (address === null) return `${text} is not an address`
    const special = describeSpecial(address)
    if (special === null || (options.allowLoopback && isLoopback(address))) return null
    const name = normalizeHost(host)
    if (rules.some(rule => rule.matches(address, name, port))) return null
    return `${host === text ? text : `${host} (${text})`} is ${special}, and not an allowed target`
  }

  const noneAllowed = (host: string, address: string | undefined, port: number): Error =>
    address === undefined
      ? new NoAddressError(host)
      : new AddressRefusedError(refuseAddress(address, host, port) ?? `${host} may not be connected to`)

  return {
    refuseAddress,
    refuseUrl(url) {
      if (url.protocol !== 'http:' && url.protocol !== 'https:') return `only http and https URLs can be called`
      const literal = url.hostname.replace(/^\[|\]$/g, '')
      return parseAddress(literal) === null ? null : refuseAddress(literal, literal, portOf(url))
    },
    lookup:
      port =>
      (host, { all }, done) =>
        resolve(host, (error, addresses) => {
          if (error !== null) return done(error, [])
          const allowed = addresses.filter(({ address }) => refuseAddress(address, host, port) === null)
          const [first] = allowed
          if (first === undefined) return done(noneAllowed(host, addresses[0]?.address, port), [])
          if (all) done(null, allowed)
          else done(null, first.address, first.family)
        }),
  }
}

/** The port that a URL leads to. */
export function portOf(url: URL): number {
  return url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port)
}

class NoAddressError extends Error {
  readonly code = 'ENOTFOUND'

  constructor(host: string) {
    super(`${host} has no address`)
    this.name = 'NoAddressError'
  }
}

function readRule(entry: string): AllowRule {
  const rule = parseAllowRule(entry)
  if ('problem' in rule) throw new RangeError(`allowed targets: ${rule.problem}`)
  return rule
}

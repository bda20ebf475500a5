import ipaddr from 'ipaddr.js'
import { type Address, parseAddress } from './address.ts'

/**
 * Targets that an installation allows although they are special: `*`, a network (`10.0.0.0/8`), an address (`10.1.2.3`,
 * `::1`), or a host name (`billing.internal`); an address or a name may have a port (`[::1]:8080`, `billing:80`).
 */
export interface AllowRule {
  /** Whether connecting to `address` on behalf of `host` and `port` is allowed. */
  matches(address: Address, host: string, port: number): boolean
}

const HOST_NAME = /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*$/

/** Reads one entry of `POSTHORN_ALLOW_TARGETS`; the problem names the entry. */
export function parseAllowRule(entry: string): AllowRule | { readonly problem: string } {
  if (entry === '*') return { matches: () => true }
  const rule = entry.includes('/') ? parseNetwork(entry) : parseHostAndPort(entry)
  return rule ?? { problem: `"${entry}" is not *, a network, an address or a host name (both with a port if you like)` }
}

/** The first problem in a list of entries, or null. */
export function checkAllowRules(entries: readonly string[]): string | null {
  for (const entry of entries) {
    const rule = parseAllowRule(entry)
    if ('problem' in rule) return rule.problem
  }
  return null
}

/** A host name as rules and URLs compare it: lower case, without the dot of the root. */
export function normalizeHost(host: string): string {
  return host.toLowerCase().replace(/\.$/, '')
}

function parseNetwork(entry: string): AllowRule | null {
  if (!ipaddr.isValidCIDR(entry)) return null
  const [network, bits] = ipaddr.parseCIDR(entry)
  // Addresses are compared in their IPv4 form where they have one: this network could never match.
  if (network instanceof ipaddr.IPv6 && network.isIPv4MappedAddress()) return null
  return { matches: address => address.kind() === network.kind() && address.match(network, bits) }
}

function parseHostAndPort(entry: string): AllowRule | null {
  const bare = parseAddress(entry)
  if (bare !== null) return addressRule(bare, null)
  const parts = /^(?:\[(?<v6>[^\]]+)\]|(?<host>[^:]+))(?::(?<port>\d{1,5}))?$/.exec(entry)?.groups
  if (parts === undefined) return null
  const port = parts.port === undefined ? null : Number(parts.port)
  if (port !== null && (port < 1 || port > 65_535)) return null
  const address = parseAddress(parts.v6 ?? parts.host ?? '')
  if (address !== null) return addressRule(address, port)
  const name = normalizeHost(parts.host ?? '')
  // A name of digits and dots alone would be an address in an odd spelling, which URLs never keep.
  if (!HOST_NAME.test(name) || /^[\d.]+$/.test(name)) return null
  return { matches: (_, host, to) => host === name && (port === null || port === to) }
}

function addressRule(allowed: Address, port: number | null): AllowRule {
  const text = allowed.toString()
  return { matches: (address, _, to) => address.toString() === text && (port === null || port === to) }
}

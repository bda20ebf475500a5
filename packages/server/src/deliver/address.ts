import ipaddr from 'ipaddr.js'

/** Judges one IP address: whether it is an ordinary one of the internet, and if not, what it is. */

export type Address = ipaddr.IPv4 | ipaddr.IPv6

/** Virtual servers of cloud providers that answer with credentials or settings, at addresses that look ordinary. */
const METADATA = new Set(['168.63.129.16'])

/** RFC 6052: the last 32 bits are an IPv4 address. DNS64 gives these out for ordinary receivers in IPv6-only networks. */
const NAT64: [ipaddr.IPv6, number] = [ipaddr.IPv6.parse('64:ff9b::'), 96]
/** All that has been given out as global unicast. Unlike a list of exceptions it also leaves out `::127.0.0.1`. */
const GLOBAL_UNICAST: [ipaddr.IPv6, number] = [ipaddr.IPv6.parse('2000::'), 3]

const WORDS: Readonly<Record<string, string>> = {
  unspecified: 'an unspecified address',
  broadcast: 'a broadcast address',
  multicast: 'a multicast address',
  linkLocal: 'a link-local address',
  loopback: 'a loopback address',
  carrierGradeNat: 'a shared address of a carrier',
  private: 'a private address',
  uniqueLocal: 'a private address',
  '6to4': 'a 6to4 address',
  teredo: 'a Teredo address',
}
const OTHER = 'a reserved address'

/** Reads an address, IPv4 in the one usual spelling only; an IPv4 address inside IPv6 becomes the IPv4 address. */
export function parseAddress(text: string): Address | null {
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) return ipaddr.IPv4.parse(text)
  if (!ipaddr.IPv6.isValid(text)) return null
  // The library takes `::1.2.3.4` for `::ffff:1.2.3.4`; the network does not, and getaddrinfo prints such addresses.
  const address = ipaddr.IPv6.parse(text.replace(/^::(?=\d+\.)/, '::0:'))
  if (address.isIPv4MappedAddress()) return address.toIPv4Address()
  if (address.match(NAT64)) return new ipaddr.IPv4(address.toByteArray().slice(12))
  return address
}

/** What makes an address special, in words; null if it is an ordinary address of the internet. */
export function describeSpecial(address: Address): string | null {
  if (METADATA.has(address.toString())) return 'a metadata address'
  const range = address.range()
  if (range !== 'unicast') return WORDS[range] ?? OTHER
  return address instanceof ipaddr.IPv6 && !address.match(GLOBAL_UNICAST) ? OTHER : null
}

export function isLoopback(address: Address): boolean {
  return address.range() === 'loopback'
}

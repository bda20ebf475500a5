import { type LookupAddress, type RecordWithTtl, Resolver } from 'node:dns'

/** How long these addresses of a name are good for, in seconds; null if the DNS does not know the name by all of them. */
export type TtlSource = (
  host: string,
  addresses: readonly LookupAddress[],
  done: (seconds: number | null) => void,
) => void

/** What is asked of the DNS for each family of addresses. */
export interface DnsQueries {
  resolve4(host: string, options: { ttl: true }, done: DnsAnswer): void
  resolve6(host: string, options: { ttl: true }, done: DnsAnswer): void
}

type DnsAnswer = (error: NodeJS.ErrnoException | null, records: RecordWithTtl[]) => void

/** One question, one try: nobody waits for the answer. */
const PATIENCE = { timeout: 2000, tries: 1 }
const MOST_AT_ONCE = 50
/** The servers that were configured when it was made do not answer any more. */
const SILENT = new Set(['ETIMEOUT', 'ECONNREFUSED', 'ECANCELLED'])

/** Asks the DNS, beside the system's resolver. What has no dot or ends in .local or .localhost is not the DNS's to know. */
export function dnsTtl(open: () => DnsQueries = () => new Resolver(PATIENCE)): TtlSource {
  let dns: DnsQueries | null = null
  let underWay = 0
  return (host, addresses, done) => {
    if (underWay >= MOST_AT_ONCE || !/\.(?!local(host)?$)[^.]+$/i.test(host.replace(/\.$/, ''))) return done(null)
    dns ??= open()
    underWay += 1
    askEach(dns, host, addresses, (error, seconds) => {
      underWay -= 1
      if (error && SILENT.has(error.code ?? '')) dns = null
      done(seconds)
    })
  }
}

function askEach(
  dns: DnsQueries,
  host: string,
  addresses: readonly LookupAddress[],
  done: (error: NodeJS.ErrnoException | null, seconds: number | null) => void,
): void {
  const families = [...new Set(addresses.map(({ family }) => family))]
  const records: RecordWithTtl[] = []
  let failure: NodeJS.ErrnoException | null = null
  let left = families.length
  const answered: DnsAnswer = (error, found) => {
    failure ??= error
    records.push(...(found ?? []))
    left -= 1
    if (left === 0) done(failure, leastTtl(addresses, records))
  }
  for (const family of families) {
    if (family === 6) dns.resolve6(host, { ttl: true }, answered)
    else dns.resolve4(host, { ttl: true }, answered)
  }
}

function leastTtl(addresses: readonly LookupAddress[], records: readonly RecordWithTtl[]): number | null {
  const ttls = addresses.map(({ address }) => records.find(record => record.address === address)?.ttl ?? null)
  return ttls.includes(null) ? null : Math.min(...(ttls as number[]))
}

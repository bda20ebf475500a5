/** Callers on this machine: who may call while nothing says who may. */
import type { IncomingHttpHeaders } from 'node:http'
import { Problem } from '@posthorn/contract'

/** Hosts that were found to be local, as callers write them: the same few, with the same port, at every request. */
const known = new Set<string>()
const MOST_KNOWN = 100

/** A page of another site, and a name of another site that resolves to 127.0.0.1, come with their own Origin or Host. */
export function refuseStrangers(headers: IncomingHttpHeaders): Problem | null {
  if (!isLocalHost(headers.host)) return new Problem('host_not_local', { header: 'Host' })
  const { origin } = headers
  if (origin !== undefined && !isLocalUrl(origin)) return new Problem('host_not_local', { header: 'Origin' })
  return null
}

function isLocalHost(host = ''): boolean {
  if (known.has(host)) return true
  const isLocal = isLocalUrl(`http://${host}`)
  if (isLocal && known.size < MOST_KNOWN) known.add(host)
  return isLocal
}

function isLocalUrl(url: string): boolean {
  return URL.canParse(url) && isLoopback(new URL(url).hostname)
}

/** Whether a name or address can only be this machine. */
export function isLoopback(host: string): boolean {
  const name = host.toLowerCase().replace(/^\[|\]$/g, '')
  return name === 'localhost' || name.endsWith('.localhost') || name === '::1' || /^127(\.\d{1,3}){3}$/.test(name)
}

import type { Failure } from './outcome.ts'

/** One request on the wire: the first one of an attempt, or a hop of its redirects. */
export interface Hop {
  readonly method: string
  readonly url: string
  readonly headers: readonly string[]
  readonly body: Buffer | null
}

export const MAX_REDIRECTS = 5

const STATUSES = new Set([301, 302, 303, 307, 308])
/** Credentials by their usual names. A signature is none: it proves the message, and tells nothing about the secret. */
const CREDENTIAL = /^(authorization|cookie|proxy-authorization)$|api-?key|token|secret|password|credential|x-auth/i
/** What describes or proves a body that is no longer there. */
const OF_BODY = /^(content-|webhook-signature$)/i

export function isRedirect(status: number): boolean {
  return STATUSES.has(status)
}

/**
 * The request that a redirect asks for.
 *
 * 301 and 302 repeat method and body like 307 and 308: the GET that browsers make of a POST would have an empty
 * request answered with 200, and the message lost as delivered. 303 says that the request has been handled and where
 * to read about it, so that one is a GET. Credentials are not carried to another origin, and nothing from https to http.
 */
export function followRedirect(from: Hop, status: number, location: string): Hop | Failure {
  if (!URL.canParse(location, from.url)) return failure('to a URL that cannot be read')
  const [here, there] = [new URL(from.url), new URL(location, from.url)]
  if (here.protocol === 'https:' && there.protocol === 'http:') return failure('from https to http')

  const asGet = status === 303 && from.method !== 'HEAD'
  const away = here.origin !== there.origin
  const headers: string[] = []
  for (let i = 0; i < from.headers.length; i += 2) {
    const name = from.headers[i]!
    if ((away && CREDENTIAL.test(name)) || (asGet && OF_BODY.test(name))) continue
    headers.push(name, from.headers[i + 1]!)
  }
  return { method: asGet ? 'GET' : from.method, url: there.href, headers, body: asGet ? null : from.body }
}

export function tooManyRedirects(): Failure {
  return failure(`more than ${MAX_REDIRECTS} times`)
}

function failure(how: string): Failure {
  return { code: 'redirect', error: `the receiver redirects ${how}` }
}

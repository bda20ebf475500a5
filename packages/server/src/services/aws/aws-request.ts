import { createHash } from 'node:crypto'
import type { Calls } from '../calls.ts'
import type { Credentials } from '../credentials.ts'
import { fail } from '../faults.ts'
import { request } from '../http.ts'
import { readAnswer } from '../json-request.ts'
import type { Means } from '../port.ts'
import { encode } from './request-handler.ts'
import { signAws } from './sign.ts'

type AwsRequest = (input: Calls['awsRequest']['input'], signal: AbortSignal) => Promise<Calls['awsRequest']['value']>

/** An org's own request to an AWS API of its region. Any status is an answer: what it means, the org knows. */
export function createAwsRequest({ host: region, user, password }: Credentials, means: Means): AwsRequest {
  return async ({ service, method = 'GET', path = '/', query = {}, headers = {}, body: given = '' }, signal) => {
    const body = method === 'GET' ? '' : given
    if (!/^[a-z][a-z0-9-]{0,62}$/.test(service)) fail('invalid', 'service must be the name of an AWS API, such as sqs')
    if (!/^\/[^?#\s\\]*$/.test(path)) fail('invalid', 'path must begin with /, and have no query')
    const signedAs = SIGNED_AS[service] ?? service
    const home = new URL(
      means.endpoint?.(service) ??
        means.endpoint?.(signedAs) ??
        `https://${service}.${region}.amazonaws.com${region!.startsWith('cn-') ? '.cn' : ''}`,
    )
    const pairs = Object.entries(query)
    const search = pairs.map(([name, value]) => `${encode(name)}=${encode(value)}`).join('&')
    const url = new URL(path + (search && `?${search}`), home)
    if (url.origin !== home.origin) fail('invalid', 'path must not lead to another host')
    const signed: Record<string, string> = {
      ...plain(headers),
      host: url.host,
      'x-amz-date': new Date(means.clock.now()).toISOString().replace(/[:-]|\.\d{3}/g, ''),
      'x-amz-content-sha256': createHash('sha256').update(body, 'utf8').digest('hex'),
    }
    const authorization = signAws(
      { method, path: url.pathname, query: pairs, headers: signed, body },
      { region: region!, service: signedAs, accessKeyId: user!, secretAccessKey: password! },
    )
    const { host: _, ...sent } = signed
    return readAnswer(
      await request(means, {
        url: url.href,
        method,
        headers: { ...sent, authorization },
        body: method === 'GET' ? null : body,
        signal,
      }),
    )
  }
}

/** APIs whose signature has another name than their host. */
const SIGNED_AS: Readonly<Record<string, string>> = { email: 'ses' }

const NOT_GIVEN =
  /^(host|authorization|content-length|transfer-encoding|connection|expect|upgrade|te|trailer|x-amz-(date|content-sha256|security-token))$/

function plain(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => {
      const lower = name.toLowerCase()
      if (!/^[a-z0-9-]+$/.test(lower) || NOT_GIVEN.test(lower)) fail('invalid', `headers.${lower} cannot be given`)
      if (!/^[\t\x20-\x7e]*$/.test(value)) fail('invalid', `headers.${lower} has characters that no header may`)
      return [lower, value]
    }),
  )
}

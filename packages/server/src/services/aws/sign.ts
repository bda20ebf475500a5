import { createHash, createHmac } from 'node:crypto'
import { encode } from './request-handler.ts'

export interface Unsigned {
  readonly method: string
  /** Percent-encoded already. */
  readonly path: string
  /** Not encoded. */
  readonly query: readonly (readonly [string, string])[]
  /** Those that are signed: in lower case, `host` and `x-amz-date` among them. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

export interface SigningScope {
  readonly region: string
  readonly service: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

/** The Authorization header of AWS Signature Version 4. */
export function signAws(request: Unsigned, { region, service, accessKeyId, secretAccessKey }: SigningScope): string {
  const time = request.headers['x-amz-date']!
  const scope = `${time.slice(0, 8)}/${region}/${service}/aws4_request`
  const names = Object.keys(request.headers).sort()
  const text = ['AWS4-HMAC-SHA256', time, scope, sha256(canonical(request, names, service))].join('\n')
  const key = scope.split('/').reduce<string | Buffer>((secret, part) => hmac(secret, part), `AWS4${secretAccessKey}`)
  const signature = hmac(key, text).toString('hex')
  return `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=${names.join(';')}, Signature=${signature}`
}

function canonical(
  { method, path, query, headers, body }: Unsigned,
  names: readonly string[],
  service: string,
): string {
  const pairs = query.map(([name, value]) => `${encode(name)}=${encode(value)}`).sort()
  return [
    method,
    // Every service but S3 encodes the path once more.
    service === 's3' ? path : path.split('/').map(encode).join('/'),
    pairs.join('&'),
    ...names.map(name => `${name}:${headers[name]!.trim().replace(/\s+/g, ' ')}`),
    '',
    names.join(';'),
    sha256(body),
  ].join('\n')
}

function sha256(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex')
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text, 'utf8').digest()
}

import type { Asked } from '../stand-in.suite.ts'
import { signAws } from './sign.ts'

/**
 * What is wrong with the signature of a request, as AWS would find it; null if nothing is. It signs the request again:
 * that the signing is right, the SDK's own signatures show, and AWS's published example.
 */
export function wrongSignature(asked: Asked, service: string, keys: Readonly<Record<string, string>>): string | null {
  const { authorization = '' } = asked.headers
  const parts =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/\d{8}\/([^/]+)\/([^/]+)\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/.exec(
      authorization,
    )
  if (parts === null) return 'IncompleteSignature'
  const [, accessKeyId = '', region = '', signedService, names = ''] = parts
  const secretAccessKey = keys[accessKeyId]
  if (secretAccessKey === undefined) return 'UnrecognizedClientException'
  if (signedService !== service || !names.split(';').includes('host')) return 'InvalidSignatureException'
  const headers = Object.fromEntries(names.split(';').map(name => [name, String(asked.headers[name] ?? '')]))
  const [path = '', search = ''] = asked.target.split('?')
  const query =
    search === '' ? [] : search.split('&').map(pair => pair.split('=').map(decodeURIComponent) as [string, string])
  const again = signAws(
    { method: asked.method, path, query, headers, body: asked.body.toString('utf8') },
    { region, service, accessKeyId, secretAccessKey },
  )
  return again.split('Signature=')[1] === parts[5] ? null : 'InvalidSignatureException'
}

import { Readable } from 'node:stream'
import type { ReadableStream } from 'node:stream/web'
import type { Outside } from '../outside.ts'

/** A request as the AWS SDK has signed it. */
export interface SignedRequest {
  readonly protocol: string
  readonly hostname: string
  readonly port?: number
  readonly path: string
  readonly query?: Readonly<Record<string, string | readonly string[] | null>>
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: unknown
}

/** Sends the SDK's requests over guarded connections. */
export function createRequestHandler(outside: Outside) {
  return {
    metadata: { handlerProtocol: 'http/1.1' },
    async handle(signed: SignedRequest, { abortSignal }: { abortSignal?: unknown } = {}) {
      const { host: _, 'content-length': __, ...headers } = signed.headers
      const response = await outside.fetch(urlOf(signed), {
        method: signed.method,
        headers,
        body: (signed.body ?? null) as string | Uint8Array<ArrayBuffer> | null,
        signal: (abortSignal ?? null) as AbortSignal | null,
      })
      const body = response.body === null ? Readable.from([]) : Readable.fromWeb(response.body as ReadableStream)
      return {
        response: {
          statusCode: response.status,
          reason: response.statusText,
          headers: Object.fromEntries(response.headers),
          body,
        },
      }
    },
    updateHttpClientConfig(): void {},
    httpHandlerConfigs: () => ({}),
    destroy(): void {},
  }
}

function urlOf({ protocol, hostname, port, path, query = {} }: SignedRequest): string {
  const pairs = Object.entries(query).flatMap(([name, value]) =>
    (value === null ? [''] : [value].flat()).map(one => `${encode(name)}=${encode(one)}`),
  )
  const search = pairs.length === 0 ? '' : `?${pairs.join('&')}`
  return `${protocol}//${hostname}${port === undefined ? '' : `:${port}`}${path}${search}`
}

/** As the signature has it: RFC 3986, which leaves fewer characters as they are than encodeURIComponent. */
export function encode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, found => `%${found.charCodeAt(0).toString(16).toUpperCase()}`)
}

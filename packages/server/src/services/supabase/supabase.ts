import type { ReadableStream } from 'node:stream/web'
import type { OpenFile } from '../calls.ts'
import { wrongUrl } from '../credentials.ts'
import { type Fault, type FaultCode, FaultError, fail, faultCodeOf, faultOf } from '../faults.ts'
import { createJsonRequest } from '../json-request.ts'
import type { ServiceType } from '../port.ts'
import { boundStream, tooLarge } from './bounded-stream.ts'

const IDLE_MS = 30_000

export const supabase: ServiceType = {
  name: 'supabase',
  title: 'Supabase Storage',
  summary: 'Fetches files from the storage of a Supabase instance.',
  credentials: {
    fields: {
      host: { meaning: 'URL of the instance', required: true, wrong: wrongUrl },
      password: {
        meaning: 'API key',
        required: true,
        wrong: value => (/^[\x21-\x7e]+$/.test(value) ? null : 'have no spaces, and characters of ASCII only'),
      },
      path: {
        meaning: 'default bucket',
        required: false,
        wrong: value => (isName(value) ? null : 'be the name of a bucket'),
      },
    },
  },
  functions: ['storage'],
  batch: 1,
  calls: ['fetchFile', 'fetchFiles', 'jsonRequest'],
  async open(credentials, means) {
    const { StorageClient } = await import('@supabase/storage-js')
    const home = credentials.host!.replace(/\/+$/, '')
    const headers = { apikey: credentials.password!, authorization: `Bearer ${credentials.password}` }
    const place = (path: string) => placeOf(path, credentials.path)
    const openFile = async (path: string, maxBytes: number, signal: AbortSignal | null): Promise<OpenFile> => {
      const { bucket, file } = place(path)
      let response: Response | null = null
      // The library hands out the body alone, and the answer's headers say how large and what it is.
      const fetch = async (url: unknown, init?: RequestInit): Promise<Response> => {
        response = await means.outside.fetch(url as string, { ...init, ...(signal === null ? {} : { signal }) })
        return response
      }
      const client = new StorageClient(`${home}/storage/v1`, headers, fetch as typeof globalThis.fetch)
      const { data, error } = await client.from(bucket).download(file).asStream()
      if (error !== null) throw error
      const { headers: said } = response! as Response
      // Of what was compressed on the way, the length is that of the way.
      const isAnnounced = said.has('content-length') && !said.has('content-encoding')
      const bytes = isAnnounced ? Number(said.get('content-length')) : null
      if (bytes !== null && bytes > maxBytes) {
        void data.cancel().catch(() => {})
        throw new FaultError(tooLarge(path, maxBytes))
      }
      const bounds = { path, maxBytes, idleMs: IDLE_MS, clock: means.clock }
      const stream = boundStream(data as ReadableStream<Uint8Array>, bounds)
      return { path, contentType: said.get('content-type') ?? 'application/octet-stream', bytes, stream }
    }
    return {
      classify,
      async check(signal) {
        const fetch = (url: unknown, init?: RequestInit) => means.outside.fetch(url as string, { ...init, signal })
        const client = new StorageClient(`${home}/storage/v1`, headers, fetch as typeof globalThis.fetch)
        const { data, error } = await client.listBuckets()
        if (error !== null) throw error
        const names = data.map(({ name }) => name)
        if (credentials.path !== null && !names.includes(credentials.path)) {
          fail(
            'misconfigured',
            `The storage has no bucket ${credentials.path}; it shows: ${names.join(', ') || 'none'}`,
          )
        }
        return `Supabase Storage at ${new URL(home).host} accepts the key and shows the buckets: ${names.join(', ') || 'none'}`
      },
      calls: {
        fetchFile: ({ path, maxBytes }, signal) => openFile(path, maxBytes, signal),
        jsonRequest: createJsonRequest({ means, credentials, home, headers }),
      },
    }
  },
}

/** Where a file is: `bucket/path`; in the default bucket if it begins with `/` or has no other `/`. */
function placeOf(path: string, defaultBucket: string | null): { bucket: string; file: string } {
  const inDefault = defaultBucket !== null && (path.startsWith('/') || !path.includes('/'))
  const parts = path.replace(/^\//, '').split('/')
  const bucket = inDefault ? defaultBucket : parts.shift()!
  if (!isName(bucket)) fail('invalid', 'path must be bucket/path')
  // The library puts them in its URL as they are.
  if (parts.length === 0 || parts.some(part => part === '' || part === '.' || part === '..')) {
    fail('invalid', 'path must name a file, and have no empty part, . or ..')
  }
  const clean = Buffer.from(parts.join('/'), 'utf8').toString('utf8')
  return { bucket, file: clean.split('/').map(encodeURIComponent).join('/') }
}

function isName(bucket: string): boolean {
  return /^[\w][\w .-]{0,99}$/.test(bucket)
}

const BY_CODE: Readonly<Record<string, FaultCode>> = {
  NoSuchKey: 'not_found',
  NoSuchBucket: 'not_found',
  InvalidJWT: 'unauthorized',
  AccessDenied: 'unauthorized',
  Unauthorized: 'unauthorized',
  SlowDown: 'throttled',
  DatabaseTimeout: 'unavailable',
}

/** The status of the answer is 400 for much of what its body calls 404 or 403. */
function classify(error: unknown): Fault | null {
  if (!(error instanceof Error) || error.name !== 'StorageApiError') return null
  const { status, statusCode } = error as Error & { status?: number; statusCode?: string }
  const inner = Number(statusCode)
  const real = inner >= 300 && inner < 600 ? inner : (status ?? 500)
  const code = BY_CODE[statusCode ?? ''] ?? faultCodeOf(real)
  const more = { status: real, serviceCode: statusCode ?? null }
  return faultOf(code, `Supabase Storage answered ${real}: ${error.message}`, more)
}

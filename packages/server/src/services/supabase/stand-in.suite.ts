import { buffer } from 'node:stream/consumers'
import { gzipSync } from 'node:zlib'
import { secretWord } from '../../../test/leaks/marked.ts'
import type { Fault } from '../faults.ts'
import type { Service } from '../port.ts'
import { json, type OnEnd, type Replied, type StandIn, startHttp } from '../stand-in.suite.ts'

const KEY = `eyJhbGciOiJIUzI1NiJ9.${secretWord()}.c2lnbmF0dXJl`
export const FILES: Readonly<Record<string, string>> = {
  'photos/a.txt': 'A'.repeat(1000),
  'photos/dir/ü b.txt': 'B',
  'docs/c.txt': 'C',
}

/** Supabase Storage: `GET /storage/v1/object/bucket/path`, and the list of buckets; its errors are 400 with the real status inside. */
export async function startSupabase(onEnd?: OnEnd) {
  const taken: string[] = []
  const error = (status: number, message: string, name = 'Error'): Replied =>
    json(status, { statusCode: String(status), error: name, message })
  const http = await startHttp(
    {
      error,
      answer({ url, headers }): Replied {
        if (headers.authorization !== `Bearer ${KEY}` || headers.apikey !== KEY) {
          return json(400, { statusCode: '403', error: 'Unauthorized', message: 'signature verification failed' })
        }
        if (url.pathname === '/storage/v1/bucket')
          return json(200, [
            { id: 'photos', name: 'photos' },
            { id: 'docs', name: 'docs' },
          ])
        const name = decodeURIComponent(url.pathname.replace('/storage/v1/object/', ''))
        taken.push(name)
        if (name === 'photos/endless')
          return { status: 200, headers: { 'transfer-encoding': 'chunked' }, body: 'E'.repeat(5000) }
        if (name === 'photos/zipped') {
          const body = gzipSync('Z'.repeat(1000))
          return { status: 200, headers: { 'content-encoding': 'gzip', 'content-length': String(body.length) }, body }
        }
        const body = FILES[name]
        if (body === undefined) return json(400, { statusCode: '404', error: 'not_found', message: 'Object not found' })
        return { status: 200, headers: { 'content-type': 'text/plain', 'content-length': String(body.length) }, body }
      },
    },
    onEnd,
  )
  const credentials = { host: http.origin, user: null, password: KEY, path: 'photos' }
  const standIn: StandIn = {
    ...http,
    credentials,
    wrong: { ...credentials, password: 'another' },
    taken: () => [],
    act: fetchOne,
  }
  return { ...standIn, asked: http.asked, names: taken }
}

async function fetchOne(service: Service): Promise<Fault | null> {
  const answer = await service.calls.fetchFile!({ path: 'photos/a.txt', maxBytes: 10_000 })
  if (!answer.ok) return answer.fault
  try {
    await buffer(answer.value.stream)
    return null
  } catch (error) {
    return (error as { fault: Fault }).fault
  }
}

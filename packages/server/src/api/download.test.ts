import { Readable } from 'node:stream'
import { expect, test } from 'vitest'
import { type Served, serveAlone } from '../../test/api/serve.ts'

const KIB = Buffer.alloc(1024, 'x')

async function open(stream: Readable, bytes: number | null = null): Promise<Served> {
  const served = await serveAlone()
  served.state.backend.file = () => ({ contentType: 'text/html', bytes, stream })
  return served
}

const until = async (holds: () => boolean): Promise<void> => {
  while (!holds()) await new Promise(resolve => setTimeout(resolve, 5))
}

test('a file is answered as it is, and no browser takes it for a page of ours', async () => {
  const served = await open(Readable.from([Buffer.from('ab'), Buffer.from([0, 255])]), 4)
  const response = await fetch(`${served.url}/files/download?path=photos/a.bin`)
  expect(response.status).toBe(200)
  expect(Object.fromEntries(response.headers)).toMatchObject({
    'content-type': 'text/html',
    'content-length': '4',
    'content-disposition': 'attachment',
    'x-content-type-options': 'nosniff',
  })
  expect(Buffer.from(await response.arrayBuffer())).toEqual(Buffer.from([97, 98, 0, 255]))
})

test('a file that breaks off is no whole answer', async () => {
  async function* broken() {
    yield KIB
    throw new Error('the storage went away')
  }
  const served = await open(Readable.from(broken()))
  const response = await fetch(`${served.url}/files/download?path=a`)
  expect(response.status).toBe(200)
  await expect(response.arrayBuffer()).rejects.toThrow()
})

test('no more is read than the caller takes, and nothing once the caller has left', async () => {
  let read = 0
  const stream = new Readable({
    highWaterMark: 64 * 1024,
    read() {
      read += KIB.length
      this.push(KIB)
    },
  })
  const served = await open(stream)
  const leave = new AbortController()
  const response = await fetch(`${served.url}/files/download?path=a`, { signal: leave.signal })
  const reader = response.body!.getReader()
  await reader.read()
  let before = -1
  // Until every buffer on the way is full.
  for (; before !== read; await new Promise(resolve => setTimeout(resolve, 200))) before = read
  expect(read).toBeLessThan(64 * 1024 * 1024)
  leave.abort()
  await reader.read().catch(() => {})
  await until(() => stream.destroyed)
})

test('what is wrong is said before the first byte, as everywhere', async () => {
  const served = await open(Readable.from([]))
  const missing = await served.call('GET', '/files/download')
  expect(missing).toMatchObject({ status: 400, json: { message: expect.stringContaining('path') } })
  const large = await served.call('GET', `/files/download?path=a&maxBytes=${2 ** 41}`)
  expect(large).toMatchObject({ status: 400, json: { message: expect.stringContaining('maxBytes') } })
  served.state.failure = new Error('boom')
  expect((await served.call('GET', '/files/download?path=a')).status).toBe(500)
})

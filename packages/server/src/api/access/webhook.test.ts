import type { IncomingHttpHeaders } from 'node:http'
import { text } from 'node:stream/consumers'
import { afterEach, describe, expect, test } from 'vitest'
import { type LoopbackServer, listen } from '../../../test/access/issuer.ts'
import { createWebhook } from './webhook.ts'

const warned: string[] = []
const note = (_: object, message: string) => void warned.push(message)
const log = { debug: note, info: note, warn: note, error: note }

interface Heard {
  readonly method: string | undefined
  readonly path: string | undefined
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

let server: LoopbackServer
afterEach(async () => {
  warned.length = 0
  await server.close()
})

/** A webhook that answers in this way; a status of 0 is no answer. */
async function startWebhook(status: number, body: string): Promise<Heard[]> {
  const heard: Heard[] = []
  server = await listen(async (request, response) => {
    const { method, url, headers } = request
    heard.push({ method, path: url, headers, body: await text(request) })
    if (status === 0) return
    response.writeHead(status, { location: '/elsewhere' }).end(body)
  })
  return heard
}

describe('a webhook', () => {
  test('is told the headers of the request, but for those of the connection, and answers with the metadata', async () => {
    const heard = await startWebhook(200, '{"X-PLATFORMATIC-ROLE":"user","X-PLATFORMATIC-USER-ID":42}')
    const ask = createWebhook(`${server.url}/who?v=1`, log)
    const headers = {
      host: 'posthorn.example',
      connection: 'keep-alive',
      'content-length': '999',
      'content-type': 'text/plain',
      'transfer-encoding': 'chunked',
      expect: '100-continue',
      'accept-encoding': 'br',
      authorization: 'Bearer t',
      cookie: 'session=1',
      'x-api-key': 'k',
    }
    expect(await ask(headers)).toEqual({ 'X-PLATFORMATIC-ROLE': 'user', 'X-PLATFORMATIC-USER-ID': 42 })
    const [asked] = heard
    expect(asked).toMatchObject({ method: 'POST', path: '/who?v=1', body: '{}' })
    expect(asked!.headers).toMatchObject({ authorization: 'Bearer t', cookie: 'session=1', 'x-api-key': 'k' })
    expect(asked!.headers).toMatchObject({ 'content-type': 'application/json', 'content-length': '2' })
    expect(server.url).toContain(asked!.headers.host)
    expect(asked!.headers).not.toHaveProperty('accept-encoding')
    expect(asked!.headers).not.toHaveProperty('expect')
  })

  test.each([
    [401, '{"X-PLATFORMATIC-ROLE":"user"}'],
    [404, ''],
    [302, '{"X-PLATFORMATIC-ROLE":"user"}'],
  ])('that answers %d has refused', async (status, body) => {
    const heard = await startWebhook(status, body)
    expect(await createWebhook(server.url, log)({})).toBeNull()
    expect(heard.length).toBe(1)
    expect(warned).toEqual([])
  })

  test.each([
    [200, 'no JSON'],
    [200, '[]'],
    [200, 'null'],
    [200, ''],
    [500, '{}'],
    [200, `"${'x'.repeat(70_000)}"`],
    [0, ''],
  ])('that fails (%d, %.10s) admits nobody, which is said once', async (status, body) => {
    await startWebhook(status, body)
    const ask = createWebhook(server.url, log, 100)
    expect(await ask({})).toBeNull()
    expect(await ask({})).toBeNull()
    expect(warned).toEqual([expect.stringContaining('webhook cannot be asked')])
  })

  test('that is not there admits nobody', async () => {
    await startWebhook(200, '{}')
    await server.close()
    expect(await createWebhook(server.url, log)({})).toBeNull()
  })
})

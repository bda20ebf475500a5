import { expect, test } from 'vitest'
import { receiver, sender } from './receivers.suite.ts'
import { followRedirect, type Hop } from './redirect.ts'

const headers = ['Authorization', 'Bearer x', 'X-Api-Key', 'k', 'X-Tenant', 't', 'webhook-signature', 'v1,s']
const from: Hop = {
  method: 'POST',
  url: 'https://a.example/hook',
  headers: [...headers, 'content-type', 'a/b'],
  body: Buffer.from('x'),
}

test('method and body stay on 301, 302, 307 and 308', () => {
  for (const status of [301, 302, 307, 308]) {
    expect(followRedirect(from, status, '/new?x=1')).toEqual({ ...from, url: 'https://a.example/new?x=1' })
  }
})

test('303 becomes a GET without the body and what described it', () => {
  expect(followRedirect(from, 303, '/done')).toEqual({
    method: 'GET',
    url: 'https://a.example/done',
    headers: ['Authorization', 'Bearer x', 'X-Api-Key', 'k', 'X-Tenant', 't'],
    body: null,
  })
  expect(followRedirect({ ...from, method: 'HEAD' }, 303, '/done')).toMatchObject({ method: 'HEAD' })
})

test('credentials do not go to another origin, the signature does', () => {
  for (const location of ['https://b.example/', 'https://a.example:8443/', '//b.example/']) {
    expect(followRedirect(from, 307, location)).toMatchObject({
      headers: ['X-Tenant', 't', 'webhook-signature', 'v1,s', 'content-type', 'a/b'],
    })
  }
})

test('a redirect from https to http or to nowhere is a failure', () => {
  expect(followRedirect(from, 307, 'http://a.example/')).toMatchObject({ code: 'redirect' })
  expect(followRedirect(from, 307, 'https://')).toMatchObject({ code: 'redirect' })
  expect(followRedirect({ ...from, url: 'http://a.example/' }, 307, 'https://a.example/')).toHaveProperty('url')
})

test('redirects are followed only where that is allowed', async () => {
  const target = await receiver((response, { url }) => {
    if (url === '/hook') response.writeHead(308, { location: '/moved' }).end('gone there')
    else response.writeHead(200).end('here')
  })
  const { attempt } = sender()
  expect(await attempt(target.url)).toMatchObject({ kind: 'failed', status: 308, errorCode: 'http_status' })
  expect(await attempt(target.url, { followRedirects: true })).toMatchObject({ kind: 'delivered', excerpt: 'here' })
  expect(target.received.map(({ method, url, body }) => `${method} ${url} ${body}`)).toEqual([
    'POST /hook {}',
    'POST /hook {}',
    'POST /moved {}',
  ])
})

test('five redirects are followed, a sixth is not', async () => {
  const target = await receiver((response, { url }) => {
    const n = Number(url.slice(1))
    if (n > 0) response.writeHead(302, { location: `/${n - 1}` }).end()
    else response.writeHead(204).end()
  })
  const { attempt } = sender()
  const base = `http://127.0.0.1:${target.port}`
  expect((await attempt(`${base}/5`, { followRedirects: true })).kind).toBe('delivered')
  expect(await attempt(`${base}/6`, { followRedirects: true })).toMatchObject({
    kind: 'failed',
    errorCode: 'redirect',
    status: 302,
  })
})

test('all hops share one deadline, also over bodies nobody wants to read', async () => {
  const target = await receiver(response => {
    setTimeout(() => response.writeHead(302, { location: '/again' }).end(Buffer.alloc(200_000)), 60)
  })
  const outcome = await sender().attempt(target.url, { followRedirects: true, timeoutMs: 150 })
  expect(outcome).toMatchObject({ errorCode: 'timeout' })
  expect(outcome.durationMs).toBeLessThan(3000)
})

test('a redirect whose body is too long to read is followed all the same', async () => {
  const target = await receiver((response, { url }) => {
    if (url === '/hook') response.writeHead(302, { location: '/there' }).end(Buffer.alloc(1 << 20))
    else setTimeout(() => response.writeHead(200).end('there'), 50)
  })
  const outcome = await sender().attempt(target.url, { followRedirects: true })
  expect(outcome).toMatchObject({ kind: 'delivered', excerpt: 'there' })
  expect(target.connections()).toBe(2)
  await expect.poll(target.open).toBe(1)
})

test('a redirect without a location is what its status says', async () => {
  const target = await receiver(response => response.writeHead(302).end())
  const outcome = await sender().attempt(target.url, { followRedirects: true })
  expect(outcome).toMatchObject({ kind: 'failed', status: 302, errorCode: 'http_status' })
})

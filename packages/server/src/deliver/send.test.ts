import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { silentLog } from '../log.ts'
import { onRequests, rawReceiver, receiver, sender } from './receivers.suite.ts'

test('a request arrives as it was given, byte for byte', async () => {
  const target = await receiver()
  const { attempt } = sender()
  const bodies = [Buffer.alloc(0), randomBytes(1 << 20), Buffer.from([0xff, 0xfe, 0, 0xc3, 0x28]), Buffer.from('ž')]
  for (const body of bodies) expect((await attempt(target.url, { body })).kind).toBe('delivered')
  expect(target.received.map(({ body }, i) => body.equals(bodies[i]!))).toEqual([true, true, true, true])
  expect(target.received.map(({ headers }) => headers['content-length'])).toEqual(['0', '1048576', '5', '2'])
})

test('headers arrive in their order, spelling and number, beside what the connection needs', async () => {
  const target = await receiver()
  await sender().attempt(target.url, { headers: ['X-B', '1', 'x-a', 'é', 'Content-Type', 'text/plain', 'empty', ''] })
  const { rawHeaders } = target.received[0]!
  const own = ['host', `127.0.0.1:${target.port}`, 'connection', 'keep-alive']
  expect(rawHeaders).toEqual([
    ...own,
    ...['X-B', '1', 'x-a', 'é', 'Content-Type', 'text/plain', 'empty', ''],
    ...['content-length', '2'],
  ])
})

test('every method goes out, with a body and without one', async () => {
  const target = await receiver()
  const { attempt } = sender()
  for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS', 'WEIRD']) {
    for (const body of [null, Buffer.from('abc')]) {
      const { kind, status } = await attempt(target.url, { method, body })
      const { received } = target
      const last = received.at(-1)!
      // node:http parses no request with an unknown method.
      if (method === 'WEIRD') expect({ kind, status }).toEqual({ kind: 'failed', status: 400 })
      else
        expect({ kind, method: last.method, body: last.body.toString() }).toEqual({
          kind: 'delivered',
          method,
          body: body ? 'abc' : '',
        })
      if (body === null && method === 'POST') expect(last.headers['content-length']).toBe('0')
    }
  }
})

test('path and query arrive, a fragment stays', async () => {
  const target = await receiver()
  await sender().attempt(`${target.url}/a%20b?c=d&e=%C3%BC#f`)
  expect(target.received[0]?.url).toBe('/hook/a%20b?c=d&e=%C3%BC')
})

test.for([
  [200, 'delivered'],
  [201, 'delivered'],
  [204, 'delivered'],
  [299, 'delivered'],
  [302, 'failed'],
  [304, 'failed'],
  [400, 'failed'],
  [404, 'failed'],
  [410, 'gone'],
  [429, 'failed'],
  [500, 'failed'],
  [503, 'failed'],
] as const)('%i is %s', async ([status, kind]) => {
  const target = await receiver(response => response.writeHead(status, { location: '/elsewhere' }).end())
  const outcome = await sender().attempt(target.url)
  expect(outcome).toMatchObject({ kind, status, excerpt: null, retryAfterMs: null })
  expect(outcome.errorCode).toBe(kind === 'delivered' ? null : 'http_status')
  expect(outcome.error).toBe(kind === 'delivered' ? null : `127.0.0.1 answered ${status}`)
  expect(target.received).toHaveLength(1)
})

test('interim responses are passed over', async () => {
  const target = await receiver(response => {
    response.writeProcessing()
    response.writeEarlyHints({ link: '</a>; rel=preload' })
    response.writeHead(202).end('final')
  })
  expect(await sender().attempt(target.url)).toMatchObject({ kind: 'delivered', status: 202, excerpt: 'final' })
})

test('the wait that a receiver asks for is reported', async () => {
  const target = await receiver(response => response.writeHead(503, { 'retry-after': '7' }).end())
  expect((await sender().attempt(target.url)).retryAfterMs).toBe(7000)
})

test('the excerpt is the beginning of the body, as text that a database can hold', async () => {
  const bodies: Buffer[] = []
  const target = await receiver(response => response.writeHead(500).end(bodies.pop()))
  const { attempt } = sender({ excerptBytes: 10 })
  const excerptOf = async (body: Buffer) => {
    bodies.push(body)
    return (await attempt(target.url)).excerpt
  }
  expect(await excerptOf(Buffer.from('short'))).toBe('short')
  expect(await excerptOf(Buffer.from('0123456789'))).toBe('0123456789')
  expect(await excerptOf(Buffer.from('0123456789a'))).toBe('0123456789')
  expect(await excerptOf(Buffer.from('012345678žluť'))).toBe('012345678')
  expect(await excerptOf(Buffer.from([0x61, 0xff, 0x00, 0x62]))).toBe('a\ufffd\ufffdb')
})

test('of a huge response little is read, and the status decides', async () => {
  let written = 0
  const target = await rawReceiver(socket => {
    socket.once('data', () => {
      socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${10 << 20}\r\n\r\n`)
      const part = Buffer.alloc(16_384, 'x')
      const more = (): void => {
        while (!socket.destroyed && written < 10 << 20) {
          written += part.length
          if (!socket.write(part)) return
        }
      }
      socket.on('drain', more)
      more()
    })
  })
  const outcome = await sender({ maxResponseBytes: 65_536 }).attempt(target.url)
  expect(outcome).toMatchObject({ kind: 'delivered', status: 200, excerpt: 'x'.repeat(1024) })
  expect(written).toBeLessThan(10 << 20)
  await expect.poll(target.open).toBe(0)
})

test('a compressed response is not decoded', async () => {
  const target = await receiver(response =>
    response.writeHead(200, { 'content-encoding': 'gzip' }).end('no gzip at all'),
  )
  expect(await sender().attempt(target.url)).toMatchObject({ kind: 'delivered', excerpt: 'no gzip at all' })
})

test('a response without a length ends with its connection', async () => {
  const target = await rawReceiver(socket => {
    onRequests(socket, () => socket.end('HTTP/1.1 200 OK\r\n\r\nuntil the end'))
  })
  expect(await sender().attempt(target.url)).toMatchObject({ kind: 'delivered', excerpt: 'until the end' })
})

test('connections are kept and used again', async () => {
  const target = await receiver()
  const { attempt } = sender()
  for (let i = 0; i < 20; i++) await attempt(target.url)
  expect(target.connections()).toBe(1)
})

test('the outcome comes once and never while send is running, however early the failure', async () => {
  const target = await receiver()
  const { send, stop } = sender()
  const request = { orgId: 1, method: 'POST', headers: [], body: null, timeoutMs: 2000, followRedirects: false }
  const requests = [
    { ...request, url: target.url },
    { ...request, url: 'not a url' },
    { ...request, url: 'ftp://127.0.0.1/' },
    { ...request, url: 'http://10.0.0.1/' },
    { ...request, url: target.url, headers: ['bad name', 'x'] },
    { ...request, url: target.url, headers: ['host', 'x'] },
    { ...request, url: 'http://127.0.0.1:1/' },
  ]
  const calls = requests.map(() => 0)
  await Promise.all(
    requests.map(
      (request, i) =>
        new Promise<void>(resolve => {
          let returned = false
          send(request, () => {
            expect(returned).toBe(true)
            calls[i]!++
            resolve()
          })
          returned = true
        }),
    ),
  )
  await stop(1000)
  expect(calls).toEqual(requests.map(() => 1))
})

test.for([
  ['an unreadable URL', 'http://', {}, 'the URL cannot be read'],
  ['no URL', 'nowhere', {}, 'the URL cannot be read'],
  ['a password in the URL', 'http://u:p@127.0.0.1/', {}, 'the URL must not hold a user or password'],
  ['an invalid header name', null, { headers: ['a b', 'c'] }, 'invalid header key'],
  ['an invalid header value', null, { headers: ['a', 'b\r\nc: d'] }, 'invalid a header'],
  ['a header beyond Latin-1', null, { headers: ['a', '€'] }, 'invalid a header'],
  [
    'a header of the connection',
    null,
    { headers: ['Content-Length', '7'] },
    'the header Content-Length cannot be given',
  ],
  ['an invalid method', null, { method: 'A B' }, 'invalid request method'],
  ['CONNECT', null, { method: 'CONNECT' }, 'CONNECT cannot be used'],
] as const)('%s is a failed attempt, not an exception', async ([, url, request, error]) => {
  const target = await receiver()
  const outcome = await sender().attempt(url ?? target.url, request)
  expect(outcome).toMatchObject({ kind: 'failed', errorCode: 'invalid_request', status: null })
  expect(outcome.error).toContain(error)
  expect(target.received).toHaveLength(0)
})

test('who cannot take an outcome in harms nobody else, and it is logged', async () => {
  const target = await receiver()
  const logged: object[] = []
  const { send, attempt } = sender({ log: { ...silentLog, error: fields => logged.push(fields) } })
  const request = {
    orgId: 1,
    method: 'POST',
    url: target.url,
    headers: [],
    body: null,
    timeoutMs: 5000,
    followRedirects: false,
  }
  const broken = new Error('broken')
  let calls = 0
  send(request, () => {
    calls++
    throw broken
  })
  await expect.poll(() => logged).toEqual([{ error: broken }])
  expect((await attempt(target.url)).kind).toBe('delivered')
  expect({ calls, connections: target.connections() }).toEqual({ calls: 1, connections: 1 })
})

import net from 'node:net'
import { expect, test } from 'vitest'
import { createGuard } from './guard.ts'
import type { Resolver } from './names.ts'
import { onRequests, rawReceiver, receiver, sender } from './receivers.suite.ts'

const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok'

test.for([
  ['hangs from the first byte', () => {}, /no answer within 150 ms/, null],
  ['hangs inside the headers', (socket: net.Socket) => socket.write('HTTP/1.1 200 OK\r\nx'), /no answer/, null],
  [
    'hangs inside the body',
    (socket: net.Socket) => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nab'),
    /the response did not end within 150 ms/,
    200,
  ],
] as const)('a receiver that %s times out', async ([, answer, error, status]) => {
  const target = await rawReceiver(socket => onRequests(socket, () => answer(socket)))
  const outcome = await sender().attempt(target.url, { timeoutMs: 150 })
  expect(outcome).toMatchObject({ kind: 'failed', errorCode: 'timeout', status })
  expect(outcome.error).toMatch(error)
  expect(outcome.durationMs).toBeGreaterThanOrEqual(149)
  expect(outcome.durationMs).toBeLessThan(3000)
  await expect.poll(target.open).toBe(0)
})

test('a body that trickles does not outlive the deadline', async () => {
  const target = await rawReceiver(socket => {
    onRequests(socket, () => {
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n')
      const trickle = setInterval(() => socket.write('x'), 20)
      socket.on('close', () => clearInterval(trickle))
    })
  })
  const outcome = await sender().attempt(target.url, { timeoutMs: 200 })
  expect(outcome).toMatchObject({ errorCode: 'timeout', status: 200 })
  expect(outcome.durationMs).toBeLessThan(3000)
})

test('a timeout makes no further connection, and the next attempt gets one of its own', async () => {
  let connections = 0
  const target = await rawReceiver((socket, n) => {
    connections = n
    onRequests(socket, () => n > 1 && socket.write(OK))
  })
  const { attempt } = sender()
  expect((await attempt(target.url, { timeoutMs: 100 })).errorCode).toBe('timeout')
  expect((await attempt(target.url)).kind).toBe('delivered')
  await expect.poll(target.open).toBe(1)
  expect(connections).toBe(2)
})

test('a name that nobody answers for times out with the attempt, and the connection is not made later', async () => {
  const answers: (() => void)[] = []
  const target = await rawReceiver(() => {})
  const resolver: Resolver = (_, done) => answers.push(() => done(null, [{ address: '127.0.0.1', family: 4 }]))
  const guard = createGuard({ allowLoopback: true, allow: [], resolver })
  const outcome = await sender({ guard }).attempt(`http://slow.example:${target.port}/`, { timeoutMs: 100 })
  expect(outcome).toMatchObject({
    kind: 'failed',
    errorCode: 'timeout',
    error: 'slow.example: no connection within 100 ms',
  })
  for (const answer of answers) answer()
  await new Promise(setImmediate)
  expect(target.open()).toBe(0)
})

test('waiting for a free connection counts, and says what it was', async () => {
  const target = await rawReceiver(() => {})
  const { attempt } = sender({ connectionsPerOrigin: 1 })
  const first = attempt(target.url, { timeoutMs: 300 })
  const second = await attempt(target.url, { timeoutMs: 100 })
  expect(second).toMatchObject({ kind: 'failed', errorCode: 'busy' })
  expect((await first).errorCode).toBe('timeout')
})

test('no more connections to an origin than allowed, and everyone gets a turn', async () => {
  let most = 0
  const target = await receiver(response => {
    most = Math.max(most, target.open())
    setImmediate(() => response.writeHead(204).end())
  })
  const { attempt } = sender({ connectionsPerOrigin: 3 })
  const outcomes = await Promise.all(Array.from({ length: 100 }, () => attempt(target.url)))
  expect(outcomes.every(({ kind }) => kind === 'delivered')).toBe(true)
  expect(most).toBe(3)
})

test('a hanging receiver does not hold up another', async () => {
  const [hung, quick] = [await rawReceiver(() => {}), await receiver()]
  const { attempt, stop } = sender({ connectionsPerOrigin: 5 })
  const hanging = Promise.all(Array.from({ length: 50 }, () => attempt(hung.url, { timeoutMs: 20_000 })))
  const outcomes = await Promise.all(Array.from({ length: 50 }, () => attempt(quick.url)))
  expect(outcomes.every(({ kind }) => kind === 'delivered')).toBe(true)
  await stop(0)
  expect((await hanging).every(({ errorCode }) => errorCode === 'shutdown')).toBe(true)
})

test.for([
  ['closes instead of answering', (socket: net.Socket) => socket.end(), 'reset', null],
  ['resets instead of answering', (socket: net.Socket) => socket.resetAndDestroy(), 'reset', null],
  ['closes inside the headers', (socket: net.Socket) => socket.end('HTTP/1.1 200 OK\r\nx: y'), 'reset', null],
  [
    'closes inside the body',
    (socket: net.Socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nab'),
    'reset',
    200,
  ],
  [
    'closes inside a chunk',
    (socket: net.Socket) => socket.end('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n9\r\nab'),
    'reset',
    200,
  ],
  [
    'closes inside a chunk of a last response',
    (socket: net.Socket) => {
      socket.end('HTTP/1.1 200 OK\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n9\r\nab')
    },
    'reset',
    200,
  ],
  ['talks something else', (socket: net.Socket) => socket.write('220 mail.example ESMTP\r\n'), 'protocol', null],
  [
    'sends headers without end',
    (socket: net.Socket) => socket.write(`HTTP/1.1 200 OK\r\na: ${'x'.repeat(99_999)}`),
    'protocol',
    null,
  ],
  [
    'switches protocols unasked',
    (socket: net.Socket) => socket.write('HTTP/1.1 101 X\r\nconnection: upgrade\r\nupgrade: y\r\n\r\n'),
    'protocol',
    null,
  ],
] as const)('a receiver that %s fails the attempt at once', async ([, answer, errorCode, status]) => {
  let requests = 0
  const target = await rawReceiver(socket => {
    onRequests(socket, () => {
      requests++
      answer(socket)
    })
  })
  const outcome = await sender().attempt(target.url)
  expect(outcome).toMatchObject({ kind: 'failed', errorCode, status })
  expect(outcome.durationMs).toBeLessThan(3000)
  // Never a second try on a connection that was new: this is what the receiver does.
  expect(requests).toBe(1)
  await expect.poll(target.open).toBe(0)
})

test('a connection refused and a name unknown have their codes', async () => {
  const { port } = await rawReceiver(socket => socket.destroy())
  const closed = net.createServer().listen(0, '127.0.0.1')
  await new Promise(resolve => closed.once('listening', resolve))
  const { port: free } = closed.address() as net.AddressInfo
  await new Promise(resolve => closed.close(resolve))
  expect(await sender().attempt(`http://127.0.0.1:${free}/`)).toMatchObject({
    kind: 'failed',
    errorCode: 'connect',
    error: expect.stringContaining('ECONNREFUSED'),
  })
  const unknown: Resolver = (_, done) => done(Object.assign(new Error('no'), { code: 'ENOTFOUND' }), [])
  const guard = createGuard({ allowLoopback: true, allow: [], resolver: unknown })
  expect((await sender({ guard }).attempt(`http://x.example:${port}/`)).errorCode).toBe('dns')
})

test('a kept connection that is closed as we write is tried once more on a new one', async () => {
  for (const close of ['end', 'resetAndDestroy'] as const) {
    const seen: string[] = []
    const target = await rawReceiver((socket, connection) => {
      onRequests(socket, request => {
        seen.push(`${connection}.${request}`)
        if (request === 2) socket[close]()
        else socket.write(OK)
      })
    })
    const { attempt } = sender()
    expect((await attempt(target.url)).kind).toBe('delivered')
    expect((await attempt(target.url)).kind).toBe('delivered')
    expect(seen).toEqual(['1.1', '1.2', '2.1'])
  }
})

test('the second try is the last', async () => {
  const seen: string[] = []
  const target = await rawReceiver((socket, connection) => {
    onRequests(socket, request => {
      seen.push(`${connection}.${request}`)
      if (connection === 1 && request === 1) socket.write(OK)
      else socket.end()
    })
  })
  const { attempt } = sender()
  await attempt(target.url)
  expect(await attempt(target.url)).toMatchObject({ kind: 'failed', errorCode: 'reset' })
  expect(seen).toEqual(['1.1', '1.2', '2.1'])
})

test('a kept connection that breaks after the first byte of an answer is not tried again', async () => {
  let requests = 0
  const target = await rawReceiver(socket => {
    onRequests(socket, request => {
      requests++
      if (request === 1) socket.write(OK)
      else socket.write('HTTP/1.1 2', () => setTimeout(() => socket.end(), 20))
    })
  })
  const { attempt } = sender()
  await attempt(target.url)
  expect(await attempt(target.url)).toMatchObject({ kind: 'failed', errorCode: 'reset' })
  expect(requests).toBe(2)
})

test('stop lets attempts finish within its time', async () => {
  const target = await receiver(response => setTimeout(() => response.writeHead(204).end(), 100))
  const { attempt, stop } = sender()
  const outcome = attempt(target.url)
  await stop(5000)
  expect((await outcome).kind).toBe('delivered')
  await expect.poll(target.open).toBe(0)
})

test('stop ends what is still under way after its time, in line or on the wire', async () => {
  const target = await rawReceiver(() => {})
  const { attempt, stop } = sender({ connectionsPerOrigin: 2 })
  const outcomes = Array.from({ length: 5 }, () => attempt(target.url))
  await stop(100)
  for (const outcome of await Promise.all(outcomes)) {
    expect(outcome).toMatchObject({ kind: 'failed', errorCode: 'shutdown', status: null })
  }
  expect((await attempt(target.url)).errorCode).toBe('shutdown')
  await expect.poll(target.open).toBe(0)
})

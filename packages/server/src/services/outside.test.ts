import { once } from 'node:events'
import net from 'node:net'
import { afterEach, describe, expect, onTestFinished, test } from 'vitest'
import { createGuard } from '../deliver/guard.ts'
import type { Resolver } from '../deliver/names.ts'
import { classify } from '../deliver/outcome.ts'
import { createOutside, type OutsideOptions } from './outside.ts'
import { startHttp } from './stand-in.suite.ts'

const unhandled: unknown[] = []
process.on('unhandledRejection', reason => unhandled.push(reason))
afterEach(() => expect(unhandled).toEqual([]))

const to =
  (address: string): Resolver =>
  (_, done) =>
    setImmediate(() => done(null, [{ address, family: 4 }]))

function open(options: Partial<OutsideOptions> = {}, resolver: Resolver = to('127.0.0.1')) {
  const guard = createGuard({ allowLoopback: true, allow: [], resolver })
  const outside = createOutside({ guard, classify, ...options })
  onTestFinished(() => outside.close())
  return outside
}

const strict = (resolver?: Resolver) => createGuard({ allowLoopback: false, allow: [], ...(resolver && { resolver }) })
const server = () => startHttp({ answer: () => ({ status: 200, body: 'ok' }), error: status => ({ status }) })
const signal = new AbortController().signal

async function closedPort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as net.AddressInfo
  await new Promise(resolve => server.close(resolve))
  return port
}

describe('the way out', () => {
  test('a name is resolved by the guard, for requests and for connections', async () => {
    const { origin } = await server()
    const outside = open()
    const { port } = new URL(origin)
    expect((await outside.fetch(`http://some.example:${port}/`)).status).toBe(200)
    const socket = await outside.connect('some.example', Number(port), signal)
    expect(socket.remoteAddress).toBe('127.0.0.1')
    socket.destroy()
    await once(socket, 'close')
  })

  test('what the guard refuses is not connected to: a literal address, a name, and an odd spelling of either', async () => {
    const http = await server()
    const { port } = new URL(http.origin)
    const outside = open({ guard: strict(to('127.0.0.1')) })
    for (const host of ['127.0.0.1', 'some.example', '0x7f.1', '[::ffff:127.0.0.1]']) {
      const error = await outside.fetch(`http://${host}:${port}/`).then(
        () => null,
        (thrown: unknown) => thrown,
      )
      expect(outside.explain(error, 'it'), host).toMatchObject({ code: 'address_refused' })
    }
    for (const host of ['127.0.0.1', 'some.example', '0x7f.1', '::ffff:127.0.0.1']) {
      const error = await outside.connect(host, Number(port), signal).then(
        () => null,
        (thrown: unknown) => thrown,
      )
      expect(outside.explain(error, 'it'), host).toMatchObject({ code: 'address_refused' })
    }
    expect(http.connections()).toBe(0)
  })

  test('the peer is judged once more when the connection stands', async () => {
    const http = await server()
    const { port } = new URL(http.origin)
    const guard: OutsideOptions['guard'] = {
      ...createGuard({ allowLoopback: true, allow: [], resolver: to('127.0.0.1') }),
      refuseUrl: () => null,
      refuseAddress: address => (address === '127.0.0.1' ? 'a loopback address' : null),
    }
    const outside = open({ guard })
    const byFetch = await outside.fetch(`http://some.example:${port}/`).then(
      () => null,
      (thrown: unknown) => thrown,
    )
    const byConnect = await outside.connect('some.example', Number(port), signal).then(
      () => null,
      (thrown: unknown) => thrown,
    )
    for (const error of [byFetch, byConnect])
      expect(outside.explain(error, 'it')).toMatchObject({ code: 'address_refused' })
    expect(http.requests()).toBe(0)
  })

  test('a redirect comes back as it is', async () => {
    const http = await server()
    http.behave('redirects')
    const response = await open().fetch(`${http.origin}/`)
    expect([response.status, http.requests()]).toEqual([307, 1])
  })

  test('only http and https are fetched', async () => {
    const outside = open()
    for (const url of ['file:///etc/passwd', 'data:text/plain,x', 'blob:x']) {
      await expect(outside.fetch(url), url).rejects.toMatchObject({ code: 'address_refused' })
    }
  })

  test('a closed port, a name that is none and a server that hangs up are told apart', async () => {
    const http = await server()
    const { port } = new URL(http.origin)
    const none: Resolver = (_, done) => done(Object.assign(new Error('no'), { code: 'ENOTFOUND' }), [])
    const outcomeOf = async (outside: ReturnType<typeof open>, url: string) => {
      const error = await outside
        .fetch(url)
        .then(
          async response => response.text(),
          (thrown: unknown) => thrown,
        )
        .catch((thrown: unknown) => thrown)
      return outside.explain(error, 'it')?.code
    }
    expect(await outcomeOf(open({}, none), `http://no.example:${port}/`)).toBe('dns')
    expect(await outcomeOf(open(), `http://127.0.0.1:${await closedPort()}/`)).toBe('connect')
    http.behave('cuts')
    expect(await outcomeOf(open(), http.origin)).toBe('reset')
    expect(open().explain(new Error('ours'), 'it')).toBeNull()
  })

  test('a connection that is no longer wanted is not made', async () => {
    const stop = new AbortController()
    stop.abort()
    await expect(open().connect('127.0.0.1', 1, stop.signal)).rejects.toThrow('given up')
  })
})

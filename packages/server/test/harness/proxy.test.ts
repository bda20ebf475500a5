import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { everyLink, named, TcpProxy } from './proxy.ts'

let proxy: TcpProxy
let heard: string[]
let accepted: Socket[]
const clients: Socket[] = []
const server = createServer(socket => {
  accepted.push(socket)
  socket.on('error', () => {})
  socket.on('data', bytes => {
    heard.push(bytes.toString())
    socket.write(`echo ${bytes}`)
  })
})

beforeEach(async () => {
  heard = []
  accepted = []
  if (!server.listening) await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  proxy = await TcpProxy.start({ host: '127.0.0.1', port: (server.address() as { port: number }).port })
})

afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy()
  for (const socket of accepted) socket.destroy()
  await proxy.stop()
})

async function dial(hello: string): Promise<Socket> {
  const socket = connect(proxy.port, '127.0.0.1')
  clients.push(socket)
  socket.on('error', () => {})
  socket.write(hello)
  expect((await once(socket, 'data')).toString()).toBe(`echo ${hello}`)
  return socket
}

describe('the proxy', () => {
  test('cuts one session and leaves its siblings alone', async () => {
    const lock = await dial('application_name lock')
    const pool = await dial('application_name pool')
    expect(proxy.count()).toBe(2)
    expect(proxy.cut(named('lock'))).toBe(1)
    await once(lock, 'close')
    pool.write('still here')
    expect((await once(pool, 'data')).toString()).toBe('echo still here')
    expect(proxy.count()).toBe(1)
  })

  test('a silent link swallows bytes and endings, and neither side is told', async () => {
    const client = await dial('hello')
    expect(proxy.silence(everyLink)).toBe(1)
    let told = false
    client
      .on('data', () => (told = true))
      .on('end', () => (told = true))
      .on('close', () => (told = true))
    client.write('lost')
    accepted[0]?.end('also lost')
    const other = await dial('others pass')
    other.write('round trip')
    await once(other, 'data')
    expect(heard).not.toContain('lost')
    expect(told).toBe(false)
  })

  test('silence in one direction lets the other through', async () => {
    const client = await dial('hello')
    proxy.silence(everyLink, 'to-client')
    let answered = false
    client.on('data', () => (answered = true))
    client.write('heard, not answered')
    await expect.poll(() => heard).toContain('heard, not answered')
    expect(answered).toBe(false)
  })

  test('with the cable pulled, new connections are silent too', async () => {
    const old = await dial('hello')
    proxy.unplug()
    const late = connect(proxy.port, '127.0.0.1')
    clients.push(late)
    let answered = false
    for (const socket of [old, late]) socket.on('data', () => (answered = true)).write('anyone there?')
    await expect.poll(() => proxy.count()).toBe(2)
    proxy.plug()
    await dial('plugged in again')
    expect(heard).not.toContain('anyone there?')
    expect(answered).toBe(false)
  })

  test('a slow link keeps the order of what it carries', async () => {
    const client = await dial('hello')
    proxy.slow({ latencyMs: 30, bytesPerSecond: 10_000 })
    let received = ''
    client.on('data', bytes => (received += bytes))
    const start = performance.now()
    client.write('a'.repeat(500))
    client.end('b')
    await once(client, 'end')
    expect(performance.now() - start).toBeGreaterThan(100)
    expect(received.replace(/echo /g, '')).toBe(`${'a'.repeat(500)}b`)
  })

  test('refuses new connections and keeps the old', async () => {
    const old = await dial('hello')
    proxy.refuse(true)
    const late = connect(proxy.port, '127.0.0.1')
    clients.push(late)
    const [error] = await once(late, 'error')
    expect(error.code).toBe('ECONNRESET')
    old.write('again')
    expect((await once(old, 'data')).toString()).toBe('echo again')
    proxy.refuse(false)
    await dial('back again')
  })

  test('the end of one side reaches the other', async () => {
    const client = await dial('hello')
    accepted[0]?.end()
    await once(client, 'end')
  })
})

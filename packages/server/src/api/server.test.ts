import { once } from 'node:events'
import { connect } from 'node:net'
import { describe, expect, test } from 'vitest'
import { serve, serveAlone } from '../../test/api/serve.ts'
import { secretWord } from '../../test/leaks/marked.ts'

const head = 'POST /queues/ HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 12\r\n\r\n'

describe('the server', () => {
  test('welcomes', async () => {
    const { call } = await serve()
    const { status, json } = await call('GET', '/')
    expect(status).toBe(200)
    expect(json.message).toMatch(/^Welcome/)
    for (const path of Object.values<string>(json.links)) expect((await call('GET', path)).status).toBe(200)
  })

  test('tells its health: always once it serves, and by status to those who ask for one', async () => {
    const { call, health } = await serve()
    expect((await call('GET', '/health')).json).toEqual(health.now)
    health.now = { live: true, ready: false, parts: { database: { ok: false, state: 'down' } } }
    expect((await call('GET', '/health')).status).toBe(200)
    expect((await call('GET', '/health/live')).status).toBe(200)
    expect(await call('GET', '/health/ready')).toMatchObject({ status: 503, json: health.now })
    health.now = { ...health.now, live: false }
    expect((await call('GET', '/health/live')).status).toBe(503)
  })

  test('gives its metrics as they are', async () => {
    const { call } = await serve()
    const { text, headers } = await call('GET', '/metrics')
    expect(text).toBe('posthorn_up 1\n')
    expect(headers.get('content-type')).toBe('text/plain; version=0.0.4')
  })
})

describe('a server that holds its port and does not serve yet', () => {
  test('lets callers wait until it does, but for those who ask for its health', async () => {
    const { call, open, state } = await serveAlone({}, { isOpen: false })
    const waiting = [
      call('POST', '/queues/', { name: 'a' }),
      call('POST', '/graphql', { query: '{ queues { name } }' }),
    ]
    expect(await call('GET', '/health/live')).toMatchObject({ status: 200 })
    expect(await call('GET', '/health/ready')).toMatchObject({ status: 503, json: { ready: false } })
    expect(state.queues.size).toBe(0)
    open()
    expect((await Promise.all(waiting)).map(({ status }) => status)).toEqual([200, 200])
    expect(state.queues.size).toBe(1)
    expect(await call('GET', '/health/ready')).toMatchObject({ status: 200, json: { ready: true } })
  })

  test('refuses them when it is closed, at once, and nothing is stored', async () => {
    const { port, close, state } = await serveAlone({}, { isOpen: false })
    const socket = connect(port, '127.0.0.1').setEncoding('utf8')
    socket.write(`${head.replace('\r\n\r\n', '\r\nexpect: 100-continue\r\n\r\n')}{"name":"a"}`)
    // It is inside, or it could be cut off with those who never came in.
    expect((await once(socket, 'data')).join()).toMatch(/^HTTP\/1.1 100 /)
    const answer = once(socket, 'data')
    await close(60_000)
    expect((await answer).join()).toMatch(/^HTTP\/1.1 503 /)
    expect(state.queues.size).toBe(0)
  })

  test('says in one sentence why it cannot listen', async () => {
    const { port } = await serve()
    await expect(serveAlone({ port })).rejects.toThrow(`port ${port} is taken on 127.0.0.1: set another (POSTHORN_PORT`)
    await expect(serveAlone({ host: '192.0.2.1', adminSecret: secretWord() })).rejects.toThrow(
      'host 192.0.2.1 is no address of this machine: set one that is (POSTHORN_HOST, --host)',
    )
  })
})

describe('closing', () => {
  test('lets a request finish, and takes no other', async () => {
    const { port, url, close, state } = await serveAlone()
    const socket = connect(port, '127.0.0.1')
    let answer = ''
    socket.on('data', data => {
      answer += data
    })
    socket.write(`${head}{"name":`)
    await once(socket, 'ready')
    await fetch(url)
    const closed = close(5000)
    await expect(fetch(url, { headers: { connection: 'close' } })).rejects.toThrow()
    socket.write('"a"}')
    await closed
    expect(answer).toMatch(/^HTTP\/1.1 200 /)
    expect(state.queues.size).toBe(1)
  })

  test('cuts at its deadline what does not end', async () => {
    const { port, url, close } = await serveAlone()
    const socket = connect(port, '127.0.0.1').on('error', () => undefined)
    socket.write(`${head}{"name":`)
    await once(socket, 'ready')
    await fetch(url)
    const start = performance.now()
    await close(50)
    expect(performance.now() - start).toBeLessThan(2000)
    if (!socket.destroyed) await once(socket, 'close')
  })
})

import { request } from 'node:http'
import { operationEntries } from '@posthorn/contract'
import { describe, expect, test } from 'vitest'
import { fakeTenants } from '../../../test/api/fake-tenants.ts'
import { serve, serveAlone } from '../../../test/api/serve.ts'
import { secretWord } from '../../../test/leaks/marked.ts'
import { silentLog } from '../../log.ts'
import { createAccess } from './access.ts'
import { isLoopback } from './local.ts'

const SECRET = secretWord()

/** fetch does not let a caller say another Host. */
function get(port: number, path: string, headers: Record<string, string>): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, path, headers }, response => {
      response.resume()
      resolve(response.statusCode!)
    })
    sent.on('error', reject).end()
  })
}

describe('without a secret', () => {
  test.each([
    ['127.0.0.1:3042', undefined, 200],
    ['localhost:3042', undefined, 200],
    ['LOCALHOST', undefined, 200],
    ['app.localhost:1', undefined, 200],
    ['[::1]:3042', undefined, 200],
    ['evil.example', undefined, 403],
    ['127.0.0.1.evil.example', undefined, 403],
    ['localhost.evil.example:3042', undefined, 403],
    ['evil.example@127.0.0.1', undefined, 200],
    ['192.168.0.7:3042', undefined, 403],
    ['localhost', 'http://localhost:5173', 200],
    ['localhost', 'https://evil.example', 403],
    ['localhost', 'null', 403],
    ['localhost', 'https://localhost.evil.example', 403],
  ])('Host %s with Origin %s is %d', async (host, origin, status) => {
    const { port } = await serve()
    for (const path of ['/queues/', '/health', '/documentation/json']) {
      expect(await get(port, path, { host, ...(origin && { origin }) })).toBe(status)
    }
  })

  test('the server warns that it is open', async () => {
    const { logged } = await serveAlone()
    expect(logged).toMatchObject([{ level: 'warn', message: expect.stringContaining('no admin secret') }])
  })

  test.each(['0.0.0.0', '::', '192.168.1.5', 'posthorn.example', '10.0.0.1'])('it refuses to listen on %s', host => {
    expect(() =>
      createAccess({ adminSecret: null, authorization: null, host, tenants: fakeTenants, log: silentLog }),
    ).toThrow(`host ${host} can be reached by others`)
  })
})

describe('with a secret', () => {
  test.each([
    [{}, 401],
    [{ 'x-platformatic-admin-secret': 'wrong' }, 401],
    [{ 'x-platformatic-admin-secret': `${SECRET}x` }, 401],
    [{ 'x-platformatic-admin-secret': '' }, 401],
    [{ 'X-PLATFORMATIC-ADMIN-SECRET': SECRET }, 200],
    [{ authorization: `Bearer ${SECRET}` }, 200],
    [{ authorization: `bearer ${SECRET}` }, 200],
    [{ authorization: `Basic ${SECRET}` }, 401],
    [{ authorization: SECRET }, 401],
  ])('%j is %d', async (headers: Record<string, string>, status) => {
    const { call } = await serve({ adminSecret: SECRET })
    expect((await call('GET', '/queues/', undefined, headers)).status).toBe(status)
    expect((await call('GET', '/metrics', undefined, headers)).status).toBe(status)
  })

  test('every operation answers a stranger in the same way, known id or not, sound input or not', async () => {
    const { call, state } = await serve({ adminSecret: SECRET })
    for (const [, { verb, path }] of operationEntries) {
      const url = path.replaceAll(/\{\w+\}/g, '9')
      const { status, json } = await call(verb, url, verb === 'GET' || verb === 'DELETE' ? undefined : {})
      expect(status).toBe(401)
      expect(json).toEqual({
        statusCode: 401,
        code: 'PLT_DB_AUTH_UNAUTHORIZED',
        error: 'Unauthorized',
        message: 'operation not allowed',
      })
    }
    expect(state.calls).toEqual([])
  })

  test('documentation and health are open, and any Host is welcome', async () => {
    const { port } = await serve({ adminSecret: SECRET })
    for (const path of ['/', '/documentation/', '/documentation/json', '/health', '/health/live', '/health/ready']) {
      expect(await get(port, path, { host: 'posthorn.example', origin: 'https://app.example' })).toBe(200)
    }
  })
})

test.each([
  ['127.0.0.1', true],
  ['127.8.9.1', true],
  ['::1', true],
  ['localhost', true],
  ['0.0.0.0', false],
  ['128.0.0.1', false],
  ['127.0.0.1.nip.example', false],
])('whether %s is this machine alone: %s', (host, local) => {
  expect(isLoopback(host)).toBe(local)
})

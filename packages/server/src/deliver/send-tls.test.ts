import https from 'node:https'
import type { TLSSocket } from 'node:tls'
import { expect, onTestFinished, test } from 'vitest'
import { makeCertificate } from '../../test/certificate.ts'
import { createGuard } from './guard.ts'
import type { Resolver } from './names.ts'
import { listen, receiver, sender } from './receivers.suite.ts'

const certificate = makeCertificate('hook.example')
const loopback: Resolver = (_, done) => done(null, [{ address: '127.0.0.1', family: 4 }])
const guard = createGuard({ allowLoopback: true, allow: [], resolver: loopback })

async function secureReceiver() {
  const names: unknown[] = []
  const server = https.createServer({ ...certificate! }, (request, response) => {
    names.push((request.socket as TLSSocket & { servername: unknown }).servername)
    request.resume().on('end', () => response.writeHead(200, { connection: 'close' }).end('safe'))
  })
  const port = await listen(server)
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { port, names }
}

const tls = test.skipIf(certificate === null)

tls('a trusted certificate for the name is accepted, and the name is told', async () => {
  const { port, names } = await secureReceiver()
  const { attempt } = sender({ guard, ca: certificate!.cert })
  expect(await attempt(`https://hook.example:${port}/`)).toMatchObject({ kind: 'delivered', excerpt: 'safe' })
  expect(await attempt(`https://hook.example:${port}/`)).toMatchObject({ kind: 'delivered' })
  expect(names).toEqual(['hook.example', 'hook.example'])
})

tls('a trusted certificate for the address is accepted', async () => {
  const { port } = await secureReceiver()
  expect((await sender({ ca: certificate!.cert }).attempt(`https://127.0.0.1:${port}/`)).kind).toBe('delivered')
})

tls('a certificate that nobody vouches for is refused before anything is sent', async () => {
  const { port, names } = await secureReceiver()
  const outcome = await sender({ guard }).attempt(`https://hook.example:${port}/`)
  expect(outcome).toMatchObject({ kind: 'failed', errorCode: 'tls', status: null })
  expect(outcome.error).toContain('DEPTH_ZERO_SELF_SIGNED_CERT')
  expect(names).toEqual([])
})

tls('a certificate for another name is refused before anything is sent', async () => {
  const { port, names } = await secureReceiver()
  const outcome = await sender({ guard, ca: certificate!.cert }).attempt(`https://other.example:${port}/`)
  expect(outcome).toMatchObject({ kind: 'failed', errorCode: 'tls' })
  expect(outcome.error).toContain('ERR_TLS_CERT_ALTNAME_INVALID')
  expect(names).toEqual([])
})

test('a receiver that speaks no TLS is an error of TLS', async () => {
  const target = await receiver()
  const outcome = await sender().attempt(`https://127.0.0.1:${target.port}/`)
  expect(outcome).toMatchObject({ kind: 'failed', errorCode: 'tls', status: null })
})

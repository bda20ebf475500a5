/** An issuer of tokens on loopback: keys that can be changed, answers that can fail or stay away. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from 'jose'

export interface LoopbackServer {
  readonly url: string
  close(): Promise<void>
}

export async function listen(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<LoopbackServer> {
  const server: Server = createServer(answer)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

export interface Issuer extends LoopbackServer {
  /** What it does when it is asked. */
  mode: 'well' | 'failing' | 'silent'
  /** The paths that it was asked for. */
  readonly asked: string[]
  /** Adds a key pair, and signs with it from now on. */
  rotate(kid: string, alg?: string): Promise<void>
  sign(claims: JWTPayload, header?: { kid?: string }): Promise<string>
}

export async function startIssuer(): Promise<Issuer> {
  const keys: JWK[] = []
  const asked: string[] = []
  let current: { kid: string; alg: string; key: CryptoKey }
  const server = await listen((request, response) => {
    asked.push(request.url!)
    if (issuer.mode === 'silent') return
    const discovery = { jwks_uri: `${server.url}/keys` }
    response.writeHead(issuer.mode === 'well' ? 200 : 500, { 'content-type': 'application/json' })
    response.end(JSON.stringify(request.url!.endsWith('openid-configuration') ? discovery : { keys }))
  })
  const issuer: Issuer = {
    ...server,
    mode: 'well',
    asked,
    async rotate(kid, alg = 'RS256') {
      const { publicKey, privateKey } = await generateKeyPair(alg)
      keys.splice(0, keys.length, { ...(await exportJWK(publicKey)), kid, alg })
      current = { kid, alg, key: privateKey }
    },
    sign: (claims, header = {}) =>
      new SignJWT({ iss: server.url, ...claims })
        .setProtectedHeader({ alg: current.alg, kid: current.kid, ...header })
        .sign(current.key),
  }
  await issuer.rotate('first')
  return issuer
}

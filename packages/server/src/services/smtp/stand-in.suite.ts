import { once } from 'node:events'
import type { AddressInfo, Socket } from 'node:net'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'
import { onTestFinished } from 'vitest'
import { makeCertificate } from '../../../test/certificate.ts'
import { faultOfEmail, Mood, type OnEnd, SECRET, type StandIn } from '../stand-in.suite.ts'

export const certificate = makeCertificate('mail.example')
const user = 'posthorn@org.example'

export interface MailServer extends StandIn {
  readonly port: number
  readonly mails: { readonly to: readonly string[]; readonly text: string; readonly secure: boolean }[]
  /** Those of the sessions that were encrypted. */
  readonly secure: boolean[]
}

const refuse = (responseCode: number, message: string): Error => Object.assign(new Error(message), { responseCode })

/** A real mail server. Recipients decide by their names what becomes of them. */
export async function startSmtp(
  options: SMTPServerOptions & { scheme?: string } = {},
  onEnd: OnEnd = onTestFinished,
): Promise<MailServer> {
  const { scheme = 'smtp', ...server } = options
  const mails: MailServer['mails'] = []
  const secure: boolean[] = []
  const sockets = new Set<Socket>()
  const mood = new Mood()
  let [connections, asked] = [0, 0]
  const smtpServer = new SMTPServer({
    hideSTARTTLS: true,
    allowInsecureAuth: true,
    disableReverseLookup: true,
    logger: false,
    closeTimeout: 10,
    onConnect(session, done) {
      connections++
      secure.push(session.secure)
      if (mood.is('is down')) return done(refuse(421, '4.3.2 back soon'))
      done()
    },
    onAuth(auth, _, done) {
      if (auth.username === user && auth.password === SECRET) return done(null, { user })
      done(refuse(535, '5.7.8 Authentication failed'))
    },
    onMailFrom(_, session, done) {
      asked++
      if (mood.is('throttles')) return done(refuse(451, '4.7.1 sending rate exceeded, slow down'))
      if (mood.is('echoes'))
        return done(
          refuse(
            550,
            `5.7.1 ${user} ${SECRET} ${Buffer.from(`\0${user}\0${SECRET}`).toString('base64')} ${encodeURIComponent(SECRET)} ${session.user}`,
          ),
        )
      done()
    },
    onRcptTo({ address }, _, done) {
      const [name = ''] = address.split('@')
      if (name.startsWith('rejected')) return done(refuse(550, `5.1.1 no such user ${name}`))
      if (name.startsWith('deferred')) return done(refuse(450, '4.2.1 greylisted'))
      done()
    },
    onData(stream, { envelope, secure: isSecure }, done) {
      const parts: Buffer[] = []
      const to = envelope.rcptTo.map(({ address }) => address)
      const isCut = mood.is('cuts') || to.some(one => one.startsWith('cut'))
      stream.on('data', (part: Buffer) => {
        parts.push(part)
        if (isCut) for (const socket of sockets) socket.destroy()
      })
      stream.on('end', () => {
        // Whatever else was read of it before the end of the connection was heard of.
        if (isCut || mood.is('hangs')) return
        if (to.some(one => one.startsWith('spam'))) return done(refuse(554, '5.7.1 looks like spam'))
        mails.push({ to, text: Buffer.concat(parts).toString('utf8'), secure: isSecure })
        done()
      })
    },
    ...server,
  })
  smtpServer.on('error', () => {})
  smtpServer.server.on('connection', (socket: Socket) => sockets.add(socket.on('close', () => sockets.delete(socket))))
  smtpServer.listen(0, '127.0.0.1')
  await once(smtpServer.server, 'listening')
  const { port } = smtpServer.server.address() as AddressInfo
  onEnd(async () => {
    await new Promise<void>(resolve => smtpServer.close(resolve))
  })
  const credentials = { host: `${scheme}://127.0.0.1:${port}`, user, password: SECRET, path: null }
  return {
    credentials,
    wrong: { ...credentials, password: 'another' },
    behave: mood.behave,
    connections: () => connections,
    requests: () => asked,
    taken: () => mails.map(({ to }) => to[0]!.split('@')[0]!),
    act: faultOfEmail,
    port,
    mails,
    secure,
  }
}

import type { Socket } from 'node:net'
import type { SendMailOptions } from 'nodemailer'
import type { Email, Mailbox } from '../email.ts'
import { fail } from '../faults.ts'
import { sendOneByOne } from '../one-by-one.ts'
import type { ServiceType } from '../port.ts'
import { classifySmtp } from './classify.ts'
import { readServer, wrongServer } from './server-address.ts'

/** Connections to one server; each is used for many emails. */
const CONNECTIONS = 5
const EMAILS_PER_CONNECTION = 100
const IDLE_MS = 60_000

export const smtp: ServiceType = {
  name: 'smtp',
  title: 'SMTP',
  summary: 'Sends emails to a mail server over a few connections that are kept open.',
  credentials: {
    fields: {
      host: {
        meaning:
          '`ssl://host:port` (encrypted from the start), `tls://host:port` (STARTTLS, required) or `smtp://host:port` (STARTTLS if the server offers it); ports 465, 587 and 587 if left out',
        required: true,
        wrong: wrongServer,
      },
      user: { meaning: 'user', required: false },
      password: { meaning: 'password', required: false },
    },
    wrongTogether: ({ user, password }) =>
      (user === null) === (password === null) ? null : 'user and password must be given both or neither',
  },
  functions: ['email'],
  batch: 20,
  calls: [],
  async open({ host: given, user, password }, means) {
    const { createTransport } = await import('nodemailer')
    const { host, port, encryption } = readServer(given!)!
    const closing = new AbortController()
    const { outside } = means
    const transport = createTransport({
      pool: true,
      host,
      port,
      secure: encryption === 'always',
      requireTLS: encryption === 'starttls',
      ...(user === null ? {} : { auth: { user, pass: password! }, forceAuth: true }),
      tls: outside.ca === undefined ? {} : { ca: outside.ca },
      maxConnections: CONNECTIONS,
      maxMessages: EMAILS_PER_CONNECTION,
      // Once: for a kept connection that the server had ended before it got anything of the email.
      maxRequeues: 1,
      idleTimeout: IDLE_MS,
      connectionTimeout: 15_000,
      greetingTimeout: 15_000,
      socketTimeout: 25_000,
      disableFileAccess: true,
      disableUrlAccess: true,
      getSocket(_: unknown, done: GetSocketDone) {
        outside.connect(host, port, closing.signal).then(connection => done(null, { connection }), done)
      },
    })
    return {
      classify: classifySmtp,
      async check() {
        await transport.verify()
        const login = user === null ? 'without a login' : 'and the login'
        return `${host}:${port} accepts the connection (${ENCRYPTED[encryption]}) ${login}`
      },
      email: (emails, signal) =>
        sendOneByOne(emails, {
          width: CONNECTIONS,
          classify: classifySmtp,
          async send(email) {
            const { messageId, rejected } = await transport.sendMail({ ...optionsOf(email), signal })
            return { reference: messageId, remark: rejected.length === 0 ? null : `refused: ${rejected.join(', ')}` }
          },
        }),
      async close() {
        closing.abort()
        transport.close()
      },
    }
  },
}

type GetSocketDone = (error: Error | null, found?: { connection: Socket }) => void

const ENCRYPTED = { always: 'TLS', starttls: 'STARTTLS', offered: 'STARTTLS if offered' } as const

function optionsOf(email: Email): SendMailOptions {
  const { id, from, to, cc, bcc, replyTo, subject, text, html, customId, headers, attachments, template } = email
  if (template !== null) fail('invalid', 'template: a mail server keeps no templates')
  return {
    from: mailboxOf(from),
    to: to.map(mailboxOf),
    cc: cc.map(mailboxOf),
    bcc: bcc.map(mailboxOf),
    ...(replyTo === null ? {} : { replyTo: mailboxOf(replyTo) }),
    subject,
    ...(text === null ? {} : { text }),
    ...(html === null ? {} : { html }),
    // The same for every attempt, so that a mailbox can tell a repeated email.
    messageId: `<${id}@${from.address.split('@')[1]}>`,
    headers: { ...headers, ...(customId === null ? {} : { 'X-Custom-ID': customId }) },
    attachments: attachments.map(({ filename, contentType, content, contentId }) => ({
      filename,
      contentType,
      content,
      ...(contentId === null ? {} : { cid: contentId }),
    })),
  }
}

function mailboxOf({ address, name }: Mailbox) {
  return { address, name: name ?? '' }
}

import type { Credentials } from '../credentials.ts'
import { basicAuth, isOk, parseJson, type Reply, replyError, request, textIn } from '../http.ts'
import { createJsonRequest } from '../json-request.ts'
import type { Note } from '../note.ts'
import { sendOneByOne } from '../one-by-one.ts'
import type { ServiceType } from '../port.ts'
import { readDetail } from './detail.ts'
import { fillTemplate, secretParts, wrongTemplate } from './url-template.ts'

export const webhook: ServiceType = {
  name: 'webhook',
  title: 'Webhook',
  summary: 'POSTs actions, events and questions for a supporter’s details as JSON to a URL.',
  credentials: {
    fields: {
      host: {
        meaning: 'URL; `{{field}}` in its path and query is replaced from the data',
        required: true,
        wrong: wrongTemplate,
      },
      user: { meaning: 'user for basic auth', required: false },
      password: {
        meaning:
          'with a user: the password for basic auth; alone: the Authorization header as it stands (`Bearer` is not added)',
        required: false,
        wrong: value => (/^[\x20-\x7e\x80-\xff]*$/.test(value) ? null : 'have characters of Latin-1 only'),
      },
      path: { meaning: 'appended to the URL', required: false },
    },
    wrongTogether(credentials) {
      const { user, password } = credentials
      if (user !== null && password === null) return 'password must be given with a user'
      const wrong = wrongTemplate(templateOf(credentials))
      if (wrong !== null) return `host and path together must ${wrong}`
      // The same check that every request makes, with a value in every place.
      return originOf(templateOf(credentials)) === originOf(credentials.host!)
        ? null
        : 'path must begin with /: it would change the host'
    },
    secrets: credentials => secretParts(templateOf(credentials)),
  },
  functions: ['detail', 'push', 'event'],
  batch: 10,
  calls: ['lookup', 'jsonRequest'],
  async open(credentials, means) {
    const template = templateOf(credentials)
    const headers = headersOf(credentials)
    const post = (url: string, body: string, more: Record<string, string>, signal: AbortSignal) =>
      request(means, {
        url,
        method: 'POST',
        headers: { ...headers, 'content-type': 'application/json', ...more },
        body,
        signal,
      })
    return {
      async check(signal) {
        const url = new URL(originOf(template))
        const reply = await request(means, { url: url.href, method: 'HEAD', signal })
        return `${url.host} answers (${reply.status} to HEAD / without credentials); the URL itself is not called by a check`
      },
      note: (notes, signal) =>
        sendOneByOne<Note>(notes, {
          width: 5,
          classify: () => null,
          async send({ id, body, trace }) {
            const reply = await post(
              fillTemplate(template, parseJson(body)),
              body,
              { 'webhook-id': id, ...trace },
              signal,
            )
            if (!isOk(reply)) throw errorOf(reply, template, true)
            return { reference: null }
          },
        }),
      calls: {
        async lookup({ email, contactRef }, signal) {
          const data = { email, contactRef }
          const reply = await post(fillTemplate(template, data), JSON.stringify(data), {}, signal)
          if (!isOk(reply)) throw errorOf(reply, template, false)
          return readDetail(parseJson(reply.text))
        },
        jsonRequest: createJsonRequest({ means, credentials, home: originOf(template), headers }),
      },
    }
  },
}

function templateOf({ host, path }: Credentials): string {
  return host! + (path ?? '')
}

function originOf(template: string): string {
  const probe = template.replace(/\{\{.*?\}\}/g, 'x')
  return URL.canParse(probe) ? new URL(probe).origin : ''
}

function headersOf({ user, password }: Credentials): Record<string, string> {
  if (password === null) return {}
  return { authorization: user === null ? password : basicAuth(user, password) }
}

/** Statuses that mean the same from every receiver; any other 4xx may heal, as somebody's program is no documented API. */
const CLEAR = new Set([401, 403, 408, 413, 425, 429])

function errorOf(reply: Reply, template: string, mayHeal: boolean) {
  const { host } = new URL(originOf(template))
  const body = parseJson(reply.text)
  const reason = textIn(body, 'message') ?? textIn(body, 'error')
  const heals = mayHeal && reply.status >= 400 && reply.status < 500 && !CLEAR.has(reply.status)
  return replyError(host, reply, { reason, ...(heals && { fault: 'deferred' }) })
}

import { wrongUrl } from '../credentials.ts'
import { type FaultCode, fail } from '../faults.ts'
import { basicAuth, isOk, isRecord, parseJson, type Reply, replyError, request, textIn } from '../http.ts'
import { createJsonRequest } from '../json-request.ts'
import type { ServiceType } from '../port.ts'

export const wordpress: ServiceType = {
  name: 'wordpress',
  title: 'WordPress',
  summary: 'Creates and updates posts over the REST API of a WordPress site, with an application password.',
  credentials: {
    fields: {
      host: { meaning: 'site URL', required: true, wrong: value => wrongUrl(value) ?? wrongSite(value) },
      user: { meaning: 'user', required: true, wrong: value => (value.includes(':') ? 'not have a colon' : null) },
      password: { meaning: 'application password', required: true },
      path: {
        meaning: 'REST route',
        required: false,
        default: '/wp/v2/posts',
        wrong: value => (/^\/[\w-]+(\/[\w-]+)+$/.test(value) ? null : 'be a route such as /wp/v2/posts'),
      },
    },
  },
  functions: [],
  batch: 1,
  calls: ['savePost', 'jsonRequest'],
  async open(credentials, means) {
    const api = `${credentials.host!.replace(/\/+$/, '')}/wp-json`
    const headers = { authorization: basicAuth(credentials.user, credentials.password) }
    const ask = async (path: string, signal: AbortSignal, body: object | null): Promise<Record<string, unknown>> => {
      const reply = await request(means, {
        url: api + path,
        method: body === null ? 'GET' : 'POST',
        headers: { ...headers, ...(body === null ? {} : { 'content-type': 'application/json' }) },
        body: body === null ? null : JSON.stringify(body),
        signal,
      })
      if (!isOk(reply)) throw errorOf(reply)
      const answer = parseJson(reply.text)
      if (!isRecord(answer)) fail('wrong_answer', 'WordPress answered with something else than its REST API')
      return answer
    }
    return {
      async check(signal) {
        const me = await ask('/wp/v2/users/me?context=edit', signal, null)
        const roles = Array.isArray(me.roles) ? me.roles.join(', ') : 'unknown'
        return `WordPress at ${new URL(api).host} knows the user as ${String(me.name)}, with the roles: ${roles}`
      },
      calls: {
        async savePost({ id, fields }, signal) {
          if (id !== null && !Number.isSafeInteger(id)) fail('invalid', 'id must be an integer')
          const post = await ask(`${credentials.path}${id === null ? '' : `/${id}`}`, signal, fields)
          if (typeof post.id !== 'number') fail('wrong_answer', 'WordPress did not say which post it saved')
          return { id: post.id, link: textIn(post, 'link') ?? null, status: textIn(post, 'status') ?? null }
        },
        jsonRequest: createJsonRequest({ means, credentials, home: `${api}/`, headers }),
      },
    }
  },
}

function wrongSite(value: string): string | null {
  return new URL(value).search === '' ? null : 'not have a query'
}

const BY_CODE: Readonly<Record<string, FaultCode>> = {
  rest_no_route: 'misconfigured',
  rest_post_invalid_id: 'not_found',
  rest_invalid_param: 'rejected',
  rest_missing_callback_param: 'rejected',
}

function errorOf(reply: Reply) {
  const body = parseJson(reply.text)
  const code = textIn(body, 'code')
  const fault = BY_CODE[code ?? '']
  return replyError('WordPress', reply, { reason: textIn(body, 'message'), code, ...(fault && { fault }) })
}

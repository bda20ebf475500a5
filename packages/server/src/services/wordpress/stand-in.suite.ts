import { secretWord } from '../../../test/leaks/marked.ts'
import type { Service } from '../port.ts'
import { isBasic, json, type OnEnd, parse, type Replied, type StandIn, startHttp } from '../stand-in.suite.ts'

const PASSWORD = `abcd EFGH ${secretWord()} 6789`

/** A WordPress site's REST API, with an application password. */
export async function startWordPress(onEnd?: OnEnd) {
  const taken: string[] = []
  const refuse = (status: number, code: string, message: string): Replied =>
    json(status, { code, message, data: { status } })
  const http = await startHttp(
    {
      error: (status, message) => refuse(status, 'rest_error', message),
      answer(asked): Replied {
        const { method, url } = asked
        if (!isBasic(asked, 'editor', PASSWORD))
          return refuse(401, 'rest_not_logged_in', 'You are not currently logged in.')
        if (url.pathname === '/blog/wp-json/wp/v2/users/me')
          return json(200, { id: 1, name: 'Editor', roles: ['editor'] })
        const [, route, id] = /^\/blog\/wp-json(\/wp\/v2\/posts)(?:\/(\d+))?$/.exec(url.pathname) ?? []
        if (route === undefined || method !== 'POST')
          return refuse(404, 'rest_no_route', 'No route was found matching the URL and request method.')
        const fields = parse(asked)
        if (id === '99') return refuse(404, 'rest_post_invalid_id', 'Invalid post ID.')
        if (fields.status === 'odd') return refuse(400, 'rest_invalid_param', 'Invalid parameter(s): status')
        if (fields.author === 2)
          return refuse(403, 'rest_cannot_edit_others', 'Sorry, you are not allowed to create posts as this user.')
        taken.push(`${id ?? 'new'}: ${String(fields.title)}`)
        return json(id === undefined ? 201 : 200, {
          id: Number(id ?? 5),
          link: `${url.origin}/?p=5`,
          status: fields.status ?? 'draft',
          title: {},
        })
      },
    },
    onEnd,
  )
  const credentials = { host: `${http.origin}/blog/`, user: 'editor', password: PASSWORD, path: null }
  const standIn: StandIn = {
    ...http,
    credentials,
    wrong: { ...credentials, password: 'another' },
    taken: () => taken,
    act: save,
  }
  return standIn
}

export async function save(service: Service) {
  const answer = await service.calls.savePost!({ id: null, fields: { title: 'Hello' } })
  return answer.ok ? null : answer.fault
}

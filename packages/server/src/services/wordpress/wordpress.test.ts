import { describe, expect, test } from 'vitest'
import type { Service } from '../port.ts'
import { open, serviceSuite } from '../service.suite.ts'
import { isBasic, json, parse, type Replied, type StandIn, startHttp } from '../stand-in.suite.ts'
import { wordpress } from './wordpress.ts'

const PASSWORD = 'abcd EFGH 1234 ijkl MNOP 6789'

/** A WordPress site's REST API, with an application password. */
async function start() {
  const taken: string[] = []
  const refuse = (status: number, code: string, message: string): Replied =>
    json(status, { code, message, data: { status } })
  const http = await startHttp({
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
  })
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

async function save(service: Service) {
  const answer = await service.calls.savePost!({ id: null, fields: { title: 'Hello' } })
  return answer.ok ? null : answer.fault
}

serviceSuite(wordpress, { start, saysHowLong: true })

describe('WordPress', () => {
  const begin = async () => {
    const standIn = await start()
    return { standIn, ...open(wordpress, { credentials: standIn.credentials }) }
  }

  test('a post is created, and updated by its id', async () => {
    const { service, standIn } = await begin()
    expect(await service.calls.savePost!({ id: null, fields: { title: 'Hello', status: 'publish' } })).toMatchObject({
      ok: true,
      value: { id: 5, status: 'publish', link: expect.stringContaining('?p=5') },
    })
    expect(await service.calls.savePost!({ id: 5, fields: { title: 'Again' } })).toMatchObject({
      ok: true,
      value: { id: 5 },
    })
    expect(standIn.taken()).toEqual(['new: Hello', '5: Again'])
  })

  test('what WordPress refuses is told with its own code', async () => {
    const { service } = await begin()
    const { savePost } = service.calls
    expect(await savePost!({ id: 99, fields: {} })).toMatchObject({
      fault: { code: 'not_found', serviceCode: 'rest_post_invalid_id' },
    })
    expect(await savePost!({ id: null, fields: { status: 'odd' } })).toMatchObject({
      fault: { code: 'rejected', reason: expect.stringContaining('Invalid parameter') },
    })
    expect(await savePost!({ id: null, fields: { author: 2 } })).toMatchObject({
      fault: { code: 'unauthorized', serviceCode: 'rest_cannot_edit_others' },
    })
  })

  test('a route that the site does not have is a matter of settings', async () => {
    const { standIn } = await begin()
    const { service } = open(wordpress, { credentials: { ...standIn.credentials, path: '/wp/v2/films' } })
    expect(await save(service)).toMatchObject({ code: 'misconfigured', serviceCode: 'rest_no_route' })
  })
})

import type { Credentials } from '../credentials.ts'
import {
  type Asked,
  faultOfNote,
  isBasic,
  json,
  NO_CREDENTIALS,
  type OnEnd,
  parse,
  type Replied,
  SECRET,
  type StandIn,
  startHttp,
} from '../stand-in.suite.ts'

const TOKEN = 'T024BE7LD-B0PU3VWHV-secretenough'

/** Somebody's receiver: takes notes, and answers questions about supporters. */
export async function startWebhook(
  given: Partial<Credentials> = {},
  isMine = (asked: Asked) => isBasic(asked, 'user', SECRET),
  onEnd?: OnEnd,
) {
  const taken: string[] = []
  const http = await startHttp(
    {
      error: (status, message) => json(status, { message }),
      answer(asked): Replied {
        if (asked.method === 'HEAD') return { status: 204 }
        if (!isMine(asked)) return json(401, { message: 'who are you?' })
        const body = asked.headers['content-type'] === 'application/json' ? parse(asked) : { id: 'other' }
        if ('email' in body) return details(String(body.email))
        if (body.id === 'odd') return json(422, { error: 'not today' })
        taken.push(String(body.id))
        return { status: 204 }
      },
    },
    onEnd,
  )
  const credentials: Credentials = {
    ...NO_CREDENTIALS,
    host: `${http.origin}/hooks/${TOKEN}`,
    user: 'user',
    password: SECRET,
    ...given,
  }
  const standIn: StandIn = {
    ...http,
    credentials,
    wrong: null,
    taken: () => taken,
    act: faultOfNote,
  }
  return { ...standIn, asked: http.asked, origin: http.origin }
}

function details(email: string): Replied {
  const [name = ''] = email.split('@')
  if (name === 'unknown') return json(404, { message: 'no such supporter' })
  if (name === 'wrong') return json(200, { privacy: { optIn: 'yes' } })
  if (name === 'empty') return { status: 200, body: '' }
  return json(200, {
    privacy: { optIn: true, givenAt: '2026-01-02T03:04:05Z', other: 1 },
    action: { customFields: { membership: [1, 'a', null] } },
    more: 1,
  })
}

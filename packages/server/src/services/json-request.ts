import type { Calls, JsonAnswer, JsonRequestInput } from './calls.ts'
import type { Credentials } from './credentials.ts'
import { fail } from './faults.ts'
import { basicAuth, parseJson, type Reply, request } from './http.ts'
import type { Means } from './port.ts'

export interface JsonRequestOptions {
  readonly means: Means
  readonly credentials: Credentials
  /** Where the credentials belong: a request to any other origin is refused, so that they cannot be carried off. */
  readonly home: string
  /** The service's own way of showing the credentials. */
  readonly headers: Readonly<Record<string, string>>
}

type JsonRequest = (input: Calls['jsonRequest']['input'], signal: AbortSignal) => Promise<JsonAnswer>

/** An org's own request to its service. Any status is an answer: what it means, the org knows. */
export function createJsonRequest(options: JsonRequestOptions): JsonRequest {
  return async (input, signal) => {
    const { means, credentials, home } = options
    const url = resolveWithin(home, input.url)
    const { body, type } = bodyOf(input)
    const reply = await request(means, {
      url,
      method: input.method ?? (body === null ? 'GET' : 'POST'),
      headers: {
        ...lowerCase(input.headers ?? {}),
        ...(type === null ? {} : { 'content-type': type }),
        ...(input.auth === undefined ? options.headers : authOf(input.auth, credentials)),
      },
      body,
      signal,
    })
    return readAnswer(reply)
  }
}

/** JSON where it is JSON or says so, else the text; null where there is nothing. */
export function readAnswer({ status, contentType, text }: Reply): JsonAnswer {
  if (text === '') return { status, body: null }
  const body = parseJson(text)
  if (body === undefined && /[/+]json$/.test(contentType))
    fail('wrong_answer', 'the answer is said to be JSON, and is not')
  return { status, body: body ?? (text === 'null' ? null : text) }
}

function resolveWithin(home: string, given: string): string {
  const base = new URL(home)
  if (!URL.canParse(given, home)) fail('invalid', 'url cannot be read')
  const url = new URL(given, base)
  if (url.origin !== base.origin || url.username !== '' || url.password !== '') {
    fail('invalid', `url must be a path, or begin with ${base.origin}: the credentials belong there`)
  }
  return url.href
}

function bodyOf({ body, form }: JsonRequestInput): { body: string | null; type: string | null } {
  if (body !== undefined && form !== undefined) fail('invalid', 'body and form cannot both be given')
  if (form !== undefined) {
    return { body: new URLSearchParams(form).toString(), type: 'application/x-www-form-urlencoded' }
  }
  return body === undefined ? { body: null, type: null } : { body: JSON.stringify(body), type: 'application/json' }
}

function authOf(
  auth: Exclude<JsonRequestInput['auth'], undefined>,
  { user, password }: Credentials,
): Record<string, string> {
  if (auth === 'none') return {}
  if (password === null) fail('invalid', 'auth needs a password, and this service has none')
  if (auth === 'basic') return { authorization: basicAuth(user, password) }
  return auth === 'header' ? { authorization: password } : { [headerName(auth.apiKey)]: password }
}

function headerName(name: string): string {
  if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name)) fail('invalid', 'auth.apiKey must be the name of a header')
  return name.toLowerCase()
}

/** Names that the connection sets itself, or by which one request could become two. */
const NOT_GIVEN = /^(host|content-length|transfer-encoding|connection|expect|upgrade|te|trailer|keep-alive|proxy-.*)$/

function lowerCase(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => {
      const lower = headerName(name)
      if (NOT_GIVEN.test(lower)) fail('invalid', `headers.${lower} cannot be given`)
      if (!/^[\t\x20-\x7e\x80-\xff]*$/.test(value))
        fail('invalid', `headers.${lower} has characters that no header may`)
      return [lower, value]
    }),
  )
}

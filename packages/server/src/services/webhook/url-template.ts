import { fail } from '../faults.ts'
import { isRecord } from '../http.ts'

const PLACE = /\{\{\s*([\w.-]+)\s*\}\}/g
/** Scheme and host, and everything after it. */
const PARTS = /^(https?:\/\/[^/?#\\]+)((?:[/?][^#]*)?)$/is

/** Going on from "host must ": for a URL that may have `{{field}}` in its path and query. */
export function wrongTemplate(text: string): string | null {
  const parts = PARTS.exec(text)
  if (parts === null) return 'be a URL that begins with https:// or http://, without a fragment (#…)'
  const [, origin, rest] = parts as unknown as [string, string, string]
  if (/[{}]/.test(origin)) return 'not have a {{field}} in its host'
  if (!URL.canParse(origin)) return 'be a URL'
  const { username, password } = new URL(origin)
  if (username !== '' || password !== '' || origin.includes('@')) {
    return 'not hold a user or password: give them in their own fields'
  }
  return /[{}]/.test(rest.replace(PLACE, '')) ? 'have {{field}} only where a whole field goes in' : null
}

/**
 * The URL for one set of data: every `{{field}}` in path and query replaced, `{{a.b}}` by the field b of the field a.
 * The host cannot change, and a value cannot leave its place: it stays one part of the path or one value of the query.
 */
export function fillTemplate(template: string, data: unknown): string {
  const { origin } = new URL(PARTS.exec(template)![1]!)
  const filled = template.replace(PLACE, (_, name: string) => {
    const value = fieldOf(data, name)
    if (value === '.' || value === '..') fail('invalid', `{{${name}}} of the URL must not be ${value} in the data`)
    return encodeURIComponent(value)
  })
  const url = new URL(filled)
  if (url.origin !== origin || url.username !== '' || url.password !== '') {
    fail('invalid', 'the path leads to another host: it must begin with /')
  }
  return url.href
}

function fieldOf(data: unknown, name: string): string {
  const value = name
    .split('.')
    .reduce<unknown>((inner, key) => (isRecord(inner) && Object.hasOwn(inner, key) ? inner[key] : undefined), data)
  if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') {
    fail('invalid', `{{${name}}} of the URL is not a text or number in the data`)
  }
  return Buffer.from(String(value), 'utf8').toString('utf8')
}

/** What of a webhook's URL may itself be a secret: many services give out URLs that nobody else may know. */
export function secretParts(template: string): string[] {
  const [, , rest = ''] = PARTS.exec(template) ?? []
  return rest
    .split(/[/?&=]|\{\{.*?\}\}/)
    .filter(part => part.length >= 16)
    .flatMap(part => [part, decodeSafely(part)])
}

function decodeSafely(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

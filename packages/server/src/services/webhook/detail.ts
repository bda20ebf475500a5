import type { Detail } from '../calls.ts'
import { fail } from '../faults.ts'
import { isRecord } from '../http.ts'

const MAX_FIELDS = 100
const PRIVACY: Readonly<Record<keyof NonNullable<Detail['privacy']>, (value: unknown) => boolean>> = {
  optIn: value => typeof value === 'boolean',
  givenAt: isTime,
  emailStatus: value => typeof value === 'string' && value.length <= 64,
  emailStatusChanged: isTime,
}

/** Reads what a service answered about a supporter; only what is documented gets in, and all of it is checked. */
export function readDetail(body: unknown): Detail {
  if (!isRecord(body)) wrong('a JSON object')
  const { privacy = null, action = null } = body
  return {
    privacy: privacy === null ? null : readPrivacy(privacy),
    action: action === null ? null : readAction(action),
  }
}

function readPrivacy(privacy: unknown): Detail['privacy'] {
  if (!isRecord(privacy)) wrong('an object in privacy')
  const known = Object.entries(PRIVACY).flatMap(([name, isRight]) => {
    const value = privacy[name] ?? null
    if (value === null) return []
    if (!isRight(value)) wrong(`privacy.${name} as ${name === 'optIn' ? 'true or false' : 'documented'}`)
    return [[name, value]]
  })
  return Object.fromEntries(known) as Detail['privacy']
}

function readAction(action: unknown): Detail['action'] {
  if (!isRecord(action)) wrong('an object in action')
  const { customFields = {} } = action
  if (!isRecord(customFields)) wrong('an object in action.customFields')
  if (Object.keys(customFields).length > MAX_FIELDS) wrong(`at most ${MAX_FIELDS} action.customFields`)
  if (!Object.values(customFields).every(value => isPlain(value) || (Array.isArray(value) && value.every(isPlain)))) {
    wrong('texts, numbers, true, false, null or lists of them in action.customFields')
  }
  return { customFields }
}

function isPlain(value: unknown): boolean {
  return value === null || ['string', 'number', 'boolean'].includes(typeof value)
}

function isTime(value: unknown): boolean {
  return typeof value === 'string' && /^\d{4}-\d\d-\d\d([T ]|$)/.test(value) && !Number.isNaN(Date.parse(value))
}

function wrong(expected: string): never {
  fail('wrong_answer', `the answer about the supporter must have ${expected}`)
}

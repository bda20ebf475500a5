/** An org's credentials for one external API: five fields in all, with a meaning of its own for each service. */

export interface Credentials {
  readonly host: string | null
  readonly user: string | null
  readonly password: string | null
  readonly path: string | null
}

export const CREDENTIAL_FIELDS = ['host', 'user', 'password', 'path'] as const
export type CredentialField = (typeof CREDENTIAL_FIELDS)[number]

export interface CredentialRule {
  /** What the field is for this service, as the reference shows it. */
  readonly meaning: string
  readonly required: boolean
  /** What it is if it is left out. */
  readonly default?: string
  /** What is wrong with a value, going on from "host must "; null if nothing is. Never repeats the value. */
  wrong?(value: string): string | null
}

export interface CredentialRules {
  readonly fields: { readonly [F in CredentialField]?: CredentialRule }
  /** What is wrong with fields that are right by themselves, as a sentence. */
  wrongTogether?(credentials: Credentials): string | null
  /** What of them must not be seen besides the password: parts of a URL that is itself a secret. */
  secrets?(credentials: Credentials): readonly string[]
}

export type ReadCredentials =
  | { readonly ok: true; readonly credentials: Credentials }
  | { readonly ok: false; readonly problems: readonly { readonly field: string; readonly problem: string }[] }

const MAX_LENGTH = 4096
const CONTROL = /\p{Cc}/u

/** Reads what a user gave: empty counts as left out, defaults are filled in, and every problem names its field. */
export function readCredentials(
  rules: CredentialRules,
  given: { readonly [F in CredentialField]?: string | null | undefined },
): ReadCredentials {
  const credentials = { host: null, user: null, password: null, path: null } as Record<CredentialField, string | null>
  const problems: { field: string; problem: string }[] = []
  for (const field of CREDENTIAL_FIELDS) {
    const rule = rules.fields[field]
    const value = given[field] || null
    credentials[field] = value ?? rule?.default ?? null
    const problem = problemOf(rule, value)
    if (problem !== null) problems.push({ field, problem: `${field} ${problem}` })
  }
  if (problems.length > 0) return { ok: false, problems }
  const together = rules.wrongTogether?.(credentials) ?? null
  if (together !== null) return { ok: false, problems: [{ field: 'credentials', problem: together }] }
  return { ok: true, credentials }
}

function problemOf(rule: CredentialRule | undefined, value: string | null): string | null {
  if (value === null) return rule?.required && rule.default === undefined ? `is required: ${rule.meaning}` : null
  if (rule === undefined) return 'is not used by this service and must be left out'
  if (value.length > MAX_LENGTH) return `must have at most ${MAX_LENGTH} characters, it has ${value.length}`
  if (CONTROL.test(value)) return 'must not contain control characters'
  const wrong = rule.wrong?.(value) ?? null
  return wrong === null ? null : `must ${wrong}`
}

/** Going on from "host must ": for a field that is the URL of a server. */
export function wrongUrl(value: string): string | null {
  if (!URL.canParse(value)) return 'be a URL that begins with https:// or http://'
  const url = new URL(value)
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return 'begin with https:// or http://'
  if (url.username !== '' || url.password !== '') return 'not hold a user or password: give them in their own fields'
  return url.hash === '' ? null : 'not have a fragment (#…)'
}

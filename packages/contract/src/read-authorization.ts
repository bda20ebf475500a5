/** From what stands in the settings to an `authorization` section that is sound, or to what is wrong with it. */
import { ADMIN_ROLE, Authorization, tokenAlgorithms } from './authorization.ts'
import { ruleProblems } from './authorization-rules.ts'
import { schemaProblems } from './schema-problems.ts'

export interface Reading<T> {
  /** Undefined where there are problems. */
  readonly value: T | undefined
  /** One sentence each. Values are not in them, but for names of entities and fields. */
  readonly problems: readonly string[]
}

type Environment = Readonly<Record<string, string | undefined>>

/** @param place how the user knows the section: `authorization in posthorn.json` */
export function readAuthorization(given: unknown, place: string, env: Environment): Reading<Authorization> {
  const parsed = typeof given === 'string' ? parse(given) : given
  if (parsed === undefined) return { value: undefined, problems: [`${place} must be a JSON object`] }
  const missing: string[] = []
  const filled = fill(parsed, place, env, missing)
  const faults = schemaProblems(Authorization, filled, place)
  const section = filled as Authorization
  const problems = [
    ...missing,
    ...(faults.length > 0 ? faults : [...sectionProblems(section, place), ...ruleProblems(section, place)]),
  ]
  return { value: problems.length === 0 ? section : undefined, problems }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** `{NAME}` in a text stands for a variable of the environment, as in Platformatic's files. */
function fill(value: unknown, place: string, env: Environment, missing: string[]): unknown {
  if (Array.isArray(value)) return value.map((item, i) => fill(item, `${place}[${i}]`, env, missing))
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(
      Object.entries(value).map(([name, item]) => [name, fill(item, `${place}.${name}`, env, missing)]),
    )
  }
  if (typeof value !== 'string') return value
  return value.replace(/\{([A-Za-z_]\w*)\}/g, (whole, name: string) => {
    const found = env[name]
    if (!found) missing.push(`${place} names ${whole}, which the environment does not have`)
    return found || whole
  })
}

function sectionProblems(section: Authorization, place: string): string[] {
  const { adminSecret, anonymousRole, jwt, rules = [] } = section
  const problems: string[] = []
  if (adminSecret === undefined && rules.length === 0) {
    problems.push(`${place} has neither adminSecret nor rules: nobody could do anything`)
  }
  if (anonymousRole === ADMIN_ROLE) problems.push(`${place}.anonymousRole cannot be ${ADMIN_ROLE}`)
  return jwt ? [...problems, ...jwtProblems(jwt, `${place}.jwt`)] : problems
}

function jwtProblems({ secret, jwks, verify }: NonNullable<Authorization['jwt']>, place: string): string[] {
  if ((secret === undefined) === (jwks === undefined)) return [`${place} must have either secret or jwks`]
  const problems: string[] = []
  if (jwks && !jwks.url && !jwks.issuersWhitelist && !jwks.allowedDomains) {
    problems.push(`${place}.jwks must have issuersWhitelist or url: else whoever has a server could issue tokens`)
  }
  if (jwks?.url && (jwks.jwksPath || jwks.providerDiscovery)) {
    problems.push(`${place}.jwks must have url, or jwksPath or providerDiscovery, not both`)
  }
  const fitting: readonly string[] = typeof secret === 'string' ? tokenAlgorithms.secret : tokenAlgorithms.key
  const strange = verify?.algorithms?.filter(name => !fitting.includes(name)) ?? []
  if (strange.length > 0) {
    problems.push(`${place}.verify.algorithms: ${strange.join(', ')} does not go with ${jwks ? 'jwks' : 'this secret'}`)
  }
  return problems
}

/**
 * The configuration of a node. Sources, the first that has a setting wins: flags, environment, file, default.
 * This is the only file that reads the environment; everything else is handed a `Config`.
 */
import { readFileSync } from 'node:fs'
import {
  type Config,
  clientVariables,
  configFileDefault,
  configFileVariable,
  configKeyOf,
  describeKind,
  flagOf,
  nearest,
  parseDuration,
  type Setting,
  type SettingName,
  settings,
  variableOf,
} from '@posthorn/contract'
import { Ajv } from 'ajv'

export { describeConfig, type SettingDescription } from '@posthorn/contract'

export interface ConfigSources {
  readonly env: Readonly<Record<string, string | undefined>>
  /** By setting name, as the command line gave them. */
  readonly flags: Readonly<Record<string, string | undefined>>
  /** The file's text. @throws with code ENOENT where there is none */
  readonly readFile: (path: string) => string
}

export const processSources = (flags: ConfigSources['flags'] = {}): ConfigSources => ({
  env: process.env,
  flags,
  readFile: path => readFileSync(path, 'utf8'),
})

export class ConfigError extends Error {
  /** One sentence each, naming the setting as it was given, and its bound. */
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super(
      problems.length === 1
        ? problems[0]
        : `the configuration has ${problems.length} faults:\n- ${problems.join('\n- ')}`,
    )
    this.name = 'ConfigError'
    this.problems = problems
  }
}

const names = Object.keys(settings) as SettingName[]

const checker = new Ajv({ strict: false })

interface Given {
  readonly value: unknown
  /** How the user knows it: `POSTHORN_PORT`, `--port`, `port in posthorn.json`. */
  readonly label: string
}

/** Reads, checks and completes the configuration. @throws ConfigError with every problem that there is */
export function loadConfig(sources: ConfigSources): Config {
  const problems: string[] = []
  const path = sources.flags.config ?? sources.env[configFileVariable]
  const file = readConfigFile(path, sources.readFile, problems)
  problems.push(...strangers(sources.env, file, path ?? configFileDefault))
  const config: Record<string, unknown> = {}
  for (const name of names) {
    const setting: Setting = settings[name]
    const given = findGiven(name, setting, sources, file, path ?? configFileDefault)
    config[configKeyOf(name)] = given ? read(setting, given, sources.env, problems) : structuredClone(setting.default)
  }
  takeAdminSecret(config, problems)
  if (problems.length > 0) throw new ConfigError(problems)
  return Object.freeze(config) as Config
}

/** Where a server answers, and by what it can be called, for commands that call one. @throws ConfigError */
export function loadServer(sources: ConfigSources): {
  readonly url: string
  readonly adminSecret: string | null
  readonly apiKey: string | null
  /** The password that a command stores with a service. */
  readonly servicePassword: string | null
} {
  const { host, port, adminSecret } = loadConfig(sources)
  const {
    [clientVariables.url]: url,
    [clientVariables.apiKey]: apiKey,
    [clientVariables.servicePassword]: password,
  } = sources.env
  const name = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '[::1]' : host.includes(':') ? `[${host}]` : host
  return {
    url: url || `http://${name}:${port}`,
    adminSecret,
    apiKey: apiKey || null,
    servicePassword: password || null,
  }
}

/** pg-hooks has the admin secret within `authorization`. */
function takeAdminSecret(config: Record<string, unknown>, problems: string[]): void {
  const { adminSecret, authorization } = config as Pick<Config, 'adminSecret' | 'authorization'>
  const other = authorization?.adminSecret
  if (other === undefined) return
  if (adminSecret !== null && adminSecret !== other) {
    problems.push('adminSecret and authorization.adminSecret differ: leave one of them out')
  }
  config.adminSecret = other
}

function findGiven(
  name: SettingName,
  setting: Setting,
  { env, flags }: ConfigSources,
  file: Readonly<Record<string, unknown>>,
  path: string,
): Given | null {
  if (flags[name] !== undefined) return { value: flags[name], label: flagOf(name) }
  for (const variable of [variableOf(name), ...setting.otherEnv]) {
    // An empty variable is how compose files and shells leave one out.
    if (env[variable]) return { value: env[variable], label: variable }
  }
  return name in file ? { value: file[name], label: `${name} in ${path}` } : null
}

/** The value as its setting wants it; undefined, and a problem noted, where it cannot be had. */
function read(setting: Setting, { value, label }: Given, env: ConfigSources['env'], problems: string[]): unknown {
  if (setting.read) {
    const reading = setting.read(value, label.split(' ', 1)[0]!, env)
    problems.push(...reading.problems)
    return reading.value
  }
  const converted = convert(setting, value)
  if (checker.validate(setting.schema, converted)) return converted
  const shown = setting.secret ? '' : `, not ${JSON.stringify(value)}`
  problems.push(`${label} must be ${describeKind(setting)}${shown}`)
  return undefined
}

function convert(setting: Setting, value: unknown): unknown {
  if (setting.duration) return parseDuration(value)
  if (typeof value !== 'string') return value
  switch ([setting.schema.type].flat()[0]) {
    case 'integer':
      return /^\d+$/.test(value.trim()) ? Number(value) : value
    case 'array':
      return value.split(',').flatMap(part => part.trim() || [])
    default:
      return value
  }
}

function readConfigFile(
  path: string | undefined,
  readFile: ConfigSources['readFile'],
  problems: string[],
): Record<string, unknown> {
  try {
    const content: unknown = JSON.parse(readFile(path ?? configFileDefault))
    if (typeof content === 'object' && content !== null && !Array.isArray(content)) return { ...content }
    problems.push(`${path ?? configFileDefault} must hold one JSON object`)
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT'
    if (missing && path === undefined) return {}
    problems.push(
      `${path ?? configFileDefault} cannot be read: ${missing ? 'there is no such file' : (error as Error).message}`,
    )
  }
  return {}
}

/** Names that we do not know: a mistyped setting would otherwise be one that was never made. */
function strangers(env: ConfigSources['env'], file: Readonly<Record<string, unknown>>, path: string): string[] {
  const variables = [...names.map(variableOf), configFileVariable, ...Object.values(clientVariables)]
  const inEnv = Object.keys(env).filter(name => name.startsWith('POSTHORN_') && !variables.includes(name))
  const inFile = Object.keys(file).filter(name => !(name in settings) && name !== '$schema')
  return [
    ...inEnv.map(name => `${name} is no setting; the nearest is ${nearest(name, variables)}`),
    ...inFile.map(name => `${name} in ${path} is no setting; the nearest is ${nearest(name, names)}`),
  ]
}

/** The configuration as it may be logged: of secrets, only that there is one; of URLs, where they lead. */
export function redactConfig(config: Config): Record<string, unknown> {
  const shown: Record<string, unknown> = { ...config }
  for (const name of names) {
    const key = configKeyOf(name)
    if (settings[name].secret && config[key] !== null) shown[key] = redact(String(config[key]))
  }
  return shown
}

function redact(secret: string): string {
  if (!/^postgres(ql)?:/.test(secret) || !URL.canParse(secret)) return '(set)'
  const { protocol, host, pathname } = new URL(secret)
  return `${protocol}//${host}${pathname}`
}

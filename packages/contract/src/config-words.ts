/** The settings in words: for messages, `--help` and the reference page. */
import { flagOf, type Setting, type SettingName, settings, variableOf } from './config.ts'

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** "30s", "1.5h" or milliseconds, in milliseconds; anything else comes back as it is, for a check to refuse. */
export function parseDuration(value: unknown): unknown {
  if (typeof value !== 'string') return value
  const [, amount, unit = 'ms'] = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)?$/.exec(value.trim()) ?? []
  return amount === undefined ? value : Math.round(Number(amount) * UNITS[unit]!)
}

/** 2592000000 → "30d". */
export function printDuration(ms: number): string {
  const unit = Object.keys(UNITS).findLast(name => ms > 0 && ms % UNITS[name]! === 0) ?? 'ms'
  return `${ms / UNITS[unit]!}${unit}`
}

/** What a setting must be: "an integer from 1 to 1000". */
export function describeKind(setting: Setting): string {
  const { type, minimum, maximum, enum: choices, description, items } = setting.schema
  if (setting.duration) return `a duration from ${printDuration(minimum)} to ${printDuration(maximum)}`
  if (type === 'integer') return `an integer from ${minimum} to ${maximum}`
  if (type === 'array')
    return items.enum ? `a list of ${items.enum.join(', ')}, each once` : 'a list with commas between'
  if (choices) return `one of ${choices.join(', ')}`
  return description ?? 'text'
}

export interface SettingDescription {
  readonly name: SettingName
  readonly variable: string
  readonly otherVariables: readonly string[]
  readonly flag: string
  readonly kind: string
  /** As it would be written; empty where there is none. */
  readonly default: string
  readonly secret: boolean
  readonly summary: string
}

export function describeConfig(): SettingDescription[] {
  return (Object.keys(settings) as SettingName[]).map(name => {
    const setting: Setting = settings[name]
    return {
      name,
      variable: variableOf(name),
      otherVariables: setting.otherEnv,
      flag: flagOf(name),
      kind: describeKind(setting),
      default: printDefault(setting),
      secret: setting.secret,
      summary: setting.summary,
    }
  })
}

function printDefault(setting: Setting): string {
  if (setting.default === null) return ''
  if (setting.duration) return printDuration(setting.default as number)
  return Array.isArray(setting.default) ? setting.default.join(',') : String(setting.default)
}

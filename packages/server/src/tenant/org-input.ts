/** What an operator says of an org, in the form in which it is stored. */
import { Problem } from '@posthorn/contract'

const MAX_CONFIG_BYTES = 65_536
/** Far less than what JSON and the database can take: whoever reads it may go through it without looking out. */
const MAX_CONFIG_DEPTH = 100

/** JSON text. @throws Problem validation_failed */
export function storedConfig(config: Readonly<Record<string, unknown>>): string {
  if (isDeeper(config, MAX_CONFIG_DEPTH)) throw invalid(`must not be more than ${MAX_CONFIG_DEPTH} deep`)
  const text = JSON.stringify(config)
  if (Buffer.byteLength(text) > MAX_CONFIG_BYTES) throw invalid(`must not be larger than ${MAX_CONFIG_BYTES} bytes`)
  // What jsonb does not take; a backslash before the escape would make it an ordinary text.
  if (/(?<!\\)(?:\\\\)*\\u(0000|d[89a-f][0-9a-f]{2})/.test(text))
    throw invalid('must be text without NUL and without half characters')
  return text
}

function isDeeper(value: unknown, most: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  return most === 0 || Object.values(value).some(below => isDeeper(below, most - 1))
}

function invalid(rule: string): Problem {
  return new Problem('validation_failed', { problem: `body/config ${rule}` })
}

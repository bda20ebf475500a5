/** What an operator says of an org, in the form in which it is stored. */
import { Problem } from '@posthorn/contract'

const MAX_CONFIG_BYTES = 65_536

/** JSON text. @throws Problem validation_failed */
export function storedConfig(config: Readonly<Record<string, unknown>>): string {
  const text = JSON.stringify(config)
  if (Buffer.byteLength(text) > MAX_CONFIG_BYTES) throw invalid(`must not be larger than ${MAX_CONFIG_BYTES} bytes`)
  // What jsonb does not take; a backslash before the escape would make it an ordinary text.
  if (/(?<!\\)(?:\\\\)*\\u(0000|d[89a-f][0-9a-f]{2})/.test(text))
    throw invalid('must be text without NUL and without half characters')
  return text
}

function invalid(rule: string): Problem {
  return new Problem('validation_failed', { problem: `body/config ${rule}` })
}

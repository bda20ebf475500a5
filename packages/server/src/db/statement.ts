import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Statement } from './port.ts'

/** PostgreSQL cuts off longer names, and two statements would become one. */
const LONGEST_NAME_BYTES = 63

/**
 * Reads a statement from a `.sql` file; its name is the file's, without the ending.
 *
 * @param base the caller's `import.meta.url`
 * @throws Error if the file is not there, or does not say in a first comment what it relies on
 * @example const settle = loadStatement(import.meta.url, './sql/settle.sql')
 */
export function loadStatement(base: string, path: string): Statement {
  const file = fileURLToPath(new URL(path, base))
  const name = basename(file, '.sql')
  const text = readFileSync(file, 'utf8')
  if (!text.startsWith('--')) throw new Error(`${file} does not begin with a comment`)
  if (Buffer.byteLength(name) > LONGEST_NAME_BYTES) {
    throw new Error(`${file}: the name of a statement has at most ${LONGEST_NAME_BYTES} bytes`)
  }
  return { name, text: text.replace(/^(--[^\n]*\n+)+/, '') }
}

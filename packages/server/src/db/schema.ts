/** The configured schema: its name in statements and in lock keys. */
import { createHash } from 'node:crypto'
import { DatabaseError, type Statement } from './port.ts'

const LONGEST_NAME_BYTES = 63

/**
 * What may hold `posthorn.` without meaning the schema: comments, strings (E'' with backslashes too), quoted names. But the
 * string that names a sequence means it.
 */
const SCHEMA_OR_QUOTED =
  /\bnextval\('posthorn\.[^']*'\)|--[^\n]*|\/\*[\s\S]*?\*\/|\b[eE]'(?:\\.|''|[^'\\])*'|'(?:''|[^'])*'|"(?:""|[^"])*"|(?<![\w$.])posthorn\./g

export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** @throws Error if PostgreSQL would refuse the name or cut it off */
export function checkSchemaName(name: string): void {
  const bytes = Buffer.byteLength(name)
  if (bytes < 1 || bytes > LONGEST_NAME_BYTES || name.includes('\0')) {
    throw new Error(`schema: the name must have 1 to ${LONGEST_NAME_BYTES} bytes, this one has ${bytes}`)
  }
  if (/^pg_|^information_schema$/.test(name)) throw new Error(`schema: ${name} is a name of PostgreSQL's own`)
}

/** Puts the configured schema wherever a statement says `posthorn.` as code; bodies in dollar quotes are code. */
export function replaceSchema(sql: string, schema: string): string {
  if (schema === 'posthorn') return sql
  const replacement = `${quoteIdentifier(schema)}.`
  return sql.replace(SCHEMA_OR_QUOTED, found => {
    if (found === 'posthorn.') return replacement
    return found.startsWith('nextval(') ? found.replace('posthorn.', () => replacement.replaceAll("'", "''")) : found
  })
}

/** A signed 32-bit number that differs between schemas, so that two installations can share a database's advisory locks. */
export function lockSpaceOf(schema: string): number {
  return createHash('sha256').update(schema).digest().readInt32BE(0)
}

/** The texts of statements with the configured schema in them, made once per statement. */
export class StatementTexts {
  readonly #schema: string
  readonly #known = new Map<string, { readonly source: string; readonly text: string }>()

  constructor(schema: string) {
    this.#schema = schema
  }

  /** @throws DatabaseError (rejected) if two statements share a name: one would run in the place of the other */
  of(statement: Statement): string {
    if (statement.name === '') return this.replace(statement.text)
    if (statement.name === '') return this.replace(statement.text)
    let known = this.#known.get(statement.name)
    if (!known) {
      known = { source: statement.text, text: replaceSchema(statement.text, this.#schema) }
      this.#known.set(statement.name, known)
    }
    if (known.source !== statement.text) {
      throw new DatabaseError(`two different statements are named ${statement.name}`, 'rejected')
    }
    return known.text
  }

  replace(sql: string): string {
    return replaceSchema(sql, this.#schema)
  }
}

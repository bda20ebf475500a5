import type { Param } from '../db/port.ts'

/** A condition as SQL text, or decided before the database is asked. */
export type Sql = string | boolean

export function allOf(conditions: readonly Sql[]): Sql {
  if (conditions.includes(false)) return false
  const open = conditions.filter(condition => condition !== true)
  if (open.length < 2) return open[0] ?? true
  return open.map(condition => `(${condition})`).join(' AND ')
}

export function anyOf(conditions: readonly Sql[]): Sql {
  if (conditions.includes(true)) return true
  const open = conditions.filter(condition => condition !== false)
  if (open.length < 2) return open[0] ?? false
  return open.map(condition => `(${condition})`).join(' OR ')
}

/** The parameters of a statement that is being written: no value ever enters its text. */
export class Params {
  readonly #values: Param[] = []

  /** Gives the text that stands for the value, cast to an SQL type. */
  add(value: Param, type: string): string {
    this.#values.push(value)
    return `$${this.#values.length}::${type}`
  }

  /** The finished statement with the parameters that it still uses: a condition that was decided has left its own behind. */
  finish(text: string): { readonly text: string; readonly values: readonly Param[] } {
    const used = new Map<string, number>()
    const values: Param[] = []
    const numbered = text.replace(/\$(\d+)/g, (_, old: string) => {
      if (!used.has(old)) used.set(old, values.push(this.#values[Number(old) - 1]!))
      return `$${used.get(old)}`
    })
    return { text: numbered, values }
  }
}

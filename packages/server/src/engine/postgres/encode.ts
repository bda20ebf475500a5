/** PostgreSQL array literals, written as text: one parameter carries a column of a whole batch. */

type Scalar = number | string | null

/** `{1,2,NULL}` of numbers and plain words; null where every value is null, which the statements read as NULLs. */
export function column<T>(items: readonly T[], pick: (item: T) => Scalar): string | null {
  let text = ''
  let filled = false
  for (const item of items) {
    const value = pick(item)
    if (value !== null) filled = true
    text += value === null ? ',NULL' : `,${value}`
  }
  return filled ? `{${text.slice(1)}}` : null
}

/** The same for any text: quoted, with `"` and `\` escaped. */
export function textColumn<T>(items: readonly T[], pick: (item: T) => string | null): string | null {
  return column(items, item => {
    const value = pick(item)
    return value === null ? null : quote(value)
  })
}

/**
 * Times that are waited for are kept in whole milliseconds, never earlier than given: what a load gives back as its place
 * is then exactly what is stored, and a cursor behind it does not find it again.
 */
export function wholeMs<T extends number | null>(time: T): T {
  return (time === null ? null : Math.ceil(time)) as T
}

/** `{1,2,3}`, and `{}` for none. */
export function list(values: readonly (number | string)[]): string {
  return `{${values.join(',')}}`
}

export function textList(values: readonly string[]): string {
  return `{${values.map(quote).join(',')}}`
}

const SPECIAL = /["\\]/
const SPECIALS = /["\\]/g

function quote(value: string): string {
  return SPECIAL.test(value) ? `"${value.replace(SPECIALS, '\\$&')}"` : `"${value}"`
}

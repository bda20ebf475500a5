/** The few shapes of values that fields are made of. Plain JSON Schema: they validate, document and serialize alike. */
import { type Static, type StringOptions, type TSchema, Type } from '@sinclair/typebox'
import { HEADER_NAME, HEADER_VALUE, MAX_HEADER_NAME, MAX_HEADERS } from './header-rules.ts'

/** `type: [T, 'null']` rather than `anyOf`: a validator that coerces would turn null into '' on its way through a union. */
export const Nullable = <T extends TSchema>(schema: T) => {
  const choices: readonly unknown[] | undefined = schema.enum
  return Type.Unsafe<Static<T> | null>({
    ...schema,
    type: [schema.type, 'null'],
    ...(choices && { enum: [...choices, null] }),
  })
}

export const OneOf = <const V extends string>(values: readonly V[], options: object = {}) =>
  Type.Unsafe<V>({ type: 'string', enum: [...values], ...options })

/** PostgreSQL's text has no NUL and UTF-8 no lone surrogate. */
export const TEXT_PATTERN = '^[^\\u0000\\ud800-\\udfff]*$'
export const Text = (options: StringOptions = {}) => Type.String({ pattern: TEXT_PATTERN, ...options })

export const RecordId = Type.Integer({ minimum: 1, maximum: 2 ** 31 - 1 })
/** Messages are many: their ids go as far as JSON numbers are exact. */
export const MessageId = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER })

export const Timestamp = Type.String({ format: 'date-time' })

/** RFC 9110 names; values without control characters, so that no header can smuggle another. See `header-rules.ts`. */
export const Headers = Type.Unsafe<Record<string, string>>({
  type: 'object',
  maxProperties: MAX_HEADERS,
  propertyNames: { pattern: HEADER_NAME, maxLength: MAX_HEADER_NAME },
  additionalProperties: { type: 'string', pattern: HEADER_VALUE },
})

const TIMESTAMP =
  /^(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?(?:[Zz]|([+-])(\d\d):?(\d\d)?)?)?$/

/**
 * Reads a date or a date with time, in milliseconds since 1970; without an offset it is UTC.
 * Gives null for anything else, also for a day that no calendar has.
 */
export function parseTimestamp(text: string): number | null {
  const found = TIMESTAMP.exec(text)
  if (!found) return null
  const part = (index: number): number => Number(found[index] ?? 0)
  const ms = Math.trunc(Number(`0.${found[7] ?? 0}`) * 1000)
  const utc = Date.UTC(part(1), part(2) - 1, part(3), part(4), part(5), part(6), ms)
  const back = new Date(utc)
  const real =
    part(1) >= 100 &&
    back.getUTCMonth() === part(2) - 1 &&
    back.getUTCDate() === part(3) &&
    back.getUTCHours() === part(4) &&
    part(5) < 60 &&
    part(6) < 60 &&
    part(9) < 24 &&
    part(10) < 60
  const offset = (part(9) * 60 + part(10)) * 60_000
  return real ? utc + (found[8] === '-' ? offset : -offset) : null
}

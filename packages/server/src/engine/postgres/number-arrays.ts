/**
 * PostgreSQL's arrays of numbers in its binary format: a column of a batch without a string for each number, neither here
 * nor when the server reads it. (As text, a settle of 500 made 4,000 strings, and their digits were parsed again.)
 */

type Pick<T> = (item: T) => number | null

interface ElementType {
  readonly oid: number
  readonly bytes: number
  write(into: Buffer, value: number, at: number): void
}

const HEADER_BYTES = 20
const LENGTH_BYTES = 4
/** What stands for the length of a NULL. */
const NULL_LENGTH = -1

const SMALLINT: ElementType = { oid: 21, bytes: 2, write: (into, value, at) => into.writeInt16BE(value, at) }
const INTEGER: ElementType = { oid: 23, bytes: 4, write: (into, value, at) => into.writeInt32BE(value, at) }
const DOUBLE: ElementType = { oid: 701, bytes: 8, write: (into, value, at) => into.writeDoubleBE(value, at) }
const BIGINT: ElementType = {
  oid: 20,
  bytes: 8,
  /** In halves: a BigInt for each would cost more than all the rest. Exact for every safe integer, below zero too. */
  write(into, value, at) {
    into.writeInt32BE(Math.floor(value / 2 ** 32), at)
    into.writeUInt32BE(value >>> 0, at + 4)
  },
}

/** Each for a parameter of the type `smallint[]`, `int[]`, `bigint[]` or `float8[]`; null where every value is null. */
export const smallints = <T>(items: readonly T[], pick: Pick<T>): Buffer | null => encode(SMALLINT, items, pick)
export const integers = <T>(items: readonly T[], pick: Pick<T>): Buffer | null => encode(INTEGER, items, pick)
export const bigints = <T>(items: readonly T[], pick: Pick<T>): Buffer | null => encode(BIGINT, items, pick)
export const doubles = <T>(items: readonly T[], pick: Pick<T>): Buffer | null => encode(DOUBLE, items, pick)

function encode<T>(type: ElementType, items: readonly T[], pick: Pick<T>): Buffer | null {
  const array = Buffer.allocUnsafe(HEADER_BYTES + items.length * (LENGTH_BYTES + type.bytes))
  let at = HEADER_BYTES
  let nulls = 0
  for (const item of items) {
    const value = pick(item)
    at = array.writeInt32BE(value === null ? NULL_LENGTH : type.bytes, at)
    if (value === null) {
      nulls += 1
      continue
    }
    type.write(array, value, at)
    at += type.bytes
  }
  if (nulls === items.length) return null
  array.writeInt32BE(1, 0) // dimensions
  array.writeInt32BE(nulls > 0 ? 1 : 0, 4)
  array.writeInt32BE(type.oid, 8)
  array.writeInt32BE(items.length, 12)
  array.writeInt32BE(1, 16) // the first one's number
  return array.subarray(0, at)
}
